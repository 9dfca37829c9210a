"""Raw values out of the data of an answer: a few `struct` reads per block, laid out once.

Exchanging the two bytes of every register turns CDAB into DCBA and BADC into ABCD. DCBA is little-endian and ABCD
big-endian, so two views of the data and two byte orders cover all four orders at any width.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Sequence
from typing import TypeAlias

from drivers.modbus.encoding import Encoding, Form, Order

#: What lies in the registers, before field, scale and words: integers and BCD patterns, floats, bytes of strings.
Raw: TypeAlias = int | float | bytes

_INTEGER_CODES = {8: "b", 16: "h", 32: "i", 64: "q"}
_FLOAT_CODES = {16: "e", 32: "f", 64: "d"}


def swap_bytes(data: bytes) -> bytes:
    """The same registers with their two bytes exchanged."""
    registers = array("H", data)
    registers.byteswap()
    return registers.tobytes()


class RegisterReader:
    """Takes the raw values of `encodings` out of a block of registers that starts at `first`.

    `places[i]` is where the raw value of `encodings[i]` stands in what `read` gives; equal raw values are read once.
    Data may be longer than the block.
    """

    __slots__ = ("_layers", "_swaps", "places")

    def __init__(self, first: int, encodings: Sequence[Encoding]) -> None:
        layers: dict[tuple[bool, str, int], list[tuple[int, str]]] = {}
        wanted: dict[tuple[bool, str, int, str], tuple[tuple[bool, str, int], int]] = {}
        for swapped, endian, offset, code in sorted(
            {_locate(first, encoding) for encoding in encodings}, key=_by_offset
        ):
            level = 0
            while _collides(layers.get((swapped, endian, level)), offset):
                level += 1
            layer = layers.setdefault((swapped, endian, level), [])
            wanted[swapped, endian, offset, code] = ((swapped, endian, level), len(layer))
            layer.append((offset, code))
        starts: dict[tuple[bool, str, int], int] = {}
        self._layers: list[tuple[bool, Callable[[bytes], tuple[Raw, ...]]]] = []
        total = 0
        for key, layer in layers.items():
            starts[key] = total
            total += len(layer)
            self._layers.append((key[0], _compile(key[1], layer)))
        self._swaps = any(swapped for swapped, _ in self._layers)
        located = (wanted[_locate(first, encoding)] for encoding in encodings)
        self.places = tuple(starts[key] + index for key, index in located)

    def read(self, data: bytes) -> tuple[Raw, ...]:
        swapped = swap_bytes(data) if self._swaps else b""
        raws: tuple[Raw, ...] = ()
        for of_swapped, unpack in self._layers:
            raws += unpack(swapped if of_swapped else data)
        return raws


def _by_offset(located: tuple[bool, str, int, str]) -> tuple[int, int, bool, str]:
    swapped, endian, offset, code = located
    return offset, struct.calcsize(endian + code), swapped, endian + code


def _locate(first: int, encoding: Encoding) -> tuple[bool, str, int, str]:
    """View (bytes exchanged or not), byte order, offset and `struct` code of one value."""
    offset = 2 * (encoding.first - first)
    data_type, order = encoding.type, encoding.order
    if data_type.form is Form.STRING:
        return order.swaps_bytes, ">", offset, f"{data_type.length}s"
    if data_type.bits == 8:
        code = "b" if data_type.signed and encoding.field is None else "B"
        return False, ">", offset + (0 if encoding.high_byte != order.swaps_bytes else 1), code
    if data_type.form is Form.FLOAT:
        code = _FLOAT_CODES[data_type.bits]
    else:
        code = _INTEGER_CODES[data_type.bits]
        code = code if data_type.signed and encoding.field is None else code.upper()
    if encoding.count == 1:
        return False, "<" if order.swaps_bytes else ">", offset, code
    return order in (Order.BADC, Order.CDAB), "<" if order.reverses_words else ">", offset, code


def _collides(layer: list[tuple[int, str]] | None, offset: int) -> bool:
    if not layer:
        return False
    last, code = layer[-1]
    return offset < last + struct.calcsize(">" + code)


def _compile(endian: str, layer: list[tuple[int, str]]) -> Callable[[bytes], tuple[Raw, ...]]:
    """One `struct` for all values of a layer; what lies between them is passed over."""
    parts, at = [endian], 0
    for offset, code in layer:
        if offset > at:
            parts.append(f"{offset - at}x")
        parts.append(code)
        at = offset + struct.calcsize(endian + code)
    return struct.Struct("".join(parts)).unpack_from
