"""A device that is gone is gone with all its points, also those that are rarely read; back, it is read as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

import pytest

from gateway.model import Answer, Fault, FaultKind, Job, Reading, Status
from gateway.polling.poller import Poller
from tests.fakes.simulated_line import SimplePlan, SimulatedClock, SimulatedLine, simple_job
from tests.unit.polling.test_poller import Outcome, poll

EPOCH_MS = 1_700_000_000_000
GONE, BACK = 1020.0, 1100.0


def slow_and_fast(unit: int) -> SimplePlan:
    return SimplePlan(simple_job(unit, "fast", 0.5), simple_job(unit, "slow", 36000.0))


def silent(*units: int) -> Outcome:
    return lambda job, now: None if job.unit in units and GONE < now < BACK else Answer(b"", now)


def down(job: Job, now: float) -> Answer | Fault:
    return Fault(FaultKind.DOWN, now) if GONE < now < BACK else Answer(b"", now)


def told(readings: list[Reading], device: str, until: float) -> dict[str, tuple[float, Status]]:
    """When (simulated seconds) and as what each point was last told by `until`."""
    found: dict[str, tuple[float, Status]] = {}
    for reading in readings:
        at = 1000.0 + (reading.ts - EPOCH_MS) / 1000
        if reading.device == device and at <= until:
            found.update({name: (at, status) for name, status in zip(reading.points, reading.statuses, strict=True)})
    return found


def as_told(readings: list[Reading], device: str, until: float) -> Mapping[str, Status]:
    return {name: status for name, (_, status) in told(readings, device, until).items()}


@pytest.mark.parametrize("others", [(), (2, 3)])
async def test_a_silent_device_is_bad_with_its_slow_points_too(others: tuple[int, ...]) -> None:
    plans = {f"d{unit}": slow_and_fast(unit) for unit in (1, *others)}
    readings, _, _ = await poll(plans, 140, silent(1))
    assert as_told(readings, "d1", GONE) == {"fast": Status.Good, "slow": Status.Good}
    assert as_told(readings, "d1", GONE + 3) == {"fast": Status.BadTimeout, "slow": Status.BadTimeout}
    slow = [each for each in readings if each.device == "d1" and "slow" in each.points]
    assert len(slow) == 3, "told as bad once, asked again once"
    for unit in others:
        assert set(as_told(readings, f"d{unit}", 1140).values()) == {Status.Good}


@pytest.mark.parametrize("outcome", [silent(1), down])
async def test_a_device_that_is_back_is_asked_for_its_slow_points_with_its_next_poll(outcome: Outcome) -> None:
    readings, line, _ = await poll({"d1": slow_and_fast(1)}, 140, outcome)
    fast = min(at for at, _, job in line.asked if at > BACK and job.points == ("fast",))
    again = [at for at, _, job in line.asked if at > BACK and job.points == ("slow",)]
    assert len(again) == 1
    assert 0 <= again[0] - fast < 1.1
    assert as_told(readings, "d1", 1140) == {"fast": Status.Good, "slow": Status.Good}


async def test_a_device_that_is_polled_rarely_does_not_wait_for_its_next_poll() -> None:
    plan = SimplePlan(simple_job(1, "fast", 60.0), simple_job(1, "slow", 6000.0))
    outcome: Outcome = lambda job, now: Fault(FaultKind.DOWN, now) if 1050 < now < 1290 else Answer(b"", now)  # noqa: E731
    readings, line, _ = await poll({"d": plan}, 420, outcome)
    assert as_told(readings, "d", 1289)["slow"] is Status.BadNoCommunication
    back = min(at for at, _, _ in line.asked if at > 1290)
    assert back < told(readings, "d", 1420)["slow"][0] < back + 6


async def test_one_lost_frame_throws_no_slow_point_away() -> None:
    asked = 0

    def outcome(job: Job, now: float) -> Answer | Fault | None:
        nonlocal asked
        asked += 1
        return None if asked % 10 == 0 else Answer(b"", now)

    readings, _, _ = await poll({"d1": slow_and_fast(1)}, 140, outcome)
    assert sum("slow" in each.points for each in readings) == 1
    assert sum(each.statuses == (Status.BadTimeout,) for each in readings) > 5


async def test_one_lost_connection_throws_no_slow_point_away() -> None:
    asked = 0

    def outcome(job: Job, now: float) -> Answer | Fault | None:
        nonlocal asked
        asked += 1
        return Fault(FaultKind.DOWN, now) if asked % 10 == 0 else Answer(b"", now)

    readings, _, _ = await poll({f"d{unit}": slow_and_fast(unit) for unit in (1, 2)}, 140, outcome)
    assert sum("slow" in each.points for each in readings) == 2


async def test_a_line_that_is_down_is_told_of_every_point() -> None:
    plans = {f"d{unit}": slow_and_fast(unit) for unit in (1, 2, 3)}
    readings, line, _ = await poll(plans, 140, down)
    for device in plans:
        assert set(as_told(readings, device, GONE + 2).values()) == {Status.BadNoCommunication}
        assert sum("slow" in each.points for each in readings if each.device == device) == 3
    assert len([at for at, _, _ in line.asked if GONE < at < BACK]) < 3 * 2 * (BACK - GONE) + 6


async def test_silence_and_then_a_line_down_agree_and_the_other_way_round() -> None:
    """Unit 1 is silent all the time; the line is down from 1040 to 1060."""

    def outcome(job: Job, now: float) -> Answer | Fault | None:
        if 1040 < now < 1060:
            return Fault(FaultKind.DOWN, now)
        return None if job.unit == 1 and now > GONE else Answer(b"", now)

    readings, _, _ = await poll({"d1": slow_and_fast(1), "d2": slow_and_fast(2)}, 100, outcome)
    for at in (1024, 1030, 1039):
        assert set(as_told(readings, "d1", at).values()) == {Status.BadTimeout}, at
    for at in range(1042, 1060):
        for device in ("d1", "d2"):
            assert set(as_told(readings, device, at).values()) == {Status.BadNoCommunication}, (at, device)
    for at in range(1064, 1100):
        assert set(as_told(readings, "d1", at).values()) == {Status.BadTimeout}, at
        assert set(as_told(readings, "d2", at).values()) == {Status.Good}, at


async def test_registers_that_are_never_answered_do_not_keep_a_line_busy() -> None:
    """Many devices leave what they do not know unanswered; that is no return of a lost device each time."""
    mute = ("mute1", "mute2")
    jobs = [simple_job(1, "fast", 0.5), *(simple_job(1, name, 600.0) for name in ("slow", *mute))]
    plans = {"d1": SimplePlan(*jobs), "d2": SimplePlan(simple_job(2, "fast", 0.5))}
    readings, line, _ = await poll(plans, 1200, lambda job, now: None if job.points[0] in mute else Answer(b"", now))
    assert line.spent[1] < 0.05 * 1200 + 2400 * line.answer_s
    asked = [at for at, _, job in line.asked if job.points[0] == "mute1"]
    assert len(asked) < 15
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert max(gaps) > 100, gaps
    assert sum(each.statuses == (Status.Good,) for each in readings if each.device == "d1") > 2300
    slow = [
        status for each in readings for name, status in zip(each.points, each.statuses, strict=True) if name == "slow"
    ]
    assert set(slow) == {Status.Good}, "a device that answers others is not lost"


async def test_a_lost_frame_on_return_is_asked_again_soon() -> None:
    lost = iter([True])

    def outcome(job: Job, now: float) -> Answer | Fault | None:
        if GONE < now < BACK or (now > BACK and job.points == ("slow",) and next(lost, False)):
            return None
        return Answer(b"", now)

    readings, _, _ = await poll({"d1": slow_and_fast(1)}, 160, outcome)
    assert as_told(readings, "d1", 1160) == {"fast": Status.Good, "slow": Status.Good}


async def test_a_unit_of_several_is_lost_alone_and_comes_back_alone() -> None:
    jobs = [simple_job(unit, f"{name}{unit}", s) for unit in (1, 2) for name, s in (("fast", 0.5), ("slow", 36000.0))]
    never_back: Outcome = lambda job, now: None if job.unit == 1 and GONE < now < BACK else Answer(b"", now)  # noqa: E731
    readings, _, _ = await poll({"d": SimplePlan(*jobs)}, 140, never_back)
    lost = {"fast1": Status.BadTimeout, "slow1": Status.BadTimeout, "fast2": Status.Good, "slow2": Status.Good}
    assert as_told(readings, "d", GONE + 4) == lost
    assert set(as_told(readings, "d", 1140).values()) == {Status.Good}


RARELY_S = 36000.0


def rarely(unit: int) -> SimplePlan:
    return SimplePlan(simple_job(unit, "p", RARELY_S))


async def test_what_one_device_finds_of_its_line_the_others_are_told() -> None:
    plans = {"often": SimplePlan(simple_job(1, "p", 1.0)), **{f"d{unit}": rarely(unit) for unit in (2, 3, 4)}}
    readings, line, _ = await poll(plans, 140, down)
    for device in ("d2", "d3", "d4"):
        assert as_told(readings, device, GONE - 1) == {"p": Status.Good}
        assert as_told(readings, device, GONE + 3) == {"p": Status.BadNoCommunication}
        assert as_told(readings, device, BACK + 3) == {"p": Status.Good}
        asked = [at for at, unit, _ in line.asked if unit == int(device[1])]
        assert len(asked) == 3, "at the start, when the line went, when it came back"


async def test_what_one_device_finds_of_its_unit_another_of_the_same_unit_is_told() -> None:
    plans = {"often": SimplePlan(simple_job(1, "p", 1.0)), "rarely": rarely(1), "other": rarely(2)}
    readings, line, _ = await poll(plans, 140, silent(1))
    assert as_told(readings, "rarely", GONE - 1) == {"p": Status.Good}
    assert as_told(readings, "rarely", GONE + 10) == {"p": Status.BadTimeout}
    assert as_told(readings, "rarely", 1140) == {"p": Status.Good}
    assert as_told(readings, "other", 1140) == {"p": Status.Good}
    assert len([at for at, unit, _ in line.asked if unit == 2]) == 1


async def test_a_line_that_knows_of_its_cut_is_believed_before_anybody_is_asked() -> None:
    plans = {f"d{unit}": rarely(unit) for unit in (1, 2)}
    readings, line, _ = await poll(plans, 140, down, way=lambda now: not GONE < now < BACK)
    for device in plans:
        assert as_told(readings, device, GONE - 1) == {"p": Status.Good}
        assert as_told(readings, device, GONE + 2) == {"p": Status.BadNoCommunication}
        assert as_told(readings, device, BACK + 2) == {"p": Status.Good}
    assert len(line.asked) == 6


async def test_a_line_that_is_cut_while_all_its_units_are_backed_off_is_down_at_once() -> None:
    """Both units are silent from 1010 on and tried ever more rarely; the line is cut from 1300 to 1330."""

    def outcome(job: Job, now: float) -> Answer | Fault | None:
        if 1300 < now < 1330:
            return Fault(FaultKind.DOWN, now)
        return None if now > 1010 else Answer(b"", now)

    plans = {f"d{unit}": SimplePlan(simple_job(unit, "p", 1.0)) for unit in (1, 2)}
    readings, _, _ = await poll(plans, 360, outcome, way=lambda now: not 1300 < now < 1330)
    for device in plans:
        assert set(as_told(readings, device, 1299).values()) == {Status.BadTimeout}
        for at in range(1303, 1330):
            assert set(as_told(readings, device, at).values()) == {Status.BadNoCommunication}, at
        assert set(as_told(readings, device, 1333).values()) == {Status.BadTimeout}, "connected, but silent"


async def test_a_unit_that_rests_on_a_line_that_is_down_is_down() -> None:
    """A unit that was asked when the port went rests, as its answer may come late; the port is gone all the same."""

    def outcome(job: Job, now: float) -> Answer | Fault:
        if now > GONE:
            line.rests[1] = now + 4.0
            return Fault(FaultKind.DOWN, now)
        return Answer(b"", now)

    clock = SimulatedClock(40)
    line = SimulatedLine(clock, 0.01, outcome, way=lambda now: now < GONE)
    readings: list[Reading] = []
    poller = Poller(line, {"d": SimplePlan(simple_job(1, "p", 1.0))}, clock, readings.append)
    clock.on_end = poller.stop
    await poller.run()
    for at in range(1022, 1040):
        assert as_told(readings, "d", at) == {"p": Status.BadNoCommunication}, at


async def test_a_device_that_is_polled_rarely_and_missed_its_poll_is_asked_again_soon() -> None:
    """One frame lost, or a device that was just starting, is no reason to know nothing for ten minutes."""
    outcome: Outcome = lambda job, now: None if now < 1030 else Answer(b"", now)  # noqa: E731
    readings, line, _ = await poll({"d1": rarely(1), "d2": rarely(2)}, 120, outcome)
    for device in ("d1", "d2"):
        assert as_told(readings, device, 1029) == {"p": Status.BadTimeout}
        assert as_told(readings, device, 1075) == {"p": Status.Good}
    assert len(line.asked) < 10


async def test_rarely_polled_devices_that_are_dead_take_no_more_of_the_line_than_others() -> None:
    plans = {f"d{unit}": rarely(unit) for unit in range(1, 11)}
    readings, line, _ = await poll({**plans, "often": SimplePlan(simple_job(20, "p", 1.0))}, 3660, silent_for_ever)
    asked = Counter(unit for at, unit, _ in line.asked if unit != 20 and at > 1060)
    assert asked.total() * 0.5 <= 0.05 * 3600
    assert max(asked.values()) < 12, "ever more rarely, whatever room there is"
    assert len([each for each in readings if each.device == "often"]) > 3500


def silent_for_ever(job: Job, now: float) -> Answer | None:
    return Answer(b"", now) if job.unit == 20 else None
