"""ASCII frames: colon, hexadecimal unit and PDU, LRC, CR LF (Modbus over Serial Line V1.02, section 2.5.2)."""

from __future__ import annotations

from binascii import Error, unhexlify
from collections import Counter

from drivers.modbus.echo import Echo
from drivers.modbus.framing import Failure, Outcome
from drivers.modbus.pdu import Expected, judge

_LONGEST = 513
_KEEP = 2048


def lrc(data: bytes) -> int:
    """Two's complement of the sum of the bytes; over a frame with its own LRC it is 0."""
    return -sum(data) & 0xFF


def ascii_frame(unit: int, pdu: bytes) -> bytes:
    """The whole frame of a request or an answer."""
    body = bytes((unit,)) + pdu
    return b":" + (body + bytes((lrc(body),))).hex().upper().encode() + b"\r\n"


class AsciiFraming:
    """Takes bytes in any cut; a colon always begins a frame. `echo` as in `Echo`."""

    def __init__(self, echo: bool | None = None) -> None:
        self.discarded: Counter[str] = Counter()
        self.owing: set[int] = set()
        self.noise_bytes = 0
        self._echo = Echo(echo)
        self._expected: Expected | None = None
        self._sent = b""
        self._buffer = b""
        self._wrong = False
        self._garbled = False

    def wire_chars(self, expected: Expected) -> int:
        return 2 * len(expected.request) + 7

    def reset(self) -> None:
        self._expected = None
        self._drop_rest("noise")
        self._echo.reset()

    def start(self, expected: Expected) -> bytes:
        self._drop_rest("noise")
        self._expected = expected
        self._echo.was_heard = self._wrong = self._garbled = False
        self._sent = ascii_frame(expected.unit, expected.request)
        return self._sent

    def feed(self, data: bytes) -> Outcome | None:
        self._buffer += data
        outcome: Outcome | None = None
        while b"\n" in self._buffer:
            line, _, self._buffer = self._buffer.partition(b"\n")
            taken = self._take_line(line)
            if outcome is None:
                outcome = taken
        if len(self._buffer) > _KEEP:
            # a line without end: what may still be the frame it ends with is kept
            self._discard("noise", self._buffer[:-_LONGEST])
            self._buffer = self._buffer[-_LONGEST:]
        return outcome

    def settle(self) -> Outcome | None:
        return Failure.GARBLED if self._garbled and not self._buffer and self._over() else None

    def finish(self) -> Outcome:
        if self._expected is None:
            return Failure.SILENT
        if b":" in self._buffer:
            self._wrong = True
            self._drop_rest("truncated")
        self._drop_rest("noise")
        self._over()
        return Failure.BROKEN if self._wrong else Failure.SILENT

    def _over(self) -> bool:
        expected, self._expected = self._expected, None
        if expected is not None:
            self._echo.learn(expected)
        return expected is not None

    def _take_line(self, line: bytes) -> Outcome | None:
        before, colon, text = line.rpartition(b":")
        if before:
            self._discard("truncated" if b":" in before else "noise", before)
        if not colon:
            self._discard("noise", text)
            return None
        try:
            body = unhexlify(text.rstrip(b"\r"))
        except (Error, ValueError):
            body = b""
        if len(body) < 4 or lrc(body):
            self._wrong = self._garbled = True
            self._discard("crc" if len(body) >= 4 else "noise", text)
            return None
        return self._take(body[0], body[1:-1])

    def _take(self, unit: int, pdu: bytes) -> Outcome | None:
        expected = self._expected
        if expected is None:
            self.discarded["late"] += 1
            return None
        if self._echo.may_come(expected) and unit == expected.unit and pdu == expected.request:
            self._echo.was_heard = True
            self.discarded["echo"] += 1
            return None
        verdict = judge(expected, unit, pdu)
        if not isinstance(verdict, str):
            self._over()
            return verdict
        self.discarded["late" if unit in self.owing else verdict] += 1
        if verdict != "unit" and unit not in self.owing:
            self._wrong = True
        return None

    def _drop_rest(self, reason: str) -> None:
        if self._buffer:
            self._discard(reason, self._buffer)
            self._buffer = b""

    def _discard(self, reason: str, data: bytes) -> None:
        self.discarded[reason] += 1
        self.noise_bytes += len(data)
