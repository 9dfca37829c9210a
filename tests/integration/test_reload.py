"""A changed site file under a running gateway: real lines, real store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Gateway, load
from gateway.errors import ConfigError
from gateway.ports import Row
from gateway.reload.reloading import Outcome, Reloading
from gateway.store import StoreOptions, open_store
from tests.fakes.modbus_units import ModbusUnits
from tests.integration.mqtt_peer import eventually

HEAD = """
schema: 1
site:
  id: depot-07
  name: {{zh: 库, en: Depot}}
  kind: warehouse
  timezone: Asia/Shanghai
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:1"}}}}
lines:
  one: {{tcp: "127.0.0.1:{one}"}}
  two: {{tcp: "127.0.0.1:{two}"}}
devices:
"""
DEVICE = """  - id: {id}
    kind: sensor
    line: {line}
    unit: {unit}
    interval: {interval}
    timeout: 150ms
    points: {{level: {{at: "holding:{at}", unit: m, scale: {scale}}}}}
"""


def device(id_: str, line: str, unit: int, *, at: int = 4, scale: float = 1, interval: str = "100ms") -> str:
    return DEVICE.format(id=id_, line=line, unit=unit, at=at, scale=scale, interval=interval)


@dataclass
class Bench:
    """A gateway with two lines, and the file it was started from."""

    file: Path
    one: ModbusUnits
    two: ModbusUnits
    gateway: Gateway
    reloading: Reloading

    def write(self, *devices: str, rest: str = "") -> None:
        head = HEAD.format(one=self.one.port, two=self.two.port)
        self.file.write_text(head + "".join(devices) + rest)

    async def change(self, *devices: str, rest: str = "", keep: bool = False) -> Outcome:
        self.write(*devices, rest=rest)
        return await self.reloading.reload(keep=keep)

    async def rows(self) -> list[Row]:
        await self.gateway.store.flush()
        return list(await self.gateway.store.outbox.backlog((-1, -1), 10_000))

    async def events(self, type_: str) -> list[dict[str, Any]]:
        messages = [json.loads(b"{" + row.body) for row in await self.rows() if row.topic.endswith("_gateway/event")]
        return [each["data"] for each in messages if each["type"] == type_]

    def polls(self, name: str) -> int:
        return next((each.polls for each in self.gateway.stats() if each.device == name), 0)


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., Any]:
    @asynccontextmanager
    async def run(*devices: str, patience_s: float = 30) -> AsyncIterator[Bench]:
        async with ModbusUnits(1, 2, 3) as one, ModbusUnits(1, 2, 3) as two:
            file = tmp_path / "site.yaml"
            start = HEAD.format(one=one.port, two=two.port) + "".join(devices)
            file.write_text(start)
            site = load(file)
            store = open_store(site.state_dir, StoreOptions(commit_interval_s=0.05))
            gateway = Gateway(site, store)
            reloading = Reloading(gateway, load, gateway.now, patience_s=patience_s)
            running = asyncio.create_task(gateway.run())
            found = Bench(file, one, two, gateway, reloading)
            try:
                await eventually(lambda: all(found.polls(each.id) > 1 for each in site.devices))
                yield found
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                store.close()

    return run


SHORT_S = 1.5
"""Patience with devices that will not answer; with others there is more than any machine needs."""
A, B, C = device("tank-a", "one", 1), device("tank-b", "two", 1), device("tank-c", "two", 2)


async def test_an_untouched_line_goes_on_as_it_was(bench: Callable[..., Any]) -> None:
    async with bench(A, B) as it:
        poller, line = it.gateway.field.pollers["one"], it.gateway.field.lines["one"]
        sent = [row for row in await it.rows() if row.topic.endswith("tank-a/telemetry")]
        assert sent
        outcome = await it.change(A, device("tank-b", "two", 1, at=9), C)
        assert outcome.kept
        assert (outcome.difference.added, outcome.difference.changed) == (("tank-c",), ("tank-b",))
        assert outcome.difference.at_risk == {"tank-b"}
        await it.one.wait_asked(1, 3)
        assert it.gateway.field.pollers["one"] is poller
        assert it.gateway.field.lines["one"] is line
        assert it.one.connections == 1
        again = [row for row in await it.rows() if row.topic.endswith("tank-a/telemetry")]
        assert [row.seq for row in again] == [row.seq for row in sent], "an unchanged value is not sent again"
        assert it.gateway.snapshot.point("tank-c", "level", it.gateway.now()).value == 200


async def test_a_neighbour_on_the_same_line_keeps_its_turns(bench: Callable[..., Any]) -> None:
    async with bench(B, C) as it:
        before = it.polls("tank-c")
        outcome = await it.change(device("tank-b", "two", 3), C)
        assert outcome.kept
        assert it.two.connections == 1, "the line stays open"
        await eventually(lambda: it.polls("tank-c") > before + 3)
        assert it.gateway.snapshot.point("tank-b", "level", it.gateway.now()).value == 300


async def test_an_invalid_file_changes_nothing(bench: Callable[..., Any]) -> None:
    async with bench(A, B) as it:
        site = it.gateway.site
        with pytest.raises(ConfigError) as refused:
            await it.change(A, device("tank-b", "nowhere", 1), "  - {id: x}\n")
        assert len(refused.value.problems) >= 2
        assert it.gateway.site is site
        await it.one.wait_asked(1, 2)
        await it.two.wait_asked(1, 2)
        assert not await it.events("config_applied")


async def test_what_needs_a_restart_is_refused_with_its_name(bench: Callable[..., Any]) -> None:
    async with bench(A, B) as it:
        with pytest.raises(ConfigError, match="state_dir: cannot change while the gateway runs"):
            await it.change(A, B, rest="state_dir: elsewhere\n")
        assert it.gateway.site.state_dir.name == "state"


async def test_a_change_that_loses_a_device_is_undone(bench: Callable[..., Any]) -> None:
    async with bench(A, B, C, patience_s=SHORT_S) as it:
        old = it.gateway.site
        outcome = await it.change(A, device("tank-b", "two", 77), C)
        assert not outcome.kept
        assert outcome.lost == ("tank-b",)
        assert it.gateway.site is old
        await it.two.wait_asked(1, 2)
        (told,) = await it.events("config_rolled_back")
        assert told == {"config": old.digest, "lost": ["tank-b"]}


async def test_a_line_that_is_gone_is_undone_too(bench: Callable[..., Any]) -> None:
    async with bench(A, B, patience_s=SHORT_S) as it:
        it.write(A, B)
        it.file.write_text(it.file.read_text().replace(str(it.two.port), "1"))
        outcome = await it.reloading.reload()
        assert outcome.lost == ("tank-b",)
        await it.two.wait_asked(1, 2)


async def test_keep_stays_whatever_comes_of_it(bench: Callable[..., Any]) -> None:
    async with bench(A, B) as it:
        outcome = await it.change(A, device("tank-b", "two", 77), keep=True)
        assert outcome.kept
        await it.two.wait_asked(77)
        assert it.gateway.site.devices[1].options != load(it.file).devices[0].options


async def test_a_device_that_was_silent_before_is_no_reason_to_go_back(bench: Callable[..., Any]) -> None:
    silent = device("tank-x", "two", 50)
    async with bench(A, B, silent) as it:
        outcome = await it.change(A, B, device("tank-x", "two", 51))
        assert outcome.kept


async def test_a_later_reload_is_measured_by_what_was_proven(bench: Callable[..., Any]) -> None:
    async with bench(A, B) as it:
        old = it.gateway.site
        it.write(A, device("tank-b", "two", 77))
        first = asyncio.create_task(it.reloading.reload())
        await it.two.wait_asked(77)
        second = await it.change(A, device("tank-b", "two", 1, at=8))
        assert second.kept
        assert not (await first).kept
        assert it.gateway.site is not old
        assert it.reloading._proven is None


async def test_removed_devices_are_taken_back_from_the_broker(bench: Callable[..., Any]) -> None:
    async with bench(A, B) as it:
        topic = "vigil/v1/depot-07/tank-b/readiness"
        await eventually(lambda: topic in it.gateway.store.outbox.retained_topics())
        outcome = await it.change(A)
        assert outcome.difference.removed == ("tank-b",)
        last = [row for row in await it.rows() if row.topic == topic][-1]
        assert (last.body, last.retain) == (b"", True)
        back = await it.change(A, B)
        assert back.kept
        await eventually(lambda: topic in it.gateway.store.outbox.retained_topics())


async def test_a_point_that_means_something_else_starts_anew(bench: Callable[..., Any]) -> None:
    async with bench(A, B) as it:
        await it.change(A, device("tank-b", "two", 1, interval="1h"), keep=True)
        kept = it.gateway.snapshot.point("tank-b", "level", it.gateway.now())
        assert kept.value == 100
        it.two.answering.clear()
        await it.change(A, device("tank-b", "two", 1, scale=0.5, interval="1h"), keep=True)
        fresh = it.gateway.snapshot.point("tank-b", "level", it.gateway.now())
        assert fresh.value is None


async def test_the_books_never_run_back(bench: Callable[..., Any]) -> None:
    async with bench(A, B) as it:
        before = it.gateway.pipeline.counts
        polls = it.gateway._books()["polls"]
        await it.change(A, keep=True)
        after = it.gateway.pipeline.counts
        assert after.polled >= before.polled
        assert after.polled == after.sent + after.unchanged
        assert it.gateway._books()["polls"] >= polls
