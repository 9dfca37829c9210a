"""Which jobs a device has now, for each set of intervals that falls due together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

from drivers.modbus.address import Table
from drivers.modbus.codec import Source
from drivers.modbus.learning import Learning, Place
from drivers.modbus.options import ModbusDevice
from drivers.modbus.plan import Span, Terms
from drivers.modbus.requests import Asking, cheapest_reads
from gateway.model import Job


def place_of(source: Source) -> Place:
    encoding = source.encoding
    return encoding.table, encoding.first, encoding.end


@dataclass(slots=True)
class _Drawn:
    """What was worked out so far, from one state of what is learnt."""

    terms: dict[Table, Terms] = field(default_factory=dict)
    jobs: dict[frozenset[float], Sequence[Job]] = field(default_factory=dict)
    apart: Sequence[Job] = ()
    """Of every interval by itself."""


@lru_cache(maxsize=256)
def _unlearnt(_asking: Asking, _options: ModbusDevice, _sources: Sequence[tuple[Source, float]]) -> _Drawn:
    """As long as nothing is learnt, devices of one model that are asked alike have the same jobs."""
    return _Drawn()


class ReadPlan:
    """The jobs of one device. `sources` are its points with their intervals in seconds."""

    def __init__(self, asking: Asking, options: ModbusDevice, sources: tuple[tuple[Source, float], ...]) -> None:
        self.asking = asking
        self.learning = Learning()
        self._options = options
        self.sources = sources
        self._revision = self.learning.revision
        self._drawn = _unlearnt(asking, options, sources)

    @property
    def intervals(self) -> Sequence[float]:
        """The distinct intervals of the points, shortest first."""
        return sorted({interval for _, interval in self.sources})

    def jobs(self) -> Sequence[Job]:
        """The jobs of every interval by itself; the same object as long as nothing was learnt."""
        drawn = self._refreshed()
        if not drawn.apart:
            drawn.apart = tuple(
                job for interval in self.intervals for job in self.for_intervals(frozenset((interval,)))
            )
        return drawn.apart

    def for_intervals(self, intervals: frozenset[float]) -> Sequence[Job]:
        """The cheapest jobs for the points of these intervals, read together."""
        drawn = self._refreshed()
        jobs = drawn.jobs.get(intervals)
        if jobs is None:
            jobs = drawn.jobs[intervals] = tuple(self._plan(intervals))
        return jobs

    def terms(self, table: Table) -> Terms:
        """Which reads of `table` the device takes, as far as is known now."""
        drawn = self._refreshed()
        terms = drawn.terms.get(table)
        if terms is None:
            terms = drawn.terms[table] = self._learn_terms(table)
        return terms

    def _refreshed(self) -> _Drawn:
        if self._revision != self.learning.revision:
            self._revision = self.learning.revision
            self._drawn = _Drawn()
        return self._drawn

    def _plan(self, intervals: frozenset[float]) -> Iterator[Job]:
        """Live points are read together; what is tried again is asked by itself; what stands aside is named with the
        first job. Where nothing else is left, one of the latter is asked all the same: the poll must not end."""
        wanted = [source for source, interval in self.sources if interval in intervals]
        live, resting, probes = self._by_standing(wanted)
        if not live and not probes:
            host = place_of(resting[0])
            probes = [source for source in resting if place_of(source) == host]
            resting = [source for source in resting if place_of(source) != host]
        ghosts = tuple(source.name for source in resting)
        interval_s = min(intervals)
        for table, span, sources in chain(self._reads(live), _alone(probes)):
            yield self.asking.job(table, span, sources, interval_s, self.terms(table), ghosts)
            ghosts = ()

    def _by_standing(self, wanted: list[Source]) -> tuple[list[Source], list[Source], list[Source]]:
        """Live points, those that stand aside, and those of them that are tried again."""
        aside = self.learning.aside
        if not aside:
            return wanted, [], []
        found = [(source, aside.get(place_of(source))) for source in wanted]
        return (
            [source for source, entry in found if entry is None],
            [source for source, entry in found if entry is not None and not entry.probing],
            [source for source, entry in found if entry is not None and entry.probing],
        )

    def _reads(self, live: Sequence[Source]) -> Iterator[tuple[Table, Span, Sequence[Source]]]:
        for table in Table:
            sources = [source for source in live if source.encoding.table is table]
            if not sources:
                continue
            spans = tuple((source.encoding.first, source.encoding.end) for source in sources)
            for read in cheapest_reads(spans, table, self.terms(table), self.asking.pace):
                yield table, (read.start, read.end), [sources[index] for index in read.serves]

    def _learn_terms(self, table: Table) -> Terms:
        options, aside = self._options, self.learning.aside
        encodings = [source.encoding for source, _ in self.sources if source.encoding.table is table]
        spans = {(encoding.first, encoding.end) for encoding in encodings}
        refused = spans & {(start, end) for of, start, end in aside if of is table}
        known = tuple(sorted(spans - refused))
        forbidden = [(each.first, each.last + 1) for each in options.forbidden if each.table is table]
        starts = {
            address for each in options.starts if each.table is table for address in range(each.first, each.last + 1)
        }
        return Terms(
            longest=self.learning.longest(table, options.max_bits if table.of_bits else options.max_registers),
            max_gap=options.max_gap,
            forbidden=tuple(sorted(forbidden + list(_without(refused, known)))),
            cuts=self.learning.cuts(table),
            starts=tuple(sorted(starts)),
            align=options.align,
            known=known,
        )


def _alone(probes: Sequence[Source]) -> Iterator[tuple[Table, Span, Sequence[Source]]]:
    places: dict[Place, list[Source]] = {}
    for source in probes:
        places.setdefault(place_of(source), []).append(source)
    for (table, start, end), sources in places.items():
        yield table, (start, end), sources


def _without(spans: Iterable[Span], taken: Sequence[Span]) -> Iterator[Span]:
    """What of `spans` lies in none of `taken` (in order)."""
    for start, end in spans:
        at = start
        for taken_start, taken_end in taken:
            if taken_end <= at or taken_start >= end:
                continue
            if taken_start > at:
                yield at, taken_start
            at = max(at, taken_end)
        if at < end:
            yield at, end
