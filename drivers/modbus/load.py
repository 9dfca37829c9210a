"""How much of a line's time its plans take, over the hyper-period of the intervals of each device."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import lcm

from drivers.modbus.readplan import ReadPlan
from gateway.model import Job

#: With more intervals than this in one device, what falls due together is no longer counted as read together.
_MOST_INTERVALS = 6


def device_load(reads: ReadPlan, intervals: Sequence[float]) -> float:
    """The share of the line's time (1.0 = all of it) that one device takes."""
    if len(intervals) > _MOST_INTERVALS:
        return sum(_busy_ms(reads, (interval,)) / (1000 * interval) for interval in intervals)
    periods = {interval: max(1, round(1000 * interval)) for interval in intervals}
    every: dict[frozenset[float], float] = {}
    chosen = [frozenset(each) for size in range(1, len(intervals) + 1) for each in combinations(intervals, size)]
    for due in sorted(chosen, key=len, reverse=True):
        # times per ms at which at least these are due, less those at which more are
        at_least = 1 / lcm(*(periods[interval] for interval in due))
        every[due] = at_least - sum(rate for other, rate in every.items() if due < other)
    return sum(rate * _busy_ms(reads, due) for due, rate in every.items() if rate > 1e-12)


def _busy_ms(reads: ReadPlan, intervals: Sequence[float] | frozenset[float]) -> float:
    return sum(busy_ms(reads, job) for job in reads.for_intervals(frozenset(intervals)))


def busy_ms(reads: ReadPlan, job: Job) -> float:
    """From the first bit of the request until the line is free again, at the device's turnaround."""
    return job.wire_ms + reads.asking.pace.wait_ms
