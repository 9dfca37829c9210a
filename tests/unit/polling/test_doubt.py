"""A wrong profile is noticed by what it makes of the values, and a silence neither raises nor clears the doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from gateway.model import Answer, Fault, FaultKind, Job, Status
from gateway.polling.doubt import POLLS, DoubtedPlan
from gateway.ports import Values

NAMES = tuple(f"p{number}" for number in range(10))
GOOD, ODD, SILENT = Status.Good, Status.UncertainEngineeringUnitsExceeded, Status.BadTimeout


class Said:
    """A plan that says what it is given."""

    def __init__(self) -> None:
        self.values = Values((), (), ())

    def jobs(self) -> Sequence[Job]:
        return ()

    def together(self, due: Sequence[Job]) -> Sequence[Job]:
        return due

    def refused(self, job: Job, code: int, now: float) -> Sequence[Job]:
        return ()

    def decode(self, outcomes: Sequence[tuple[Job, Answer | Fault]], now: float) -> Values:
        return self.values


class Bench:
    def __init__(self) -> None:
        self.said = Said()
        self.told: list[Mapping[str, Status] | None] = []
        self.plan = DoubtedPlan(self.said, len(NAMES), self.told.append)

    def poll(
        self,
        odd: Sequence[str] = (),
        status: Status = ODD,
        *,
        names: Sequence[str] = NAMES,
        rest: Status = GOOD,
        outcomes: Sequence[tuple[Job, Answer | Fault]] = (),
    ) -> None:
        statuses = tuple(status if name in odd else rest for name in names)
        self.said.values = Values(tuple(names), (None,) * len(names), statuses)
        assert self.plan.decode(outcomes, 0.0) is self.said.values


@pytest.mark.parametrize(
    "status",
    [ODD, Status.BadOutOfRange, Status.BadDecodingError, Status.BadConfigurationError],
    ids=lambda each: each.name,
)
def test_a_fifth_of_the_points_in_some_polls_in_a_row_is_told_once(status: Status) -> None:
    bench = Bench()
    for _ in range(POLLS - 1):
        bench.poll(NAMES[:2], status)
    assert bench.told == []
    for _ in range(4):
        bench.poll(NAMES[:2], status)
    assert bench.told == [{"p0": status, "p1": status}]
    bench.poll(NAMES[:1], status)
    bench.poll()
    assert bench.told[1:] == [None]


def test_one_burst_or_one_broken_sensor_of_ten_is_no_doubt() -> None:
    bench = Bench()
    for _ in range(POLLS * 3):
        bench.poll(NAMES[:1])
    bench.poll(NAMES)
    bench.poll()
    bench.poll(NAMES[:5], Status.BadSensorFailure)
    assert bench.told == []


def test_a_silence_changes_nothing() -> None:
    bench = Bench()
    for _ in range(POLLS):
        bench.poll(NAMES)
    for _ in range(POLLS):
        bench.poll(rest=SILENT)
    assert len(bench.told) == 1
    bench = Bench()
    for _ in range(POLLS * 2):
        bench.poll(rest=SILENT)
    assert bench.told == []


def test_frames_that_come_broken_say_nothing_of_the_model() -> None:
    bench = Bench()
    job = Job(1, b"", NAMES[:5], 1.0, 0.5, 0.0)
    for _ in range(POLLS * 2):
        bench.poll(NAMES[:5], Status.BadDecodingError, outcomes=[(job, Fault(FaultKind.FRAME, 0.0))])
    assert bench.told == []
    for _ in range(POLLS):
        bench.poll(NAMES[:5], Status.BadConfigurationError, outcomes=[(job, Fault(FaultKind.REFUSED, 0.0, 2))])
    assert len(bench.told) == 1


def test_polls_of_some_points_count_together() -> None:
    bench = Bench()
    for _ in range(POLLS):
        bench.poll(NAMES[:1], names=NAMES[:5])
        bench.poll(NAMES[5:6], names=NAMES[5:])
    assert bench.told == [{"p0": ODD, "p5": ODD}]
