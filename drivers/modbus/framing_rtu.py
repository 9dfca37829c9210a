"""RTU frames: unit, PDU, CRC-16 (Modbus over Serial Line V1.02, section 2.5.1). Also RTU carried over TCP or UDP.

Time does not cut frames here: a frame is known by its unit, function, length and CRC, so that an adapter may deliver it
in any pieces. Which frame is accepted depends only on the bytes, never on how they were cut.
"""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from functools import cache

from drivers.modbus.echo import Echo
from drivers.modbus.framing import Failure, Outcome
from drivers.modbus.pdu import EXCEPTION, Expected, Reason, answer_size, judge

_POLYNOMIAL = 0xA001
_SHORTEST = 4
_LONGEST = 256
_KEEP = 4096


@cache
def _words() -> array[int]:
    """CRC of each two-byte word: as wide as the register, so that one step takes two bytes. Made for the first frame:
    a site without RTU needs none."""
    step = []
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = crc >> 1 ^ _POLYNOMIAL if crc & 1 else crc >> 1
        step.append(crc)
    low = [step[crc & 0xFF] ^ crc >> 8 for crc in step]
    words = array("H")
    for b in step:
        words.extend(a ^ b for a in low)
    return words


def crc16(data: bytes | bytearray) -> int:
    """CRC-16 of Modbus; sent low byte first. Over a frame with its own CRC it is 0."""
    crc = 0xFFFF
    words = _words()
    half, odd = divmod(len(data), 2)
    for word in struct.unpack_from(f"<{half}H", data):
        crc = words[crc ^ word]
    if odd:
        crc ^= data[-1]
        crc = crc >> 8 ^ words[(crc & 0xFF) << 8]
    return crc


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """The whole frame of a request or an answer."""
    body = bytes((unit,)) + pdu
    return body + crc16(body).to_bytes(2, "little")


