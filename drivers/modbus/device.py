"""One Modbus device: its points as jobs, what to ask instead of a refused one, answers as values. Knows no time but the
one it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from drivers.modbus.codec import Limits, Source
from drivers.modbus.encoding import Encoding
from drivers.modbus.learning import REFUSALS
from drivers.modbus.options import ModbusDevice, ModbusLine
from drivers.modbus.per_model import PerModel
from drivers.modbus.readplan import ReadPlan
from drivers.modbus.requests import Asking, Notes
from drivers.modbus.scaling import ScaledPoint, order_by_source
from drivers.modbus.statuses import status_of
from drivers.modbus.timing import pace_of
from gateway.model import Answer, Fault, Job, MaybeValue, Point, Status, ValueType
from gateway.ports import Values
from gateway.settings.types import DeviceSettings, LineSettings

#: Polls differ in the jobs they have: one set per combination of due intervals, more while a device is learnt.
_MOST_SHAPES = 64
#: A scale from another point is believed for so many of that point's intervals, at least 5 s.
_STALE_AFTER_INTERVALS, _STALE_AFTER_S = 3.0, 5.0


def compile_device(line: LineSettings, device: DeviceSettings) -> ModbusPlan:
    """How `device` is read over `line`; both must be Modbus (TypeError)."""
    return ModbusPlan(reads_of(line, device))


def reads_of(line: LineSettings, device: DeviceSettings) -> ReadPlan:
    """The reads of `device`, as planned before anything is learnt of it."""
    if not isinstance(line.options, ModbusLine) or not isinstance(device.options, ModbusDevice):
        raise TypeError(f"{device.id} on {line.id} is not a Modbus device")
    options = device.options
    asking = Asking(options.unit, options.timeout, pace_of(line.options, options.turnaround))
    return ReadPlan(asking, options, _sources.of(device.points))


def _make_sources(points: Sequence[Point]) -> tuple[tuple[Source, float], ...]:
    found: list[tuple[Source, float]] = []
    for point in points:
        if not isinstance(point.options, Encoding):
            raise TypeError(f"{point.name} is not a Modbus point")
        limits = point.limits if point.type is ValueType.NUMBER else None
        found.append((_source(point.name, point.options, limits), point.interval_s))
    return tuple(found)


_sources = PerModel(_make_sources)


@lru_cache(maxsize=4096)
def _source(name: str, encoding: Encoding, limits: Limits | None) -> Source:
    """One object for equal points, also of models that differ otherwise: these share decoders too."""
    return Source(name, encoding, limits)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is the same in all polls with the same jobs."""

    points: tuple[str, ...]
    good: tuple[Status, ...]
    bases: tuple[int, ...]
    """Where the points of each job begin."""
    scaled: tuple[tuple[int, ScaledPoint, int | None], ...]
    """Points scaled by another: index, how, and the other's index if it is read in the same poll."""
    remembered: tuple[tuple[str, int], ...]
    """Points that scale others: name and index."""
    keep: tuple[int, ...] | None
    """Indices that stand, where a point was asked for twice; None for all."""


@dataclass(frozen=True, slots=True)
class _Last:
    """How a point that scales others was found last."""

    value: MaybeValue
    status: Status
    at: float


