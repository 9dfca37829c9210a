"""Modbus TCP frames: transaction, protocol 0, length, unit, PDU (Modbus Messaging on TCP/IP V1.0b, section 3.1).

The transaction id tells a late answer from the right one: an id that timed out is retired and never believed again.
"""

from __future__ import annotations

import random
import struct
from collections import Counter, deque

from drivers.modbus.framing import Failure, Outcome
from drivers.modbus.pdu import Expected, judge

_HEADER = struct.Struct(">HHHB")
_START = struct.Struct(">HHH")
_LONGEST = 254
_RETIRED = 256


class MbapFraming:
    """A stream of frames, or with `datagrams` one frame in each datagram. Transaction 0 is never used: broken servers
    answer with it."""

    def __init__(self, *, datagrams: bool = False, first: int | None = None) -> None:
        self.discarded: Counter[str] = Counter()
        self.owing: set[int] = set()
        self.noise_bytes = 0
        self._datagrams = datagrams
        self._transaction = first or random.randrange(1, 0x8000)  # noqa: S311 - not a secret, only not always the same
        self._retired: deque[int] = deque(maxlen=_RETIRED)
        self._expected: Expected | None = None
        self._answer = b""
        self._broken = False
        self._buffer = b""

    def wire_chars(self, expected: Expected) -> int:
        return len(expected.request) + 7

    def reset(self) -> None:
        self._expected = None
        self._retired.clear()
        if self._buffer:
            self._discard("truncated", self._buffer)
            self._buffer = b""

    def start(self, expected: Expected) -> bytes:
        if self._expected is not None:
            self._retired.append(self._transaction)
        self._transaction = transaction = self._transaction % 0xFFFF + 1
        self._expected = expected
        self._broken = False
        self._answer = _HEADER.pack(transaction, 0, expected.size + 1, expected.unit) + expected.head
        return _HEADER.pack(transaction, 0, len(expected.request) + 1, expected.unit) + expected.request

    def feed(self, data: bytes) -> Outcome | None:
        expected = self._expected
        if (
            expected is not None
            and not self._buffer
            and len(data) == expected.size + 7
            and data.startswith(self._answer)
        ):
            self._expected = None
            return data[7 + expected.skip :]
        if self._datagrams:
            return self._take_datagram(data)
        self._buffer += data
        return self._take_frames()

    def settle(self) -> Outcome | None:
        return None

    def finish(self) -> Outcome:
        if self._expected is None:
            return Failure.SILENT
        self._expected = None
        self._retired.append(self._transaction)
        if self._buffer:
            # half a frame, and nothing more in a whole time-out: what comes next cannot be cut right
            self._discard("truncated", self._buffer)
            self._buffer = b""
            return Failure.STREAM
        return Failure.BROKEN if self._broken else Failure.SILENT

    def _take_datagram(self, data: bytes) -> Outcome | None:
        if len(data) < 8:
            self._discard("truncated", data)
            return None
        transaction, protocol, length = _START.unpack_from(data)
        if protocol:
            self._discard("protocol", data)
            return None
        if length != len(data) - 6:
            self._discard("length", data)
            return None
        return self._take(transaction, data[6], data[7:])

    def _take_frames(self) -> Outcome | None:
        outcome: Outcome | None = None
        while len(self._buffer) >= 6:
            transaction, protocol, length = _START.unpack_from(self._buffer)
            if protocol or not 2 <= length <= _LONGEST:
                return self._violated("protocol" if protocol else "length")
            end = 6 + length
            if len(self._buffer) < end:
                break
            frame, self._buffer = self._buffer[6:end], self._buffer[end:]
            taken = self._take(transaction, frame[0], frame[1:])
            if outcome is None:
                outcome = taken
        if outcome is not None and self._buffer:
            # half a frame right behind the answer: the answer may have been short and filled up with another frame
            return self._violated("truncated")
        return outcome

    def _violated(self, reason: str) -> Failure:
        """The stream cannot be cut any more; not even an answer just taken from it is sure."""
        self._discard(reason, self._buffer)
        self._buffer = b""
        self._expected = None
        return Failure.STREAM

    def _take(self, transaction: int, unit: int, pdu: bytes) -> Outcome | None:
        """One whole frame: the answer, BROKEN where it is the answer and wrong, or None where it is not for us."""
        expected = self._expected
        if expected is None or transaction != self._transaction:
            known = transaction in self._retired or transaction == self._transaction
            self.discarded["late" if known else "transaction"] += 1
            return None
        verdict = judge(expected, unit, pdu)
        if not isinstance(verdict, str):
            self._expected = None
            return verdict
        self.discarded[verdict] += 1
        if verdict == "unit":
            # a gateway may have mixed two units up; the right answer may still come
            self._broken = True
            return None
        self._expected = None
        self._retired.append(self._transaction)
        return Failure.BROKEN

    def _discard(self, reason: str, data: bytes) -> None:
        self.discarded[reason] += 1
        self.noise_bytes += len(data)
