"""A write from order to record, against a device that can be told how to behave."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.model import Answer, Fault, FaultKind, Job, MaybeValue, Point, ReportPolicy, Status, Text, Value, ValueType
from gateway.ports import Unwritable
from gateway.settings.types import Clause, DeviceSettings, IdentityMark, SiteSettings, WritePolicy
from gateway.wire.messages import Json
from gateway.writing import Order, WriteRefused, Writing, value_of_json, value_of_text
from gateway.writing.arms import ARMED_S, MOST_ARMED, Arms
from tests.fakes.simulated_line import SimulatedClock


def point(name: str, type_: ValueType = ValueType.NUMBER, limits: tuple[float, float] | None = None) -> Point:
    return Point(name, type_, "", 1.0, ReportPolicy(), None, limits)


def device(**writes: WritePolicy) -> DeviceSettings:
    points = (point("level", limits=(0, 100)), point("mode", ValueType.STRING), point("on", ValueType.BOOLEAN))
    return DeviceSettings("it", None, "meter", None, "bus", points, 1.0, {}, (), (), (), None, writes)


PLAIN = WritePolicy(("chief",), None)
ORDER = Order("it", "level", 5, "duty-1", "chief", "mqtt", "c-1")


class Site:
    def __init__(self, devices: tuple[DeviceSettings, ...]) -> None:
        self.devices = devices


class Bench:
    """gateway.writing.Hands and PointAccess: a device with values, faults to come, a clock and a journal."""

    def __init__(self, settings: DeviceSettings) -> None:
        self.settings = settings
        self.values: dict[str, MaybeValue] = {"level": 1, "mode": "auto", "on": False}
        self.statuses: dict[str, Status] = {}
        self.read_faults: list[Fault | None] = []
        self.write_fault: Fault | None = None
        self.takes_it = True
        self.shows_after = 0
        self.has_room = True
        self.rests = 0.0
        self.log: list[str] = []
        self.records: list[Mapping[str, Json]] = []
        self.clock = SimulatedClock(1000)
        self.paused = 0.0
        self.gate: asyncio.Event | None = None
        self.went_out = asyncio.Event()

    @property
    def site(self) -> SiteSettings:
        return Site((self.settings,))  # type: ignore[return-value]

    def access(self, device: DeviceSettings) -> Bench:
        return self

    def read(self, point: str) -> Job:
        return Job(1, b"r" + point.encode(), (point,), 0.0, 0.5, 0.0)

    def write(self, point: str, value: Value) -> Job:
        if value == 13:
            raise Unwritable(Text("不行", "not exactly"))
        return Job(1, b"w" + point.encode(), (point,), 0.0, 0.5, 0.0, plan=value)

    def decode(self, point: str, answer: Answer) -> tuple[MaybeValue, Status]:
        status = self.statuses.get(point, Status.Good)
        return (None if status.is_bad else self.values[point]), status

    async def ask(self, line: str, job: Job) -> Answer | Fault:
        await asyncio.sleep(0)
        self.log.append(job.request.decode())
        if job.request.startswith(b"w"):
            self.went_out.set()
            if self.gate is not None:
                await self.gate.wait()
            if self.takes_it:
                self.values[job.points[0]] = job.plan  # type: ignore[assignment]
            return self.write_fault or Answer(b"", 0.0)
        fault = self.read_faults.pop(0) if self.read_faults else None
        return fault or Answer(b"", 0.0)

    def rests_until(self, line: str, unit: int) -> float:
        return self.rests

    async def record(self, device: str, type_: str, data: Mapping[str, Json]) -> bool:
        assert (device, type_) == ("it", "write")
        if not self.has_room:
            return False
        self.log.append(f"record {data['result']}")
        self.records.append(data)
        return True

    async def pause(self, seconds: float) -> None:
        self.paused += seconds


def bench(policy: WritePolicy = PLAIN, point_name: str = "level") -> tuple[Bench, Writing]:
    made = Bench(device(**{point_name: policy}))
    return made, Writing(made, made.clock, made.pause)


async def refused(writing: Writing, order: Order = ORDER) -> str:
    with pytest.raises(WriteRefused) as caught:
        await writing.write(order)
    assert caught.value.text.zh
    assert caught.value.text.en
    return caught.value.error


async def test_a_write_is_on_record_before_it_goes_out_and_after() -> None:
    made, writing = bench()
    outcome = await writing.write(ORDER)
    assert (outcome.word, outcome.before, outcome.after) == ("done", 1, 5)
    assert made.log == ["rlevel", "record started", "wlevel", "rlevel", "record done"]
    assert made.records[1] == {
        "order": "c-1", "by": "duty-1", "via": "mqtt", "point": "level", "value": "5", "before": "1", "after": "5",
        "result": "done",
    }  # fmt: skip


SERIAL = IdentityMark(point("serial"), (4711,), is_of_model=False)


async def test_a_machine_in_the_place_of_another_is_not_written_to() -> None:
    made, writing = bench()
    made.settings = replace(made.settings, identity=(SERIAL,))
    made.values["serial"] = 4711
    assert (await writing.write(ORDER)).is_done
    assert made.log[0] == "rserial"
    made.values["serial"], made.log[:] = 4712, []
    assert await refused(writing) == "wrong_device"
    assert made.log == ["rserial"]


@pytest.mark.parametrize(
    ("status", "fault", "error"),
    [
        (Status.BadConfigurationError, None, "wrong_device"),
        (Status.Good, Fault(FaultKind.REFUSED, 0.0, 2), "wrong_device"),
        (Status.Good, Fault(FaultKind.TIMEOUT, 0.0), "no_answer"),
        (Status.Good, Fault(FaultKind.DOWN, 0.0), "no_answer"),
        (Status.Good, Fault(FaultKind.FRAME, 0.0), "no_answer"),
    ],
)
async def test_a_machine_that_cannot_be_told_is_not_written_to(status: Status, fault: Fault | None, error: str) -> None:
    made, writing = bench()
    made.settings = replace(made.settings, identity=(SERIAL,))
    made.values["serial"], made.statuses["serial"] = 4711, status
    made.read_faults = [fault]
    assert await refused(writing) == error
    assert made.log == ["rserial"]


async def test_a_machine_in_the_place_of_another_is_not_even_armed() -> None:
    made, writing = bench(replace(PLAIN, two_step=True))
    made.settings = replace(made.settings, identity=(SERIAL,))
    made.values["serial"] = 1
    with pytest.raises(WriteRefused) as caught:
        await writing.arm(ORDER)
    assert caught.value.error == "wrong_device"


async def test_without_a_record_nothing_goes_out() -> None:
    made, writing = bench()
    made.has_room = False
    assert await refused(writing) == "no_record"
    assert made.log == ["rlevel"]
    assert made.values["level"] == 1


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (replace(ORDER, device="other"), "no_such_device"),
        (replace(ORDER, point="other"), "no_such_point"),
        (replace(ORDER, point="mode", value="x"), "not_allowed"),
        (replace(ORDER, role="guest"), "not_allowed"),
        (replace(ORDER, value=101), "out_of_range"),
        (replace(ORDER, value=Decimal("-0.1")), "out_of_range"),
        (replace(ORDER, value=60), "out_of_range"),
        (replace(ORDER, value=13), "bad_value"),
    ],
)
async def test_what_may_not_be_touches_no_device(order: Order, error: str) -> None:
    made, writing = bench(WritePolicy(("chief",), (0, 50)))
    assert await refused(writing, order) == error
    assert made.log == []


async def test_somebody_on_the_machine_needs_no_role() -> None:
    _, writing = bench()
    assert (await writing.write(replace(ORDER, role=None))).is_done


@pytest.mark.parametrize(
    ("value", "status", "written"),
    [
        ("auto", Status.Good, True),
        ("manual", Status.Good, False),
        ("auto", Status.UncertainEngineeringUnitsExceeded, False),
        ("auto", Status.BadSensorFailure, False),
    ],
)
async def test_an_interlock_is_read_afresh_and_must_be_known_to_hold(value: str, status: Status, written: bool) -> None:
    made, writing = bench(WritePolicy(("chief",), None, (Clause("mode", "==", "auto"),)))
    made.values["mode"], made.statuses["mode"] = value, status
    if written:
        assert (await writing.write(ORDER)).is_done
        assert made.log[0] == "rmode"
    else:
        assert await refused(writing) == "interlock"
        assert "wlevel" not in made.log


async def test_an_interlock_that_cannot_be_read_does_not_hold() -> None:
    made, writing = bench(WritePolicy(("chief",), None, (Clause("mode", "!=", "manual"),)))
    made.read_faults = [Fault(FaultKind.TIMEOUT, 0.0)]
    assert await refused(writing) == "interlock"


async def test_a_silent_device_is_not_written_to() -> None:
    made, writing = bench()
    made.read_faults = [Fault(FaultKind.TIMEOUT, 0.0)]
    assert await refused(writing) == "no_answer"
    assert made.log == ["rlevel"]


async def test_a_device_that_refuses() -> None:
    made, writing = bench()
    made.takes_it, made.write_fault = False, Fault(FaultKind.REFUSED, 0.0, 2)
    outcome = await writing.write(ORDER)
    assert (outcome.word, outcome.after) == ("device_refused", 1)
    assert "exception 2" in outcome.text.en
    assert made.records[-1]["result"] == "device_refused"


@pytest.mark.parametrize(("takes_it", "word"), [(True, "done"), (False, "not_confirmed")])
async def test_a_lost_answer_is_cleared_up_by_reading_back(takes_it: bool, word: str) -> None:
    made, writing = bench()
    made.takes_it, made.write_fault = takes_it, Fault(FaultKind.TIMEOUT, 0.0)
    made.rests = made.clock.monotonic() + 2.0
    outcome = await writing.write(ORDER)
    assert outcome.word == word
    assert made.paused >= 2.0
    assert made.log.count("wlevel") == 1


async def test_what_cannot_be_read_back_is_not_known() -> None:
    made, writing = bench()
    made.read_faults = [None, *(Fault(FaultKind.TIMEOUT, 0.0) for _ in range(4))]
    outcome = await writing.write(ORDER)
    assert (outcome.word, outcome.after) == ("unknown", None)
    assert made.records[-1]["result"] == "unknown"
    assert "after" not in made.records[-1]


async def test_one_write_at_a_time_and_none_is_given_up_half_way() -> None:
    made, writing = bench()
    made.gate = asyncio.Event()
    first = asyncio.create_task(writing.write(ORDER))
    await made.went_out.wait()
    assert await refused(writing, replace(ORDER, id="c-2")) == "busy"
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    made.gate.set()
    await writing.close(10.0)
    assert made.log[-1] == "record done"
    assert (await writing.write(replace(ORDER, value=6))).is_done


async def test_a_write_given_up_at_the_end_is_recorded_as_unknown() -> None:
    made, writing = bench()
    made.gate = asyncio.Event()
    order = asyncio.create_task(writing.write(ORDER))
    await made.went_out.wait()
    await writing.close(0.0)
    assert made.log[-1] == "record unknown"
    with pytest.raises(asyncio.CancelledError):
        await order


TWO_STEP = WritePolicy(("chief",), None, (), two_step=True)


async def test_a_machine_is_armed_then_written() -> None:
    made, writing = bench(TWO_STEP)
    assert writing.needs_arming("it", "level")
    assert await refused(writing) == "arm_required"
    token, before = await writing.arm(ORDER)
    assert before == 1
    assert "wlevel" not in made.log
    assert (await writing.write(replace(ORDER, token=token))).is_done
    assert await refused(writing, replace(ORDER, token=token)) == "arm_expired"


@pytest.mark.parametrize(
    "change", [{"value": 6}, {"by": "duty-2"}, {"token": "0" * 16}], ids=["another value", "another person", "a guess"]
)
async def test_an_arming_is_good_for_one_write_by_one_person(change: dict[str, object]) -> None:
    made, writing = bench(TWO_STEP)
    token, _ = await writing.arm(ORDER)
    assert await refused(writing, replace(ORDER, **{"token": token, **change})) == "arm_expired"  # type: ignore[arg-type]
    assert "wlevel" not in made.log


async def test_an_arming_ends_by_itself() -> None:
    made, writing = bench(TWO_STEP)
    token, _ = await writing.arm(ORDER)
    made.clock.now += ARMED_S
    assert await refused(writing, replace(ORDER, token=token)) == "arm_expired"


async def test_arming_needs_all_that_writing_needs() -> None:
    _, writing = bench(replace(TWO_STEP, interlock=(Clause("mode", "==", "manual"),)))
    with pytest.raises(WriteRefused) as caught:
        await writing.arm(ORDER)
    assert caught.value.error == "interlock"


def test_armings_are_bounded_and_the_newest_of_a_person_counts() -> None:
    arms = Arms(lambda: 0.0)
    first = arms.arm("it", "level", 5, "a")
    second = arms.arm("it", "level", 5, "a")
    with pytest.raises(WriteRefused):
        arms.use(first, "it", "level", 5, "a")
    arms.use(second, "it", "level", 5, "a")
    for number in range(MOST_ARMED):
        arms.arm("it", "level", 5, f"p{number}")
    with pytest.raises(WriteRefused) as caught:
        arms.arm("it", "level", 5, "one more")
    assert caught.value.error == "busy"


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        (ValueType.NUMBER, "12.30", Decimal("12.30")),
        (ValueType.NUMBER, "18446744073709551615", 18446744073709551615),
        (ValueType.NUMBER, "-0", 0),
        (ValueType.BOOLEAN, "ON", True),
        (ValueType.BOOLEAN, "否", False),
        (ValueType.STRING, "auto", "auto"),
        (ValueType.STRING, "自动", "auto"),
    ],
)
def test_values_as_typed(type_: ValueType, text: str, value: Value) -> None:
    words = {"auto": Text("自动", "Automatic")} if type_ is ValueType.STRING else {}
    found = value_of_text(replace(point("p", type_), words=words), text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("type_", "text"),
    [(ValueType.NUMBER, word) for word in ("", "nan", "inf", "1e99", "0x10", "1,5")]
    + [(ValueType.BOOLEAN, "2"), (ValueType.STRING, "x" * 300)],
)
def test_what_is_no_value(type_: ValueType, text: str) -> None:
    with pytest.raises(WriteRefused):
        value_of_text(point("p", type_), text)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (ValueType.NUMBER, True), (ValueType.NUMBER, "5"), (ValueType.NUMBER, None), (ValueType.BOOLEAN, 1),
        (ValueType.STRING, 5), (ValueType.NUMBER, [1]), (ValueType.NUMBER, 1e300),
    ],
)  # fmt: skip
def test_json_of_another_type_is_refused(type_: ValueType, value: object) -> None:
    with pytest.raises(WriteRefused):
        value_of_json(point("p", type_), value)
