"""A polled device and one poll of it: which jobs are left, what came of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.model import Answer, Fault, FaultKind, Job, Reading
from gateway.polling.budget import SHARE
from gateway.polling.loss import Loss
from gateway.polling.schedule import FIRST_WITHIN_S, DueTimes
from gateway.ports import Clock, DevicePlan

#: The exception that asks to come again (Modbus Application Protocol V1.1b3, section 7): what was not asked has no more
#: to say than a device that is busy.
BUSY = 6
#: Requests that refusals may add to one poll; what is left waits for the next poll.
MOST_PIECES = 32
_MOST_DOUBLINGS = 20


@dataclass(slots=True)
class DeviceStats:
    """How one device has answered since start; times are monotonic seconds but `last_answer_ms` (UTC)."""

    device: str
    units: tuple[int, ...] = ()
    polls: int = 0
    skipped: int = 0
    """Polls that fell due and were not made, because the line was busy until the next one."""
    failures: int = 0
    """Polls in a row without any answer."""
    last_answer_at: float | None = None
    last_answer_ms: int | None = None
    silent_since: float | None = None
    last_fault: Fault | None = None


class PolledDevice:
    """One device of a line: its plan, its due times, its books."""

    __slots__ = ("_by_intervals", "_jobs", "due", "id", "loss", "plan", "queued", "stats")

    def __init__(self, device: str, plan: DevicePlan, start: float, phase: float) -> None:
        self.id = device
        self.plan = plan
        self.queued = False
        self.stats = DeviceStats(device)
        self._jobs: Sequence[Job] = tuple(plan.jobs())
        self._by_intervals: dict[frozenset[float], tuple[Job, ...]] = {}
        self.due = DueTimes((job.interval_s for job in self._jobs), start, phase)
        self.loss = Loss(self.due)
        self.stats.units = tuple(sorted(self.units()))

    def units(self) -> set[int]:
        return {job.unit for job in self._jobs}

    def is_down(self) -> bool:
        """Whether it was told that its line is down."""
        return any(kind is FaultKind.DOWN for kind, _ in self.loss.units.values())

    def take(self, now: float) -> Poll:
        """The poll that is due at `now`; the due times go on."""
        jobs = self.plan.jobs()
        if jobs is not self._jobs:
            self._jobs = jobs
            self._by_intervals.clear()
            if jobs:
                self.due.change((job.interval_s for job in jobs), now)
        intervals = self.due.intervals_due(now)
        due_at = self.due.next_at
        self.due.advance(intervals, now)
        self.stats.skipped = self.due.skipped
        due = self._by_intervals.get(intervals)
        if due is None:
            due = tuple(job for job in self._jobs if job.interval_s in intervals)
            if len(intervals) > 1:
                due = tuple(self.plan.together(due))
            self._by_intervals[intervals] = due
        return Poll(self, due, due_at + self.due.shortest_s, intervals)

    def not_due(self, poll: Poll) -> list[Job]:
        """The jobs that `poll` is not about."""
        return [job for job in self._jobs if job.interval_s not in poll.intervals]

    def lose(self, poll: Poll, unit: int, fault: Fault) -> None:
        """`unit` is known not to answer: `poll` tells it of all its points, where it was not told for this reason."""
        if self.loss.begin(unit, fault):
            poll.lost[unit] = fault

    def regain(self, poll: Poll, unit: int) -> None:
        """`unit` answers again: what of it is read rarely is read soon."""
        poll.lost.pop(unit, None)
        self.loss.end(unit, {job.interval_s for job in self._jobs if job.unit == unit})

    def settle(self, poll: Poll, now: float) -> None:
        """`poll` is over: when is asked again what had no room, was not answered at all, or is owed since a loss."""
        if poll.unanswered and not self.is_down() and not any(map(poll.has_heard, poll.unanswered)):
            # ever more rarely, down to its own interval
            wait_s = max(FIRST_WITHIN_S, poll.wasted_s / SHARE) * 2.0 ** min(self.stats.failures, _MOST_DOUBLINGS)
            self.due.hasten_next(now + wait_s)
        if poll.is_cut_short:
            for interval in poll.intervals & self.due.intervals:
                self.due.hasten(interval, now + FIRST_WITHIN_S)
        if self.loss.is_owing:
            self.loss.settle(poll.intervals, now, poll.wasted_s, poll.unanswered)


class Poll:
    """The jobs of one device that fell due together; becomes one reading. `deadline`: when it should be done."""

    __slots__ = (
        "_answered_at",
        "_failed_at",
        "_outcomes",
        "_pieces",
        "deadline",
        "device",
        "intervals",
        "is_cut_short",
        "lost",
        "pending",
        "unanswered",
        "wasted_s",
    )

    def __init__(self, device: PolledDevice, jobs: Sequence[Job], deadline: float, intervals: frozenset[float]) -> None:
        self.device = device
        self.deadline = deadline
        self.intervals = intervals
        self.unanswered: set[int] = set()
        """Units that left something unanswered."""
        self.wasted_s = 0.0
        """Time of the line that went to requests nobody answered."""
        self.is_cut_short = False
        """More pieces were to be asked than one poll has room for."""
        self.lost: dict[int, Fault] = {}
        """Units of which all points are told as lost, also those that are not due."""
        self.pending = list(reversed(jobs))
        self._outcomes: list[tuple[Job, Answer | Fault]] = []
        self._pieces = 0
        self._answered_at: float | None = None
        self._failed_at = 0.0

    def record(self, job: Job, outcome: Answer | Fault) -> None:
        """What came of `job`; a refused one may be replaced by its pieces."""
        if isinstance(outcome, Answer):
            self._answered_at = outcome.at
        else:
            self._failed_at = outcome.at
            if outcome.kind is FaultKind.REFUSED:
                self._answered_at = outcome.at
                pieces = self.device.plan.refused(job, outcome.code, outcome.at)
                if pieces:
                    self._add(pieces, outcome.at)
                    return
        self._outcomes.append((job, outcome))

    def _add(self, pieces: Sequence[Job], at: float) -> None:
        """Ask `pieces` with this poll, as far as there is room; the next one asks the rest, which have no value now."""
        room = max(0, MOST_PIECES - self._pieces)
        self._pieces += len(pieces)
        self.pending.extend(reversed(pieces[:room]))
        if len(pieces) > room:
            self.is_cut_short = True
            self._outcomes += [(piece, Fault(FaultKind.REFUSED, at, BUSY, "not asked yet")) for piece in pieces[room:]]

    def has_heard(self, unit: int) -> bool:
        """Whether `unit` gave an answer in this poll."""
        return any(job.unit == unit and isinstance(outcome, Answer) for job, outcome in self._outcomes)

    def fail_unit(self, unit: int, fault: Fault) -> None:
        """Jobs of `unit` that are left are not asked."""
        self.unanswered.add(unit)
        for job in reversed(self.pending):
            if job.unit == unit:
                self._outcomes.append((job, fault))
        self._failed_at = fault.at
        self.pending = [job for job in self.pending if job.unit != unit]

    def fail(self, fault: Fault) -> None:
        """No job that is left is asked."""
        self.unanswered.update(job.unit for job in self.pending)
        self._outcomes.extend((job, fault) for job in reversed(self.pending))
        self._failed_at = fault.at
        self.pending.clear()

    def reading(self, clock: Clock) -> Reading:
        """The reading, stamped with the last answer, or with the last failure where there was none."""
        now = clock.monotonic()
        stats = self.device.stats
        stats.polls += 1
        at = self._answered_at
        if at is None:
            stats.failures += 1
            at = self._failed_at or now
            ts = clock.wall_ms() - round((now - at) * 1000)
        else:
            ts = clock.wall_ms() - round((now - at) * 1000)
            stats.failures = 0
            stats.last_answer_at = at
            stats.last_answer_ms = ts
        if self.lost:
            self._outcomes += [(job, self.lost[job.unit]) for job in self.device.not_due(self) if job.unit in self.lost]
        values = self.device.plan.decode(self._outcomes, now)
        return Reading(self.device.id, ts, values.points, values.values, values.statuses)
