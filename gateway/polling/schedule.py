"""When each device is due: absolute times that never drift, first polls spread. Pure: time is what it is told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from zlib import crc32

#: First polls come within this time, however long the interval: nobody waits an hour for the first value.
FIRST_WITHIN_S = 5.0
#: Due times closer together than this are one poll.
TOGETHER_S = 0.0005
#: Due times of all lines fall on common ticks, so that one wake-up of the event loop serves several polls.
TICK_S = 0.025
_GOLDEN = 0.618033988749895


def spread(devices: Sequence[str]) -> dict[str, float]:
    """Phases 0..1 that place the polls of `devices` evenly over an interval, in the order given; those of different
    lines start in different places."""
    first = chance_phase(devices[0]) if devices else 0.0
    return {device: (first + index / len(devices)) % 1.0 for index, device in enumerate(devices)}


def chance_phase(device: str) -> float:
    """A phase from the name alone, for a device that was not spread among the others."""
    return crc32(device.encode()) / 2**32


class DueTimes:
    """Due times of one device: one grid for each interval among its jobs, all on the device's phase, so that longer
    intervals fall together with shorter ones they are multiples of. The first poll asks for everything."""

    __slots__ = ("_all", "_first", "_grid", "_next", "_offsets", "_phase", "_shortest", "_soonest", "skipped")

    def __init__(self, intervals: Iterable[float], start: float, phase: float) -> None:
        self.skipped = 0
        self._phase = phase
        self._shortest = min(intervals := set(intervals))
        self._grid = self._on_tick(start + phase * self._shortest)
        self._first = max(start, self._on_tick(start + phase * min(self._shortest, FIRST_WITHIN_S)))
        self._offsets = {interval: self._offset(interval) for interval in intervals}
        self._next = dict.fromkeys(intervals, self._first)
        self._soonest = self._first
        self._all = frozenset(intervals)

    def _on_tick(self, at: float) -> float:
        tick = min(TICK_S, self._shortest / 16)
        return math.floor(at / tick) * tick

    def _offset(self, interval: float) -> float:
        """Long intervals of different devices are spread by whole short ones."""
        steps = interval / self._shortest
        return math.floor(self._phase * _GOLDEN * 97 % 1.0 * steps) * self._shortest

    @property
    def next_at(self) -> float:
        """When the next poll is due."""
        return self._soonest

    @property
    def shortest_s(self) -> float:
        return self._shortest

    @property
    def intervals(self) -> frozenset[float]:
        return self._all

    def intervals_due(self, at: float) -> frozenset[float]:
        """The intervals due by `at`."""
        limit = at + TOGETHER_S
        if len(self._next) == 1:
            return self._all if self.next_at <= limit else frozenset()
        return frozenset(interval for interval, due in self._next.items() if due <= limit)

    def advance(self, due: Iterable[float], now: float) -> None:
        """These intervals were taken up at `now`: on to the first time after it. Times that went by are skipped."""
        limit = now + TOGETHER_S
        for interval in due:
            first = self._grid + self._offsets[interval]
            step = max(0, math.floor((limit - first) / interval) + 1)
            following = first + step * interval
            missed = round((following - self._next[interval]) / interval) - 1
            self.skipped += max(0, missed)
            self._next[interval] = following
        self._soonest = min(self._next.values())

    def hasten(self, interval: float, at: float) -> None:
        """Take `interval` up at `at` at the latest, once."""
        self._next[interval] = at = min(self._next[interval], at)
        self._soonest = min(self._soonest, at)

    def hasten_next(self, at: float) -> None:
        """The same for the shortest interval there is now."""
        self.hasten(min(self._next), at)

    def change(self, intervals: Iterable[float], now: float) -> None:
        """The device's jobs have other intervals now: new ones start on the device's grid, gone ones go."""
        wanted = set(intervals)
        for interval in wanted - self._next.keys():
            self._offsets[interval] = self._offset(interval)
            self._next[interval] = now
        for interval in self._next.keys() - wanted:
            del self._next[interval], self._offsets[interval]
        self._all = frozenset(wanted)
        self._soonest = min(self._next.values())
