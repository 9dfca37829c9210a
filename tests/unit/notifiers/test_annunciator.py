"""The horn as it is driven: switched, silenced, failing, restarted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from gateway.clock import SystemClock
from gateway.model import Priority, Text
from gateway.notifiers import annunciator as module
from gateway.notifiers.annunciator import Annunciator
from gateway.ports import Refused
from gateway.settings.notify_types import AnnunciatorSettings
from gateway.writing import Order, Outcome, WriteRefused
from tests.unit.dispatch.alarms import Life, alarm

HORN = AnnunciatorSettings("relay-1", "siren", frozenset({Priority.CRITICAL}), sound_s=300.0)


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
        self.events: list[tuple[str, str]] = []
        self.orders: list[Order] = []
        self.switched = asyncio.Event()
        self.documents = Documents()
        self.settings = settings
        self.horn = self.again()

    def again(self) -> Annunciator:
        self.horn = Annunciator(self.settings, self.documents, SystemClock(), self.write, self.tell)
        return self.horn

    async def write(self, order: Order) -> Outcome:
        self.orders.append(order)
        self.switched.set()
        if not self.answers:
            raise WriteRefused("no_answer", Text("没有应答", "the device does not answer"))
        self.coil = f"{order.device}.{order.point} {'on' if order.value else 'off'}"
        return Outcome("done", None, order.value, Text("好", "done"))

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
