"""More to do than one core can, in simulated time: each poll costs a millisecond of it, and twice as many are due."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from gateway.model import Answer, Fault, Job, Reading
from gateway.mqtt import Link
from gateway.polling.gate import Gate
from gateway.polling.poller import Poller
from gateway.polling.schedule import spread
from gateway.uplink.courier import Courier
from tests.fakes.outbox import MemoryOutbox
from tests.fakes.simulated_line import SimplePlan, simple_job
from tests.fakes.simulated_loop import LoopClock, SimulatedLoop, run_simulated

LINES, INTERVAL_S, COST_S, SECONDS = 200, 0.1, 0.001, 4.0
ROUND_TRIP_S = 0.0005
WINDOW = 20
"""What the default of mosquitto, and the least of brokers, lets be in flight."""


def work(loop: asyncio.AbstractEventLoop) -> None:
    """Half of what a poll costs."""
    assert isinstance(loop, SimulatedLoop)
    loop.now += COST_S / 2


class QuickLine:
    """Answers soon; the answer lies there until the loop looks."""

    async def run(self, job: Job, deadline: float) -> Answer | Fault:
        loop = asyncio.get_running_loop()
        work(loop)
        answered = loop.create_future()
        at = loop.time() + ROUND_TRIP_S
        loop.call_at(at, lambda: answered.done() or answered.set_result(None))
        await answered
        return Answer(job.request, at)

    def rests_until(self, unit: int) -> float:
        return 0.0 * unit

    def reach(self) -> bool:
        return True

    def counters(self) -> Mapping[str, int]:
        return {}

    async def close(self) -> None:
        return


@dataclass
class Arrived:
    device: str
    seq: int
    age_s: float
    backlog: bool


class QuickLink(Link):
    """Takes `WINDOW` publications at a time and answers each soon; the answer lies there until the loop looks."""

    def __init__(self) -> None:
        self.window = WINDOW
        self.largest_packet_bytes = None
        self.arrived: list[Arrived] = []
        self._under_way = 0

    @property
    def room(self) -> int:
        return self.window - self._under_way

    def send(
        self,
        topic: str,
        payload: bytes,
        answered: Callable[[int], object],
        *,
        retain: bool = False,
        correlation: bytes | None = None,
    ) -> None:
        assert self.room > 0
        assert not retain
        assert correlation is None
        message = json.loads(payload)
        loop = asyncio.get_running_loop()
        self._under_way += 1
        age_s = loop.time() - message["ts"] / 1000
        self.arrived.append(Arrived(topic, int(message["id"].partition("-")[2]), age_s, "backlog" in message))
        loop.call_later(ROUND_TRIP_S, self._answer, answered)

    def _answer(self, answered: Callable[[int], object]) -> None:
        self._under_way -= 1
        answered(0)
        self.has_room()


@dataclass
class Site:
    """Lines of one device each, and their way to the broker."""

    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    link: QuickLink = field(default_factory=QuickLink)
    readings: Counter[str] = field(default_factory=Counter)
    pollers: list[Poller] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.courier = Courier(self.outbox, confirm_by_broker=True)

    def deliver(self, reading: Reading) -> None:
        work(asyncio.get_running_loop())
        self.readings[reading.device] += 1
        self.courier.offer(self.outbox.accept(reading.device, ts=reading.ts))

    async def run(self, seconds: float) -> None:
        clock, gate = LoopClock(), Gate()
        names = [f"d{number}" for number in range(LINES)]
        phases = spread(names)
        for name in names:
            plan = SimplePlan(simple_job(1, interval_s=INTERVAL_S))
            self.pollers.append(Poller(QuickLine(), {name: plan}, clock, self.deliver, phases, gate))
        tasks = [asyncio.create_task(poller.run()) for poller in self.pollers]
        tasks += [asyncio.create_task(self.courier.serve(self.link)), asyncio.create_task(self.courier.books.keep())]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(scope="module")
def site() -> Site:
    return run_simulated(_overload())


async def _overload() -> Site:
    site = Site()
    await site.run(SECONDS)
    return site


def _ages(arrived: Sequence[Arrived]) -> list[float]:
    return sorted(one.age_s for one in arrived if not one.backlog)


def test_past_saturation_it_delivers_near_its_capacity_and_fresh(site: Site) -> None:
    capacity = SECONDS / COST_S
    live = [one for one in site.link.arrived if not one.backlog]
    assert sum(site.readings.values()) > 0.95 * capacity
    assert len(live) > 0.95 * capacity
    ages = _ages(live)
    assert ages[len(ages) // 2] < 0.05
    assert ages[-1] < 0.2


def test_past_saturation_polls_are_skipped_alike_and_counted(site: Site) -> None:
    assert max(site.readings.values()) - min(site.readings.values()) <= 3
    due = SECONDS / INTERVAL_S
    for poller in site.pollers:
        (stats,) = poller.stats()
        assert abs(stats.polls + stats.skipped - due) <= 3


def test_past_saturation_nothing_is_lost_or_out_of_order(site: Site) -> None:
    for backlog in (False, True):
        for device in site.readings:
            seqs = [one.seq for one in site.link.arrived if one.device == device and one.backlog is backlog]
            assert all(one < other for one, other in pairwise(seqs))
    sent = {one.seq for one in site.link.arrived}
    assert sent | set(site.outbox.seqs) == set(range(1, site.outbox.next))
