"""What a Modbus server answers to a request, unit id and framing taken off (Modbus Application Protocol V1.1b3)."""

from __future__ import annotations

import struct

from gateway.sim.memory import Memory
from gateway.sim.registers import Table

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3

_READS = {1: (Table.COIL, 2000), 2: (Table.DISCRETE, 2000), 3: (Table.HOLDING, 125), 4: (Table.INPUT, 125)}


class Refusal(Exception):
    """The request gets an exception answer with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


def exception(request: bytes, code: int) -> bytes:
    return bytes((request[0] | 0x80, code))


def answer(memory: Memory, request: bytes) -> bytes:
    """The answer PDU to a request PDU; refusals are exception PDUs."""
    try:
        return _answer(memory, request)
    except Refusal as refusal:
        return exception(request, refusal.code)
    except struct.error:
        return exception(request, ILLEGAL_VALUE)


def _answer(memory: Memory, request: bytes) -> bytes:
    function = request[0]
    if function in _READS:
        return _read(memory, request, *_READS[function])
    if function == 5:
        address, content = struct.unpack(">HH", request[1:])
        if content not in (0x0000, 0xFF00):
            raise Refusal(ILLEGAL_VALUE)
        _put(memory, Table.COIL, address, [int(content == 0xFF00)])
        return request
    if function == 6:
        address, content = struct.unpack(">HH", request[1:])
        _put(memory, Table.HOLDING, address, [content])
        return request
    if function in (15, 16):
        return _write_many(memory, request)
    if function == 22:
        address, keep, change = struct.unpack(">HHH", request[1:])
        now = memory.read(Table.HOLDING, address, 1)
        if now is None:
            raise Refusal(ILLEGAL_ADDRESS)
        _put(memory, Table.HOLDING, address, [(now[0] & keep) | (change & ~keep & 0xFFFF)])
        return request
    raise Refusal(ILLEGAL_FUNCTION)


def _read(memory: Memory, request: bytes, table: Table, limit: int) -> bytes:
    first, count = struct.unpack(">HH", request[1:])
    if not 1 <= count <= limit:
        raise Refusal(ILLEGAL_VALUE)
    contents = memory.read(table, first, count)
    if contents is None:
        raise Refusal(ILLEGAL_ADDRESS)
    if table.is_bits:
        packed = sum(bit << index for index, bit in enumerate(contents))
        data = packed.to_bytes((count + 7) // 8, "little")
    else:
        data = struct.pack(f">{count}H", *contents)
    return bytes((request[0], len(data))) + data


def _write_many(memory: Memory, request: bytes) -> bytes:
    first, count, size = struct.unpack(">HHB", request[1:6])
    data = request[6:]
    is_bits = request[0] == 15
    expected = (count + 7) // 8 if is_bits else 2 * count
    if not 1 <= count <= (1968 if is_bits else 123) or size != expected or len(data) != size:
        raise Refusal(ILLEGAL_VALUE)
    if is_bits:
        packed = int.from_bytes(data, "little")
        _put(memory, Table.COIL, first, [packed >> index & 1 for index in range(count)])
    else:
        _put(memory, Table.HOLDING, first, list(struct.unpack(f">{count}H", data)))
    return request[:5]


def _put(memory: Memory, table: Table, first: int, contents: list[int]) -> None:
    if not memory.write(table, first, contents):
        raise Refusal(ILLEGAL_ADDRESS)
