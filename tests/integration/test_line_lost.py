"""A line that falls silent is told once, not once for each of its devices."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from gateway.app import Gateway, load
from gateway.model import Transition
from gateway.store import open_store
from tests.fakes.modbus_units import ModbusUnits
from tests.integration.mqtt_peer import eventually

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse}}
lines: {{lan: {{tcp: "127.0.0.1:{port}"}}}}
devices:
{devices}rules: [builtin/communication]
rule_overrides: {{device_silent: {{limits: {{seconds: 2, long: 900}}}}}}
clock: {{hardware: trusted}}
"""
DEVICE = """\
  - {{id: tank-{unit}, kind: tank, line: lan, unit: {unit}, interval: 100ms, timeout: 50ms,
     points: {{level: {{at: "holding:0"}}}}}}
"""


class Ear:
    """Hears what is announced."""

    def __init__(self) -> None:
        self.heard: list[Transition] = []

    def plan(self, transition: Transition) -> Mapping[str, bytes | None]:
        return {}

    def told(self, transition: Transition) -> None:
        self.heard.append(transition)

    @property
    def announced(self) -> list[str]:
        return [each.after.key for each in self.heard if each.is_announcement]


async def test_one_line_down_is_one_announcement(tmp_path: Path) -> None:
    async with ModbusUnits(1, 2, 3) as units:
        file = tmp_path / "site.yaml"
        devices = "".join(DEVICE.format(unit=unit) for unit in (1, 2, 3))
        file.write_text(SITE.format(port=units.port, devices=devices), encoding="utf-8")
        site = load(file)
        store = open_store(site.state_dir)
        gateway, ear = Gateway(site, store), Ear()
        gateway.pipeline.alarms.announcer = ear
        running = asyncio.create_task(gateway.run())
        await eventually(lambda: all(each.last_answer_at for each in gateway.stats()))
        units.answering.clear()
        silent = [f"{device.id}/device_silent" for device in site.devices]
        await eventually(lambda: {each.after.key for each in ear.heard} == set(silent))
        assert len(ear.announced) == 1
        kept = [each for each in gateway.pipeline.alarms.alarms() if each.is_suppressed]
        assert {each.suppressed_by for each in kept} == {"line lan"}
        assert len(kept) == 2
        first = ear.announced[0]
        unit = silent.index(first) + 1
        units.answering.add(unit)
        await eventually(lambda: len(ear.announced) == 3)
        assert sorted(ear.announced) == silent, "the others stayed away by themselves"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        store.close()
