"""Device plans, poller and lines together, against pymodbus servers: values, refused addresses, dead units."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.modbus import compile_device
from drivers.modbus.line import open_line
from gateway.clock import SystemClock
from gateway.model import Reading, Status
from gateway.polling.poller import Poller
from gateway.ports import Line
from gateway.settings.types import LineSettings
from tests.servers import PtyPair, free_port
from tests.unit.drivers.modbus.build import device, line

CLOCK = SystemClock()
DEAD = 3


def server_device(unit: int) -> SimDevice:
    """Registers 0-9 and 20-29 hold 100 * unit + address; there is nothing between them, as many devices have it."""
    blocks = [
        SimData(first, values=[100 * unit + first + n for n in range(10)], datatype=DataType.REGISTERS)
        for first in (0, 20)
    ]
    return SimDevice(id=unit, simdata=blocks)


@asynccontextmanager
async def bus(medium: str, ptys: PtyPair, *units: int) -> AsyncIterator[tuple[LineSettings, Line]]:
    devices = [server_device(unit) for unit in (*units, DEAD)]

    def swallow(sending: bool, data: bytes) -> bytes:
        """Answers of the dead unit are lost on the way."""
        return b"" if sending and data[6 if medium == "tcp" else 0] == DEAD else data

    server: ModbusTcpServer | ModbusSerialServer
    if medium == "tcp":
        port = free_port()
        server = ModbusTcpServer(devices, address=("127.0.0.1", port), trace_packet=swallow)
        settings = line(tcp=f"127.0.0.1:{port}")
    else:
        server = ModbusSerialServer(
            devices, framer=FramerType.RTU, port=str(ptys.b), baudrate=115200, trace_packet=swallow
        )
        settings = line(serial=str(ptys.a), baudrate=115200)
    await server.serve_forever(background=True)
    opened = open_line(settings, CLOCK)
    try:
        yield settings, opened
    finally:
        await opened.close()
        await server.shutdown()


async def poll_until(poller: Poller, enough: Callable[[], bool], readings: list[Reading]) -> None:
    """Poll until `enough`; fails after 30 s."""
    task = asyncio.create_task(poller.run())
    try:
        async with asyncio.timeout(30):
            seen = -1
            while not enough():
                while len(readings) == seen:  # noqa: ASYNC110 - readings come by a plain callback
                    await asyncio.sleep(0.01)
                seen = len(readings)
    finally:
        poller.stop()
        await task


def latest(readings: list[Reading], name: str) -> Mapping[str, tuple[object, Status]]:
    found: dict[str, tuple[object, Status]] = {}
    for reading in readings:
        if reading.device == name:
            found.update(zip(reading.points, zip(reading.values, reading.statuses, strict=True), strict=True))
    return found


@pytest.mark.parametrize("medium", ["tcp", "rtu"])
async def test_values_refused_addresses_and_a_dead_unit(medium: str, ptys: PtyPair) -> None:
    points = {
        "low": {"at": "holding:3"},
        "high": {"at": "holding:22", "type": "uint32"},
        "nowhere": {"at": "holding:15"},
        "slow": {"at": "holding:9", "interval": 0.3},
    }
    readings: list[Reading] = []
    async with bus(medium, ptys, 1, 2) as (settings, opened):
        plans = {
            f"d{unit}": compile_device(
                settings, device(points, name=f"d{unit}", interval=0.1, unit=unit, timeout="300ms")
            )
            for unit in (1, 2, DEAD)
        }
        poller = Poller(opened, plans, CLOCK, readings.append)

        def expected(unit: int) -> dict[str, tuple[object, Status]]:
            base = 100 * unit
            return {
                "low": (base + 3, Status.Good),
                "high": ((base + 22) << 16 | base + 23, Status.Good),
                "nowhere": (None, Status.BadConfigurationError),
                "slow": (base + 9, Status.Good),
            }

        dead = dict.fromkeys(points, (None, Status.BadTimeout))
        await poll_until(
            poller,
            lambda: (
                len(readings) > 20
                and latest(readings, "d1") == expected(1)
                and latest(readings, "d2") == expected(2)
                and latest(readings, "d3") == dead
            ),
            readings,
        )
    for reading in readings:
        unit = int(reading.device[1:])
        for point, value in zip(reading.points, reading.values, strict=True):
            assert value is None or value == expected(unit)[point][0]
    stats = {each.device: each for each in poller.stats()}
    assert stats["d3"].silent_since is not None
    assert stats["d1"].failures == 0


async def test_a_port_that_vanishes_is_known_though_nothing_was_to_be_asked(ptys: PtyPair) -> None:
    async with bus("rtu", ptys, 1) as (settings, opened):
        readings: list[Reading] = []
        plans = {"d": compile_device(settings, device({"value": {"at": "holding:3"}}, interval=3600.0))}
        poller = Poller(opened, plans, CLOCK, readings.append)
        unplug = iter([ptys.stop])

        def is_told() -> bool:
            if readings and readings[-1].statuses == (Status.Good,):
                next(unplug, lambda: None)()
            return len(readings) > 1

        await poll_until(poller, is_told, readings)
        assert readings[1].statuses == (Status.BadNoCommunication,)
