"""One poller on a simulated line: who is asked when, and what each poll gives."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import Answer, Fault, FaultKind, Job, Reading, Status
from gateway.polling.poller import Poller
from tests.fakes.simulated_line import SimplePlan, SimulatedClock, SimulatedLine, simple_job

Outcome = Callable[[Job, float], Answer | Fault | None]


async def poll(
    plans: Mapping[str, SimplePlan],
    seconds: float,
    outcome: Outcome = lambda job, now: Answer(b"", now),
    answer_s: float = 0.01,
    way: Callable[[float], bool | None] = lambda now: None,
) -> tuple[list[Reading], SimulatedLine, Poller]:
    clock = SimulatedClock(seconds)
    line = SimulatedLine(clock, answer_s, outcome, way=way)
    readings: list[Reading] = []
    poller = Poller(line, plans, clock, readings.append)
    clock.on_end = poller.stop
    await poller.run()
    return readings, line, poller


def statuses(readings: list[Reading], device: str) -> list[Status]:
    return [status for reading in readings if reading.device == device for status in reading.statuses]


async def test_every_device_is_polled_at_its_interval_without_drift() -> None:
    plans = {f"d{n}": SimplePlan(simple_job(n, interval_s=1.0)) for n in range(1, 21)}
    readings, line, _ = await poll(plans, 600, answer_s=0.03)
    times = [at for at, unit, _ in line.asked if unit == 7]
    assert len(times) == pytest.approx(600, abs=1)
    assert all(abs((at - times[0]) - step) < 0.7 for step, at in enumerate(times))
    assert Counter(reading.device for reading in readings).most_common()[-1][1] >= 599


async def test_the_time_of_a_reading_is_its_last_answer() -> None:
    readings, line, _ = await poll({"d": SimplePlan(simple_job(1, "a"), simple_job(1, "b"))}, 3)
    at = line.asked[1][0] + line.answer_s
    assert readings[0].ts == line.clock.epoch_ms + round((at - 1000.0) * 1000)
    assert readings[0].points == ("a", "b")


async def test_jobs_due_together_make_one_reading() -> None:
    plan = SimplePlan(simple_job(1, "fast", 1.0), simple_job(1, "slow", 5.0))
    readings, _, _ = await poll({"d": plan}, 20)
    assert readings[0].points == ("fast", "slow")
    sets = Counter(reading.points for reading in readings)
    assert set(sets) == {("fast",), ("fast", "slow")}
    assert sets["fast", "slow"] in (4, 5)


async def test_a_line_that_cannot_keep_up_skips_and_shares_fairly() -> None:
    plans = {f"d{n}": SimplePlan(simple_job(n)) for n in range(1, 11)}
    readings, _, poller = await poll(plans, 100, answer_s=0.2)
    counts = Counter(reading.device for reading in readings)
    assert sum(counts.values()) == pytest.approx(500, abs=3)
    assert max(counts.values()) - min(counts.values()) <= 2
    for stats in poller.stats():
        assert stats.skipped == pytest.approx(100 - stats.polls, abs=3)


async def test_the_most_urgent_poll_goes_first() -> None:
    plans = {
        "slow": SimplePlan(*(simple_job(1, f"p{n}", 10.0) for n in range(30))),
        "fast": SimplePlan(simple_job(2, "p", 0.2)),
    }
    readings, _, _ = await poll(plans, 60, answer_s=0.1)
    fast = [reading for reading in readings if reading.device == "fast"]
    assert len(fast) >= 290, "the blocks of a slow device let a fast one in between"
    assert sum(reading.device == "slow" for reading in readings) >= 5


async def test_a_time_out_of_one_block_leaves_the_others_good() -> None:
    plan = SimplePlan(simple_job(1, "a"), simple_job(1, "b"), simple_job(1, "c"))
    lost = iter([False] * 7 + [True] + [False] * 1000)
    readings, _, _ = await poll({"d": plan}, 10, lambda job, now: None if next(lost) else Answer(b"", now))
    assert (Status.Good, Status.BadTimeout, Status.Good) in [reading.statuses for reading in readings]


async def test_a_silent_unit_still_gives_a_fresh_bad_status_at_every_poll() -> None:
    plans = {"dead": SimplePlan(simple_job(1)), "live": SimplePlan(simple_job(2))}
    readings, line, poller = await poll(plans, 300, lambda job, now: None if job.unit == 1 else Answer(b"", now))
    dead = statuses(readings, "dead")
    assert set(dead) == {Status.BadTimeout}
    assert len(dead) == pytest.approx(300, abs=3)
    assert set(statuses(readings, "live")) == {Status.Good}
    assert len(line.asked) < 400
    stats = {each.device: each for each in poller.stats()}
    assert stats["dead"].silent_since is not None
    assert stats["dead"].failures == len(dead)
    assert stats["live"].silent_since is None
    assert stats["live"].last_answer_ms is not None


@settings(deadline=None, max_examples=20)
@given(
    dead=st.integers(1, 6),
    live=st.integers(1, 6),
    timeout_s=st.floats(0.1, 2.0),
    interval_s=st.sampled_from([0.5, 1.0, 5.0]),
    blocks=st.integers(1, 3),
)
async def test_all_dead_units_together_take_at_most_a_twentieth_of_the_line(
    dead: int, live: int, timeout_s: float, interval_s: float, blocks: int
) -> None:
    units = {
        f"d{unit}": SimplePlan(*(simple_job(unit, f"p{b}", interval_s, timeout_s) for b in range(blocks)))
        for unit in range(dead + live)
    }
    first_minute: dict[int, float] = {}

    def outcome(job: Job, now: float) -> Answer | Fault | None:
        if now >= 1075.0 and not first_minute:
            first_minute.update(line_of["line"].spent)
        return None if job.unit < dead else Answer(b"", now)

    line_of: dict[str, SimulatedLine] = {}
    clock = SimulatedClock(675)
    line = line_of["line"] = SimulatedLine(clock, 0.01, outcome)
    poller = Poller(line, units, clock, lambda reading: None)
    clock.on_end = poller.stop
    await poller.run()
    spent = sum(line.spent[unit] - first_minute.get(unit, 0.0) for unit in range(dead))
    # one trial more may just have begun
    assert spent <= 0.05 * 600 + timeout_s * dead
    assert all(line.spent[unit] > first_minute.get(unit, 0.0) for unit in range(dead)), "each is tried again"


async def test_dead_units_are_not_tried_in_a_row() -> None:
    plans = {f"d{n}": SimplePlan(simple_job(n, timeout_s=1.0)) for n in range(8)}
    _, line, _ = await poll(plans, 600, lambda job, now: None if job.unit < 4 else Answer(b"", now))
    trials = [at for at, unit, _ in line.asked if unit < 4 and at > 1075]
    assert len(trials) > 15
    assert min(later - earlier for earlier, later in pairwise(trials)) > 10


async def test_a_unit_that_comes_back_is_polled_as_before() -> None:
    plans = {f"d{n}": SimplePlan(simple_job(n)) for n in (1, 2, 3)}
    readings, _, _ = await poll(plans, 400, lambda job, now: None if job.unit == 1 and now < 1200 else Answer(b"", now))
    found = statuses(readings, "d1")
    back = found.index(Status.Good)
    assert back < 200 + 12, "one silent unit with 0.5 s is tried every 10 s"
    assert set(found[back:]) == {Status.Good}


async def test_units_that_fell_silent_together_come_back_together() -> None:
    plans = {f"d{n}": SimplePlan(simple_job(n, timeout_s=1.0)) for n in range(20)}
    back_at = 1000 + 600
    clock_epoch = 1_700_000_000_000
    readings, _, _ = await poll(plans, 700, lambda job, now: None if 1100 < now < back_at else Answer(b"", now))
    for device in plans:
        last_bad = max(reading.ts for reading in readings if reading.device == device and reading.values == (None,))
        assert last_bad < clock_epoch + 600_000 + 25_000, "the first is tried within 20 s, the others right after it"


async def test_a_unit_alone_on_its_line_is_tried_at_every_poll_for_a_minute() -> None:
    readings, _, _ = await poll(
        {"d": SimplePlan(simple_job(1, "a"), simple_job(1, "b"))},
        60,
        lambda job, now: None if 1010 < now < 1040 else Answer(b"", now),
    )
    good = [reading.ts for reading in readings if reading.statuses == (Status.Good,) * 2]
    assert min(ts for ts in good if ts > 1_700_000_000_000 + 40_000) < 1_700_000_000_000 + 42_000


async def test_a_line_that_is_down_is_no_communication_at_every_poll() -> None:
    plans = {f"d{n}": SimplePlan(simple_job(n, "a"), simple_job(n, "b")) for n in (1, 2)}
    readings, line, _ = await poll(plans, 30, lambda job, now: Fault(FaultKind.DOWN, now))
    assert set(statuses(readings, "d1")) == {Status.BadNoCommunication}
    assert len(statuses(readings, "d1")) == pytest.approx(60, abs=4)
    assert len(line.asked) == len(readings), "one question tells that the line is down"


async def test_a_resting_unit_is_not_asked_and_is_bad_for_the_same_reason() -> None:
    clock = SimulatedClock(20)
    line = SimulatedLine(clock)
    busy = Fault(FaultKind.REFUSED, 0.0, 6)

    def outcome(job: Job, now: float) -> Answer | Fault:
        if 1005 < now < 1006.5:
            line.rests[1] = 1012.0
            return Fault(busy.kind, now, busy.code)
        return Answer(b"", now)

    line.outcome = outcome
    seen: list[tuple[float, Status]] = []
    poller = Poller(line, {"d": SimplePlan(simple_job(1))}, clock, lambda r: seen.append((clock.now, r.statuses[0])))
    clock.on_end = poller.stop
    await poller.run()
    resting = [status for at, status in seen if 1007 < at < 1012]
    assert len(resting) >= 4
    assert set(resting) == {Status.BadResourceUnavailable}
    assert not [at for at, _, _ in line.asked if 1007 < at < 1012]
    assert seen[-1][1] is Status.Good


async def test_a_refused_block_is_asked_again_in_pieces_within_the_poll() -> None:
    whole = simple_job(1, "whole")
    left, right = simple_job(1, "left"), simple_job(1, "right")
    plan = SimplePlan(whole, pieces={"whole": (left, right)})

    def outcome(job: Job, now: float) -> Answer | Fault:
        return Fault(FaultKind.REFUSED, now, 2) if job.points[0] in ("whole", "right") else Answer(b"", now)

    readings, _, _ = await poll({"d": plan}, 1, outcome)
    assert readings[0].points == ("left", "right")
    assert readings[0].statuses == (Status.Good, Status.BadConfigurationError)
    assert plan.refusals[:2] == [(whole, 2), (right, 2)]


async def test_pieces_without_end_are_bounded() -> None:
    whole = simple_job(1, "p")
    plan = SimplePlan(whole, pieces={"p": (whole, whole)})
    readings, line, _ = await poll({"d": plan}, 1, lambda job, now: Fault(FaultKind.REFUSED, now, 2), 0.0001)
    assert len(readings) >= 1
    assert len(line.asked) / len(readings) < 70


async def test_pieces_without_room_have_no_value_and_are_asked_again_soon() -> None:
    """A device that is read every ten minutes is soon learnt, and nothing old stands for what was not asked."""
    parts = [simple_job(1, f"p{n}", 600.0) for n in range(100)]
    plan = SimplePlan(simple_job(1, "whole", 600.0), pieces={"whole": parts})
    asked: set[str] = set()

    def outcome(job: Job, now: float) -> Answer | Fault:
        asked.update(job.points)
        plan.pieces = {"whole": [part for part in parts if part.points[0] not in asked] or parts[:1]}
        return Fault(FaultKind.REFUSED, now, 2) if job.points == ("whole",) else Answer(b"", now)

    readings, line, _ = await poll({"d": plan}, 40, outcome)
    assert len(readings[0].points) == 100
    assert Counter(readings[0].statuses) == {Status.Good: 32, Status.BadResourceUnavailable: 68}
    assert asked == {"whole", *(part.points[0] for part in parts)}
    assert len(readings) == 4, "then its own time again"
    gaps = [later.ts - earlier.ts for earlier, later in pairwise(readings)]
    assert max(gaps) < 6000
    assert len(line.asked) == 104


async def test_a_plan_that_learnt_is_asked_anew() -> None:
    plan = SimplePlan(simple_job(1, "old"))
    clock = SimulatedClock(10)
    line = SimulatedLine(clock)

    def deliver(reading: Reading) -> None:
        seen.append(reading.points)
        plan.now_jobs = later

    later = (simple_job(1, "new"),)
    seen: list[tuple[str, ...]] = []
    poller = Poller(line, {"d": plan}, clock, deliver)
    clock.on_end = poller.stop
    await poller.run()
    assert seen[0] == ("old",)
    assert set(seen[1:]) == {("new",)}


async def test_devices_are_replaced_while_running() -> None:
    clock = SimulatedClock(20)
    line = SimulatedLine(clock)
    kept = SimplePlan(simple_job(1))
    seen: list[tuple[float, str]] = []

    def deliver(reading: Reading) -> None:
        seen.append((clock.now, reading.device))
        if clock.now > 1010:
            poller.replace(after)

    after = {"kept": kept, "new": SimplePlan(simple_job(3))}
    poller = Poller(line, {"kept": kept, "gone": SimplePlan(simple_job(2))}, clock, deliver)
    clock.on_end = poller.stop
    await poller.run()
    late = Counter(device for at, device in seen if at > 1012)
    assert set(late) == {"kept", "new"}
    assert late["kept"] == pytest.approx(8, abs=1)
    assert [stats.device for stats in poller.stats()] == ["kept", "new"]


async def test_a_lent_job_runs_between_polls_and_hurts_none() -> None:
    clock = SimulatedClock(30)
    line = LendingLine(clock)
    readings: list[Reading] = []
    poller = Poller(line, {"d": SimplePlan(simple_job(1), simple_job(1, "q"))}, clock, readings.append)
    clock.on_end = poller.stop
    async with asyncio.TaskGroup() as group:
        group.create_task(poller.run())
        lent = [group.create_task(poller.lend(simple_job(9, timeout_s=0.4))) for _ in range(5)]
    assert all(isinstance(task.result(), Answer) for task in lent)
    assert not line.overlapped
    assert Counter(unit for _, unit, _ in line.asked)[9] == 5
    assert all(status is Status.Good for status in statuses(readings, "d"))
    assert len(readings) >= 28


class LendingLine(SimulatedLine):
    """Gives the loop its turn while a request is under way, as a real line does."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__(clock)
        self.busy = self.overlapped = False

    async def run(self, job: Job, deadline: float) -> Answer | Fault:
        self.overlapped |= self.busy
        self.busy = True
        await asyncio.sleep(0)
        outcome = await super().run(job, deadline)
        self.busy = False
        return outcome
