"""The response level and the site file change at the same time: neither undoes the other, and no file that was not
accepted comes into force by the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.app import Gateway, load
from gateway.control import Peer, Request
from gateway.errors import ConfigError
from gateway.orders.actor import LocalActors
from gateway.orders.facts import FactOrders
from gateway.reload.reloading import Reloading
from gateway.store import open_store
from tests.fakes.modbus_units import ModbusUnits
from tests.integration.mqtt_peer import eventually

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: shelter, facts: {{response_level: none}}}}
longest_interval: {{II: 200ms}}
lines: {{lan: {{tcp: "127.0.0.1:{port}"}}}}
devices:
  - {{id: tank-1, kind: tank, line: lan, unit: {unit}, interval: 60s, points: {{level: {{at: "holding:0", unit: m}}}}}}
rules: [builtin/tank, builtin/communication]
rule_overrides:
  device_silent: {{limits: {{seconds: {seconds}}}}}
"""


class Depot:
    def __init__(self, folder: Path, port: int) -> None:
        self.file, self.port = folder / "site.yaml", port
        self.write()
        site = load(self.file)
        self.store = open_store(site.state_dir)
        self.gateway = Gateway(site, self.store)
        self.reloading = Reloading(self.gateway, load, self.gateway.now)
        self._facts = FactOrders(self.gateway, LocalActors(lambda: None))

    def write(self, *, unit: int = 1, seconds: int = 120, rest: str = "") -> None:
        self.file.write_text(SITE.format(port=self.port, unit=unit, seconds=seconds) + rest, encoding="utf-8")

    async def raise_level(self, level: str | None = "II") -> None:
        args = {"device": "_site", "name": "response_level", "value": level, "by": "li"}
        await self._facts.set_locally(Request("set_fact", args, Peer(0, "root")))

    @property
    def asked_every_s(self) -> float:
        return self.gateway.pipeline.site.devices[0].interval_s

    @property
    def silent_after_s(self) -> object:
        book = self.gateway.pipeline.judge.book
        return next(rule for pack in book.packs for rule in pack.rules if rule.name == "device_silent").limits[
            "seconds"
        ]


@asynccontextmanager
async def depot(folder: Path) -> AsyncIterator[Depot]:
    async with ModbusUnits(1, 2) as units:
        found = Depot(folder, units.port)
        running = asyncio.create_task(found.gateway.run())
        try:
            await units.wait_asked(1, 1)
            yield found
            assert not running.done()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            found.store.close()


async def test_a_level_raised_while_a_file_comes_into_force_leaves_that_file(tmp_path: Path) -> None:
    async with depot(tmp_path) as it:
        it.write(unit=2)
        wanted = load(it.file)
        replacing = asyncio.create_task(it.gateway.replace(wanted))
        await asyncio.sleep(0)  # it has begun
        await it.raise_level()
        await replacing
        await eventually(lambda: it.asked_every_s == 0.2)
        assert it.gateway.site is wanted


async def test_a_file_that_was_refused_has_no_say_when_the_level_rises(tmp_path: Path) -> None:
    async with depot(tmp_path) as it:
        it.write(seconds=500, rest="state_dir: elsewhere\n")
        with pytest.raises(ConfigError):
            await it.reloading.reload()
        await it.raise_level()
        await eventually(lambda: it.asked_every_s == 0.2)
        assert it.silent_after_s == 120
        it.file.write_text("schema: [", encoding="utf-8")
        await it.raise_level(None)
        await eventually(lambda: it.asked_every_s == 60)


async def test_a_file_that_is_taken_back_takes_its_rules_along(tmp_path: Path) -> None:
    async with depot(tmp_path) as it:
        before = it.gateway.site
        it.write(seconds=500)
        await it.gateway.replace(load(it.file))
        assert it.silent_after_s == 500
        it.file.write_text("schema: [", encoding="utf-8")
        await it.gateway.replace(before)
        assert it.silent_after_s == 120
