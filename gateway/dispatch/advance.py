"""Deduplication: what a transition, or a notice that was sent, leaves to be said on each channel. Pure.

It compares what each channel was last told with how the alarm stands, so that an alarm that comes and goes while nobody
could be told is one notice, and what was told is not told again.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from types import MappingProxyType

from gateway.dispatch.incident import Delivery, Incident, Pending, Told, What, is_kept_back, stands, waits_for_ack
from gateway.dispatch.route import channels_of, route_of
from gateway.model import AlarmCondition, AlarmEvent, AlarmState, Priority, Transition
from gateway.settings.notify_types import GROUP_WAIT_S, RouteSettings

ENDED_WAIT_MS = 30_000
"""An end is told after this time at the earliest: an alarm that flutters is one notice."""

Routes = Sequence[RouteSettings]


def advance(known: Incident | None, transition: Transition, routes: Routes, now: int, wall: int) -> Incident | None:
    """The incident after `transition`; None where there is nothing to be said, or remembered, of it. `wall` is the wall
    time at board time `now`."""
    alarm = transition.after
    if transition.event is AlarmEvent.REMOVE:
        return None
    if not transition.is_announcement:
        return None if known is None else _settle(replace(known, alarm=alarm), routes, now)
    fresh = known is None or known.alarm.since != alarm.since
    began = now - max(0, wall - alarm.since)
    if known is None:
        incident = Incident(alarm, began, now, 1)
    else:
        is_call = fresh or alarm.priority.level > known.alarm.priority.level or known.alarm.condition.is_acked
        is_call = is_call or is_kept_back(known.alarm)
        incident = replace(known, alarm=alarm, began=began if fresh else known.began)
        if is_call:
            incident = replace(incident, called=now, round=known.round + 1, steps=frozenset())
    return _settle(_call(incident, known, routes, now), routes, now)


def _call(incident: Incident, known: Incident | None, routes: Routes, now: int) -> Incident:
    """Something to say on every channel that has not heard it."""
    alarm, pending = incident.alarm, dict(incident.pending)
    was_quiet = known is not None and (is_kept_back(known.alarm) or known.alarm.condition.is_acked)
    for channel, route in channels_of(alarm, routes).items():
        due = now + _wait_ms(route, alarm.priority)
        waiting = pending.get(channel)
        if waiting is not None and waiting.what is not What.ENDED:
            pending[channel] = replace(waiting, due=min(waiting.due, due))
            continue
        told = incident.told.get(channel)
        if told is None or not told.stands or told.since != alarm.since:
            pending[channel] = Pending(What.RAISED, due, now)
        elif alarm.priority.level > told.priority.level:
            pending[channel] = Pending(What.WORSENED, due, now)
        elif was_quiet:
            pending[channel] = Pending(What.REPEATED, due, now)
    return replace(incident, pending=MappingProxyType(pending))


def _settle(incident: Incident, routes: Routes, now: int) -> Incident | None:
    """Take back what has become untrue, and plan the end for those who believe that the alarm holds."""
    alarm = incident.alarm
    if is_kept_back(alarm):
        settled = replace(incident, pending=MappingProxyType({}))
        return None if settled.is_done else settled
    pending = {
        channel: waiting
        for channel, waiting in incident.pending.items()
        if _is_still_true(waiting.what, alarm, incident.told.get(channel))
    }
    if not stands(alarm):
        for channel, told in incident.told.items():
            if told.stands and channel not in pending:
                pending[channel] = Pending(What.ENDED, now + _ended_wait_ms(alarm, channel, routes), now)
    settled = replace(incident, pending=MappingProxyType(pending))
    return None if settled.is_done else settled


def _is_still_true(what: What, alarm: AlarmState, told: Told | None) -> bool:
    if what is What.RAISED:
        return True  # that it was raised is news, also where it has ended since
    if what is What.ENDED:
        return not stands(alarm) and told is not None and told.stands
    if what is What.WORSENED:
        return stands(alarm)
    return waits_for_ack(alarm)


def _wait_ms(route: RouteSettings, priority: Priority) -> int:
    return round(route.group_wait_s[priority] * 1000)


def _ended_wait_ms(alarm: AlarmState, channel: str, routes: Routes) -> int:
    route = route_of(alarm, channel, routes)
    wait_s = GROUP_WAIT_S if route is None else route.group_wait_s
    return max(ENDED_WAIT_MS, round(wait_s[alarm.priority] * 1000))


def sent(incident: Incident, done: Sequence[Delivery], said: AlarmState, routes: Routes, now: int) -> Incident | None:
    """Record that `done` were said on their channel, with the alarm as `said` describes it."""
    told, pending = dict(incident.told), dict(incident.pending)
    for each in done:
        told[each.channel] = Told(now, said.priority, stands(said) and each.what is not What.ENDED, said.since)
        waiting = pending.get(each.channel)
        if waiting is not None and _covers(said, waiting, incident.alarm):
            del pending[each.channel]
    steps = incident.steps
    if any(each.round == incident.round for each in done):
        steps |= {(each.step, each.channel) for each in done if each.what is What.ESCALATED}
    incident = replace(incident, told=MappingProxyType(told), pending=MappingProxyType(pending), steps=steps)
    return _settle(_catch_up(incident, [each.channel for each in done], now), routes, now)


def _covers(said: AlarmState, waiting: Pending, alarm: AlarmState) -> bool:
    """Whether what waits is no news after what was said."""
    if waiting.what is What.ENDED:
        return not stands(said)
    return said.since == alarm.since and alarm.priority.level <= said.priority.level


def _catch_up(incident: Incident, channels: Sequence[str], now: int) -> Incident:
    """What went on while a notice was under way: these channels heard less than is true now."""
    alarm, pending = incident.alarm, dict(incident.pending)
    for channel in channels:
        told, waiting = incident.told[channel], pending.get(channel)
        is_known = told.stands and told.since == alarm.since
        if waiting is not None and waiting.what is What.RAISED:
            pending[channel] = Pending(What.WORSENED if is_known else What.RAISED, waiting.due, now)
        elif waiting is None and stands(alarm) and not told.stands:
            pending[channel] = Pending(What.RAISED, now, now)
    return replace(incident, pending=MappingProxyType(pending))


def dropped(incident: Incident, done: Sequence[Delivery], now: int) -> Incident | None:
    """Nothing more is tried of these: the channel refuses them, or the time for trying is over."""
    pending, told, steps = dict(incident.pending), dict(incident.told), incident.steps
    for each in done:
        waiting, last = pending.get(each.channel), told.get(each.channel)
        if waiting is not None and waiting.planned == each.planned:
            del pending[each.channel]
        if each.what is What.ESCALATED and each.round == incident.round:
            steps |= {(each.step, each.channel)}
        if last is not None:
            told[each.channel] = replace(last, at=now, stands=last.stands and each.what is not What.ENDED)
    after = replace(incident, pending=MappingProxyType(pending), told=MappingProxyType(told), steps=steps)
    return None if after.is_done else after


def handed_on(incident: Incident, failing: Delivery, backup: str, now: int) -> Incident:
    """What waits on a channel that does not work is told on `backup` as well, once."""
    told = incident.told.get(backup)
    knows = told is not None and told.since == incident.alarm.since and told.at >= failing.planned
    if knows or backup in incident.pending:
        return incident
    waiting = Pending(failing.what, now, failing.planned)
    return replace(incident, pending=MappingProxyType({**incident.pending, backup: waiting}))


def without(incident: Incident, channels: Container[str]) -> Incident | None:
    """The incident for a site that has only these `channels`."""
    after = replace(
        incident,
        pending=MappingProxyType({name: each for name, each in incident.pending.items() if name in channels}),
        told=MappingProxyType({name: each for name, each in incident.told.items() if name in channels}),
    )
    return None if after.is_done else after


def corrected(incident: Incident, alarm: AlarmState | None, routes: Routes, now: int) -> Incident | None:
    """The incident by what the alarm is found to be; None: it is over."""
    found = replace(incident.alarm, condition=AlarmCondition.NORMAL) if alarm is None else alarm
    return incident if found == incident.alarm else _settle(replace(incident, alarm=found), routes, now)
