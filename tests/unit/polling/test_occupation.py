"""How long a line was taken: by answers, by silence, by what is under way and what was given up."""

from __future__ import annotations

import asyncio

import pytest

from gateway.model import Answer, Fault, Job
from gateway.polling.poller import Poller
from tests.fakes.simulated_line import SimplePlan, SimulatedClock, SimulatedLine, simple_job


async def test_what_a_line_was_taken_for_is_what_its_requests_took() -> None:
    def outcome(job: Job, now: float) -> Answer | Fault | None:
        return None if job.unit == 2 else Answer(b"", now)

    plans = {"d1": SimplePlan(simple_job(1)), "d2": SimplePlan(simple_job(2, timeout_s=0.4))}
    clock = SimulatedClock(300)
    line = SimulatedLine(clock, 0.05, outcome)
    poller = Poller(line, plans, clock, lambda reading: None)
    clock.on_end = poller.stop
    await poller.run()
    assert line.spent[1] == pytest.approx(15, abs=0.2)
    assert line.spent[2] > 0
    assert poller.taken_s() == pytest.approx(sum(line.spent.values()))


async def test_the_request_under_way_and_one_that_was_given_up_count_too() -> None:
    clock = SimulatedClock(100)
    line = SimulatedLine(clock)
    answer = asyncio.Event()

    async def run(job: Job, deadline: float) -> Answer | Fault:
        await answer.wait()
        return Answer(b"", clock.now)

    line.run = run  # type: ignore[method-assign]
    poller = Poller(line, {}, clock, lambda reading: None)
    lending = asyncio.create_task(poller.lend(simple_job(1)))
    await asyncio.sleep(0)
    clock.spend(0.3)
    assert poller.taken_s() == pytest.approx(0.3)
    lending.cancel()
    await asyncio.gather(lending, return_exceptions=True)
    clock.spend(10)
    assert poller.taken_s() == pytest.approx(0.3)
