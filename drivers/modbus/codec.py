"""Registers to values. What depends on the configuration alone is worked out when a block is compiled; decoding one
answer is a few reads, one pass per group of points with the same formula, and checks where a point has any.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import TypeAlias, cast

from drivers.modbus.encoding import BOOL, Encoding, Form, raw_span
from drivers.modbus.numbers import (
    FLOAT_DIGITS,
    divide_exactly,
    float_table,
    fraction_of,
    scale_float,
    shortest,
    shortest_floats,
)
from drivers.modbus.registers import Raw, RegisterReader
from gateway.model import MaybeValue, Status, Value

Limits: TypeAlias = tuple[float, float]
#: Raw value to value, or to what is wrong with it.
Convert: TypeAlias = Callable[[Raw], Value | Status]
#: A pass over all raw values of an answer that gives the values of a run of points.
Pass: TypeAlias = Callable[[Sequence[Raw]], Sequence[MaybeValue]]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One point of a block: its name, encoding, and the engineering limits outside which it is uncertain. Compared by
    identity, so that what is made of many can be looked up at once."""

    name: str
    encoding: Encoding
    limits: Limits | None = None

    @property
    def is_deferred(self) -> bool:
        """Its scale is another point's value, so that the block gives only its raw number."""
        return self.encoding.scale_from is not None


