"""Units of a device that are known not to answer, and what is owed since: points that are read rarely are read soon
after their unit is back. Pure: time is what it is told.

Some devices never answer what they do not know. So that these are not asked for ever as if they had just come back, an
interval that fails again waits longer each time, until nothing is sooner than its own turn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gateway.model import Fault, FaultKind
from gateway.polling.budget import SHARE
from gateway.polling.schedule import FIRST_WITHIN_S, DueTimes

_MOST_DOUBLINGS = 20


@dataclass(slots=True)
class _Owed:
    """One interval of one unit: how often it failed since the unit came back, and before when it is not asked again."""

    failures: int = 0
    not_before: float = 0.0


class Loss:
    """What one device has lost. `units`: those known not to answer, with what their points were told."""

    __slots__ = ("_due", "_owed", "units")

    def __init__(self, due: DueTimes) -> None:
        self._due = due
        self._owed: dict[tuple[int, float], _Owed] = {}
        self.units: dict[int, tuple[FaultKind, int]] = {}

    def begin(self, unit: int, fault: Fault) -> bool:
        """`unit` is lost; whether this is news, or for another reason than before."""
        reason = (fault.kind, fault.code)
        is_news = self.units.get(unit) != reason
        self.units[unit] = reason
        return is_news

    def end(self, unit: int, intervals: Iterable[float]) -> None:
        """`unit` is back, if it was lost: what it is asked in these intervals is owed but the shortest, which comes by
        itself."""
        if self.units.pop(unit, None) is not None:
            for interval in intervals:
                if interval > self._due.shortest_s:
                    self._owed.setdefault((unit, interval), _Owed())

    @property
    def is_owing(self) -> bool:
        return bool(self._owed)

    def settle(self, asked: Collection[float], now: float, wasted_s: float, unanswered: Collection[int]) -> None:
        """A poll of the intervals `asked` is over; requests to the units `unanswered` failed in it and took `wasted_s`
        of the line's time. What is owed still is due with the next poll, or sooner where that is far."""
        due = self._due
        for (unit, interval), owed in tuple(self._owed.items()):
            if interval not in due.intervals or (interval in asked and unit not in unanswered):
                del self._owed[unit, interval]
                continue
            if unit in self.units:
                continue
            if interval in asked and wasted_s:
                owed.not_before = now + wasted_s / SHARE * 2.0 ** min(owed.failures, _MOST_DOUBLINGS)
                owed.failures += 1
            due.hasten(interval, max(min(due.next_at, now + FIRST_WITHIN_S), owed.not_before))