class RtuFraming:
    """Takes bytes in any cut. `echo` as in `Echo`."""

    def __init__(self, echo: bool | None = None) -> None:
        self.discarded: Counter[str] = Counter()
        self.owing: set[int] = set()
        self.noise_bytes = 0
        self._echo = Echo(echo)
        self._expected: Expected | None = None
        self._sent = b""
        self._buffer = bytearray()
        self._from = 0

    def wire_chars(self, expected: Expected) -> int:
        return len(expected.request) + 3

    def reset(self) -> None:
        self._expected = None
        self._count(self._survey(bytes(self._buffer), None))
        self._buffer.clear()
        self._echo.reset()

    def start(self, expected: Expected) -> bytes:
        if self._buffer:
            self._count(self._survey(bytes(self._buffer), None))
            self._buffer.clear()
        self._expected = expected
        self._from = 0
        self._echo.was_heard = False
        self._sent = rtu_frame(expected.unit, expected.request)
        return self._sent

    def feed(self, data: bytes) -> Outcome | None:
        buffer = self._buffer
        buffer += data
        expected = self._expected
        outcome = None
        if expected is None:
            self._from = len(buffer)
        else:
            outcome = self._search(expected, final=False)
        if len(buffer) > _KEEP:
            self._count(self._survey(bytes(buffer[: self._from]), expected))
            del buffer[: self._from]
            self._from = 0
        return outcome

    def settle(self) -> Outcome | None:
        expected = self._expected
        if expected is None or not self._buffer:
            return None
        outcome = self._search(expected, final=True)
        if outcome is not None:
            return outcome
        seen, noise = self._survey(bytes(self._buffer), expected)
        answer_came = seen["crc"] or seen["truncated"] or noise >= (expected.size or 2) + 3
        if not answer_came or any(seen[reason] for reason in ("late", "unit", "function", "length", "content")):
            return None
        self._close(expected, len(self._buffer), len(self._buffer))
        return Failure.GARBLED

    def finish(self) -> Outcome:
        expected = self._expected
        if expected is None:
            return Failure.SILENT
        outcome = self._search(expected, final=True)
        if outcome is not None:
            return outcome
        seen, noise = self._survey(bytes(self._buffer), expected)
        self._close(expected, len(self._buffer), len(self._buffer))
        wrong = any(seen[reason] for reason in ("crc", "truncated", "function", "length", "content"))
        return Failure.BROKEN if wrong or noise >= _SHORTEST else Failure.SILENT

    def _search(self, expected: Expected, *, final: bool) -> Outcome | None:
        """The first frame for us. Not `final`: stops at the first place where one may still be growing."""
        buffer = self._buffer
        at = self._from
        while at < len(buffer):
            echo = self._echo_at(buffer, at, expected)
            if echo:
                self._echo.was_heard = True
                at += echo
                continue
            verdict = None if echo is None else self._answer_at(buffer, at, expected)
            if isinstance(verdict, tuple):
                outcome, end = verdict
                self._close(expected, at, end)
                return outcome
            if verdict is None and not final:
                break
            at += 1
        if not final:
            self._from = at
        return None

    def _echo_at(self, buffer: bytearray, at: int, expected: Expected) -> int | None:
        """Length of the request's own echo at `at`, 0 if there is none, None while it cannot be told."""
        if not self._echo.may_come(expected):
            return 0
        there = buffer[at : at + len(self._sent)]
        if not self._sent.startswith(there):
            return 0
        return len(there) if len(there) == len(self._sent) else None

    def _answer_at(self, buffer: bytearray, at: int, expected: Expected) -> tuple[bytes | int, int] | bool | None:
        """The answer that begins at `at` with its end; False if none can, None while it cannot be told."""
        if buffer[at] != expected.unit:
            return False
        left = len(buffer) - at
        if left < 2:
            return None
        function = buffer[at + 1]
        if function == expected.function | EXCEPTION:
            size: int | None = 2
        elif function == expected.function:
            head = expected.head
            if not head.startswith(buffer[at + 1 : at + 1 + len(head)]):
                return False
            size = expected.size or answer_size(buffer, at + 1)
        else:
            return False
        if size is None:
            return None
        if size == 0 or size > _LONGEST - 3:
            return False
        if left < size + 3:
            return None
        end = at + size + 3
        if crc16(buffer[at:end]):
            return False
        verdict = judge(expected, expected.unit, bytes(buffer[at + 1 : end - 2]))
        return False if isinstance(verdict, str) else (verdict, end)

    def _close(self, expected: Expected, start: int, end: int) -> None:
        """The request is over with the frame from `start` to `end`; what stood before it is counted."""
        if start:
            self._count(self._survey(bytes(self._buffer[:start]), expected))
        del self._buffer[:end]
        self._expected = None
        self._echo.learn(expected)

    def _count(self, survey: tuple[Counter[str], int]) -> None:
        seen, noise = survey
        self.discarded.update(seen)
        self.noise_bytes += noise

    def _survey(self, data: bytes, expected: Expected | None) -> tuple[Counter[str], int]:
        """What bytes that gave no answer were: frames by reason, and how many bytes belong to no frame."""
        seen: Counter[str] = Counter()
        noise = at = run = 0
        while at < len(data):
            size, reason = self._recognise(data, at, expected)
            if size:
                seen[reason] += 1
                at += size
                run = 0
                continue
            if not run:
                seen["noise"] += 1
            run += 1
            noise += 1
            at += 1
        return seen, noise

    def _recognise(self, data: bytes, at: int, expected: Expected | None) -> tuple[int, Reason]:
        """Length of the frame at `at` and why it does not count; length 0 where there is no frame."""
        if self._sent and data.startswith(self._sent, at):
            return len(self._sent), "echo"
        left = len(data) - at
        size = answer_size(data, at + 1)
        whole = size is not None and 0 < size <= _LONGEST - 3 and left >= size + 3
        if size and whole and not crc16(data[at : at + size + 3]):
            unit = data[at]
            if expected is None or unit in self.owing:
                return size + 3, "late"
            verdict = judge(expected, unit, data[at + 1 : at + 1 + size])
            return size + 3, verdict if isinstance(verdict, str) else "late"
        if expected is None or data[at] != expected.unit or left < 2:
            return 0, "noise"
        if data[at + 1] != expected.function | EXCEPTION:
            if not expected.head.startswith(data[at + 1 : at + 1 + len(expected.head)]):
                return 0, "noise"
            size = expected.size or size
        if size is None or left < size + 3:
            return left, "truncated"
        return (size + 3, "crc") if size else (0, "noise")
