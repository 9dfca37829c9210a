"""What the framing tests share: requests with the answers they allow, junk, and cutting."""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import strategies as st
from pymodbus.framer import FramerAscii, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU

from drivers.modbus.framing import Failure, Framing, Outcome
from drivers.modbus.pdu import Expected, expect

RTU = FramerRTU(DecodePDU(False))
ASCII = FramerAscii(DecodePDU(False))
TCP = FramerSocket(DecodePDU(False))


@dataclass(frozen=True)
class Case:
    """One request and a right answer to it."""

    expected: Expected
    answer: bytes
    outcome: bytes | int


@st.composite
def cases(draw: st.DrawFn, *, exceptions: bool = True, writes: bool = True) -> Case:
    unit = draw(st.integers(1, 247))
    address = draw(st.integers(0, 65535))
    kinds = ["bits", "registers"] + ["write"] * writes + ["exception"] * exceptions
    kind = draw(st.sampled_from(kinds))
    if kind == "write":
        request = draw(
            st.sampled_from(
                [
                    struct.pack(">BHH", 6, address, 77),
                    struct.pack(">BHH", 5, address, 0xFF00),
                    struct.pack(">BHHBHH", 16, address, 2, 4, 1, 2),
                    struct.pack(">BHHH", 22, address, 0xF0, 0x0F),
                ]
            )
        )
        answer = request[:5] if request[0] == 16 else request
        return Case(expect(unit, request), answer, answer[1:])
    function = draw(st.sampled_from([1, 2] if kind == "bits" else [3, 4]))
    count = draw(st.integers(1, 2000 if kind == "bits" else 125))
    request = struct.pack(">BHH", function, address, count)
    if kind == "exception":
        code = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 8, 10, 11]))
        return Case(expect(unit, request), bytes((function | 0x80, code)), code)
    size = (count + 7) // 8 if kind == "bits" else 2 * count
    data = draw(st.binary(min_size=size, max_size=size))
    return Case(expect(unit, request), bytes((function, size)) + data, data)


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """`stream` cut at these places (modulo its length), in order, nothing empty."""
    edges = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[a:b] for a, b in pairwise(edges)]


def run(framing: Framing, expected: Expected, pieces: list[bytes]) -> tuple[Outcome, Counter[str]]:
    """The outcome of feeding `pieces`, and all that was counted once the next request starts."""
    framing.start(expected)
    outcome: Outcome | None = None
    for piece in pieces:
        taken = framing.feed(piece)
        if outcome is None:
            outcome = taken
    if outcome is None:
        outcome = framing.finish()
    framing.start(expected)
    return outcome, Counter(framing.discarded)


def is_right(outcome: Outcome, case: Case) -> bool:
    return outcome == case.outcome or isinstance(outcome, Failure)
