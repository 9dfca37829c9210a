"""What people may do to an alarm. None of it changes a machine. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from gateway.alarms import refusals
from gateway.alarms.alarm import AlarmRule, move
from gateway.alarms.table import advance
from gateway.model import Ack, AlarmEvent, AlarmState, Transition
from gateway.ports import AlarmOrder
from gateway.settings.types import AlarmSettings


@dataclass(frozen=True, slots=True)
class _Asked:
    state: AlarmState
    rule: AlarmRule
    order: AlarmOrder
    ts: int
    settings: AlarmSettings


_Made = tuple[AlarmEvent, AlarmState]


def carry_out(state: AlarmState, rule: AlarmRule, order: AlarmOrder, ts: int, settings: AlarmSettings) -> Transition:
    """The transition `order` makes at `ts` (UTC ms); Refused where it may not."""
    if not order.by:
        raise refusals.no_actor()
    if len(order.note) > refusals.LONGEST_NOTE:
        raise refusals.note_too_long()
    act = _ACTS.get(order.act)
    if act is None:
        raise refusals.unknown_act(order.act)
    event, after = act(_Asked(state, rule, order, ts, settings))
    return move(state, event, ts, after, by=order.by, note=order.note)


def _ack(asked: _Asked) -> _Made:
    state, order = asked.state, asked.order
    acks = (*state.acks, Ack(order.by, asked.ts, order.note))
    condition = advance(state.condition, AlarmEvent.ACK, has_enough=len(acks) >= state.acks_needed)
    if condition is None:
        raise refusals.nothing_to_acknowledge()
    if order.by in {ack.by for ack in state.acks}:
        raise refusals.second_person()
    return AlarmEvent.ACK, replace(state, condition=condition, acks=acks)


def _reset(asked: _Asked) -> _Made:
    state = asked.state
    condition = advance(state.condition, AlarmEvent.RESET)
    if condition is None:
        if state.condition.is_active:
            raise refusals.still_active()
        raise refusals.nothing_to_reset() if state.condition.is_acked else refusals.not_acknowledged()
    return AlarmEvent.RESET, replace(state, condition=condition)


def _shelve(asked: _Asked) -> _Made:
    state, order, ts, settings = asked.state, asked.order, asked.ts, asked.settings
    if state.shelved_until is not None:
        raise refusals.already_shelved()
    if order.for_s is None or not order.for_s > 0:
        raise refusals.end_needed()
    if order.for_s > settings.longest_shelf_s:
        raise refusals.shelf_too_long(settings.longest_shelf_s)
    if not order.note.strip():
        raise refusals.note_needed()
    until = ts + int(order.for_s * 1000)
    shelf: tuple[Ack, ...] = (Ack(order.by, ts, order.note),)
    if state.shelf_asked_until is not None and state.shelf_asked_until > ts:
        if order.by in {each.by for each in state.shelf}:
            raise refusals.second_shelver()
        until, shelf = min(until, state.shelf_asked_until), (*state.shelf, *shelf)
    if len(shelf) < settings.shelvers_needed(state.priority):
        return AlarmEvent.SHELVE, replace(state, shelf=shelf, shelf_asked_until=until)
    return AlarmEvent.SHELVE, replace(state, shelf=shelf, shelf_asked_until=None, shelved_until=until)


def _unshelve(asked: _Asked) -> _Made:
    if not asked.state.shelf:
        raise refusals.not_shelved()
    return AlarmEvent.UNSHELVE, off_the_shelf(asked.state)


def _out_of_service(asked: _Asked) -> _Made:
    work_order = asked.order.work_order.strip()
    if asked.rule.safety:
        raise refusals.stays_armed()
    if not work_order:
        raise refusals.work_order_needed()
    if len(work_order) > refusals.LONGEST_WORK_ORDER:
        raise refusals.work_order_too_long()
    if asked.state.work_order is not None:
        raise refusals.already_out_of_service()
    return AlarmEvent.OUT_OF_SERVICE, replace(asked.state, work_order=work_order)


def _return(asked: _Asked) -> _Made:
    if asked.state.work_order is None:
        raise refusals.in_service()
    return AlarmEvent.BACK_IN_SERVICE, replace(asked.state, work_order=None)


def off_the_shelf(state: AlarmState) -> AlarmState:
    """Nobody shelves it, nor has asked to."""
    return replace(state, shelf=(), shelved_until=None, shelf_asked_until=None)


_ACTS: Mapping[str, Callable[[_Asked], _Made]] = {
    "ack": _ack,
    "reset": _reset,
    "shelve": _shelve,
    "unshelve": _unshelve,
    "out_of_service": _out_of_service,
    "return": _return,
}
ACTS = tuple(_ACTS)