class BlockDecoder:
    """Decodes the answers to one read. `sources` are its points in the order of what `decode` gives."""

    __slots__ = ("_converted", "_limited", "_passes", "_read", "_sentinels", "sources")

    def __init__(self, first: int, sources: Sequence[Source]) -> None:
        groups: dict[tuple[object, ...], list[Source]] = {}
        for source in sources:
            groups.setdefault(_formula(source.encoding), []).append(source)
        ordered = [source for formula in sorted(groups, key=repr) for source in groups[formula]]
        self.sources = tuple(ordered)
        encodings = [source.encoding for source in ordered]
        if ordered and ordered[0].encoding.table.of_bits:
            places = tuple((encoding.first - first) // 8 for encoding in encodings)
            self._read: Callable[[bytes], Sequence[Raw]] = _identity
        else:
            reader = RegisterReader(first, encodings)
            places, self._read = reader.places, reader.read
        self._passes: list[Pass] = []
        self._converted: list[tuple[int, int, Convert]] = []
        index = 0
        for formula in sorted(groups, key=repr):
            members = [(places[index + i], source.encoding) for i, source in enumerate(groups[formula])]
            if formula[0] == _ALONE:
                self._converted += [(index + i, place, _converter(e, first)) for i, (place, e) in enumerate(members)]
                self._passes.append(_placeholders(len(members)))
            else:
                self._passes.append(_compile_pass(formula, members, first))
            index += len(members)
        self._sentinels = [
            (i, places[i], int(low), int(high))
            for i, encoding in enumerate(encodings)
            if _formula(encoding)[0] != _ALONE
            for low, high in encoding.bad_when
        ]
        self._limited = [
            (i, *source.limits)
            for i, source in enumerate(ordered)
            if source.limits is not None and not source.is_deferred
        ]

    def decode(self, data: bytes, flaws: dict[int, Status], base: int = 0) -> list[MaybeValue]:
        """Values in the order of `sources`; None where bad. What is not Good goes into `flaws`, by index + `base`."""
        raws = self._read(data)
        values: list[MaybeValue] = []
        for each in self._passes:
            values += each(raws)
        for index, place, convert in self._converted:
            value = convert(raws[place])
            if isinstance(value, Status):
                flaws[base + index] = value
            else:
                values[index] = value
        for index, place, low, high in self._sentinels:
            if low <= cast("int", raws[place]) <= high:
                flaws[base + index] = Status.BadSensorFailure
                values[index] = None
        if None in values:
            for index, missing in enumerate(values):
                if missing is None:
                    flaws.setdefault(base + index, Status.BadOutOfRange)
        for index, least, most in self._limited:
            limited = values[index]
            if limited is not None and not least <= limited <= most:  # type: ignore[operator]  # numbers only have limits
                flaws[base + index] = Status.UncertainEngineeringUnitsExceeded
        return values


def _identity(data: bytes) -> Sequence[Raw]:
    return data


_ALONE, _AS_IS, _LINEAR, _FLOAT, _FLAG = "alone", "as is", "linear", "float", "flag"


def _formula(encoding: Encoding) -> tuple[object, ...]:
    """What points must have in common to be converted in one pass; (_ALONE,) for those that need steps of their own."""
    data_type = encoding.type
    if encoding.mask is not None and encoding.field is None and data_type.form in (Form.BOOL, Form.INTEGER):
        return _FLAG, encoding.invert
    if encoding.words or encoding.true_when or encoding.field is not None or encoding.scale_from is not None:
        return (_ALONE,)
    if data_type.form is Form.FLOAT and data_type.bits < 64 and not encoding.bad_when:
        return _FLOAT, data_type.bits, encoding.scale, encoding.offset
    if data_type.form is not Form.INTEGER:
        return (_ALONE,)
    factor, addend, power = fraction_of(encoding.scale, encoding.offset)
    if (factor, addend, power) == (1, 0, 1):
        return (_AS_IS,)
    furthest = max(abs(bound * factor + addend) for bound in raw_span(data_type))
    if power == 1 or furthest <= FLOAT_DIGITS:
        return _LINEAR, factor, addend, power
    return (_ALONE,)


def _compile_pass(formula: tuple[object, ...], members: Sequence[tuple[int, Encoding]], first: int) -> Pass:
    pick = _picker([place for place, _ in members])
    if formula[0] == _AS_IS:
        return lambda raws: list(cast("Sequence[int]", pick(raws)))
    if formula[0] == _LINEAR:
        return _linear(
            cast("Callable[[Sequence[Raw]], Sequence[int]]", pick), *cast("tuple[int, int, int]", formula[1:])
        )
    if formula[0] == _FLOAT:
        bits, scale, offset = cast("tuple[int, Decimal, Decimal]", formula[1:])
        if bits == 32 and scale == 1 and offset == 0:
            convert = shortest_floats(len(members))
            return lambda raws: convert(cast("Sequence[float]", pick(raws)))
        table = float_table(bits, scale, offset).__getitem__
        return lambda raws: list(map(table, cast("Sequence[float]", pick(raws))))
    masks = [(place, _mask(encoding, first)) for place, encoding in members]
    if formula[1]:
        return lambda raws: [not (cast("int", raws[place]) & mask) for place, mask in masks]
    return lambda raws: [(cast("int", raws[place]) & mask) != 0 for place, mask in masks]


def _mask(encoding: Encoding, first: int) -> int:
    if encoding.table.of_bits:
        return 1 << ((encoding.first - first) & 7)
    return cast("int", encoding.mask)


def _linear(pick: Callable[[Sequence[Raw]], Sequence[int]], factor: int, addend: int, power: int) -> Pass:
    if power == 1:
        return lambda raws: [raw * factor + addend for raw in pick(raws)]
    if addend == 0:
        if factor == 1:
            return lambda raws: [raw / power for raw in pick(raws)]
        return lambda raws: [raw * factor / power for raw in pick(raws)]
    return lambda raws: [(raw * factor + addend) / power for raw in pick(raws)]


def _picker(places: Sequence[int]) -> Callable[[Sequence[Raw]], Sequence[Raw]]:
    first, count = places[0], len(places)
    if list(places) == list(range(first, first + count)):
        run = slice(first, first + count)
        return lambda raws: raws[run]
    return cast("Callable[[Sequence[Raw]], Sequence[Raw]]", itemgetter(*places))


def _placeholders(count: int) -> Pass:
    nothing: list[MaybeValue] = [None] * count
    return lambda _: nothing


def _converter(encoding: Encoding, first: int) -> Convert:
    """The steps from one raw value to its value: pattern, field, sentinels, then words or scale."""
    form = encoding.type.form
    if form is Form.STRING:
        return _decode_text
    if form is Form.FLOAT:
        return _float_converter(encoding)
    take = _integer_taker(encoding, first)
    sentinels = [(int(low), int(high)) for low, high in encoding.bad_when]
    finish = _finisher(encoding)

    def convert(raw: Raw) -> Value | Status:
        number = take(cast("int", raw))
        if isinstance(number, Status):
            return number
        for low, high in sentinels:
            if low <= number <= high:
                return Status.BadSensorFailure
        return finish(number)

    return convert


def _integer_taker(encoding: Encoding, first: int) -> Callable[[int], int | Status]:
    """The raw number in what was read: a bit of a coil byte, a field, the digits of a BCD pattern, or all of it."""
    if encoding.type.form is Form.BCD:
        digits, patterns = encoding.type.bits // 4, encoding.bad_patterns
        return lambda raw: _decode_bcd(raw, digits, patterns)
    if encoding.type is BOOL:
        shift = (encoding.first - first) & 7
        return lambda raw: raw >> shift & 1
    if encoding.field is None:
        return lambda raw: raw
    low, width = encoding.field
    ones = (1 << width) - 1
    if not encoding.type.signed:
        return lambda raw: raw >> low & ones
    sign = 1 << (width - 1)
    return lambda raw: ((raw >> low & ones) ^ sign) - sign


def _decode_bcd(pattern: int, digits: int, sentinels: Sequence[tuple[int, int]]) -> int | Status:
    for low, high in sentinels:
        if low <= pattern <= high:
            return Status.BadSensorFailure
    number = 0
    for shift in range(4 * digits - 4, -4, -4):
        digit = pattern >> shift & 15
        if digit > 9:
            return Status.BadDecodingError
        number = number * 10 + digit
    return number


def _finisher(encoding: Encoding) -> Callable[[int], Value | Status]:
    if encoding.words:
        words = dict(encoding.words)
        return lambda number: words.get(number, Status.BadOutOfRange)
    if encoding.true_when:
        spans = encoding.true_when
        return lambda number: any(low <= number <= high for low, high in spans)
    if encoding.mask is not None:
        mask, invert = encoding.mask, encoding.invert
        return lambda number: (number & mask != 0) is not invert
    if encoding.scale_from is not None:
        return lambda number: number
    factor, addend, power = fraction_of(encoding.scale, encoding.offset)
    return lambda number: divide_exactly(number * factor + addend, power)


def _float_converter(encoding: Encoding) -> Convert:
    bits, scale, offset = encoding.type.bits, encoding.scale, encoding.offset
    as_is = encoding.scale_from is not None or (scale == 1 and offset == 0)
    sentinels = [(float(low), float(high)) for low, high in encoding.bad_when]

    def convert(raw: Raw) -> Value | Status:
        read = cast("float", raw)
        if not math.isfinite(read):
            return Status.BadOutOfRange
        number = shortest(read, bits)
        for low, high in sentinels:
            if low <= number <= high:
                return Status.BadSensorFailure
        scaled = number if as_is else scale_float(number, scale, offset)
        return Status.BadOutOfRange if scaled is None else scaled

    return convert


def _decode_text(raw: Raw) -> Value | Status:
    """Trailing NULs and blanks are trimmed; what is no printable UTF-8 then is not text."""
    try:
        text = cast("bytes", raw).rstrip(b"\0 \t\r\n").decode()
    except UnicodeDecodeError:
        return Status.BadDecodingError
    return text if text.isprintable() else Status.BadDecodingError
