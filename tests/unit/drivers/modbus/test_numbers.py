"""Exact arithmetic and shortest decimals."""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.modbus.numbers import (
    divide_exactly,
    float_table,
    fraction_of,
    shortest,
    shortest_decimal,
    shortest_floats,
    to_number,
)

CODES = {16: ">e", 32: ">f"}


def shortest_by_search(value: float, bits: int) -> int:
    """How many digits the shortest decimal has that reads back: all decimals near the value are tried."""
    wire = struct.pack(CODES[bits], value)
    exact = Decimal(value)
    for digits in range(1, 12):
        step = Decimal(1).scaleb(exact.adjusted() - digits + 1)
        near = int(exact / step)
        for number in range(near - 2, near + 3):
            try:
                if struct.pack(CODES[bits], float(number * step)) == wire:
                    return digits
            except OverflowError:
                continue
    raise AssertionError(value)


def from_pattern(pattern: int, bits: int) -> float:
    return struct.unpack(CODES[bits], pattern.to_bytes(bits // 8, "big"))[0]


@given(pattern=st.integers(0, 2**32 - 1))
@example(0x3DCCCCCD)  # 0.1
@example(0x4C000004)  # 33554448, whose shortest decimal lies on a tie
@example(0x00000001)  # the smallest
@example(0x7F7FFFFF)  # the largest
@example(0x0D800000)  # a power of two far down
def test_the_shortest_float32(pattern: int) -> None:
    check_shortest(from_pattern(pattern, 32), 32)


@given(power=st.integers(-149, 127), step=st.integers(-3, 3), sign=st.sampled_from([1, -1]))
def test_the_shortest_float32_about_powers_of_two(power: int, step: int, sign: int) -> None:
    pattern = struct.unpack(">I", struct.pack(">f", 2.0**power))[0] + step
    if 0 <= pattern < 0x7F800000:
        check_shortest(sign * from_pattern(pattern, 32), 32)


@given(value=st.decimals(-999999, 999999, places=2))
def test_a_float32_made_from_few_digits_gives_them_back(value: Decimal) -> None:
    near = struct.unpack(">f", struct.pack(">f", float(value)))[0]
    if len(value.normalize().as_tuple().digits) <= 6:
        assert Decimal(repr(shortest(near, 32))) == value


def test_every_float16() -> None:
    for pattern in range(2**16):
        value = from_pattern(pattern, 16)
        if math.isfinite(value) and value:
            check_shortest(value, 16)


def check_shortest(value: float, bits: int) -> None:
    if not math.isfinite(value) or not value:
        return
    number, places = shortest_decimal(value, bits)
    found = shortest(value, bits)
    assert struct.pack(CODES[bits], found) == struct.pack(CODES[bits], value)
    assert Fraction(repr(found)) == Fraction(number) / Fraction(10) ** places
    digits = len(str(abs(number)).rstrip("0"))
    assert digits == shortest_by_search(value, bits)


@given(
    patterns=st.lists(
        st.one_of(
            st.integers(0, 2**32 - 1),
            st.sampled_from([0, 0x80000000, 0x7F800000, 0x7FC00000, 0x7F7FFFFF, 1, 0x4C000004]),
            st.decimals(-9999, 9999, places=2).map(lambda value: struct.unpack(">I", struct.pack(">f", value))[0]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_many_at_once_are_what_each_is_alone(patterns: list[int]) -> None:
    raws = tuple(from_pattern(pattern, 32) for pattern in patterns)
    table = float_table(32, Decimal(1), Decimal(0))
    convert = shortest_floats(len(raws))
    wanted = [repr(table[raw]) for raw in raws]
    assert [repr(value) for value in convert(raws)] == wanted
    assert [repr(value) for value in convert(raws)] == wanted


def test_what_was_given_out_is_not_changed_by_its_taker() -> None:
    convert = shortest_floats(2)
    convert((1.5, 2.5))[0] = None
    assert convert((1.5, 2.5)) == [1.5, 2.5]


def test_zero_has_no_sign() -> None:
    assert math.copysign(1, shortest(-0.0, 32)) == 1
    assert math.copysign(1, float_table(32, Decimal(-1), Decimal(0))[0.0] or 0.0) == 1


def test_a_table_starts_anew_when_it_is_full() -> None:
    table = float_table(32, Decimal("0.125"), Decimal(7))
    for number in range(20_000):
        assert table[float(number)] == number / 8 + 7
    assert len(table) <= 4096


@given(
    scale=st.decimals(-1000, 1000, places=4).filter(bool),
    offset=st.decimals(-1000, 1000, places=3),
    raw=st.integers(-(2**63), 2**64 - 1),
)
def test_fractions_and_divisions_lose_nothing(scale: Decimal, offset: Decimal, raw: int) -> None:
    factor, addend, power = fraction_of(scale, offset)
    exact = Fraction(raw) * Fraction(scale) + Fraction(offset)
    assert Fraction(raw * factor + addend, power) == exact
    assert Fraction(str(divide_exactly(raw * factor + addend, power))) == exact


@pytest.mark.parametrize(
    ("numerator", "power", "wanted"),
    [
        (123, 10, 12.3),
        (120, 10, 12.0),
        (7, 1, 7),
        (10**17, 10, 10**16),
        (10**17 + 1, 10, Decimal("10000000000000000.1")),
    ],
)
def test_what_kind_of_number_comes_out(numerator: int, power: int, wanted: object) -> None:
    found = divide_exactly(numerator, power)
    assert (found, type(found)) == (wanted, type(wanted))


def test_a_decimal_becomes_the_plainest_number_that_holds_it() -> None:
    assert [type(to_number(Decimal(text))) for text in ("5.0", "0.5", "12345678901234567.5")] == [int, float, Decimal]
