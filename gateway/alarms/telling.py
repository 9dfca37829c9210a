"""An alarm as a message, and what a person did to it as an event."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.model import AlarmState, Transition
from gateway.ports import AlarmOrder
from gateway.wire.messages import Alarm, Event, Json

ACTION = "alarm_action"
"""The event of what a person did to an alarm."""


def message(state: AlarmState, labels: Mapping[str, str]) -> Alarm:
    """The alarm as it stands now."""
    return Alarm(
        device=state.device,
        rule=state.rule,
        kind=state.kind,
        labels=labels,
        state=state.condition.value,
        active=state.condition.is_active,
        acked=state.condition.is_acked,
        acks=state.acks,
        acks_needed=state.acks_needed,
        suppression=state.suppression.value,
        priority=state.priority,
        since=state.since,
        because=dict(state.because),
        text=state.text,
        action=state.action,
        more=_more(state),
    )


def _more(state: AlarmState) -> dict[str, Json]:
    told: dict[str, Json] = {
        "role": state.role,
        "occurrences": state.occurrences if state.occurrences > 1 else None,
        "first_out": state.is_first_out or None,
        "consequence_of": state.first_out,
        "stale": state.is_stale or None,
        "historical": state.is_historical or None,
        "shelved_until": state.shelved_until,
        "suppressed_by": state.suppressed_by or None,
        "work_order": state.work_order,
    }
    return {name: value for name, value in told.items() if value is not None}


def action(transition: Transition, order: AlarmOrder, labels: Mapping[str, str], entry: tuple[int, str]) -> Event:
    """What a person did; `entry` is number and hash of its entry in the journal, so that the journal can be held
    against what the centre has."""
    data: dict[str, Json] = {
        "act": order.act,
        "rule": order.rule,
        "by": order.by,
        "role": order.role,
        "note": order.note,
        "state": transition.after.condition.value,
        "suppression": transition.after.suppression.value,
        "number": entry[0],
        "hash": entry[1],
    }
    if order.for_s is not None:
        data["for_s"] = order.for_s
    if order.work_order:
        data["work_order"] = order.work_order
    return Event(transition.after.kind, labels, ACTION, data)
