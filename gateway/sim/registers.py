"""Values to registers and back, by `struct` alone.

The simulator shares no code with the drivers' codec, so that an error there cannot cancel out here. A field is seen as
one big-endian integer over its registers; `pack` gives the bits it sets and the mask of those that are its own, since
several fields may share a register.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from gateway.model import Value


class Table(StrEnum):
    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def is_bits(self) -> bool:
        return self in (Table.COIL, Table.DISCRETE)


_FLOATS = {"float16": ">e", "float32": ">f", "float64": ">d"}
_LARGEST_FLOAT = {"float16": 65504.0, "float32": 3.4028234663852886e38, "float64": 1.7976931348623157e308}
_INTEGERS = {f"{sign}int{bits}": (bits, sign == "") for bits in (8, 16, 32, 64) for sign in ("", "u")}
_BCD = {"bcd16": 16, "bcd32": 32}


@dataclass(frozen=True, slots=True)
class Field:
    """Where one point stands on the wire and how it is written; the Modbus keys of a point, resolved."""

    table: Table
    address: int
    type: str = "uint16"
    """`bool` in coils and discretes; an integer, float or BCD type, or `string`."""
    length: int = 0
    """Bytes of a string."""
    bit: int | None = None
    width: int = 1
    """Of a bit field that starts at `bit`."""
    mask: int | None = None
    """The bits of the raw value that make a boolean true; the lowest is the one that is set."""
    high_byte: bool = False
    """Where an 8-bit type stands in its register."""
    order: str = "ABCD"
    scale: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    scale_point: str | None = None
    """The point whose value multiplies the raw value, or whose power of ten does."""
    scale_is_power: bool = False
    invert: bool = False
    words: Mapping[int, str] = field(default_factory=dict)
    true_when: tuple[tuple[int, int], ...] = ()
    """The raw values, as closed ranges, that make a boolean true."""
    bad_when: tuple[tuple[int, int], ...] = ()
    """With `true_when`: the raw values that make it neither true nor false."""

    @property
    def registers(self) -> int:
        if self.table.is_bits:
            return 1
        if self.type == "string":
            return (self.length + 1) // 2
        if self.type in _FLOATS:
            return struct.calcsize(_FLOATS[self.type]) // 2
        if self.type in _BCD:
            return _BCD[self.type] // 16
        bits = _INTEGERS.get(self.type, (16, False))[0]
        return max(1, bits // 16)

    @property
    def is_plain(self) -> bool:
        """A number or text, neither words nor flags nor a part of a register."""
        return not self.words and not self.true_when and self.mask is None and self.bit is None

    @property
    def addresses(self) -> range:
        return range(self.address, self.address + self.registers)


def pack(place: Field, value: Value, factor: Decimal = Decimal(1)) -> tuple[int, int]:
    """(mask, bits) over the field's registers in wire order, most significant register first."""
    size = place.registers * 16
    if place.table.is_bits:
        return 1, int(bool(value) != place.invert)
    if place.type == "string":
        data = str(value).encode("utf-8")[: place.length].ljust(size // 8, b"\0")
        return (1 << size) - 1, int.from_bytes(_ordered(data, place, is_text=True), "big")
    shift, width = _within(place, size)
    mask = ((1 << width) - 1) << shift
    bits = (_raw(place, value, width, factor) << shift) & mask
    return _reorder(mask, size, place), _reorder(bits, size, place)


def unpack(place: Field, bits: int, factor: Decimal = Decimal(1)) -> Value:
    """The value a client wrote into the field's registers; `bits` as `pack` gives them."""
    size = place.registers * 16
    if place.table.is_bits:
        return bool(bits) != place.invert
    if place.type == "string":
        return _ordered(bits.to_bytes(size // 8, "big"), place, is_text=True).rstrip(b"\0 ").decode("utf-8", "replace")
    shift, width = _within(place, size)
    raw = (_reorder(bits, size, place) >> shift) & ((1 << width) - 1)
    if place.mask is not None:
        return bool(raw) != place.invert
    if place.words:
        return place.words.get(raw, str(raw))
    if place.true_when:
        return _is_in(_signed(raw, place, width), place.true_when)
    if place.type in _FLOATS:
        number = struct.unpack(_FLOATS[place.type], raw.to_bytes(width // 8, "big"))[0]
        return float(number) * float(place.scale * factor) + float(place.offset)
    scaled = Decimal(_signed(raw, place, width)) * place.scale * factor + place.offset
    return int(scaled) if scaled == scaled.to_integral_value() else float(scaled)


def _signed(raw: int, place: Field, width: int) -> int:
    """The number a pattern of `width` bits stands for."""
    if place.type in _BCD:
        return int(f"{raw:x}")
    negative = _INTEGERS.get(place.type, (16, False))[1] and raw >= 1 << (width - 1)
    return raw - (1 << width) if negative else raw


def _is_in(number: int, spans: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= number <= high for low, high in spans)


def _raw_of_flag(place: Field, value: bool) -> int:
    """The lowest raw value, 0 or above where there is one, that means `value`."""
    if value:
        return min((low for low, _ in place.true_when), key=lambda low: (low < 0, low))
    taken = place.true_when + place.bad_when
    candidates = sorted({0, *(high + 1 for _, high in taken if high >= 0)})
    return next(number for number in candidates if not _is_in(number, taken))


def _within(place: Field, size: int) -> tuple[int, int]:
    shift, width = 0, size
    if place.type in ("int8", "uint8"):
        shift, width = (8 if place.high_byte else 0), 8
    if place.bit is not None:
        shift, width = shift + place.bit, place.width
    if place.mask is not None:
        lowest = (place.mask & -place.mask).bit_length() - 1
        shift, width = shift + lowest, place.mask.bit_length() - lowest
    return shift, width


def _raw(place: Field, value: Value, width: int, factor: Decimal) -> int:
    """The raw integer of `width` bits that stands for `value`; numbers out of range end at the type's limits."""
    if place.true_when:
        flag = _raw_of_flag(place, bool(value))
        return int(str(flag), 16) if place.type in _BCD else flag & ((1 << width) - 1)
    if place.mask is not None or isinstance(value, bool):
        return int(bool(value) != place.invert)
    if isinstance(value, str):
        return _raw_of_word(place, value)
    if place.type in _FLOATS:
        divisor = float(place.scale * factor)
        number = (float(value) - float(place.offset)) / divisor if divisor else 0.0
        largest = _LARGEST_FLOAT[place.type]
        if math.isfinite(number):
            number = min(max(number, -largest), largest)
        return int.from_bytes(struct.pack(_FLOATS[place.type], number), "big")
    divisor_exact = place.scale * factor
    exact = (Decimal(str(value)) - place.offset) / divisor_exact if divisor_exact else Decimal(0)
    number_raw = int(exact.to_integral_value())
    if place.type in _BCD:
        digits = width // 4
        return int(str(min(max(number_raw, 0), 10**digits - 1)), 16)
    signed = _INTEGERS.get(place.type, (16, False))[1]
    low, high = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if signed else (0, (1 << width) - 1)
    return min(max(number_raw, low), high) & ((1 << width) - 1)


def _raw_of_word(place: Field, word: str) -> int:
    """The lowest raw value that means `word`; a device that has no such word shows its first one."""
    return min((raw for raw, known in place.words.items() if known == word), default=min(place.words, default=0))


def _reorder(number: int, size: int, place: Field) -> int:
    return int.from_bytes(_ordered(number.to_bytes(size // 8, "big"), place), "big")


def _ordered(data: bytes, place: Field, *, is_text: bool = False) -> bytes:
    """Byte order of the contract; the operation is its own inverse."""
    words = [data[i : i + 2] for i in range(0, len(data), 2)]
    if place.order in ("BADC", "DCBA"):
        words = [word[::-1] for word in words]
    if place.order in ("CDAB", "DCBA") and not is_text:
        words.reverse()
    return b"".join(words)
