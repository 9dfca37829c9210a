"""Reads as jobs: the request on the wire, the points it serves, and how its answer is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from drivers.modbus.address import Table
from drivers.modbus.codec import BlockDecoder, Source
from drivers.modbus.plan import Read, Span, Terms, plan_reads
from drivers.modbus.timing import Pace
from gateway.model import Job


@dataclass(frozen=True, slots=True)
class Notes:
    """What a job's answer is: kept in `Job.plan`."""

    table: Table
    start: int
    count: int
    decoder: BlockDecoder
    ghosts: tuple[str, ...] = ()
    """Points the device refuses: named with this job, so that every poll says how they stand, but not read by it."""

    @property
    def octets(self) -> int:
        """Data bytes of the answer; `Job.spare` gives more."""
        return octets_of(self.table, self.count)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The distinct places its points lie at, in order."""
        return tuple(sorted({(source.encoding.first, source.encoding.end) for source in self.decoder.sources}))


def octets_of(table: Table, count: int) -> int:
    return (count + 7) // 8 if table.of_bits else 2 * count


def read_request(table: Table, start: int, count: int) -> bytes:
    """PDU of a read (Modbus Application Protocol V1.1b3, 6.1 to 6.4)."""
    return bytes((table.function,)) + start.to_bytes(2, "big") + count.to_bytes(2, "big")


def spare_count(table: Table, start: int, count: int, terms: Terms) -> int | None:
    """The count that makes the same read's answer longer; None where the map allows none. Only addresses up to the end
    of a known point are asked for, so that no sound device refuses them."""
    stop = start + count
    for end in sorted({known_end for _, known_end in terms.known if stop < known_end <= start + terms.longest}):
        if octets_of(table, end - start) > octets_of(table, count) and terms.allows(start, end):
            return end - start
    return None


@dataclass(frozen=True, slots=True)
class Asking:
    """How one unit is asked: what its jobs have in common."""

    unit: int
    timeout_s: float
    pace: Pace

    def job(
        self,
        table: Table,
        read: Span,
        sources: Sequence[Source],
        interval_s: float,
        terms: Terms,
        ghosts: tuple[str, ...] = (),
    ) -> Job:
        """The job that reads [start, end) for `sources`."""
        start, count = read[0], read[1] - read[0]
        notes = Notes(table, start, count, _decoder(start, tuple(sources)), ghosts)
        spare = spare_count(table, start, count, terms)
        return Job(
            unit=self.unit,
            request=read_request(table, start, count),
            points=tuple(source.name for source in notes.decoder.sources) + ghosts,
            interval_s=interval_s,
            timeout_s=self.timeout_s,
            wire_ms=self.pace.wire_ms(table, count),
            spare=None if spare is None else read_request(table, start, spare),
            plan=notes,
        )


@lru_cache(maxsize=2048)
def _decoder(start: int, sources: tuple[Source, ...]) -> BlockDecoder:
    """Devices of one model share their decoders."""
    return BlockDecoder(start, sources)


@lru_cache(maxsize=2048)
def cheapest_reads(spans: tuple[Span, ...], table: Table, terms: Terms, pace: Pace) -> Sequence[Read]:
    """`plan_reads` at the device's pace; devices of one model share their plans."""
    return tuple(plan_reads(spans, terms, lambda count: pace.cost_ms(table, count)))
