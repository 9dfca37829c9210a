"""Which jobs a device has now, for each set of intervals that falls due together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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


class ReadPlan:
    """The jobs of one device. `sources` are its points with their intervals in seconds."""

    def __init__(self, asking: Asking, options: ModbusDevice, sources: Sequence[tuple[Source, float]]) -> None:
        self.asking = asking
        self.learning = Learning()
        self._options = options
        self.sources = sources
        self._revision = -1
        self._terms: dict[Table, Terms] = {}
        self._jobs: dict[frozenset[float], Sequence[Job]] = {}
        self._all: Sequence[Job] = ()

    @property
    def intervals(self) -> Sequence[float]:
        """The distinct intervals of the points, shortest first."""
        return sorted({interval for _, interval in self.sources})

    def jobs(self) -> Sequence[Job]:
        """The jobs of every interval by itself; the same object as long as nothing was learnt."""
        self._refresh()
        return self._all

    def for_intervals(self, intervals: frozenset[float]) -> Sequence[Job]:
        """The cheapest jobs for the points of these intervals, read together."""
        self._refresh()
        jobs = self._jobs.get(intervals)
        if jobs is None:
            jobs = self._jobs[intervals] = tuple(self._plan(intervals))
        return jobs

    def terms(self, table: Table) -> Terms:
        """Which reads of `table` the device takes, as far as is known now."""
        self._refresh()
        terms = self._terms.get(table)
        if terms is None:
            terms = self._terms[table] = self._learn_terms(table)
        return terms

    def _refresh(self) -> None:
        if self._revision == self.learning.revision:
            return
        self._revision = self.learning.revision
        self._terms.clear()
        self._jobs.clear()
        self._all = tuple(job for interval in self.intervals for job in self.for_intervals(frozenset((interval,))))

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
