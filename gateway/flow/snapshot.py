"""The latest value, status and time of every point, and who wants to know when it changes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Self

from gateway.model import MaybeValue, Point, Reading, Status

_FIRST_BAD = 0x80000000
MIN_STALE_S = 5.0
STALE_POLLS = 3
MAX_GROUPS = 256
"""Sets of points polled together that are remembered of one device; a plan that keeps changing must not grow memory."""


@dataclass(frozen=True, slots=True)
class Latest:
    """What is known of one point. `ts` (UTC ms) and `at` (monotonic s) are None while it was never polled."""

    value: MaybeValue
    status: Status
    ts: int | None
    at: float | None
    stale: bool
    """Older than three polls, at least 5 s: must not be taken for the present, whatever its status."""

    @property
    def is_usable(self) -> bool:
        return self.status.is_usable and not self.stale


_NO_GRACE: Mapping[str, float] = MappingProxyType({})


class _Group:
    """When one set of points that is polled together was last read."""

    __slots__ = ("at", "fresh_until", "points", "statuses", "ts", "values")

    def __init__(self, points: tuple[str, ...]) -> None:
        self.points = points
        self.values: tuple[MaybeValue, ...] = ()
        self.statuses: tuple[Status, ...] = ()
        self.ts = 0
        self.at = 0.0
        self.fresh_until: Mapping[str, float] = _NO_GRACE
        """Later than their age alone would allow, for points that were read when they were asked more rarely."""


class _Device:
    __slots__ = ("_unnoted", "_values", "groups", "last", "members", "stale_after_s", "statuses")

    def __init__(self, stale_after_s: Mapping[str, float]) -> None:
        self.stale_after_s = stale_after_s
        self._values: dict[str, MaybeValue] = dict.fromkeys(self.stale_after_s)
        self._unnoted: _Group | None = None
        """Read last; its values are noted by name only when somebody asks, which is rare."""
        self.statuses: dict[str, Status] = dict.fromkeys(self.stale_after_s, Status.BadWaitingForInitialData)
        self.groups: dict[int, _Group] = {}
        self.members: dict[str, tuple[_Group, ...]] = dict.fromkeys(self.stale_after_s, ())
        self.last: _Group | None = None

    @property
    def values(self) -> dict[str, MaybeValue]:
        """The last value of each point."""
        group, self._unnoted = self._unnoted, None
        if group is not None:
            self._values.update(zip(group.points, group.values, strict=True))
        return self._values

    def take(self, group: _Group, values: tuple[MaybeValue, ...]) -> None:
        """`values` were just read of `group`."""
        if self._unnoted is not group and self._unnoted is not None:
            self._values.update(zip(self._unnoted.points, self._unnoted.values, strict=True))
        group.values = values
        self._unnoted = group

    def group(self, points: tuple[str, ...]) -> _Group:
        group = self.groups.get(id(points))
        if group is None or group.points is not points:
            # Kept by content: a plan that keeps changing gives new tuples of the same points.
            known = next((other for other in self.groups.values() if other.points == points), None)
            if known is not None:
                self._forget(known)
            elif len(self.groups) >= max(MAX_GROUPS, 2 * len(self.members)):
                self._forget_outdated()
            group = self.groups[id(points)] = _Group(points)
            alone = (group,)
            for name in points:
                others = self.members[name]
                self.members[name] = (*others, group) if others else alone
        return group

    def _forget(self, group: _Group) -> None:
        del self.groups[id(group.points)]
        for name in group.points:
            self.members[name] = tuple(other for other in self.members[name] if other is not group)

    def _forget_outdated(self) -> None:
        """Keep the sets that are the last to have read one of their points: at most one for each point."""
        self.members = {
            name: (max(found, key=attrgetter("at")),) if found else () for name, found in self.members.items()
        }
        self.groups = {id(group.points): group for groups in self.members.values() for group in groups}

    def adopt(self, before: _Device, names: frozenset[str], now: float) -> None:
        """Go on with what `before` knew of `names`. What is to be read more often from now on is not old for that
        alone: it has as long as a point read now would have."""
        for group in before.groups.values():
            points = tuple(name for name in group.points if name in names)
            if not points:
                continue
            kept = self.group(points)
            kept.ts, kept.at = group.ts, group.at
            kept.fresh_until = {
                name: min(before.fresh_until(group, name), now + self.stale_after_s[name]) for name in points
            }
        values = before.values
        for name in names:
            self._values[name], self.statuses[name] = values[name], before.statuses[name]

    def fresh_until(self, group: _Group, name: str) -> float:
        """Until when what was read of `group` last stands for the present."""
        return max(group.at + self.stale_after_s[name], group.fresh_until.get(name, 0.0))


class Snapshot:
    """Latest of all devices of a site. A point never polled is BadWaitingForInitialData."""

    def __init__(self, devices: Mapping[str, Sequence[Point]]) -> None:
        self._devices = _watch(devices)
        self._subscriptions: list[Subscription] = []

    def replace(self, devices: Mapping[str, Sequence[Point]], known: Mapping[str, frozenset[str]], now: float) -> None:
        """These are the devices from `now` (monotonic seconds) on; of those in `known` the named points stay as they
        were last read."""
        before = self._devices
        self._devices = _watch(devices)
        for name, device in self._devices.items():
            if name in known:
                device.adopt(before[name], known[name], now)

    @property
    def devices(self) -> Iterable[str]:
        return self._devices.keys()

    def update(self, reading: Reading, now: float) -> None:
        """Take in one reading, taken at `now` (monotonic seconds); tells subscribers."""
        device = self._devices[reading.device]
        names = reading.points
        group = device.last
        if group is None or group.points is not names:
            group = device.last = device.group(names)
            group.statuses = ()
        group.ts, group.at = reading.ts, now
        device.take(group, reading.values)
        if reading.statuses != group.statuses:
            group.statuses = reading.statuses
            device.statuses.update(zip(names, reading.statuses, strict=True))
        for subscription in self._subscriptions:
            subscription.tell(reading.device)

    def latest(self, device: str, now: float) -> dict[str, Latest]:
        """Every point of `device` as it stands at `now` (monotonic seconds); KeyError for an unknown device."""
        return {name: self.point(device, name, now) for name in self._devices[device].values}

    def point(self, device: str, name: str, now: float) -> Latest:
        """One point as it stands at `now`; KeyError where there is none."""
        found = self._devices[device]
        groups = found.members[name]
        if not groups:
            return Latest(None, found.statuses[name], None, None, stale=True)
        group = groups[0] if len(groups) == 1 else max(groups, key=attrgetter("at"))
        stale = now - group.at > found.stale_after_s[name] and now > group.fresh_until.get(name, 0.0)
        return Latest(found.values[name], found.statuses[name], group.ts, group.at, stale)

    def usable(self, device: str, names: Iterable[str], now: float) -> tuple[dict[str, bool], float]:
        """Which of these points may be used at `now`, and until when that stays so if nothing is read any more
        (monotonic seconds, infinity where none may be used); KeyError where there is no such point."""
        found = self._devices[device]
        members, statuses, stale_after_s = found.members, found.statuses, found.stale_after_s
        usable: dict[str, bool] = {}
        until = math.inf
        for name in names:
            groups = members[name]
            if not groups or statuses[name] >= _FIRST_BAD:
                usable[name] = False
                continue
            at = groups[0].at if len(groups) == 1 else max(group.at for group in groups)
            limit = stale_after_s[name]
            ends, fresh = at + limit, now - at <= limit
            if not fresh:
                ends = max(found.fresh_until(group, name) for group in groups)
                fresh = now <= ends
            usable[name] = fresh
            if fresh and ends < until:
                until = ends
        return usable, until

    def subscribe(self) -> Subscription:
        """Be told which devices changed; a context manager that ends the subscription."""
        return Subscription(self._subscriptions)


def _watch(devices: Mapping[str, Sequence[Point]]) -> dict[str, _Device]:
    """Devices that share their points share when these grow old."""
    limits = {
        id(points): {point.name: max(MIN_STALE_S, STALE_POLLS * point.interval_s) for point in points}
        for points in devices.values()
    }
    return {device: _Device(limits[id(points)]) for device, points in devices.items()}


class Subscription(AbstractContextManager["Subscription"]):
    """Names of devices that changed. A slow reader misses no device, only how often it changed: that is counted."""

    def __init__(self, others: list[Subscription]) -> None:
        self._others = others
        self._changed: dict[str, None] = {}
        self._wake = asyncio.Event()
        self.coalesced = 0
        others.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._others.remove(self)

    def tell(self, device: str) -> None:
        """Note that `device` changed; never blocks, holds each device at most once."""
        if device in self._changed:
            self.coalesced += 1
            return
        self._changed[device] = None
        self._wake.set()

    async def changed(self) -> tuple[str, ...]:
        """Wait for a change; the devices that changed since the last call, in order of their first change."""
        await self._wake.wait()
        return self.take()

    def take(self) -> tuple[str, ...]:
        """The same without waiting; empty where nothing changed."""
        self._wake.clear()
        devices = tuple(self._changed)
        self._changed.clear()
        return devices