class ModbusPlan:
    """gateway.ports.DevicePlan of one Modbus device."""

    def __init__(self, reads: ReadPlan) -> None:
        self._reads = reads
        self._scaled: Mapping[str, ScaledPoint] = order_by_source([source for source, _ in reads.sources])
        self._scaling = frozenset(point.source for point in self._scaled.values())
        self._intervals = {source.name: interval for source, interval in reads.sources if source.name in self._scaling}
        self._last: dict[str, _Last] = {}
        self._shapes: dict[tuple[Job, ...], _Shape] = {}

    def jobs(self) -> Sequence[Job]:
        """The reads of each interval by itself; the same object until something was learnt."""
        return self._reads.jobs()

    def together(self, due: Sequence[Job]) -> Sequence[Job]:
        """The cheapest reads of the points of all `due` jobs, which are whole intervals of `jobs()`."""
        return self._reads.for_intervals(frozenset(job.interval_s for job in due))

    def refused(self, job: Job, code: int, now: float) -> Sequence[Job]:
        """Codes 1, 2 and 3: the same without its spare, which may be what was refused; then the two halves of a read of
        several places; a single place is set aside."""
        notes = job.plan
        if code not in REFUSALS or not isinstance(notes, Notes):
            return ()
        if job.spare is not None:
            return [replace(job, spare=None)]
        learning, table, spans = self._reads.learning, notes.table, notes.spans
        if len(spans) < 2:
            learning.set_aside((table, *spans[0]), now)
            return ()
        first = learning.split(table, spans, notes.count, now)
        return [
            self._piece(job, notes, half, ghosts)
            for half, ghosts in ((spans[:first], notes.ghosts), (spans[first:], ()))
        ]

    def _piece(self, job: Job, notes: Notes, spans: Sequence[tuple[int, int]], ghosts: tuple[str, ...]) -> Job:
        terms = self._reads.terms(notes.table)
        wanted = set(spans)
        sources = [s for s in notes.decoder.sources if (s.encoding.first, s.encoding.end) in wanted]
        begin, end = spans[0][0], max(end for _, end in spans)
        start = terms.start_of(begin)
        read = (begin if start is None or not terms.allows(start, end) else start, end)
        piece = self._reads.asking.job(notes.table, read, sources, job.interval_s, terms, ghosts)
        return replace(piece, spare=None)

    def decode(self, outcomes: Sequence[tuple[Job, Answer | Fault]], now: float) -> Values:
        shape = self._shape_of(tuple([job for job, _ in outcomes]))
        values: list[MaybeValue] = []
        flaws: dict[int, Status] = {}
        for (job, outcome), base in zip(outcomes, shape.bases, strict=True):
            values += _decode_one(job, outcome, base, flaws)
        if shape.scaled or shape.remembered:
            self._scale(shape, values, flaws, now)
        self._learn(outcomes, now)
        statuses = shape.good
        if flaws:
            found = list(shape.good)
            for index, status in flaws.items():
                found[index] = status
            statuses = tuple(found)
        if shape.keep is None:
            return Values(shape.points, tuple(values), statuses)
        kept = shape.keep
        return Values(shape.points, tuple(values[i] for i in kept), tuple(statuses[i] for i in kept))

    def _learn(self, outcomes: Sequence[tuple[Job, Answer | Fault]], now: float) -> None:
        learning = self._reads.learning
        if not learning.is_settled:
            learning.answered(
                [
                    (job.plan.table, job.plan.count, job.plan.spans)
                    for job, outcome in outcomes
                    if isinstance(outcome, Answer) and isinstance(job.plan, Notes)
                ],
                now,
            )
        learning.advance(now)

    def _scale(self, shape: _Shape, values: list[MaybeValue], flaws: dict[int, Status], now: float) -> None:
        """Points whose scale is another point, after that one; what scales others is remembered for later polls."""
        remembered = dict(shape.remembered)
        for index, point, source in shape.scaled:
            if source is None:
                value, status = self._recall(point.source, now)
            else:
                value, status = values[source], flaws.get(source, Status.Good)
            flaw = flaws.get(index, Status.Good)
            if not flaw.is_bad:
                values[index], flaw = point.apply(values[index], value, status)
                if flaw is not Status.Good:
                    flaws[index] = flaw
        for name, index in remembered.items():
            self._last[name] = _Last(values[index], flaws.get(index, Status.Good), now)

    def _recall(self, name: str, now: float) -> tuple[MaybeValue, Status]:
        last = self._last.get(name)
        if last is None:
            return None, Status.BadWaitingForInitialData
        if now - last.at > max(_STALE_AFTER_INTERVALS * self._intervals[name], _STALE_AFTER_S):
            return None, Status.BadTimeout
        return last.value, last.status

    def _shape_of(self, jobs: tuple[Job, ...]) -> _Shape:
        shape = self._shapes.get(jobs)
        if shape is None:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[jobs] = self._compile_shape(jobs)
        return shape

    def _compile_shape(self, jobs: Sequence[Job]) -> _Shape:
        names: list[str] = []
        bases: list[int] = []
        for job in jobs:
            bases.append(len(names))
            names += job.points
        index_of = {name: index for index, name in enumerate(names)}
        keep = None if len(index_of) == len(names) else tuple(index_of.values())
        return _Shape(
            points=tuple(index_of),
            good=(Status.Good,) * len(names),
            bases=tuple(bases),
            scaled=tuple(
                (index_of[name], point, index_of.get(point.source))
                for name, point in self._scaled.items()
                if name in index_of
            ),
            remembered=tuple((name, index_of[name]) for name in sorted(self._scaling & index_of.keys())),
            keep=keep,
        )


def _decode_one(job: Job, outcome: Answer | Fault, base: int, flaws: dict[int, Status]) -> list[MaybeValue]:
    notes = job.plan
    if not isinstance(notes, Notes):
        raise TypeError("a job of another protocol")
    if isinstance(outcome, Answer) and len(outcome.data) >= notes.octets:
        values = notes.decoder.decode(outcome.data, flaws, base)
        for _ in notes.ghosts:
            flaws[base + len(values)] = Status.BadConfigurationError
            values.append(None)
        return values
    status = status_of(outcome) if isinstance(outcome, Fault) else Status.BadDecodingError
    flaws.update(dict.fromkeys(range(base, base + len(job.points)), status))
    return [None] * len(job.points)
