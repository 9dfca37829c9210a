"""Every medium and framing against servers that are not ours: libmodbus (C) and pymodbus."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusUdpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.modbus.line import open_line
from drivers.modbus.options import ModbusLine
from gateway.clock import SystemClock
from gateway.model import Answer, Fault, FaultKind, Job
from gateway.ports import Line
from gateway.settings.types import LineSettings
from tests.servers import PtyPair, free_port

CLOCK = SystemClock()
ROOT = Path(__file__).parents[2]
REGISTERS = list(range(1000, 1200))


@contextmanager
def libmodbus(*options: str) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.fakes.libmodbus_server", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as server:
        assert server.stdout
        assert server.stdout.readline() == b"ready\n"
        yield
        server.kill()


@asynccontextmanager
async def opened(**keys: object) -> AsyncIterator[Line]:
    options = ModbusLine.model_validate(keys)
    line = open_line(LineSettings("line", "modbus", options.endpoint, options), CLOCK)
    try:
        yield line
    finally:
        await line.close()


async def ask(line: Line, request: bytes, unit: int = 1) -> Answer | Fault:
    return await line.run(Job(unit, request, ("p",), 1.0, 5.0, 1.0), CLOCK.monotonic() + 5)


def read(function: int, address: int, count: int) -> bytes:
    return struct.pack(">BHH", function, address, count)


def registers(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


async def read_libmodbus(line: Line) -> None:
    for count in (1, 2, 125):
        answer = await ask(line, read(3, 70, count))
        assert isinstance(answer, Answer)
        assert answer.data == registers(*range(70, 70 + count))
    coils = await ask(line, read(1, 0, 11))
    assert isinstance(coils, Answer)
    assert coils.data == bytes((0b01001001, 0b00000010))
    refused = await ask(line, read(3, 1990, 20))
    assert isinstance(refused, Fault)
    assert (refused.kind, refused.code) == (FaultKind.REFUSED, 2)
    written = await ask(line, struct.pack(">BHH", 6, 5, 77))
    assert isinstance(written, Answer)
    assert written.data == struct.pack(">HH", 5, 77)
    masked = await ask(line, struct.pack(">BHHH", 22, 5, 0xFFF0, 0x0005))
    assert isinstance(masked, Answer)
    back = await ask(line, read(3, 5, 1))
    assert isinstance(back, Answer)
    assert back.data == registers(77 & 0xFFF0 | 5)
    counters = line.counters()
    assert counters["answers"] == 7
    assert counters["refused"] == 1
    assert not any(count for name, count in counters.items() if name.startswith("discarded_"))


async def test_libmodbus_over_tcp() -> None:
    port = free_port()
    with libmodbus("tcp", str(port)):
        async with opened(tcp=f"127.0.0.1:{port}") as line:
            await read_libmodbus(line)


async def test_libmodbus_over_rtu(ptys: PtyPair) -> None:
    with libmodbus("rtu", str(ptys.b), "38400", "1"):
        async with opened(serial=str(ptys.a), baudrate=38400) as line:
            await read_libmodbus(line)


def device() -> SimDevice:
    return SimDevice(id=1, simdata=SimData(0, values=REGISTERS, datatype=DataType.REGISTERS))


async def read_pymodbus(line: Line) -> None:
    for _ in range(100):
        answer = await ask(line, read(3, 10, 100))
        if isinstance(answer, Answer):
            break
        await asyncio.sleep(0.05)
    assert isinstance(answer, Answer)
    assert answer.data == registers(*REGISTERS[10:110])
    refused = await ask(line, read(3, 190, 20))
    assert isinstance(refused, Fault)
    assert (refused.kind, refused.code) == (FaultKind.REFUSED, 2)
    assert not any(count for name, count in line.counters().items() if name.startswith("discarded_"))


@pytest.mark.parametrize(
    ("framing", "framer"), [("tcp", FramerType.SOCKET), ("rtu", FramerType.RTU), ("ascii", FramerType.ASCII)]
)
async def test_pymodbus_over_tcp(framing: str, framer: FramerType) -> None:
    port = free_port()
    server = ModbusTcpServer(device(), framer=framer, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    async with opened(tcp=f"127.0.0.1:{port}", framing=framing) as line:
        await read_pymodbus(line)
    await server.shutdown()


async def test_pymodbus_over_udp() -> None:
    port = free_port()
    server = ModbusUdpServer(device(), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    async with opened(udp=f"127.0.0.1:{port}") as line:
        await read_pymodbus(line)
    await server.shutdown()


@pytest.mark.parametrize(("framing", "framer"), [("rtu", FramerType.RTU), ("ascii", FramerType.ASCII)])
async def test_pymodbus_over_a_serial_line(framing: str, framer: FramerType, ptys: PtyPair) -> None:
    server = ModbusSerialServer(device(), framer=framer, port=str(ptys.b), baudrate=19200)
    await server.serve_forever(background=True)
    async with opened(serial=str(ptys.a), baudrate=19200, framing=framing, bytesize=8) as line:
        await read_pymodbus(line)
    await server.shutdown()


async def test_an_odd_baud_rate_is_set(ptys: PtyPair) -> None:
    with libmodbus("rtu", str(ptys.b), "9600", "1"):
        async with opened(serial=str(ptys.a), baudrate=12345) as line:
            answer = await ask(line, read(3, 0, 1))
            assert isinstance(answer, Answer)


async def test_a_port_that_another_process_holds_is_down(ptys: PtyPair) -> None:
    async with opened(serial=str(ptys.a)) as first, opened(serial=str(ptys.a)) as second:
        await first.run(Job(1, read(3, 0, 1), (), 1.0, 0.05, 1.0), CLOCK.monotonic() + 0.05)
        outcome = await ask(second, read(3, 0, 1))
        assert isinstance(outcome, Fault)
        assert outcome.kind is FaultKind.DOWN


@pytest.mark.parametrize("keys", [{"tcp": "127.0.0.1:1"}, {"udp": "127.0.0.1:1"}, {"serial": "/dev/no-such-port"}])
async def test_what_is_not_there_is_down(keys: dict[str, str]) -> None:
    async with opened(**keys) as line:
        outcome = await ask(line, read(3, 0, 1))
        assert isinstance(outcome, Fault)
        assert outcome.kind is FaultKind.DOWN
        assert outcome.detail
