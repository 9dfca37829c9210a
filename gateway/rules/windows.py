"""Figures over the last hours or days of one value, in bounded memory: the time is cut into buckets.

A bucket leaves as a whole, so that a figure covers between `over` and one bucket more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from gateway.rules.types import Take

BUCKETS = 60


class _Bucket:
    """What is kept of one stretch of time."""

    __slots__ = ("begins", "count", "first", "high", "increase", "last", "low", "total")

    def __init__(self, begins: int, value: float) -> None:
        self.begins = begins
        self.first = self.last = self.low = self.high = self.total = value
        self.count = 1
        self.increase = 0.0

    def add(self, value: float) -> None:
        self.last = value
        self.count += 1
        self.total += value
        if value < self.low:
            self.low = value
        elif value > self.high:
            self.high = value


class Accumulator:
    """The values of one window of one device."""

    def __init__(self, take: Take, over_s: float, least_s: float) -> None:
        self._take = take
        self._over_ms = int(over_s * 1000)
        self._width_ms = max(1, self._over_ms // BUCKETS)
        self._least_ms = int(least_s * 1000)
        self._buckets: deque[_Bucket] = deque()

    def add(self, ts: int, value: float) -> None:
        """Take in one value; one a little older than the last is passed over, one much older means that the clock was
        set back."""
        begins = ts - ts % self._width_ms
        buckets = self._buckets
        if buckets:
            last = buckets[-1]
            if begins < last.begins - self._width_ms:
                self.shift(begins - last.begins)
            step = max(0.0, value - last.last)
            if begins < last.begins:
                return
            if begins == last.begins:
                last.increase += step
                last.add(value)
                return
            fresh = _Bucket(begins, value)
            fresh.increase = step
        else:
            fresh = _Bucket(begins, value)
        buckets.append(fresh)
        self._forget(ts)

    def shift(self, step_ms: int) -> None:
        """The clock was set by so much: what was seen lies as far back as before."""
        step = round(step_ms / self._width_ms) * self._width_ms
        for each in self._buckets:
            each.begins += step

    def bucket(self, ts: int) -> int:
        """The number of the bucket `ts` falls into; a figure moves with it."""
        return ts // self._width_ms

    def figure(self, ts: int) -> float | None:
        """The figure as it stands at `ts`; None while too little was seen."""
        self._forget(ts)
        buckets = self._buckets
        if not buckets or ts - buckets[0].begins < self._least_ms:
            return None
        match self._take:
            case Take.MEAN:
                return sum(each.total for each in buckets) / sum(each.count for each in buckets)
            case Take.MINIMUM:
                return min(each.low for each in buckets)
            case Take.MAXIMUM:
                return max(each.high for each in buckets)
            case Take.RANGE:
                return max(each.high for each in buckets) - min(each.low for each in buckets)
            case Take.CHANGE:
                return buckets[-1].last - buckets[0].first
            case Take.RISE:
                return buckets[-1].last - min(each.low for each in buckets)
            case Take.FALL:
                return max(each.high for each in buckets) - buckets[-1].last
            case Take.INCREASE:
                return sum(each.increase for each in buckets)
            case Take.TREND:
                return _trend([(each.begins, each.total / each.count) for each in buckets])

    def export(self) -> list[list[float]]:
        """What is kept, as numbers."""
        return [
            [each.begins, each.count, each.first, each.last, each.low, each.high, each.total, each.increase]
            for each in self._buckets
        ]

    def restore(self, rows: Sequence[Sequence[Any]]) -> None:
        """Go on with what `export` gave."""
        self._buckets.clear()
        for begins, count, first, last, low, high, total, increase in rows:
            bucket = _Bucket(int(begins), float(first))
            bucket.count, bucket.last, bucket.low, bucket.high = int(count), float(last), float(low), float(high)
            bucket.total, bucket.increase = float(total), float(increase)
            self._buckets.append(bucket)

    def _forget(self, ts: int) -> None:
        oldest = ts - self._over_ms - self._width_ms
        while self._buckets and self._buckets[0].begins <= oldest:
            self._buckets.popleft()


def _trend(points: Sequence[tuple[int, float]]) -> float | None:
    """What the least-squares line gains from the first to the last point."""
    if len(points) < 3:
        return None
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return slope * (points[-1][0] - points[0][0])
