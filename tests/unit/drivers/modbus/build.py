"""Lines and devices as settings would hand them over, written like a site file, and an encoder that is not ours."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from pymodbus.client.mixin import ModbusClientMixin

from drivers.modbus import MODBUS, compile_device
from drivers.modbus.device import ModbusPlan
from drivers.modbus.options import ModbusDevice, ModbusLine
from drivers.modbus.point_options import ModbusPoint
from gateway.model import Answer, Fault, FaultKind, Job, MaybeValue, Point, ReportPolicy, Status
from gateway.settings.types import DeviceSettings, LineSettings

SERIAL = {"serial": "/dev/ttyUSB0"}
TCP = {"tcp": "10.0.0.5:502"}


def line(**keys: Any) -> LineSettings:
    options = ModbusLine(**(keys or TCP))
    return LineSettings("line", "modbus", options.endpoint, options)


def device(
    points: Mapping[str, Mapping[str, Any]], *, name: str = "dev", interval: float = 1.0, **keys: Any
) -> DeviceSettings:
    """`points` as in a site file; `interval` (seconds) and `range` of a point as settings resolve them."""
    resolved: list[Point] = []
    for entry, written in points.items():
        protocol_keys = dict(written)
        every = protocol_keys.pop("interval", interval)
        limits = protocol_keys.pop("range", None)
        for source in MODBUS.points(entry, ModbusPoint(**protocol_keys)):
            point = Point(source.name, source.type, "", every, ReportPolicy(), source.options, limits)
            resolved.append(point)
    options = ModbusDevice(**{"unit": 1, **keys})
    return DeviceSettings(name, None, "meter", None, "line", tuple(resolved), interval, {}, (), (), (), options)


def plan(points: Mapping[str, Mapping[str, Any]], *, on: LineSettings | None = None, **keys: Any) -> ModbusPlan:
    return compile_device(on or line(), device(points, **keys))


def answer(job: Job, memory: Mapping[str, Sequence[int] | Mapping[int, int]], request: bytes | None = None) -> Answer:
    """What a server with these tables answers; every table maps addresses to registers or bits."""
    request = request or job.request
    table = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}[request[0]]
    first, count = struct.unpack(">HH", request[1:])
    cells = [memory[table][address] for address in range(first, first + count)]
    if request[0] < 3:
        packed = sum((1 if bit else 0) << index for index, bit in enumerate(cells))
        return Answer(packed.to_bytes((count + 7) // 8, "little"), 0.0)
    return Answer(struct.pack(f">{count}H", *cells), 0.0)


def read(
    points: Mapping[str, Mapping[str, Any]], now: float = 0.0, **memory: Any
) -> dict[str, tuple[MaybeValue, Status]]:
    """All points decoded from `memory` (holding=[...], coil=[...])."""
    compiled = plan(points)
    due = compiled.together(compiled.jobs())
    values = compiled.decode([(job, answer(job, memory)) for job in due], now)
    return {
        name: (value, status) for name, value, status in zip(values.points, values.values, values.statuses, strict=True)
    }


def read_one(keys: Mapping[str, Any], registers: Sequence[int]) -> tuple[MaybeValue, Status]:
    """One point decoded from registers that begin at address 0."""
    return read({"p": keys}, holding=registers)["p"]


def refusal(code: int, at: float = 0.0) -> Fault:
    return Fault(FaultKind.REFUSED, at, code)


_TYPES = {
    "int16": ModbusClientMixin.DATATYPE.INT16,
    "uint16": ModbusClientMixin.DATATYPE.UINT16,
    "int32": ModbusClientMixin.DATATYPE.INT32,
    "uint32": ModbusClientMixin.DATATYPE.UINT32,
    "int64": ModbusClientMixin.DATATYPE.INT64,
    "uint64": ModbusClientMixin.DATATYPE.UINT64,
    "float32": ModbusClientMixin.DATATYPE.FLOAT32,
    "float64": ModbusClientMixin.DATATYPE.FLOAT64,
}


def to_registers(type_name: str, order: str, value: Any) -> list[int]:
    """Registers of `value` by pymodbus, where it knows the type; orders that swap bytes are swapped afterwards."""
    if type_name == "float16":
        registers = list(struct.unpack(">H", struct.pack(">e", value)))
    elif type_name.startswith("bcd"):
        digits = int(type_name[3:]) // 4
        text = f"{value:0{digits}d}"
        registers = [int(text[at : at + 4], 16) for at in range(0, digits, 4)]
    elif type_name.startswith("string:"):
        length = int(type_name[7:])
        padded = value.ljust(length + length % 2, b"\0")
        registers = [high << 8 | low for high, low in zip(padded[::2], padded[1::2], strict=True)]
    else:
        registers = ModbusClientMixin.convert_to_registers(value, _TYPES[type_name], word_order="big")
    if order in ("CDAB", "DCBA") and not type_name.startswith("string:"):
        registers = registers[::-1]
    if order in ("BADC", "DCBA"):
        registers = [(register & 0xFF) << 8 | register >> 8 for register in registers]
    return registers
