"""No value of a wrong device is believed, whenever it was exchanged."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from drivers.modbus.device import ModbusPlan
from gateway.model import Answer, Fault, FaultKind, Job, MaybeValue, Status
from gateway.polling.identity import AGAIN_AFTER_S, IdentifiedPlan, Mark
from gateway.ports import Values
from tests.unit.drivers.modbus import build

POINTS = {"level": {"at": "holding:0"}, "flow": {"at": "holding:1", "interval": 30.0}}
RIGHT = {0: 11, 1: 12, 768: 1, 769: 7310}
OTHER = {0: 21, 1: 22, 768: 2, 769: 7310}
SILENT: Mapping[int, int] = {}
UNKNOWN_TO_IT = {0: 31, 1: 32}


def mark(name: str, at: str, *equals: int) -> Mark:
    plan: ModbusPlan = build.plan({name: {"at": at}})
    return Mark(name, plan, equals)


class Bench:
    """A plan and what was told of it."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, MaybeValue] | None] = []
        marks = [mark("maker", "holding:768", 1), mark("model", "holding:769", 7310, 7320)]
        self.plan = IdentifiedPlan(build.plan(POINTS), marks, self.told.append)
        self.asked: list[Job] = []

    def poll(self, registers: Mapping[int, int], now: float, intervals: tuple[float, ...] = (1.0, 30.0)) -> Values:
        due = [job for job in self.plan.jobs() if job.interval_s in intervals]
        waiting = list(self.plan.together(due) if len(intervals) > 1 else due)
        self.asked = list(waiting)
        outcomes: list[tuple[Job, Answer | Fault]] = []
        while waiting:
            job = waiting.pop(0)
            outcome: Answer | Fault
            if not registers:
                outcome = Fault(FaultKind.TIMEOUT, now)
            else:
                try:
                    outcome = build.answer(job, {"holding": registers})
                except KeyError:
                    pieces = self.plan.refused(job, 2, now)
                    waiting = [*pieces, *waiting]
                    if pieces:
                        continue
                    outcome = build.refusal(2, now)
            outcomes.append((job, outcome))
        return self.plan.decode(outcomes, now)


def statuses(values: Values) -> set[Status]:
    assert "level" in values.points
    assert not {"maker", "model"} & set(values.points)
    bad = [value for value, status in zip(values.values, values.statuses, strict=True) if status.is_bad]
    assert bad == [None] * len(bad)
    return set(values.statuses)


def test_the_right_device_is_read_and_its_marks_only_when_due() -> None:
    bench = Bench()
    assert statuses(bench.poll(RIGHT, 0.0)) == {Status.Good}
    assert len(bench.asked) == 3
    assert statuses(bench.poll(RIGHT, 1.0)) == {Status.Good}
    assert len(bench.asked) == 1
    bench.poll(RIGHT, AGAIN_AFTER_S)
    bench.poll(RIGHT, AGAIN_AFTER_S + 1)
    assert len(bench.asked) == 3
    assert bench.told == []


@pytest.mark.parametrize("wrong", [OTHER, UNKNOWN_TO_IT])
def test_a_wrong_device_gives_no_value_and_is_told_once(wrong: Mapping[int, int]) -> None:
    bench = Bench()
    for now in range(5):
        assert statuses(bench.poll(wrong, float(now))) == {Status.BadConfigurationError}
    assert len(bench.told) == 1
    found = bench.told[0]
    assert found is not None
    assert found["maker"] == wrong.get(768)
    assert statuses(bench.poll(RIGHT, 9.0)) == {Status.Good}
    assert bench.told[1:] == [None]


def test_a_device_exchanged_during_a_silence_is_noticed_before_its_first_value() -> None:
    bench = Bench()
    bench.poll(RIGHT, 0.0)
    assert statuses(bench.poll(SILENT, 1.0)) == {Status.BadTimeout}
    assert statuses(bench.poll(OTHER, 2.0)) == {Status.BadConfigurationError}


def test_a_device_exchanged_between_two_polls_is_noticed_within_a_minute() -> None:
    bench = Bench()
    bench.poll(RIGHT, 0.0)
    bench.poll(OTHER, AGAIN_AFTER_S)
    assert statuses(bench.poll(OTHER, AGAIN_AFTER_S + 1)) == {Status.BadConfigurationError}


def test_marks_that_cannot_be_read_hold_back_the_values() -> None:
    bench = Bench()
    jobs = bench.plan.jobs()
    outcomes: list[tuple[Job, Answer | Fault]] = [
        (job, build.answer(job, {"holding": RIGHT}) if index else Fault(FaultKind.TIMEOUT, 0.0))
        for index, job in enumerate(jobs)
    ]
    assert statuses(bench.plan.decode(outcomes, 0.0)) == {Status.BadTimeout}
    assert bench.told == []


def test_a_poll_without_marks_waits_until_the_device_is_known() -> None:
    bench = Bench()
    values = bench.poll(RIGHT, 0.0, intervals=(30.0,))
    assert (values.points, set(values.statuses)) == (("flow",), {Status.BadWaitingForInitialData})
    bench.poll(OTHER, 1.0)
    values = bench.poll(OTHER, 2.0, intervals=(30.0,))
    assert set(values.statuses) == {Status.BadConfigurationError}
