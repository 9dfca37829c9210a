"""A device that does not answer, or whose line is cut, is not ready any more, however rarely some of its points are
read; what is said of it is what is the matter; back, it is read as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.app import Gateway, load
from gateway.model import MaybeValue, Status
from gateway.store import open_store
from tests.fakes.modbus_units import ModbusUnits
from tests.integration.mqtt_peer import eventually

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse}}
lines: {{lan: {{tcp: "127.0.0.1:{port}"}}}}
devices:
{devices}clock: {{hardware: trusted}}
"""
DEVICE = """\
  - {{id: meter-{unit}, kind: meter, line: lan, unit: {unit}, interval: 200ms, timeout: 100ms,
     points: {{our_power: {{at: "holding:0"}}, our_serial: {{at: "holding:50", interval: 10h}}}}}}
"""


@asynccontextmanager
async def running(folder: Path, units: ModbusUnits, device: str) -> AsyncIterator[Gateway]:
    """A gateway that asks two of `device`."""
    file = folder / "site.yaml"
    devices = "".join(device.format(unit=unit) for unit in (1, 2))
    file.write_text(SITE.format(port=units.port, devices=devices), encoding="utf-8")
    site = load(file)
    store = open_store(site.state_dir)
    gateway = Gateway(site, store)
    task = asyncio.create_task(gateway.run())
    try:
        yield gateway
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        store.close()


async def test_no_device_stays_ready_for_the_sake_of_a_point_that_is_rarely_read(tmp_path: Path) -> None:
    async with ModbusUnits(1, 2) as units, running(tmp_path, units, DEVICE) as gateway:

        def states() -> list[tuple[str, ...]]:
            found = [gateway.pipeline.judge.standing(device.id) for device in gateway.site.devices]
            return [
                (each[0].state.value, *(reason.rule for reason in each[0].reasons)) if each else () for each in found
            ]

        def serials() -> list[tuple[MaybeValue, Status]]:
            found = [gateway.snapshot.point(device.id, "our_serial", 0.0) for device in gateway.site.devices]
            return [(each.value, each.status) for each in found]

        ready = ("ready",)
        await eventually(lambda: states() == [ready, ready])
        units.answering.discard(1)
        await eventually(lambda: states() == [("unknown", "device_down"), ready])
        await units.cut()
        await eventually(lambda: states() == [("unknown", "line_down")] * 2)
        await units.mend()
        await eventually(lambda: states() == [("unknown", "device_down"), ready])
        units.answering.add(1)
        await eventually(lambda: states() == [ready, ready])
        await eventually(lambda: serials() == [(100, Status.Good), (200, Status.Good)])


RARE = """\
  - {{id: meter-{unit}, kind: meter, line: lan, unit: {unit}, interval: 10h, timeout: 100ms,
     points: {{our_power: {{at: "holding:0"}}}}}}
"""


async def test_a_cut_line_is_known_though_none_of_its_devices_was_to_be_asked(tmp_path: Path) -> None:
    async with ModbusUnits(1, 2) as units, running(tmp_path, units, RARE) as gateway:

        def states() -> list[str]:
            found = [gateway.pipeline.judge.standing(device.id) for device in gateway.site.devices]
            return [each[0].state.value if each else "" for each in found]

        await eventually(lambda: states() == ["ready", "ready"])
        await units.cut()
        await eventually(lambda: states() == ["unknown", "unknown"])
        asked = units.asked.total()
        await units.mend()
        await eventually(lambda: states() == ["ready", "ready"])
        assert units.asked.total() == asked + 2
