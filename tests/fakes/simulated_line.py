"""A line, a clock and devices in simulated time: hours of polling in a moment, the same every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.model import Answer, Fault, FaultKind, Job, MaybeValue, Status
from gateway.ports import Values


class SimulatedClock:
    """Time passes only by sleeping and by what a line takes. `wall_ms` is the monotonic time from `epoch_ms` on."""

    synced = True

    def __init__(self, until: float, epoch_ms: int = 1_700_000_000_000) -> None:
        self.now = 1000.0
        self.epoch_ms = epoch_ms
        self.until = self.now + until
        self.on_end: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def wall_ms(self) -> int:
        return self.epoch_ms + round((self.now - 1000.0) * 1000)

    async def sleep_until(self, monotonic_s: float) -> None:
        self.spend(max(0.0, monotonic_s - self.now))

    def spend(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self.until:
            self.on_end()


@dataclass
class SimulatedLine:
    """Answers after `answer_s`; `outcome` may say otherwise for a job at a time: None is silence until the deadline."""

    clock: SimulatedClock
    answer_s: float = 0.01
    outcome: Callable[[Job, float], Answer | Fault | None] = lambda job, now: Answer(b"", now)
    rests: dict[int, float] = field(default_factory=dict)
    way: Callable[[float], bool | None] = lambda now: None
    """What the line itself knows of its way, at a time."""
    asked: list[tuple[float, int, Job]] = field(default_factory=list)
    spent: dict[int, float] = field(default_factory=dict)

    async def run(self, job: Job, deadline: float) -> Answer | Fault:
        started = self.clock.now
        self.asked.append((started, job.unit, job))
        outcome = self.outcome(job, started)
        if outcome is None:
            self.clock.spend(deadline - started)
            outcome = Fault(FaultKind.TIMEOUT, self.clock.now)
        elif not (isinstance(outcome, Fault) and outcome.kind is FaultKind.DOWN):
            self.clock.spend(self.answer_s)
            if isinstance(outcome, Answer):
                outcome = Answer(outcome.data, self.clock.now)
        self.spent[job.unit] = self.spent.get(job.unit, 0.0) + self.clock.now - started
        return outcome

    def rests_until(self, unit: int) -> float:
        return self.rests.get(unit, 0.0)

    def reach(self) -> bool | None:
        return self.way(self.clock.now)

    def counters(self) -> Mapping[str, int]:
        return {"requests": len(self.asked)}

    async def close(self) -> None:
        return


def simple_job(unit: int, point: str = "p", interval_s: float = 1.0, timeout_s: float = 0.5) -> Job:
    return Job(unit, bytes((unit,)) + point.encode(), (point,), interval_s, timeout_s, 0.0)


_STATUS = {
    FaultKind.TIMEOUT: Status.BadTimeout,
    FaultKind.FRAME: Status.BadDecodingError,
    FaultKind.DOWN: Status.BadNoCommunication,
    FaultKind.REFUSED: Status.BadConfigurationError,
}


class SimplePlan:
    """A device whose every job has one point. `pieces` answers refusals."""

    def __init__(self, *jobs: Job, pieces: Mapping[str, Sequence[Job]] | None = None) -> None:
        self.now_jobs: Sequence[Job] = jobs
        self.pieces = pieces or {}
        self.refusals: list[tuple[Job, int]] = []

    def jobs(self) -> Sequence[Job]:
        return self.now_jobs

    def together(self, due: Sequence[Job]) -> Sequence[Job]:
        return due

    def refused(self, job: Job, code: int, now: float) -> Sequence[Job]:
        self.refusals.append((job, code))
        return self.pieces.get(job.points[0], ())

    def decode(self, outcomes: Sequence[tuple[Job, Answer | Fault]], now: float) -> Values:
        points = tuple(point for job, _ in outcomes for point in job.points)
        values: list[MaybeValue] = []
        statuses = []
        for _, outcome in outcomes:
            values.append(1 if isinstance(outcome, Answer) else None)
            if isinstance(outcome, Answer):
                statuses.append(Status.Good)
            else:
                statuses.append(Status.BadResourceUnavailable if outcome.code == 6 else _STATUS[outcome.kind])
        return Values(points, tuple(values), tuple(statuses))
