"""Third stage: what goes into one notice. By device; by site when there is more than a channel has room for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.dispatch.incident import Delivery, Incident, What
from gateway.model import AlarmState

#: What is said first where several things are to be said of one alarm at once.
_WEIGHT = {What.ESCALATED: 0, What.WORSENED: 1, What.RAISED: 2, What.REPEATED: 3, What.ENDED: 4}


@dataclass(frozen=True, slots=True)
class Line:
    """One alarm in a notice, and what is said of it."""

    alarm: AlarmState
    what: What
    began: int
    """Switchboard ms."""
    is_consequence: bool = False
    """It followed from the alarm above it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one notice says: `deliveries` are done once it is sent."""

    channel: str
    deliveries: tuple[Delivery, ...]
    lines: tuple[Line, ...]
    """The worst first, consequences under what they followed from."""

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(each.id for each in self.deliveries)


def choose(due: Sequence[Delivery], room: int) -> list[Delivery]:
    """Of what is due on a channel, what goes into the next notice: the device with the worst, or everything where that
    would be more notices than there is room for."""
    devices: dict[str, list[Delivery]] = {}
    for each in due:
        devices.setdefault(each.device, []).append(each)
    if len(devices) > room:
        return list(due)
    return min(devices.values(), key=_urgency, default=[])


def _urgency(group: Sequence[Delivery]) -> tuple[bool, int, int]:
    """Priority first, ends last, then age."""
    return (
        all(each.what is What.ENDED for each in group),
        -max(each.priority.level for each in group),
        min(each.due for each in group),
    )


def batch(channel: str, chosen: Iterable[Delivery], incidents: Mapping[str, Incident]) -> Batch:
    """The notice's lines: one for each alarm."""
    chosen = tuple(chosen)
    says: dict[str, What] = {}
    for each in sorted(chosen, key=lambda each: _WEIGHT[each.what]):
        says.setdefault(each.key, each.what)
    lines = [Line(incidents[key].alarm, what, incidents[key].began) for key, what in says.items()]
    return Batch(channel, chosen, tuple(in_order(lines)))


def in_order(lines: Sequence[Line]) -> list[Line]:
    """Clusters of a first-out alarm with its consequences under it; the worst cluster first, ended ones last. Each line
    stands there once."""
    by_key = {line.alarm.key: line for line in lines}
    clusters: dict[str, list[Line]] = {}
    for line in lines:
        clusters.setdefault(_root(line.alarm, by_key), []).append(line)
    ordered: list[Line] = []
    for root, members in sorted(clusters.items(), key=lambda item: _rank(item[1])):
        below = sorted((line for line in members if line.alarm.key != root), key=lambda line: _rank([line]))
        ordered += [by_key[root], *(Line(line.alarm, line.what, line.began, True) for line in below)]
    return ordered


def _root(alarm: AlarmState, by_key: Mapping[str, Line]) -> str:
    """Where what led to `alarm` began, as far as the notice tells of it. In a ring each alarm stands for itself."""
    at, passed = alarm, {alarm.key}
    while at.first_out and (line := by_key.get(f"{at.device}/{at.first_out}")) is not None:
        if line.alarm.key in passed:
            return alarm.key
        passed.add(line.alarm.key)
        at = line.alarm
    return at.key


def _rank(lines: Sequence[Line]) -> tuple[bool, int, int, str]:
    return (
        all(line.what is What.ENDED for line in lines),
        -max(line.alarm.priority.level for line in lines),
        min(line.began for line in lines),
        lines[0].alarm.key,
    )
