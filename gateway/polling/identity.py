"""A device plan that believes no value before the device has shown that it is the one it should be.

Its marks are read before the values with the first poll, after every silence (while nobody answered, somebody may have
changed the cables), and with every poll that follows or, where that would take too much of the line's time, as often as
`check_every_s` says. A wrong device gives BadConfigurationError for all points until the right one is back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.model import Answer, Fault, FaultKind, Job, MaybeValue, Status
from gateway.ports import DevicePlan, Values
from gateway.settings.types import IDENTITY_SHARE, IdentityMark

LONGEST_S = 10.0
"""A quick exchange shows no silence: a device is looked at again after this time at the latest (or with its next poll,
where that is later)."""
_TURNAROUND_S = 0.01
"""What a device takes until it answers, beside the time on the wire."""

#: What a device itself can do to a mark; any other status says that the mark could not be read.
_SAID_BY_DEVICE = frozenset(
    (
        Status.Good,
        Status.UncertainEngineeringUnitsExceeded,
        Status.BadConfigurationError,
        Status.BadDecodingError,
        Status.BadOutOfRange,
        Status.BadSensorFailure,
    )
)


@dataclass(frozen=True, slots=True)
class Mark:
    """`plan` reads the point of `mark` and nothing else."""

    mark: IdentityMark
    plan: DevicePlan

    @property
    def name(self) -> str:
        return self.mark.point.name

    def fits(self, found: MaybeValue) -> bool:
        """Whether `found` is what stands there on the right device."""
        return self.mark.fits(found)


#: Told once when a device turns out to be the wrong one, with what the marks read; with None when it is right again.
Tell = Callable[[Mapping[str, MaybeValue] | None], None]


def check_every_s(marks: Sequence[Job]) -> float:
    """How far apart checks may be, so that these requests take no more than their share of the line's time."""
    return min(LONGEST_S, sum(job.wire_ms / 1000 + _TURNAROUND_S for job in marks) / IDENTITY_SHARE)


class IdentifiedPlan:
    """gateway.ports.DevicePlan around `plan`."""

    def __init__(self, plan: DevicePlan, marks: Sequence[Mark], tell: Tell) -> None:
        self._plan = plan
        self._tell = tell
        self._refusal: Status | None = Status.BadWaitingForInitialData
        """Why values are not believed; None once the device is known."""
        self._is_wrong = False
        self._ask = True
        self._known_at = 0.0
        self._asked = {job: mark for mark in marks for job in mark.plan.jobs()}
        self._own: Sequence[Job] = ()
        self._both: Sequence[Job] = ()
        self._first = tuple(self._asked)
        self._every_s = check_every_s(self._first)
        self._poll_s = min((job.interval_s for job in self._first), default=0.0)
        self._bare = {job: replace(job, spare=None) for job in self._first if job.spare is not None}
        self._asked |= {bare: self._asked[job] for job, bare in self._bare.items()}

    def jobs(self) -> Sequence[Job]:
        """Those of the device, after the marks when these are due."""
        own = self._plan.jobs()
        if not self._ask or not own:
            return own
        if self._own is not own:
            self._own, self._both = own, (*self._first, *own)
        return self._both

    def together(self, due: Sequence[Job]) -> Sequence[Job]:
        marks = [job for job in due if job in self._asked]
        return [*marks, *self._plan.together([job for job in due if job not in self._asked])]

    def refused(self, job: Job, code: int, now: float) -> Sequence[Job]:
        """A refused mark is not learnt as missing: the device that comes back has it."""
        if job not in self._asked:
            return self._plan.refused(job, code, now)
        bare = self._bare.get(job)
        return () if bare is None else [bare]

    def decode(self, outcomes: Sequence[tuple[Job, Answer | Fault]], now: float) -> Values:
        """What the device says, if it is known to be the right one by now."""
        marks = [each for each in outcomes if each[0] in self._asked]
        others = [each for each in outcomes if each[0] not in self._asked]
        values = self._plan.decode(others, now)
        if marks:
            self._judge(marks, now)
        refusal = self._refusal
        # the poll after the next would be too late
        is_due = now + 2 * self._poll_s - self._known_at > self._every_s
        if is_due or any(map(_is_silence, (outcome for _, outcome in others))):
            self._ask = True
        if refusal is None:
            return values
        statuses = tuple(own if own.is_bad and not self._is_wrong else refusal for own in values.statuses)
        return Values(values.points, (None,) * len(values.points), statuses)

    def _judge(self, outcomes: Sequence[tuple[Job, Answer | Fault]], now: float) -> None:
        found: dict[str, MaybeValue] = {}
        is_right = True
        for job, outcome in outcomes:
            mark = self._asked[job]
            values = mark.plan.decode([(job, outcome)], now)
            value, status = values.values[0], values.statuses[0]
            if status not in _SAID_BY_DEVICE:
                self._refusal, self._ask = status, True
                return
            found[mark.name] = value
            is_right = is_right and mark.fits(value)
        self._refusal = None if is_right else Status.BadConfigurationError
        self._ask = not is_right
        self._known_at = now
        if is_right == self._is_wrong:
            self._is_wrong = not is_right
            self._tell(None if is_right else found)


def _is_silence(outcome: Answer | Fault) -> bool:
    return isinstance(outcome, Fault) and outcome.kind is not FaultKind.REFUSED
