"""Requests and the answers they allow: unit, function, byte count and echo, without any framing.

Modbus Application Protocol V1.1b3, section 6; an exception is the function with its top bit set and one code
(section 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

EXCEPTION = 0x80
#: Why a frame was not believed; each is counted as `discarded_<reason>`.
Reason: TypeAlias = Literal[
    "crc", "length", "function", "unit", "transaction", "protocol", "late", "echo", "noise", "truncated", "content"
]
REASONS: tuple[Reason, ...] = (
    "crc", "length", "function", "unit", "transaction", "protocol", "late", "echo", "noise", "truncated", "content",
)  # fmt: skip

_READS_OF_BITS = (1, 2)
_READS_OF_REGISTERS = (3, 4)
_REPEAT_REQUEST = (5, 6, 8, 22)
_REPEAT_PLACE = (15, 16)
_READ_WRITE = 23
_COUNTED = (17, 20, 21)
_FIFO = 24
_ENCAPSULATED = 43
_IDENTITY = 14


@dataclass(frozen=True, slots=True)
class Expected:
    """What the answer to one request must look like. Sizes are in bytes of the PDU (function and data)."""

    unit: int
    request: bytes
    function: int
    head: bytes
    """How the answer's PDU begins: function and byte count of a read, all that must be repeated of a write."""
    size: int
    """Length of the answer's PDU; 0 where only the answer itself tells."""
    skip: int
    """Bytes before the data: function, and byte count where there is one."""

    @property
    def is_read(self) -> bool:
        """Its answer cannot be taken for the request coming back."""
        return self.function not in (5, 6, 8, 15, 16, 22)


@lru_cache(maxsize=8192)
def expect(unit: int, request: bytes) -> Expected:
    """The answer `request` allows; ValueError for a request that no server could answer."""
    if not request or not 0 <= unit <= 255:
        raise ValueError(f"not a request: unit {unit}, {request.hex()}")
    function = request[0]
    if function in _READS_OF_BITS and len(request) == 5:
        count = int.from_bytes(request[3:5], "big")
        if 1 <= count <= 2000:
            octets = (count + 7) // 8
            return Expected(unit, request, function, bytes((function, octets)), 2 + octets, 2)
    elif function in _READS_OF_REGISTERS and len(request) == 5:
        count = int.from_bytes(request[3:5], "big")
        if 1 <= count <= 125:
            return Expected(unit, request, function, bytes((function, 2 * count)), 2 + 2 * count, 2)
    elif function in _REPEAT_REQUEST and len(request) >= 5:
        return Expected(unit, request, function, request, len(request), 1)
    elif function in _REPEAT_PLACE and len(request) >= 7:
        return Expected(unit, request, function, request[:5], 5, 1)
    elif function == _READ_WRITE and len(request) >= 12:
        octets = 2 * int.from_bytes(request[3:5], "big")
        if 2 <= octets <= 250:
            return Expected(unit, request, function, bytes((function, octets)), 2 + octets, 2)
    elif function == 7:
        return Expected(unit, request, function, b"\x07", 2, 1)
    elif function == 11:
        return Expected(unit, request, function, b"\x0b", 5, 1)
    elif function == _ENCAPSULATED and len(request) >= 2:
        return Expected(unit, request, function, request[:2], 0, 1)
    elif function in _COUNTED:
        return Expected(unit, request, function, request[:1], 0, 2)
    elif function == _FIFO:
        return Expected(unit, request, function, request[:1], 0, 3)
    raise ValueError(f"no answer is known to the request {request.hex()}")


def answer_size(frame: bytes | bytearray, at: int) -> int | None:
    """Length of the answer's PDU that begins at `at`: None where more bytes must tell, 0 where no such answer is."""
    left = len(frame) - at
    if left < 1:
        return None
    function = frame[at]
    if function & EXCEPTION:
        return 2
    if function in _READS_OF_BITS or function in _READS_OF_REGISTERS or function == _READ_WRITE or function in _COUNTED:
        return None if left < 2 else 2 + frame[at + 1]
    if function in (5, 6, 8, 11, 15, 16):
        return 5
    if function == 22:
        return 7
    if function == 7:
        return 2
    if function == _FIFO:
        return None if left < 3 else 3 + int.from_bytes(frame[at + 1 : at + 3], "big")
    if function == _ENCAPSULATED:
        return _identity_size(frame, at, left)
    return 0


def _identity_size(frame: bytes | bytearray, at: int, left: int) -> int | None:
    """Read device identification (43/14): a list of objects, each with its own length (section 6.21)."""
    if left < 7:
        return None
    if frame[at + 1] != _IDENTITY:
        return 0
    size = 7
    for _ in range(frame[at + 6]):
        if left < size + 2:
            return None
        size += 2 + frame[at + size + 1]
    return size


def judge(expected: Expected, unit: int, pdu: bytes) -> bytes | int | Reason:
    """The data of a whole answer, the code of an exception, or why it is not the answer to this request."""
    if unit != expected.unit:
        return "unit"
    if not pdu or pdu[0] & ~EXCEPTION != expected.function & ~EXCEPTION:
        return "function"
    if pdu[0] & EXCEPTION:
        return pdu[1] if len(pdu) == 2 and pdu[1] else "length"
    if len(pdu) != (expected.size or answer_size(pdu, 0)):
        return "length"
    if not pdu.startswith(expected.head):
        return "length" if expected.is_read else "content"
    return pdu[expected.skip :]
