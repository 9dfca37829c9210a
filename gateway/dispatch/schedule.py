"""When what is due: waiting for what follows, quiet hours, repeating, escalating. Pure.

A round of calls begins when an alarm is raised or gets worse; escalations count from there, repetitions from the last
notice. Both end with the acknowledgement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from gateway.dispatch.incident import Delivery, Incident, What, is_kept_back, waits_for_ack
from gateway.dispatch.route import route_of, routes_of
from gateway.settings.notify_types import Quiet, RouteSettings


def deliveries(incident: Incident, routes: Sequence[RouteSettings]) -> tuple[Delivery, ...]:
    """Everything that is, or will be, to be said of an incident as it stands; one for each channel and moment."""
    if is_kept_back(incident.alarm):
        return ()
    found = [
        _delivery(incident, channel, each.what, each.due, each.planned) for channel, each in incident.pending.items()
    ]
    if waits_for_ack(incident.alarm):
        found += _escalations(incident, routes)
        found += _repetitions(incident, routes)
    return tuple(found)


def _escalations(incident: Incident, routes: Sequence[RouteSettings]) -> Iterator[Delivery]:
    seen: set[tuple[int, str]] = set(incident.steps)
    for route in routes_of(incident.alarm, routes):
        for step in route.escalate:
            if step.priorities and incident.alarm.priority not in step.priorities:
                continue
            after_ms = round(step.after_s * 1000)
            for channel in step.to or route.to:
                if (after_ms, channel) not in seen:
                    seen.add((after_ms, channel))
                    due = incident.called + after_ms
                    yield _delivery(incident, channel, What.ESCALATED, due, due, after_ms)


def _repetitions(incident: Incident, routes: Sequence[RouteSettings]) -> Iterator[Delivery]:
    for channel, told in incident.told.items():
        route = route_of(incident.alarm, channel, routes) if told.stands and channel not in incident.pending else None
        if route is not None:
            due = told.at + round(route.repeat_interval_s * 1000)
            yield _delivery(incident, channel, What.REPEATED, due, due)


def _delivery(incident: Incident, channel: str, what: What, due: int, planned: int, step: int = 0) -> Delivery:
    alarm = incident.alarm
    return Delivery(incident.key, channel, what, due, planned, alarm.priority, alarm.device, step, incident.round)


def quiet_until(quiet: Quiet | None, wall: int, zone: tzinfo) -> int | None:
    """UTC ms at which the quiet hours end that `wall` lies in; None outside of them."""
    if quiet is None:
        return None
    local = datetime.fromtimestamp(wall / 1000, zone)
    minute = local.hour * 60 + local.minute
    is_over_night = quiet.start > quiet.end
    within = minute >= quiet.start or minute < quiet.end if is_over_night else quiet.start <= minute < quiet.end
    if not within:
        return None
    days = 1 if is_over_night and minute >= quiet.start else 0
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    end = midnight + timedelta(days=days, minutes=quiet.end)
    return round(end.replace(tzinfo=zone).timestamp() * 1000)
