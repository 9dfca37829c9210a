"""Those who pass notices on: beside each other, in bounded time, on record, by another configuration."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from gateway.clock import SystemClock
from gateway.dispatch import crew as module
from gateway.dispatch.crew import Crew
from gateway.errors import NotifyRejected, NotifyRetry
from gateway.model import Transition
from gateway.ports import Notice, Row
from gateway.settings.notify_types import ChannelSettings, NotifySettings, RouteSettings
from tests.unit.dispatch.alarms import Life, alarm
from tests.unit.dispatch.people import route, settings
from tests.unit.sim.sites import site


class Channel:
    """A notifier that does what `mood` says: None takes notices, an exception is raised, an event is waited for."""

    def __init__(self) -> None:
        self.took: list[Notice] = []
        self.asked = 0
        self.mood: Exception | asyncio.Event | None = None
        self.news = asyncio.Event()
        self.closed = False

    async def send(self, notice: Notice) -> None:
        self.asked += 1
        self.news.set()
        if isinstance(self.mood, asyncio.Event):
            await self.mood.wait()
        elif self.mood is not None:
            raise self.mood
        self.took.append(notice)
        self.news.set()

    async def close(self) -> None:
        self.closed = True

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not is_so():
                self.news.clear()
                await self.news.wait()


class Site:
    """A journal, channels by name, and the crew between them."""

    def __init__(self, *routes: RouteSettings, **more: object) -> None:
        self.settings = settings(*routes, pace_s=0.0, **more)
        self.channels = {name: Channel() for name in self.settings.channels}
        self.kept: dict[str, bytes] = {}
        self.events: list[tuple[str, str, Mapping[str, Any]]] = []
        self.is_full = False
        self.crew = self.again()

    def again(self) -> Crew:
        self.crew = Crew(self.site(self.settings), self, SystemClock(), self.make, self.tell)
        return self.crew

    def site(self, notify: NotifySettings | None) -> Any:
        return replace(site(), notify=notify)

    def make(self, channel: ChannelSettings) -> Channel:
        return self.channels.setdefault(channel.name, Channel())

    def loaded(self, prefix: str) -> Mapping[str, bytes]:
        return {key: data for key, data in self.kept.items() if key.startswith(prefix)}

    def keep(self, documents: Mapping[str, bytes | None]) -> None:
        for key, data in documents.items():
            if data is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = data

    def tell(
        self, device: str, type_: str, data: Mapping[str, Any], *, keep: Mapping[str, bytes | None] | None = None
    ) -> Row | None:
        if self.is_full:
            return None
        self.events.append((device, type_, data))
        self.keep(keep or {})
        return Row(1, 1, "", b"{}", False, 0)

    def hear(self, *transitions: Transition) -> None:
        for each in transitions:
            self.keep(self.crew.plan(each))
            self.crew.told(each)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.crew.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def of(self, type_: str) -> list[tuple[str, Mapping[str, Any]]]:
        return [(device, data) for device, kind, data in self.events if kind == type_]


async def test_a_notice_is_on_record_with_the_log_of_it() -> None:
    town = Site(route("duty"))
    async with town.running():
        town.hear(Life(alarm()).rise())
        duty = town.channels["duty"]
        await duty.until(lambda: bool(duty.took) and bool(town.of("notice")))
    ((device, data),) = town.of("notice")
    assert device == "gen-1"
    assert data == {
        "notice": duty.took[0].id,
        "channel": "duty",
        "result": "sent",
        "what": "raised",
        "priority": "critical",
        "role": "maintenance",
        "count": 1,
        "alarms": ["gen-1/battery_low"],
    }
    assert b'"told":{"duty"' in town.kept["dispatch/gen-1/battery_low"]
    assert duty.closed


async def test_a_slow_channel_holds_up_no_other() -> None:
    town = Site(route("slow", "duty"))
    town.channels["slow"].mood = asyncio.Event()
    duty = town.channels["duty"]
    async with town.running():
        town.hear(Life(alarm()).rise())
        await duty.until(lambda: len(duty.took) == 1)
        town.hear(Life(alarm("gen-2")).rise())
        await duty.until(lambda: len(duty.took) == 2)
        assert town.channels["slow"].asked == 1


async def test_one_that_never_answers_fails_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEND_S", 0.01)
    monkeypatch.setattr("gateway.dispatch.pace.FIRST_RETRY_MS", 1)
    town = Site(route("slow"))
    slow = town.channels["slow"]
    slow.mood = asyncio.Event()
    async with town.running():
        town.hear(Life(alarm()).rise())
        await slow.until(lambda: slow.asked >= 3)
        ((device, data),) = town.of("channel_failing")
        assert (device, data) == ("_gateway", {"channel": "slow", "why": "no answer in time"})
        assert town.crew.health()["notify_channels_failing"] == 1
        slow.mood = None
        await slow.until(lambda: bool(slow.took) and bool(town.of("channel_recovered")))
    assert town.of("channel_recovered")[0][1]["channel"] == "slow"


async def test_what_a_channel_refuses_is_told_by_another() -> None:
    town = Site(replace(route("duty"), backup=("county",)))
    town.channels["duty"].mood = NotifyRejected("too long")
    county = town.channels["county"]
    async with town.running():
        town.hear(Life(alarm()).rise())
        await county.until(lambda: bool(county.took) and len(town.of("notice")) == 2)
    assert [(data["channel"], data["result"], data.get("why")) for _, data in town.of("notice")] == [
        ("duty", "refused", "too long"),
        ("county", "sent", None),
    ]


async def test_a_full_disk_does_not_lose_the_log() -> None:
    town = Site(route("duty"))
    town.is_full = True
    duty = town.channels["duty"]
    async with town.running():
        town.hear(Life(alarm()).rise())
        await duty.until(lambda: bool(duty.took))
        while b'"told":{"duty"' not in town.kept["dispatch/gen-1/battery_low"]:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_after_a_restart_nothing_is_sent_again() -> None:
    town = Site(route("duty"))
    duty, life = town.channels["duty"], Life(alarm())
    async with town.running():
        town.hear(life.rise())
        await duty.until(lambda: bool(duty.took) and bool(town.of("notice")))
    town.again().correct([life.state])
    async with town.running():
        town.hear(Life(alarm("gen-2")).rise())
        await duty.until(lambda: len(duty.took) == 2)
    assert duty.took[1].alarms == ("gen-2/battery_low",)


async def test_another_configuration() -> None:
    town = Site(route("duty"))
    duty, life = town.channels["duty"], Life(alarm())
    duty.mood = NotifyRetry("down")
    async with town.running():
        town.hear(life.rise())
        await duty.until(lambda: duty.asked >= 1)
        chosen = settings(route("county"), pace_s=0.0)
        town.crew.replace(town.site(chosen), [life.state])
        town.hear(Life(alarm("gen-2")).rise())
        county = town.make(chosen.channels["county"])
        await county.until(lambda: bool(county.took))
        assert county.took[0].alarms == ("gen-2/battery_low",)
        assert duty.closed
        town.crew.replace(town.site(None), [])
        assert town.kept == {}
        assert town.crew.plan(Life(alarm("gen-3")).rise()) == {}
    assert county.closed


async def test_more_than_can_be_followed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.dispatch.switchboard.MOST_INCIDENTS", 1)
    town = Site(route("duty"))
    duty = town.channels["duty"]
    town.hear(Life(alarm()).rise(), Life(alarm("gen-2")).rise())
    async with town.running():
        await duty.until(lambda: bool(duty.took) and len(town.of("notice")) == 2)
    assert town.of("notice")[1] == ("_site", {"result": "dropped", "count": 1})
    assert town.crew.health()["notifications_failed"] == 1
