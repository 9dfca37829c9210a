"""Server side of the three Modbus framings, without I/O: bytes in, requests out; answers in, bytes out."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    unit: int
    pdu: bytes
    transaction: int = 0
    """Of Modbus TCP."""


class Framing(Protocol):
    """One connection's framing; keeps what is incomplete."""

    def feed(self, data: bytes) -> list[Request]:
        """The complete requests that `data` ends; what cannot be a request is dropped."""
        ...

    def silence(self) -> None:
        """Nothing came for a while: forget what is incomplete, as a unit on a bus does."""
        ...

    def frame(self, request: Request, pdu: bytes) -> bytes: ...

    def spoil(self, frame: bytes) -> bytes:
        """The frame with its check made wrong (CRC, LRC; the transaction id for TCP)."""
        ...


class TcpFraming:
    """MBAP header (Modbus Messaging on TCP/IP V1.0b)."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Request]:
        self._held += data
        requests = []
        while len(self._held) >= 8:
            transaction, protocol, length, unit = struct.unpack(">HHHB", self._held[:7])
            if protocol != 0 or not 2 <= length <= 254:
                self._held = b""
                break
            if len(self._held) < 6 + length:
                break
            requests.append(Request(unit, self._held[7 : 6 + length], transaction))
            self._held = self._held[6 + length :]
        return requests

    def silence(self) -> None:
        """A stream has no silence that means anything."""

    def frame(self, request: Request, pdu: bytes) -> bytes:
        return struct.pack(">HHHB", request.transaction, 0, len(pdu) + 1, request.unit) + pdu

    def spoil(self, frame: bytes) -> bytes:
        return struct.pack(">H", struct.unpack(">H", frame[:2])[0] ^ 0x5555) + frame[2:]


class RtuFraming:
    """Modbus over serial line V1.02, RTU; the length of a request follows from its function."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Request]:
        self._held += data
        requests = []
        while (length := _rtu_length(self._held)) is not None and len(self._held) >= length:
            frame, self._held = self._held[:length], self._held[length:]
            if crc16(frame[:-2]) != frame[-2:]:
                self._held = b""
                break
            requests.append(Request(frame[0], frame[1:-2]))
        return requests

    def silence(self) -> None:
        self._held = b""

    def frame(self, request: Request, pdu: bytes) -> bytes:
        body = bytes((request.unit,)) + pdu
        return body + crc16(body)

    def spoil(self, frame: bytes) -> bytes:
        return frame[:-1] + bytes((frame[-1] ^ 0xA5,))


class AsciiFraming:
    """Modbus over serial line V1.02, ASCII: a colon, hexadecimal digits, LRC, CR LF."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Request]:
        self._held = (self._held + data)[-1024:]
        requests = []
        while b"\r\n" in self._held:
            line, self._held = self._held.split(b"\r\n", 1)
            digits = line[line.rfind(b":") + 1 :]
            try:
                body = bytes.fromhex(digits.decode("ascii"))
            except (UnicodeDecodeError, ValueError):
                continue
            if len(body) >= 3 and sum(body) & 0xFF == 0:
                requests.append(Request(body[0], body[1:-1]))
        return requests

    def silence(self) -> None:
        """Characters may be up to a second apart; a colon starts anew in any case."""

    def frame(self, request: Request, pdu: bytes) -> bytes:
        body = bytes((request.unit,)) + pdu
        check = -sum(body) & 0xFF
        return b":" + (body + bytes((check,))).hex().upper().encode() + b"\r\n"

    def spoil(self, frame: bytes) -> bytes:
        return frame[:-3] + (b"1" if frame[-3:-2] == b"0" else b"0") + frame[-2:]


def crc16(data: bytes) -> bytes:
    """CRC-16/MODBUS, low byte first as on the wire."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


def _rtu_length(held: bytes) -> int | None:
    """Bytes of the request that starts `held`, None while that cannot be said."""
    if len(held) < 2:
        return None
    function = held[1]
    if function <= 6:
        return 8
    if function in (15, 16):
        return 9 + held[6] if len(held) > 6 else None
    if function == 22:
        return 10
    if function == 23:
        return 13 + held[10] if len(held) > 10 else None
    return max(len(held), 4)
