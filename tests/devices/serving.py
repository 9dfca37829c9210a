"""Recordings as units of servers that are not ours (pymodbus)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.devices.recordings import Tables
from tests.servers import PtyPair


def device(unit: int, tables: Tables) -> SimDevice:
    """A unit that refuses every address that is not in `tables`."""
    return SimDevice(
        id=unit,
        simdata=(
            _bits(tables.get("coil", {})),
            _bits(tables.get("discrete", {})),
            _words(tables.get("holding", {})),
            _words(tables.get("input", {})),
        ),
    )


def _bits(cells: Mapping[int, int]) -> list[SimData]:
    found = [SimData(address, values=[bool(bit)], datatype=DataType.BITS) for address, bit in sorted(cells.items())]
    return found or [SimData(0, values=[False], datatype=DataType.BITS)]


def _words(cells: Mapping[int, int]) -> list[SimData]:
    found = [SimData(address, values=word, datatype=DataType.REGISTERS) for address, word in sorted(cells.items())]
    return found or [SimData(65535, values=0, datatype=DataType.REGISTERS)]


@asynccontextmanager
async def tcp_server(port: int, devices: Sequence[SimDevice]) -> AsyncIterator[ModbusTcpServer]:
    server = ModbusTcpServer(list(devices), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield server
    finally:
        await server.shutdown()


@asynccontextmanager
async def rtu_server(ptys: PtyPair, devices: Sequence[SimDevice], baudrate: int = 115200) -> AsyncIterator[None]:
    server = ModbusSerialServer(list(devices), port=str(ptys.b), baudrate=baudrate, ignore_missing_devices=True)
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()
