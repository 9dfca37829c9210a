"""No value of a wrong device is believed, whenever it was exchanged."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from drivers.modbus.device import ModbusPlan
from gateway.model import Answer, Fault, FaultKind, Job, MaybeValue, Status
from gateway.polling.identity import LONGEST_S, IdentifiedPlan, Mark, check_every_s
from gateway.ports import Values
from gateway.settings.types import IDENTITY_SHARE, IdentityMark, LineSettings
from tests.unit.drivers.modbus import build

RIGHT = {0: 11, 1: 12, 768: 1, 769: 7310}
OTHER = {0: 21, 1: 22, 768: 2, 769: 7310}
SILENT: Mapping[int, int] = {}
UNKNOWN_TO_IT = {0: 31, 1: 32}


def serial(baudrate: int) -> LineSettings:
    return build.line(serial="/dev/ttyS9", baudrate=baudrate)


def mark(name: str, at: str, *equals: int, interval_s: float, line: LineSettings) -> Mark:
    plan: ModbusPlan = build.plan({name: {"at": at, "interval": interval_s}}, on=line)
    (point,) = build.device({name: {"at": at}}).points
    return Mark(IdentityMark(point, equals), plan)


class Bench:
    """A plan and what was told of it."""

    def __init__(self, interval_s: float = 1.0, baudrate: int = 9600) -> None:
        self.told: list[Mapping[str, MaybeValue] | None] = []
        line = serial(baudrate)
        marks = [
            mark("maker", "holding:768", 1, interval_s=interval_s, line=line),
            mark("model", "holding:769", 7310, 7320, interval_s=interval_s, line=line),
        ]
        points = {"level": {"at": "holding:0", "interval": interval_s}, "flow": {"at": "holding:1", "interval": 30.0}}
        self.plan = IdentifiedPlan(build.plan(points, on=line), marks, self.told.append)
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


@pytest.mark.parametrize("interval_s", [0.05, 0.2, 0.5, 1.0, 3.0, 60.0])
@pytest.mark.parametrize("baudrate", [2400, 9600, 115200])
def test_marks_are_read_within_the_check_interval_and_take_their_share_at_most(
    interval_s: float, baudrate: int
) -> None:
    bench = Bench(interval_s, baudrate)
    marks = [job for job in bench.plan.jobs() if job.points in (("maker",), ("model",))]
    every_s = check_every_s(marks)
    assert sum(job.wire_ms for job in marks) / 1000 / every_s <= max(IDENTITY_SHARE, 0.15 / LONGEST_S)
    checked, spans = 0.0, []
    for number in range(400):
        now = number * interval_s
        assert statuses(bench.poll(RIGHT, now, (interval_s,))) == {Status.Good}
        if len(bench.asked) > 1:
            spans.append(now - checked)
            checked = now
    assert max(spans) <= max(every_s, interval_s) + 1e-9
    if interval_s < every_s / 2:
        assert sum(spans) / len(spans) > every_s / 2
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


@pytest.mark.parametrize("interval_s", [10.0, 300.0])
def test_a_device_exchanged_between_two_slow_polls_gives_no_value(interval_s: float) -> None:
    bench = Bench(interval_s)
    for number in range(3):
        assert statuses(bench.poll(RIGHT, number * interval_s, (interval_s,))) == {Status.Good}
    assert statuses(bench.poll(OTHER, 3 * interval_s, (interval_s,))) == {Status.BadConfigurationError}


def test_a_device_exchanged_between_two_quick_polls_is_noticed_in_bounded_time() -> None:
    bench = Bench(0.5)
    now = 0.0
    for now in (0.0, 0.5, 1.0, 1.5, 2.0):
        bench.poll(RIGHT, now, (0.5,))
    exchanged = now
    while statuses(bench.poll(OTHER, now := now + 0.5, (0.5,))) == {Status.Good}:
        assert now - exchanged <= LONGEST_S
    assert statuses(bench.poll(OTHER, now + 0.5, (0.5,))) == {Status.BadConfigurationError}
    assert len(bench.told) == 1


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
