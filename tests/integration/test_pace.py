"""A running gateway asks more often while a response is active: real frames, real daemon, orders by its socket."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.request import urlopen

from argon2 import PasswordHasher

from tests.fakes.modbus_units import ModbusUnits
from tests.in_process import Said, vigil
from tests.processes import Vigil
from tests.servers import free_port

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: shelter, facts: {{response_level: {level}}}}}
longest_interval: {{II: 200ms}}
lines: {{lan: {{tcp: "127.0.0.1:{modbus}"}}}}
devices:
  - {{id: tank-1, kind: tank, line: lan, unit: 1, interval: {interval},
      points: {{level: {{at: "holding:0", unit: m}}}}}}
rules: [builtin/tank]
web: {{listen: "127.0.0.1:{web}"}}
operators_file: operators
state_dir: state
"""


class Depot:
    def __init__(self, folder: Path, modbus: int) -> None:
        self.folder, self.file, self.modbus, self.web = folder, folder / "site.yaml", modbus, free_port()
        hash_ = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x")
        (folder / "operators").write_text(f"duty operator {hash_}\n", encoding="utf-8")
        self.write()

    def write(self, level: str = "none", interval: str = "60s") -> None:
        text = SITE.format(modbus=self.modbus, web=self.web, level=level, interval=interval)
        self.file.write_text(text, encoding="utf-8")

    async def asked_every_s(self) -> float:
        """What the gateway itself says of the device's interval."""

        def read() -> float:
            with urlopen(f"http://127.0.0.1:{self.web}/api/configuration", timeout=10) as answer:
                return float(json.load(answer)["devices"][0]["interval_s"])

        return await asyncio.to_thread(read)


async def say(*words: str | Path) -> Said:
    return await asyncio.to_thread(vigil, *words)


async def test_polling_follows_the_response_level(tmp_path: Path) -> None:
    async with ModbusUnits(1) as units:
        depot = Depot(tmp_path, units.port)
        with Vigil(tmp_path, "run", depot.file) as gateway:
            await asyncio.to_thread(gateway.wait_for, "page_open")
            assert await depot.asked_every_s() == 60
            told = await say("facts", depot.file, "_site", "response_level", "II", "--by", "duty")
            assert told.code == 0, told
            await units.wait_asked(1, 5)  # a minute apart before
            assert await depot.asked_every_s() == 0.2
            assert units.connections == 1, "the line stays open"

            told = await say("facts", depot.file, "_site", "response_level", "--back", "--by", "duty")
            assert told.code == 0, told
            await asyncio.to_thread(gateway.wait_for, "devices_asked_more_often=0")
            assert await depot.asked_every_s() == 60


async def test_the_level_is_kept_over_a_restart_and_overtaken_by_the_file(tmp_path: Path) -> None:
    async with ModbusUnits(1) as units:
        depot = Depot(tmp_path, units.port)
        with Vigil(tmp_path, "run", depot.file) as gateway:
            await asyncio.to_thread(gateway.wait_for, "control_open")
            told = await say("facts", depot.file, "_site", "response_level", "I", "--by", "duty")
            assert told.code == 0, told
            await asyncio.to_thread(gateway.wait_for, "devices_asked_more_often=1")
            assert await asyncio.to_thread(gateway.stop) == 0
        with Vigil(tmp_path, "run", depot.file, name="again") as gateway:
            await asyncio.to_thread(gateway.wait_for, "page_open")
            await units.wait_asked(1, 5)
            assert await depot.asked_every_s() == 0.2

            depot.write(interval="30s")
            assert (await say("reload", depot.file, "--keep")).code == 0
            assert await depot.asked_every_s() == 0.2, "what was said of the level holds with the new file too"
            await units.wait_asked(1, 3)

            depot.write(level="III", interval="30s")
            assert (await say("reload", depot.file, "--keep")).code == 0
            assert await depot.asked_every_s() == 30, "the later word is the file's"
