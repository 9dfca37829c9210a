"""Which reads to send for the points that are due together: the cheapest, proved.

The problem, for one table of one device: points are spans of addresses; a read is a span [start, end). A set of reads
serves a point if one of them contains its whole span. Which reads are possible depends on the read alone (`Terms`): not
too long, from an allowed start, over nothing forbidden, across no gap that is too wide. Wanted is the set of least
cost, where a longer read never costs less than a shorter one.

Some cheapest set has no read inside another. Order its reads by start (then their ends are in order too), give each
point to the last read that contains it, and order the points by start: if p starts no later than q, and q is given to
an earlier read than p, then q starts inside p's read and ends before that read does, so q would have been given to it.
Hence each read serves a consecutive run of the points, and dynamic programming over the end of the last run is exact.

Points of several intervals: due times of a device lie on one grid, so that intervals fall due together, and only what
is due is asked. The times do not influence each other: the cheapest reads for each set of intervals that can be due
together make the cheapest hyper-period. A slow point rides with fast ones when both are due, and costs nothing else.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""Addresses [start, end)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Which reads of one table a device takes, as far as is known."""

    longest: int
    """The most addresses one read may have."""
    max_gap: int | None = None
    """The most addresses in a row that a read may cross though no point lies there."""
    forbidden: tuple[Span, ...] = ()
    cuts: frozenset[int] = frozenset()
    """No read may hold both the address before a cut and the one at it."""
    starts: tuple[int, ...] = ()
    """The only addresses where a read may start, in order; any if empty."""
    align: int = 1
    known: tuple[Span, ...] = ()
    """Where points lie, of any interval, in order."""

    def start_of(self, first: int) -> int | None:
        """The latest allowed start at or before `first`."""
        start = first - first % self.align
        if not self.starts:
            return start
        for allowed in reversed(self.starts[: bisect_right(self.starts, first)]):
            if allowed % self.align == 0:
                return allowed
        return None

    def allows(self, start: int, end: int) -> bool:
        """Whether a read of several points, or of more than a point, may be [start, end)."""
        return (
            end - start <= self.longest
            and not any(
                start < forbidden_end and forbidden_start < end for forbidden_start, forbidden_end in self.forbidden
            )
            and not any(start < cut < end for cut in self.cuts)
            and (self.max_gap is None or self._widest_gap(start, end) <= self.max_gap)
        )

    def _widest_gap(self, start: int, end: int) -> int:
        """The longest run of addresses without a point between the first and the last known address within the read."""
        widest, reach = 0, None
        for first, last in self.known:
            if first < end and start < last:
                if reach is not None:
                    widest = max(widest, first - reach)
                reach = last if reach is None else max(reach, last)
        return widest


@dataclass(frozen=True, slots=True)
class Read:
    """One request: [start, end), and the positions of the points it serves in the sequence the planner was given."""

    start: int
    end: int
    serves: tuple[int, ...]


def plan_reads(spans: Sequence[Span], terms: Terms, cost: Callable[[int], float]) -> list[Read]:
    """The cheapest reads that serve all `spans`; `cost` of a length never falls. A point that no allowed read holds is
    read by itself, whatever the terms say: such points are the review's business."""
    order = sorted(range(len(spans)), key=lambda position: spans[position])
    points = [spans[position] for position in order]
    best: list[tuple[float, int, Span]] = [(0.0, 0, (0, 0))]
    for last in range(1, len(points) + 1):
        runs = _runs_ending_at(last, points, terms)
        best.append(min((best[first][0] + cost(end - start), first, (start, end)) for first, (start, end) in runs))
    reads: list[Read] = []
    last = len(points)
    while last:
        _, first, (start, end) = best[last]
        reads.append(Read(start, end, tuple(order[first:last])))
        last = first
    return reads[::-1]


def _runs_ending_at(last: int, points: Sequence[Span], terms: Terms) -> Iterator[tuple[int, Span]]:
    """Every run of the ordered `points` that ends before `last` and can be one read: where it begins, and that read."""
    most = max(terms.longest, max(end - start for start, end in points[:last]))
    run_end = 0
    for first in range(last - 1, -1, -1):
        begin = points[first][0]
        run_end = max(run_end, points[first][1])
        if run_end - begin > most:
            return
        start = terms.start_of(begin)
        if start is not None and terms.allows(start, run_end):
            yield first, (start, run_end)
        elif (begin, run_end) in points[first:last]:
            yield first, (begin, run_end)
