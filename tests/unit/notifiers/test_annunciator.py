"""The horn as it is driven: switched, silenced, failing, restarted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from gateway.clock import SystemClock
from gateway.flow.snapshot import Latest
from gateway.model import Priority, Status, Text
from gateway.notifiers import annunciator as module
from gateway.notifiers.annunciator import Annunciator
from gateway.ports import Refused
from gateway.settings.notify_types import AnnunciatorSettings
from gateway.writing import Order, Outcome, WriteRefused
from tests.unit.dispatch.alarms import Life, alarm

HORN = AnnunciatorSettings("relay-1", "siren", frozenset({Priority.CRITICAL}), sound_s=300.0)


class HandClock(SystemClock):
    """Time as the test says."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Documents:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def loaded(self, prefix: str) -> Mapping[str, bytes]:
        return {key: value for key, value in self.kept.items() if key.startswith(prefix)}

    def keep(self, documents: Mapping[str, bytes | None]) -> None:
        for key, value in documents.items():
            if value is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = value


class Site:
    """A relay, a journal, and the horn between them."""

    def __init__(self, settings: AnnunciatorSettings | None = HORN) -> None:
        self.coil = "unknown"
        self.answers = True
        self.latest: Latest | None = None
        self.events: list[tuple[str, str]] = []
        self.orders: list[Order] = []
        self.switched = asyncio.Event()
        self.documents = Documents()
        self.settings = settings
        self.horn = self.again()

    def again(self) -> Annunciator:
        self.horn = Annunciator(self.settings, self.documents, SystemClock(), self.write, self.tell, self.read)
        return self.horn

    async def write(self, order: Order) -> Outcome:
        self.orders.append(order)
        self.switched.set()
        if not self.answers:
            raise WriteRefused("no_answer", Text("没有应答", "the device does not answer"))
        self.coil = f"{order.device}.{order.point} {'on' if order.value else 'off'}"
        return Outcome("done", None, order.value, Text("好", "done"))

    def read(self, device: str, point: str) -> Latest | None:
        return self.latest

    async def looked(self) -> None:
        """Until the horn has seen what was read."""
        seen = asyncio.Event()

        def read(device: str, point: str) -> Latest | None:
            seen.set()
            return self.latest

        self.horn._read = read
        self.horn._changed.set()
        async with asyncio.timeout(10):
            await seen.wait()
            await self.horn.sounded()

    def poll(self, value: bool | None) -> None:
        """The coil is read as this, None for not at all; looked at without waiting."""
        status = Status.Good if value is not None else Status.BadNoCommunication
        self.latest = Latest(value, status, 1, SystemClock().monotonic(), stale=False)
        self.horn._changed.set()

    async def until_written(self, times: int) -> None:
        """Until there were so many orders."""
        async with asyncio.timeout(10):
            while len(self.orders) < times:
                self.switched.clear()
                await self.switched.wait()
            await self.horn.sounded()

    def tell(self, device: str, type_: str, data: Mapping[str, object]) -> None:
        self.events.append((device, type_))

    def hear(self, transition: module.Transition) -> None:
        self.documents.keep(self.horn.plan(transition))
        self.horn.told(transition)

    async def until(self, coil: str) -> None:
        async with asyncio.timeout(10):
            while self.coil != coil:
                self.switched.clear()
                await self.switched.wait()
                await asyncio.sleep(0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.horn.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self.horn.close()


ON, OFF = "relay-1.siren on", "relay-1.siren off"


async def test_it_is_set_at_the_start_sounds_and_is_silenced() -> None:
    site, life = Site(), Life(alarm())
    async with site.running():
        await site.until(OFF)
        site.hear(life.rise())
        await site.until(ON)
        assert site.horn.health() == {"annunciator_on": True, "annunciator_failing": False}
        await site.horn.silence("duty-1")
        await site.until(OFF)
        with pytest.raises(Refused, match="not sounding"):
            await site.horn.silence("duty-1")
        site.hear(Life(alarm("gen-2")).rise())
        await site.until(ON)
    assert site.events == []
    assert {(order.by, order.role, order.via) for order in site.orders} == {("annunciator",) * 3}
    assert site.coil == ON, "somebody still has to come"


async def test_planned_is_not_told() -> None:
    site = Site()
    async with site.running():
        await site.until(OFF)
        transition = Life(alarm()).rise()
        site.documents.keep(site.horn.plan(transition))
        assert not site.horn.is_sounding
        site.horn.told(transition)
        await site.until(ON)


async def test_it_ends_by_itself() -> None:
    site = Site(AnnunciatorSettings("relay-1", "siren", frozenset({Priority.CRITICAL}), sound_s=1.0))
    async with site.running():
        site.hear(Life(alarm()).rise())
        await site.until(ON)
        await site.until(OFF)


async def test_after_a_restart_it_sounds_for_what_nobody_silenced() -> None:
    site, life = Site(), Life(alarm())
    site.hear(life.rise())
    site.again()
    async with site.running():
        await site.until(ON)
        await site.horn.silence("duty-1")
        await site.until(OFF)
    site.coil = "unknown"
    site.again()
    async with site.running():
        await site.until(OFF)
        site.hear(life.ack(1))
    assert site.documents.kept == {}


async def test_a_relay_that_does_not_answer_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRIES_S", (0.01,))
    site = Site()
    site.answers = False
    async with site.running():
        site.hear(Life(alarm()).rise())
        async with asyncio.timeout(10):
            while len(site.orders) < 4:
                site.switched.clear()
                await site.switched.wait()
        assert site.horn.health()["annunciator_failing"] is True
        site.answers = True
        await site.until(ON)
        async with asyncio.timeout(10):
            await site.horn.sounded()
    assert site.events == [("_site", "annunciator_failing"), ("_site", "annunciator_recovered")]


async def test_another_coil_by_another_configuration() -> None:
    site = Site()
    async with site.running():
        site.hear(Life(alarm()).rise())
        await site.until(ON)
        await site.horn.replace(AnnunciatorSettings("relay-1", "lamp", frozenset({Priority.CRITICAL})))
        await site.until("relay-1.lamp on")
        assert site.orders[-2].point == "siren"
        assert site.orders[-2].value is False
        await site.horn.replace(None)
        await site.until("relay-1.lamp off")
    assert site.horn.health() == {}
    assert site.horn.plan(Life(alarm("gen-2")).rise()) == {}


async def test_without_a_coil_nothing_is_done() -> None:
    site = Site(None)
    async with site.running():
        site.hear(Life(alarm()).rise())
        with pytest.raises(Refused):
            await site.horn.silence("duty-1")
    assert site.orders == []


async def test_at_the_end_the_coil_is_left_as_it_should_be_once() -> None:
    site, life = Site(), Life(alarm())
    async with site.running():
        site.hear(life.rise())
        await site.until(ON)
        site.answers = False
        site.hear(life.ack(1))
        async with asyncio.timeout(10):
            while site.orders[-1].value:
                site.switched.clear()
                await site.switched.wait()
        site.answers = True
    assert site.coil == OFF
    written = len(site.orders)
    await site.horn.close()
    assert len(site.orders) == written


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRIES_S", (0.01,))
    monkeypatch.setattr(module, "AGAIN_S", 0.01)


@pytest.mark.usefixtures("quick")
async def test_a_relay_that_lost_its_supply_is_switched_on_again() -> None:
    site = Site()
    async with site.running():
        site.hear(Life(alarm()).rise())
        await site.until_written(1)
        site.coil = OFF
        site.poll(False)
        await site.until(ON)


@pytest.mark.usefixtures("quick")
async def test_a_relay_that_could_not_be_read_is_written_again() -> None:
    site = Site()
    async with site.running():
        site.hear(Life(alarm()).rise())
        await site.until_written(1)
        site.poll(None)
        await site.looked()
        site.poll(True)
        await site.until_written(2)
    assert [order.value for order in site.orders] == [True, True]


@pytest.mark.usefixtures("quick")
async def test_every_new_call_is_written_a_repeated_one_is_not() -> None:
    site, life = Site(), Life(alarm())
    async with site.running():
        site.hear(life.rise())
        await site.until_written(1)
        site.horn.call([life.state.key])
        await site.horn.sounded()
        assert len(site.orders) == 1
        site.hear(Life(alarm("gen-2")).rise())
        await site.until_written(2)
        site.horn.call(["gen-3/fuel_low"])
        await site.until_written(3)
    assert all(order.value for order in site.orders)


@pytest.mark.usefixtures("quick")
async def test_a_coil_that_reads_on_is_not_sounded_again_once_silenced() -> None:
    site = Site()
    async with site.running():
        site.hear(Life(alarm()).rise())
        await site.until_written(1)
        await site.horn.silence("duty-1")
        await site.until(OFF)
        await site.horn.sounded()
        site.poll(True)
        await site.until_written(3)
    assert [order.value for order in site.orders] == [True, False, False]


async def test_what_was_read_before_the_write_is_not_held_against_it() -> None:
    site = Site()
    site.poll(False)
    async with site.running():
        site.hear(Life(alarm()).rise())
        await site.until_written(1)
        await site.looked()
    assert len(site.orders) == 1


async def test_a_coil_that_somebody_holds_off_is_written_ever_more_rarely() -> None:
    """Told by the clock that the horn goes by, moved by hand."""
    site, clock = Site(), HandClock()
    horn = site.horn = Annunciator(HORN, site.documents, clock, site.write, site.tell, site.read)
    site.hear(Life(alarm()).rise())
    written: list[float] = []
    for tick in range(3000):
        clock.now = tick / 10
        site.latest = Latest(False, Status.Good, 1, clock.now, stale=False)
        horn._look(HORN)
        if horn._shows is not horn.is_sounding and clock.now >= horn._not_before:
            await horn._switch(HORN, horn.is_sounding)
            written.append(clock.now)
    pauses = [after - before for before, after in pairwise(written)]
    assert pauses[:7] == pytest.approx([0.5, 1, 2, 5, 10, 30, 60])
    assert all(pause >= 59 for pause in pauses[7:])
