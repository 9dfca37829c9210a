"""First stage: which channels an alarm goes to, and by which route."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.model import AlarmState
from gateway.settings.notify_types import Match, RouteSettings


def fits(match: Match, alarm: AlarmState) -> bool:
    """Whether the alarm is one of those that are meant."""
    return (
        (not match.devices or alarm.device in match.devices)
        and (not match.kinds or alarm.kind in match.kinds)
        and (not match.priorities or alarm.priority in match.priorities)
        and (not match.roles or alarm.role in match.roles)
        and (not match.rules or alarm.rule in match.rules)
    )


def routes_of(alarm: AlarmState, routes: Sequence[RouteSettings]) -> Iterator[RouteSettings]:
    """The first route that fits, and further ones as long as those before go on."""
    for route in routes:
        if fits(route.match, alarm):
            yield route
            if not route.goes_on:
                return


def channels_of(alarm: AlarmState, routes: Sequence[RouteSettings]) -> dict[str, RouteSettings]:
    """The channels that are told at once, each with the first route that leads there."""
    found: dict[str, RouteSettings] = {}
    for route in routes_of(alarm, routes):
        for channel in route.to:
            found.setdefault(channel, route)
    return found


def route_of(alarm: AlarmState, channel: str, routes: Sequence[RouteSettings]) -> RouteSettings | None:
    """The route by which something for this channel came: as recipient, backup or step of an escalation."""
    for route in routes_of(alarm, routes):
        if channel in route.to or channel in route.backup or any(channel in step.to for step in route.escalate):
            return route
    return None
