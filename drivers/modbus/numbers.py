"""Exact numbers: raw * scale + offset without a digit too many or too few, and floats as their shortest decimals."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from decimal import Context, Decimal
from functools import lru_cache

#: Every decimal of up to 15 significant digits survives a float (C: DBL_DIG).
FLOAT_DIGITS = 10**15
#: Wide enough for a 64-bit integer times any scale of 30 digits plus any offset.
_EXACT = Context(prec=160)
#: Cached results per formula; analogue values keep coming back, as converters have steps.
_CACHE_ENTRIES = 4096


def fraction_of(scale: Decimal, offset: Decimal) -> tuple[int, int, int]:
    """Integers n, o, d with raw * scale + offset = (raw * n + o) / d; d is a power of ten and as small as can be."""
    places = max(0, -_exponent(scale), -_exponent(offset))
    power: int = 10**places
    return int(scale * power), int(_EXACT.multiply(offset, Decimal(power))), power


def _exponent(number: Decimal) -> int:
    """Decimal exponent without trailing zeros: 0 for 20, -1 for 2.50e0's 2.5."""
    exponent = number.normalize(_EXACT).as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def divide_exactly(numerator: int, power: int) -> int | float | Decimal:
    """numerator / power, a power of ten: a float where one holds all digits, else an int or a Decimal."""
    if power == 1:
        return numerator
    if -FLOAT_DIGITS <= numerator <= FLOAT_DIGITS:
        return numerator / power
    whole, rest = divmod(numerator, power)
    if not rest:
        return whole
    exact = _EXACT.divide(Decimal(numerator), Decimal(power))
    nearest = numerator / power
    return nearest if Decimal(repr(nearest)) == exact else exact


def to_number(exact: Decimal) -> int | float | Decimal:
    """The same for a finite Decimal."""
    if exact == exact.to_integral_value():
        return int(exact)
    nearest = float(exact)
    return nearest if Decimal(repr(nearest)) == exact else exact


def scale_exactly(raw: Decimal, factor: Decimal, offset: Decimal) -> Decimal:
    return _EXACT.add(_EXACT.multiply(raw, factor), offset)


def multiply_exactly(left: Decimal, right: Decimal) -> Decimal:
    return _EXACT.multiply(left, right)


def exact_of(value: float | Decimal) -> Decimal:
    """A value as the decimal it is written as."""
    return value if isinstance(value, Decimal) else Decimal(repr(value))


_PACKERS = {16: struct.Struct(">e"), 32: struct.Struct(">f")}
#: Every decimal of the first number of digits survives the format, every value of the format survives the last.
_DIGITS = {16: (3, 5), 32: (6, 9)}
#: A quarter of a step of the format, in steps of the float64 that holds the value (11 and 24 bits of precision of 53).
_QUARTER_STEP = {16: 2.0**40, 32: 2.0**27}
_LEAST_NORMAL = {16: 2.0**-14, 32: 2.0**-126}


def shortest(value: float, bits: int) -> float:
    """The shortest decimal that reads back as the finite float16 or float32 `value`, as a float."""
    if bits == 64 or value == 0:
        return value + 0.0
    few, many = _DIGITS[bits]
    step = math.ulp(value)
    if not -_LEAST_NORMAL[bits] < value < _LEAST_NORMAL[bits]:
        candidate = float(f"{value:.{few}g}")
        if abs(candidate - value) < step * _QUARTER_STEP[bits]:
            return candidate
    return _search_shortest(value, bits, few, many)


def _search_shortest(value: float, bits: int, few: int, many: int) -> float:
    if abs(value) < _LEAST_NORMAL[bits] or math.frexp(value)[0] in (0.5, -0.5):
        return _shortest_at_edge(value, bits)
    half_step = math.ulp(value) * _QUARTER_STEP[bits] * 2
    wire = _PACKERS[bits].pack(value)
    while few < many:
        # what fewer digits can say more digits can say as well, so the search may halve
        digits = (few + many) // 2
        candidate = float(f"{value:.{digits}g}")
        distance = abs(candidate - value)
        if distance < half_step or (distance == half_step and _reads_back(candidate, wire, bits)):
            many = digits
        else:
            few = digits + 1
    return float(f"{value:.{many}g}")


def _shortest_at_edge(value: float, bits: int) -> float:
    """The same at powers of two, where the steps below are half as wide as those above, and among subnormals."""
    wire = _PACKERS[bits].pack(value)
    for digits in range(1, _DIGITS[bits][1]):
        for candidate in (float(f"{value:.{digits}g}"), _next_decimal(value, digits)):
            if _reads_back(candidate, wire, bits):
                return candidate
    return float(f"{value:.{_DIGITS[bits][1]}g}")


def _reads_back(candidate: float, wire: bytes, bits: int) -> bool:
    try:
        return _PACKERS[bits].pack(candidate) == wire
    except OverflowError:
        return False


def _next_decimal(value: float, digits: int) -> float:
    """The nearest decimal of `digits` digits that is farther from zero than `value`."""
    exact = Decimal(value)
    step = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    steps = (abs(exact) / step).to_integral_value("ROUND_CEILING")
    return float((steps * step).copy_sign(exact))


class FloatTable(dict[float, float | None]):
    """Raw float to value (shortest decimal, scaled), computed once per raw value; None where there is no finite value.
    Bounded: starts anew when full."""

    __slots__ = ("_compute",)

    def __init__(self, compute: Callable[[float], float | None]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, raw: float) -> float | None:
        if not math.isfinite(raw):
            return None
        if len(self) >= _CACHE_ENTRIES:
            self.clear()
        value = self[raw] = self._compute(raw)
        return value


@lru_cache(maxsize=256)
def float_table(bits: int, scale: Decimal, offset: Decimal) -> FloatTable:
    """One table per formula, shared by all devices."""
    if scale == 1 and offset == 0:
        return FloatTable(lambda raw: shortest(raw, bits))
    factor, _, power = fraction_of(scale, Decimal(0))
    if bits < 64 and offset == 0 and abs(factor) < _SHORT_FACTOR and power < _SHORT_POWER:
        return FloatTable(lambda raw: _scale_short(shortest(raw, bits), factor, power))
    return FloatTable(lambda raw: scale_float(shortest(raw, bits), scale, offset))


#: 9 digits of a float32 times 6 digits are 15; powers of ten to the 22nd are exact floats.
_SHORT_FACTOR, _SHORT_POWER = 10**6, 10**22


def _scale_short(value: float, factor: int, power: int) -> float:
    """Exact for values of up to 9 digits and such factors: the result has at most 15 digits, and three roundings of one
    part in 2^53 stay below half a step of the 15th."""
    return float(f"{value * factor / power:.15g}")


def scale_float(value: float, scale: Decimal, offset: Decimal) -> float | None:
    """value * scale + offset in decimal on the shortest digits of `value`; None past the largest float."""
    result = float(scale_exactly(Decimal(repr(value)), scale, offset))
    return result + 0.0 if math.isfinite(result) else None
