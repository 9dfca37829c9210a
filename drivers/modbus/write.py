"""Values to requests that write them: the exact inverse of decoding, or a refusal that says what could be written.

Modbus Application Protocol V1.1b3, 6.5 (single coil), 6.6 (single register), 6.11 and 6.12 (several), 6.16 (masked).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import inf, nextafter

from drivers.modbus.codec import BlockDecoder, Source
from drivers.modbus.encoding import Encoding, Form, raw_span
from drivers.modbus.numbers import divide_exactly, exact_of, fraction_of
from drivers.modbus.registers import swap_bytes
from gateway.model import MaybeValue, Status, Text, Value, is_same
from gateway.ports import Unwritable

_FLOATS = {16: ">e", 32: ">f", 64: ">d"}


def write_request(encoding: Encoding, value: Value) -> bytes:
    """PDU that makes the point read as `value`; Unwritable where none does."""
    if encoding.table.of_bits:
        return _coil_request(encoding, _flag(encoding, value))
    if not encoding.table.value == "holding" or encoding.scale_from is not None or encoding.true_when:
        raise Unwritable(Text("这个测点只能读", "this point can only be read"))
    mask, bits = _pattern(encoding, value)
    size = encoding.count * 2
    masks, data = (_to_wire(encoding, number.to_bytes(size, "big")) for number in (mask, bits))
    _check(encoding, data, value)
    if masks == b"\xff" * size:
        return _register_request(encoding, data)
    touched = [place for place in range(encoding.count) if any(masks[2 * place : 2 * place + 2])]
    if len(touched) > 1:
        raise Unwritable(
            Text("位字段跨了寄存器，不能一次写入", "the bits lie in several registers and cannot be written at once")
        )
    at = 2 * touched[0]
    keep = bytes(0xFF ^ octet for octet in masks[at : at + 2])
    return bytes((22,)) + (encoding.first + touched[0]).to_bytes(2, "big") + keep + data[at : at + 2]


def _coil_request(encoding: Encoding, on: int) -> bytes:
    if encoding.table.value != "coil":
        raise Unwritable(Text("离散输入只能读", "a discrete input can only be read"))
    place = encoding.first.to_bytes(2, "big")
    if encoding.write_multiple:
        return bytes((15,)) + place + b"\0\1\1" + bytes((on,))
    return bytes((5,)) + place + (b"\xff\0" if on else b"\0\0")


def _register_request(encoding: Encoding, data: bytes) -> bytes:
    place = encoding.first.to_bytes(2, "big")
    if encoding.count == 1 and not encoding.write_multiple:
        return bytes((6,)) + place + data
    return bytes((16,)) + place + encoding.count.to_bytes(2, "big") + bytes((len(data),)) + data


def _to_wire(encoding: Encoding, data: bytes) -> bytes:
    """Big-endian bytes of the value as its registers hold them; the inverse of the four orders."""
    if encoding.order.reverses_words and encoding.type.form is not Form.STRING:
        data = b"".join(data[at : at + 2] for at in range(len(data) - 2, -2, -2))
    return swap_bytes(data) if encoding.order.swaps_bytes else data


def _pattern(encoding: Encoding, value: Value) -> tuple[int, int]:
    """Mask and bits of the point over its registers, before their order."""
    data_type, whole = encoding.type, (1 << 16 * encoding.count) - 1
    if data_type.form is Form.STRING:
        return whole, int.from_bytes(_text(encoding, value), "big")
    if data_type.form is Form.FLOAT:
        return whole, int.from_bytes(_float(encoding, value), "big")
    shift = 8 if data_type.bits == 8 and encoding.high_byte else 0
    width = data_type.bits
    if encoding.field is not None:
        shift, width = shift + encoding.field[0], encoding.field[1]
    if encoding.mask is not None and encoding.mask != 0xFFFF:
        lowest = encoding.mask.bit_length() - 1
        return 1 << shift + lowest, _flag(encoding, value) << shift + lowest
    number = _flag(encoding, value) if encoding.mask is not None else _number(encoding, value)
    if data_type.form is Form.BCD:
        number = int(str(number), 16)
    ones = (1 << width) - 1
    return ones << shift, (number & ones) << shift


def _flag(encoding: Encoding, value: Value) -> int:
    if encoding.words:
        return _number(encoding, value)
    if not isinstance(value, bool):
        raise Unwritable(Text("这里要写 true 或 false", "true or false is expected here"))
    return int(value is not encoding.invert)


def _number(encoding: Encoding, value: Value) -> int:
    """The raw integer of a word or a number."""
    if encoding.words:
        return _raw_of_word(encoding, value)
    if isinstance(value, (bool, str)):
        raise Unwritable(Text("这里要写数", "a number is expected here"))
    exact = (Fraction(exact_of(value)) - Fraction(encoding.offset)) / Fraction(encoding.scale)
    low, high = raw_span(encoding.type, None if encoding.field is None else encoding.field[1])
    if exact.denominator == 1 and low <= exact.numerator <= high:
        return exact.numerator
    floor = exact.numerator // exact.denominator
    raise _inexact(_scaled(encoding, min(max(raw, low), high)) for raw in (floor, floor + 1))


def _scaled(encoding: Encoding, raw: int) -> MaybeValue:
    factor, addend, power = fraction_of(encoding.scale, encoding.offset)
    return divide_exactly(raw * factor + addend, power)


def _raw_of_word(encoding: Encoding, value: Value) -> int:
    raws = [raw for raw, word in encoding.words if word == value]
    if not raws:
        words = ", ".join(dict.fromkeys(word for _, word in encoding.words))
        raise Unwritable(Text(f"没有这个词，可以写：{words}", f"there is no such word; known here: {words}"))
    if len(raws) > 1:
        raise Unwritable(
            Text(f"{value} 对应多个原始值，不能写入", f"several raw values mean {value}; it cannot be written")
        )
    return raws[0]


def _text(encoding: Encoding, value: Value) -> bytes:
    if not isinstance(value, str):
        raise Unwritable(Text("这里要写文字", "a text is expected here"))
    try:
        data = value.encode()
    except UnicodeEncodeError:
        data = b"\0"
    length = encoding.type.length
    if len(data) > length or not value.isprintable() or value != value.rstrip() or "\0" in value:
        raise Unwritable(
            Text(f"文字最多 {length} 字节，结尾不能有空格", f"at most {length} bytes of text, no blanks at its end")
        )
    return data.ljust(2 * encoding.count, b"\0")


def _float(encoding: Encoding, value: Value) -> bytes:
    """The pattern whose decoded value is exactly `value`."""
    if isinstance(value, (bool, str)):
        raise Unwritable(Text("这里要写数", "a number is expected here"))
    code, wanted = _FLOATS[encoding.type.bits], exact_of(value)
    try:
        raw = float((Fraction(wanted) - Fraction(encoding.offset)) / Fraction(encoding.scale))
        packed = struct.pack(code, raw)
    except OverflowError as error:
        raise Unwritable(Text("这个数太大", "the number is too large")) from error
    near = sorted({packed, *_neighbours(packed, code)}, key=lambda data: struct.unpack(code, data)[0])
    found = [(data, _decode(encoding, _to_wire(encoding, data))[0]) for data in near]
    for data, decoded in found:
        if isinstance(decoded, (int, float, Decimal)) and exact_of(decoded) == wanted:
            return data
    numbers = [decoded for _, decoded in found if isinstance(decoded, (int, float, Decimal))]
    below = [number for number in numbers if exact_of(number) < wanted]
    above = [number for number in numbers if exact_of(number) > wanted]
    raise _inexact([*below[-1:], *above[:1]])


def _neighbours(packed: bytes, code: str) -> Iterable[bytes]:
    """The patterns just below and just above, where there are finite ones."""
    (number,) = struct.unpack(code, packed)
    if code == ">d":
        return [
            struct.pack(code, each) for each in (nextafter(number, -inf), nextafter(number, inf)) if abs(each) != inf
        ]
    size = len(packed)
    patterns = (int.from_bytes(packed, "big") + step for step in (-1, 1))
    near = [pattern.to_bytes(size, "big") for pattern in patterns if 0 <= pattern < 1 << 8 * size]
    return [data for data in near if abs(struct.unpack(code, data)[0]) < inf]


def _decode(encoding: Encoding, data: bytes) -> tuple[MaybeValue, Status]:
    flaws: dict[int, Status] = {}
    (value,) = BlockDecoder(encoding.first, [Source("p", replace(encoding, scale_from=None))]).decode(data, flaws)
    return value, flaws.get(0, Status.Good)


def _check(encoding: Encoding, data: bytes, value: Value) -> None:
    """What is written must read back as what was asked for; a raw value that means "no sensor" never does."""
    decoded, status = _decode(encoding, data)
    if status is Status.BadSensorFailure:
        raise Unwritable(Text("这个值表示没有传感器", "this value would mean that there is no sensor"))
    if not is_same(decoded, value):
        raise Unwritable(Text("这个值读回来不会相同", "this value would not read back as it is"))


def _inexact(nearest: Iterable[MaybeValue]) -> Unwritable:
    shown: Sequence[str] = list(
        dict.fromkeys(f"{exact_of(each):f}" for each in nearest if isinstance(each, (int, float, Decimal)))
    )
    if not shown:
        return Unwritable(Text("这个数不能准确写入", "this number cannot be written exactly"))
    return Unwritable(
        Text(
            f"这个数不能准确写入，最接近的是 {' 和 '.join(shown)}",
            f"this number cannot be written exactly; the nearest are {' and '.join(shown)}",
        )
    )
