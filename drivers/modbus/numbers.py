"""Exact numbers: raw * scale + offset without a digit too many or too few, and floats as their shortest decimals."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from functools import lru_cache
from math import floor, frexp, isfinite, log10, ulp

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
    factor, addend = (_EXACT.multiply(number, Decimal(power)) for number in (scale, offset))
    return int(factor), int(addend), power


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
#: Below, the steps of the format no longer shrink with the value; above, powers of ten are no exact floats.
_PLAIN = {16: (2.0**-14, 1e5), 32: (1e-13, 1e22)}
_EXACT_TENS = tuple(10.0**power for power in range(23))
_TENS: tuple[int, ...] = tuple(10**power for power in range(64))


def shortest_decimal(value: float, bits: int) -> tuple[int, int]:
    """Integers m and j: m / 10^j is the shortest decimal that reads back as the finite float16 or float32 `value`."""
    least, most = _PLAIN[bits]
    if not least <= abs(value) < most:
        return _shortest_at_edge(value, bits)
    few, many = _DIGITS[bits]
    places = few - 1 - floor(log10(abs(value)))
    quarter = ulp(value) * _QUARTER_STEP[bits]
    number = round(value * _EXACT_TENS[places] if places >= 0 else value / _EXACT_TENS[-places])
    if abs(number) >= _TENS[few]:  # rounded up to one digit more, or the logarithm was
        return _shortest_at_edge(value, bits)
    distance = abs((number / _TENS[places] if places >= 0 else number * _TENS[-places]) - value)
    if distance < quarter:
        return number, places
    if abs(frexp(value)[0]) == 0.5 or distance == 2 * quarter:
        return _shortest_at_edge(value, bits)
    if distance < 2 * quarter:
        return number, places
    # what fewer digits can say more digits can say as well: one less than the most decides which side to look at
    best = many
    for digits in range(many - 1, few, -1):
        longer = places + digits - few
        number = round(value * _EXACT_TENS[longer] if longer >= 0 else value / _EXACT_TENS[-longer])
        distance = abs((number / _TENS[longer] if longer >= 0 else number * _TENS[-longer]) - value)
        if distance > 2 * quarter:
            break
        if distance == 2 * quarter:
            return _shortest_at_edge(value, bits)
        best = digits
    longer = places + best - few
    return round(value * _EXACT_TENS[longer] if longer >= 0 else value / _EXACT_TENS[-longer]), longer


def shortest(value: float, bits: int) -> float:
    """The same as a float; a float64 is its own shortest decimal."""
    if bits == 64 or value == 0:
        return value + 0.0
    number, places = shortest_decimal(value, bits)
    return number / _TENS[places] if places >= 0 else float(number * _TENS[-places])


def _shortest_at_edge(value: float, bits: int) -> tuple[int, int]:
    """The same for any value, slowly: at powers of two the steps below are half as wide as those above, and very small
    and very large values need powers of ten that no float holds."""
    wire = _PACKERS[bits].pack(value)
    exact = Decimal(value)
    for digits in range(1, _DIGITS[bits][1] + 1):
        step = Decimal(1).scaleb(exact.adjusted() - digits + 1)
        near = (exact / step).to_integral_value("ROUND_HALF_EVEN")
        away = (abs(exact) / step).to_integral_value("ROUND_CEILING").copy_sign(exact)
        for number in (near, away):
            if _reads_back(float(number * step), wire, bits):
                return int(number), digits - 1 - exact.adjusted()
    raise ValueError(f"{value} is not a float{bits}")


def _reads_back(candidate: float, wire: bytes, bits: int) -> bool:
    try:
        return _PACKERS[bits].pack(candidate) == wire
    except OverflowError:
        return False


class FloatTable(dict[float, float | None]):
    """Raw float to value (shortest decimal, scaled), computed once per raw value; None where there is no finite value.
    Bounded: starts anew when full."""

    __slots__ = ("_compute",)

    def __init__(self, compute: Callable[[float], float | None]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, raw: float) -> float | None:
        if not isfinite(raw):
            return None
        if len(self) >= _CACHE_ENTRIES:
            self.clear()
        value = self[raw] = self._compute(raw)
        return value


#: So many digits a float32 always keeps: a decimal of no more that reads back is the shortest there is.
_KEPT_DIGITS = 6


def shortest_floats(count: int) -> Callable[[Sequence[float]], list[float | None]]:
    """`count` float32 values at once as their shortest decimals, None where not finite: what `float_table` gives, in a
    few steps for all of an answer where six digits say them, as they mostly do what an instrument measured."""
    pattern = ",".join([f"%.{_KEPT_DIGITS}g"] * count)
    layout = struct.Struct(f"{count}f")
    one = float_table(32, Decimal(1), Decimal(0)).__getitem__

    def convert(raws: Sequence[float]) -> list[float | None]:
        text = pattern % tuple(raws)
        values = [*map(float, text.split(","))]
        if "e-" in text or not isfinite(sum(values)):  # numbers so small have fewer digits
            return [one(raw) for raw in raws]
        wire = layout.pack(*values)
        if wire == layout.pack(*raws):
            return [value + 0.0 for value in values]
        return [
            value + 0.0 if back == raw else one(raw)
            for value, back, raw in zip(values, layout.unpack(wire), raws, strict=True)
        ]

    last: tuple[Sequence[float], list[float | None]] = ((), [])

    def remember(raws: Sequence[float]) -> list[float | None]:
        nonlocal last
        if raws != last[0]:
            last = raws, convert(raws)
        return last[1].copy()

    return remember


@lru_cache(maxsize=256)
def float_table(bits: int, scale: Decimal, offset: Decimal) -> FloatTable:
    """One table per formula, shared by all devices."""
    if scale == 1 and offset == 0:
        return FloatTable(lambda raw: shortest(raw, bits))
    factor, addend, power = fraction_of(scale, offset)

    def compute(raw: float) -> float | None:
        number, places = shortest_decimal(raw, bits) if raw else (0, 0)
        try:
            if places >= 0:
                return (number * factor + addend * _TENS[places]) / (power * _TENS[places])
            return (number * _TENS[-places] * factor + addend) / power
        except OverflowError:
            return None

    return FloatTable(compute)


def scale_float(value: float, scale: Decimal, offset: Decimal) -> float | None:
    """value * scale + offset in decimal on the shortest digits of `value`, a float64; None past the largest float."""
    result = float(scale_exactly(Decimal(repr(value)), scale, offset))
    return result + 0.0 if isfinite(result) else None
