"""What the simulated slaves hold: 60 tags in 100 holding registers, each a formula of time that can be inverted.

Every tag of a slave steps once per interval, all at the same moment, each slave at a phase of its own; tag 20 is the
probe and carries the slave's clock. `native/slaves.c` computes the same.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass

REGISTERS = 100
TAGS = 60
PROBE = 20
_PROBE_MODULUS_US = 1 << 31


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: registers, type, and raw = (step + own offset) % modulus * factor + addend; value = raw * scale."""

    index: int
    register: int
    type: str
    order: str
    modulus: int
    factor: float
    addend: float
    scale: str

    @property
    def name(self) -> str:
        return f"t{self.index:02d}"


def _tags() -> tuple[Tag, ...]:
    tags = [Tag(i, i, "int16", "ABCD", 60_000, 1, -30_000, "0.1") for i in range(10)]
    tags += [Tag(i, i, "uint16", "ABCD", 60_000, 1, 0, "0.01") for i in range(10, 20)]
    for i in range(20, 40):
        order = "CDAB" if i >= 30 else "ABCD"
        scale = "1" if i == PROBE else "0.001"
        tags.append(Tag(i, 20 + 2 * (i - 20), "int32", order, 1_000_000, 1999, -999_500_000, scale))
    for i in range(40, 60):
        order = "CDAB" if i >= 50 else "ABCD"
        tags.append(Tag(i, 60 + 2 * (i - 40), "float32", order, 1_000_000, 0.01, -5000, "1"))
    return tuple(tags)


TAG_LIST = _tags()


def now_us() -> int:
    """The clock all parts share."""
    return time.monotonic_ns() // 1000


def phase_us(slave: int, interval_us: int) -> int:
    return slave * 618034 % 1_000_000 * interval_us // 1_000_000


def step_at(slave: int, interval_us: int, at_us: int) -> int:
    return (at_us + phase_us(slave, interval_us)) // interval_us


def step_began_us(slave: int, interval_us: int, step: int) -> int:
    return step * interval_us - phase_us(slave, interval_us)


def registers(slave: int, interval_us: int, at_us: int) -> bytes:
    """All registers of a slave at one moment, as they go over the wire."""
    step = step_at(slave, interval_us, at_us)
    image = bytearray()
    for tag in TAG_LIST:
        raw = (step + slave * 7919 + tag.index * 104729) % tag.modulus
        if tag.index == PROBE:
            image += struct.pack(">i", at_us % _PROBE_MODULUS_US)
        elif tag.type == "float32":
            image += _words(struct.pack(">f", (raw - 500_000) / 100), tag.order)
        elif tag.type == "int32":
            image += _words(struct.pack(">i", raw * 1999 - 999_500_000), tag.order)
        else:
            image += struct.pack(">H", (raw + int(tag.addend)) & 0xFFFF)
    return bytes(image)


def _words(data: bytes, order: str) -> bytes:
    return data[2:] + data[:2] if order == "CDAB" else data


_INVERSES = [
    (tag.name, tag.index * 104729, tag.modulus, float(tag.scale), tag.factor, tag.addend)
    for tag in TAG_LIST
    if tag.index != PROBE
]


def invert(slave: int, values: Mapping[str, float], near: int) -> tuple[int, int]:
    """The step that `values` are of, the one closest to `near`, and how many of them are not of that step."""
    steps: list[int] = []
    wrong = 0
    shift = slave * 7919
    for name, offset, modulus, scale, factor, addend in _INVERSES:
        value = values.get(name)
        if value is None:
            continue
        turns = (value / scale - addend) / factor
        turn = round(turns)
        # a float32 of four digits before the point is off by up to 0.03 turns where a peer did not shorten it
        if abs(turns - turn) > 0.05:
            wrong += 1
            continue
        ahead = (turn - shift - offset - near) % modulus
        steps.append(near + (ahead if ahead < modulus // 2 else ahead - modulus))
    if not steps:
        return near, wrong
    step = max(set(steps), key=steps.count)
    return step, wrong + sum(1 for other in steps if other != step)


def probe_age_us(probe: int, at_us: int) -> int:
    """Microseconds from the slave's answer, whose clock `probe` carries, to `at_us`."""
    return (at_us - probe) % _PROBE_MODULUS_US
