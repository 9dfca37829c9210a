"""Registers to values: every type, order and key of the contract, against an encoder that is not ours."""

from __future__ import annotations

import json
import math
import struct
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Status
from tests.unit.drivers.modbus.build import answer, plan, read, read_one, to_registers

ORDERS = ("ABCD", "BADC", "CDAB", "DCBA")
GOOD = Status.Good

RAWS: dict[str, st.SearchStrategy[Any]] = {
    "int16": st.integers(-(2**15), 2**15 - 1),
    "uint16": st.integers(0, 2**16 - 1),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "uint32": st.integers(0, 2**32 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "float16": st.floats(width=16, allow_nan=False, allow_infinity=False),
    "float32": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "float64": st.floats(allow_nan=False, allow_infinity=False),
    "bcd16": st.integers(0, 9999),
    "bcd32": st.integers(0, 99_999_999),
}
INTEGERS = ("int16", "uint16", "int32", "uint32", "int64", "uint64", "bcd16", "bcd32")
SCALES = st.sampled_from([1, 0.1, 0.01, 0.001, 0.5, 2, 10, 0.25, 1e-6, 0.123456, -0.1, 1000, 3.6, 1e6])
OFFSETS = st.sampled_from([0, -40, 0.5, -273.15, 1000, 1e-3])


@pytest.mark.parametrize("type_name", RAWS)
@pytest.mark.parametrize("order", ORDERS)
@given(data=st.data())
def test_every_type_in_every_order_reads_back(type_name: str, order: str, data: st.DataObject) -> None:
    raw = data.draw(RAWS[type_name])
    value, status = read_one(
        {"at": "holding:0", "type": type_name, "order": order}, to_registers(type_name, order, raw)
    )
    assert status is GOOD
    if type_name in ("float16", "float32"):
        code = {"float16": ">e", "float32": ">f"}[type_name]
        assert isinstance(value, float)
        assert struct.pack(code, value) == struct.pack(code, raw + 0.0)
    else:
        assert value == raw
        assert isinstance(value, float if type_name == "float64" else int)


@pytest.mark.parametrize("type_name", INTEGERS)
@given(data=st.data(), scale=SCALES, offset=OFFSETS)
def test_integers_stay_exact_through_scale_and_offset(
    type_name: str, data: st.DataObject, scale: float, offset: float
) -> None:
    raw = data.draw(RAWS[type_name])
    keys = {"at": "holding:0", "type": type_name, "scale": scale, "offset": offset}
    value, status = read_one(keys, to_registers(type_name, "ABCD", raw))
    exact = Fraction(raw) * Fraction(repr(scale)) + Fraction(repr(offset))
    assert status is GOOD
    assert isinstance(value, (int, float, Decimal))
    assert not isinstance(value, bool)
    assert Fraction(str(value)) == exact


@given(raw=RAWS["float32"], scale=SCALES, offset=OFFSETS)
def test_a_float_is_scaled_in_decimal_on_its_shortest_digits(raw: float, scale: float, offset: float) -> None:
    registers = to_registers("float32", "ABCD", raw)
    plain, _ = read_one({"at": "holding:0", "type": "float32"}, registers)
    value, status = read_one({"at": "holding:0", "type": "float32", "scale": scale, "offset": offset}, registers)
    exact = Fraction(repr(plain)) * Fraction(repr(scale)) + Fraction(repr(offset))
    assert status is GOOD
    assert value == exact.numerator / exact.denominator


def test_123_times_a_tenth_is_12_3() -> None:
    value, _ = read_one({"at": "holding:0", "scale": 0.1}, [123])
    assert repr(value) == "12.3"


def test_a_uint64_keeps_all_its_digits() -> None:
    registers = to_registers("uint64", "ABCD", 18_446_744_073_709_551_615)
    keys = {"at": "holding:0", "type": "uint64"}
    assert read_one(keys, registers) == (18_446_744_073_709_551_615, GOOD)
    value, _ = read_one({**keys, "scale": 0.001}, registers)
    assert isinstance(value, Decimal)
    assert str(value) == "18446744073709551.615"


@pytest.mark.parametrize(("type_name", "pattern"), [("float16", 0x7C00), ("float16", 0x7E00), ("float16", 0xFC00)])
def test_no_half_float_is_infinite(type_name: str, pattern: int) -> None:
    assert read_one({"at": "holding:0", "type": type_name}, [pattern]) == (None, Status.BadOutOfRange)


@pytest.mark.parametrize("type_name", ["float32", "float64"])
@pytest.mark.parametrize("raw", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("more", [{}, {"scale": 0.1}, {"bad_when": [0]}, {"scale": 2, "offset": 1}])
def test_nan_and_infinities_are_bad(type_name: str, raw: float, more: dict[str, Any]) -> None:
    registers = to_registers(type_name, "ABCD", raw)
    keys = {"at": "holding:0", "type": type_name, **more}
    assert read_one(keys, registers) == (None, Status.BadOutOfRange)


def test_a_float_that_overflows_by_its_scale_is_bad() -> None:
    registers = to_registers("float64", "ABCD", 1e308)
    assert read_one({"at": "holding:0", "type": "float64", "scale": 100}, registers) == (None, Status.BadOutOfRange)


@given(raw=st.integers(0, 0xFFFF), order=st.sampled_from(ORDERS), byte=st.sampled_from([None, "low", "high"]))
def test_bytes_of_a_register(raw: int, order: str, byte: str | None) -> None:
    register = (raw & 0xFF) << 8 | raw >> 8 if order in ("BADC", "DCBA") else raw
    keys = {"at": "holding:0", "order": order, **({} if byte is None else {"byte": byte})}
    wanted = raw >> 8 if byte == "high" else raw & 0xFF
    assert read_one({**keys, "type": "uint8"}, [register]) == (wanted, GOOD)
    assert read_one({**keys, "type": "int8"}, [register]) == (wanted - 256 * (wanted > 127), GOOD)


@given(raw=st.integers(0, 0xFFFF), order=st.sampled_from(ORDERS), bit=st.integers(0, 15), invert=st.booleans())
def test_single_bits_are_taken_after_the_bytes_are_swapped(raw: int, order: str, bit: int, invert: bool) -> None:
    register = (raw & 0xFF) << 8 | raw >> 8 if order in ("BADC", "DCBA") else raw
    keys = {"at": f"holding:0.{bit}", "order": order, "invert": invert}
    assert read_one(keys, [register]) == (bool(raw >> bit & 1) is not invert, GOOD)


@given(data=st.data(), bits=st.sampled_from([8, 16, 32, 64]), order=st.sampled_from(ORDERS), signed=st.booleans())
def test_bit_fields_of_any_width(data: st.DataObject, bits: int, order: str, signed: bool) -> None:
    low = data.draw(st.integers(0, bits - 1))
    width = data.draw(st.integers(1, bits - low))
    raw = data.draw(st.integers(0, 2**bits - 1))
    registers = to_registers(f"uint{max(bits, 16)}", order, raw)
    keys = {"at": f"holding:0.{low}:{width}", "type": f"{'' if signed else 'u'}int{bits}", "order": order}
    wanted = raw >> low & (2**width - 1)
    if signed and wanted >> (width - 1):
        wanted -= 2**width
    assert read_one(keys, registers) == (wanted, GOOD)


def test_a_field_can_be_scaled_and_can_have_words() -> None:
    assert read_one({"at": "holding:0.4:8", "scale": 0.1}, [0x0FF0]) == (25.5, GOOD)
    assert read_one({"at": "holding:0.12:4", "enum": {2: "warning", 3: "shutdown"}}, [0x2000]) == ("warning", GOOD)


@pytest.mark.parametrize("table", ["coil", "discrete"])
@given(bits=st.lists(st.booleans(), min_size=1, max_size=40), data=st.data())
def test_coils_and_discretes(table: str, bits: list[bool], data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.integers(0, len(bits) - 1), min_size=1, unique=True))
    points = {f"p{at}": {"at": f"{table}:{at}", "invert": at % 2 == 1} for at in wanted}
    found = read(points, **{table: bits})
    assert found == {f"p{at}": (bits[at] is not (at % 2 == 1), GOOD) for at in wanted}


def test_a_whole_register_as_boolean_is_true_unless_zero() -> None:
    keys = {"at": "holding:0", "type": "bool"}
    assert [read_one(keys, [raw])[0] for raw in (0, 1, 0x8000)] == [False, True, True]
    assert [read_one({**keys, "invert": True}, [raw])[0] for raw in (0, 1)] == [True, False]


def test_words_for_raw_values_and_none_for_others() -> None:
    keys = {"at": "holding:0", "enum": {0: "stopped", "0x01": "running"}}
    assert read_one(keys, [0]) == ("stopped", GOOD)
    assert read_one(keys, [1]) == ("running", GOOD)
    assert read_one(keys, [2]) == (None, Status.BadOutOfRange)
    signed = {"at": "holding:0", "type": "int16", "enum": {-1: "off", 0x8000: "unknown"}}
    assert read_one(signed, [0xFFFF]) == ("off", GOOD)
    assert read_one(signed, [0x8000]) == ("unknown", GOOD)


def test_words_for_a_coil_and_for_a_bit() -> None:
    words = {0: "open", 1: "closed"}
    assert read({"door": {"at": "coil:9", "enum": words}}, coil=[0] * 9 + [1])["door"] == ("closed", GOOD)
    assert read_one({"at": "holding:0.15", "enum": words}, [0x8000]) == ("closed", GOOD)
    assert read_one({"at": "holding:0.15", "enum": words}, [0x7FFF]) == ("open", GOOD)


@given(raw=st.integers(0, 0xFFFF), order=st.sampled_from(ORDERS))
def test_bits_give_one_boolean_per_word(raw: int, order: str) -> None:
    register = (raw & 0xFF) << 8 | raw >> 8 if order in ("BADC", "DCBA") else raw
    found = read(
        {"alarm": {"at": "holding:0", "order": order, "bits": {0: "low_oil", 15: "overspeed"}}}, holding=[register]
    )
    assert found == {"alarm_low_oil": (bool(raw & 1), GOOD), "alarm_overspeed": (bool(raw >> 15), GOOD)}


def test_bits_of_wide_types_and_of_fields() -> None:
    found = read({"a": {"at": "holding:0", "type": "uint32", "bits": {31: "top"}}}, holding=[0x8000, 0])
    assert found == {"a_top": (True, GOOD)}
    found = read({"a": {"at": "holding:0.8:4", "bits": {0: "first", 3: "last"}}}, holding=[0x0800])
    assert found == {"a_first": (False, GOOD), "a_last": (True, GOOD)}


@pytest.mark.parametrize(
    ("type_name", "bad_when", "registers", "is_bad"),
    [
        ("uint16", 65535, [0xFFFF], True),
        ("uint16", "0xFFF8..0xFFFF", [0xFFF8], True),
        ("uint16", "0xFFF8..0xFFFF", [0xFFF7], False),
        ("uint16", [20000, 50000], [50000], True),
        ("uint16", [20000, 50000], [30000], False),
        ("int16", 32767, [0x7FFF], True),
        ("int16", "0x8000", [0x8000], True),
        ("int16", "0xFFF8..0xFFFF", [0xFFFC], True),
        ("int16", -1, [0xFFFF], True),
        ("int32", "0x7FFFFFF8..0x7FFFFFFF", [0x7FFF, 0xFFFB], True),
        ("uint64", "0xFFFFFFFFFFFFFFFF", [0xFFFF] * 4, True),
        ("bcd16", 9999, [0x9999], True),
        ("bcd16", "0xFFFF", [0xFFFF], True),
        ("uint8", 255, [0x12FF], True),
        ("float32", -9999, to_registers("float32", "ABCD", -9999.0), True),
        ("float32", 999.9, to_registers("float32", "ABCD", 999.9), True),
        ("float32", "1e30..1e38", to_registers("float32", "ABCD", 5e37), True),
        ("float64", 999.9, to_registers("float64", "ABCD", 999.8), False),
    ],
)
@pytest.mark.parametrize("more", [{}, {"scale": 0.1}, {"scale": 2, "offset": -1}])
def test_raw_values_that_mean_no_sensor(
    type_name: str, bad_when: object, registers: list[int], is_bad: bool, more: dict[str, Any]
) -> None:
    value, status = read_one({"at": "holding:0", "type": type_name, "bad_when": bad_when, **more}, registers)
    assert status is (Status.BadSensorFailure if is_bad else GOOD)
    assert (value is None) is is_bad


def test_no_sensor_of_a_word_of_bits_is_bad_for_all_its_points() -> None:
    found = read({"a": {"at": "holding:0", "bits": {0: "x", 1: "y"}, "bad_when": 0xFFFF}}, holding=[0xFFFF])
    assert found == {"a_x": (None, Status.BadSensorFailure), "a_y": (None, Status.BadSensorFailure)}


@pytest.mark.parametrize(
    ("keys", "raw", "expected"),
    [
        ({"true_when": 47}, 47, (True, GOOD)),
        ({"true_when": 47}, 46, (False, GOOD)),
        ({"true_when": ["2..4", 10]}, 3, (True, GOOD)),
        ({"true_when": ["2..4", 10]}, 10, (True, GOOD)),
        ({"true_when": ["2..4", 10]}, 5, (False, GOOD)),
        ({"true_when": "2..4", "bad_when": 15}, 15, (None, Status.BadSensorFailure)),
        ({"true_when": "2..4", "bad_when": [3]}, 3, (None, Status.BadSensorFailure)),
        ({"true_when": [-1], "type": "int16"}, 0xFFFF, (True, GOOD)),
        ({"true_when": ["0xFFFF"], "type": "int16"}, 0xFFFF, (True, GOOD)),
        ({"true_when": [12], "type": "bcd16"}, 0x0012, (True, GOOD)),
        ({"true_when": [12], "type": "bcd16"}, 12, (None, Status.BadDecodingError)),
    ],
)
def test_raw_values_that_mean_true(keys: dict[str, Any], raw: int, expected: tuple[object, Status]) -> None:
    assert read_one({"at": "holding:0", **keys}, [raw]) == expected


def test_four_packed_alarms_of_one_register() -> None:
    alarms = {
        name: {"at": f"holding:0.{bit}:4", "true_when": "2..4", "bad_when": 15}
        for name, bit in (("a", 12), ("b", 8), ("c", 4), ("d", 0))
    }
    found = read(alarms, holding=[0x13F4])
    assert found == {
        "a": (False, GOOD),
        "b": (True, GOOD),
        "c": (None, Status.BadSensorFailure),
        "d": (True, GOOD),
    }


@pytest.mark.parametrize("pattern", [0x000A, 0x1F00, 0xA000])
def test_invalid_bcd_is_a_decoding_error(pattern: int) -> None:
    assert read_one({"at": "holding:0", "type": "bcd16"}, [pattern]) == (None, Status.BadDecodingError)
    assert read_one({"at": "holding:0", "type": "bcd32"}, [0x1234, pattern]) == (None, Status.BadDecodingError)


@pytest.mark.parametrize("order", ORDERS)
@given(text=st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=8))
def test_text_in_every_order(order: str, text: str) -> None:
    encoded = text.encode()
    length = max(1, len(encoded) + 1)
    registers = to_registers(f"string:{length}", order, encoded)
    assert read_one({"at": "holding:0", "type": f"string:{length}", "order": order}, registers) == (text, GOOD)


@pytest.mark.parametrize("raw", [b"DSE7320 \0\0\0", b"DSE7320\0    ", b"DSE7320", b"DSE7320\r\n"])
def test_trailing_nuls_and_blanks_are_trimmed(raw: bytes) -> None:
    assert read_one({"at": "holding:0", "type": "string:12"}, to_registers("string:12", "ABCD", raw)) == (
        "DSE7320",
        GOOD,
    )


@pytest.mark.parametrize("raw", [b"\xff\xff\xff\xff", b"AB\0C", b"\x01\x02"])
def test_bytes_that_are_no_text_are_a_decoding_error(raw: bytes) -> None:
    registers = to_registers("string:4", "ABCD", raw)
    assert read_one({"at": "holding:0", "type": "string:4"}, registers) == (None, Status.BadDecodingError)


def test_a_string_of_odd_length_ends_within_its_last_register() -> None:
    assert read_one({"at": "holding:0", "type": "string:3"}, [0x4142, 0x4358]) == ("ABC", GOOD)
    assert read_one({"at": "holding:0", "type": "string:3", "order": "BADC"}, [0x4241, 0x5843]) == ("ABC", GOOD)


@pytest.mark.parametrize("keys", [{"scale": 0.1}, {"type": "float32", "scale": 0.1}, {"type": "bcd16", "scale": 0.1}])
def test_outside_its_limits_a_value_is_uncertain_and_kept(keys: dict[str, Any]) -> None:
    type_name = keys.get("type", "uint16")
    for raw, status in ((40, GOOD), (0, GOOD), (41, Status.UncertainEngineeringUnitsExceeded)):
        registers = to_registers(type_name, "ABCD", raw)
        value, found = read_one({"at": "holding:0", "range": (0, 4), **keys}, registers)
        assert (value, found) == (raw / 10, status)


def test_overlapping_and_nested_points_are_served_by_one_read() -> None:
    points = {
        "whole": {"at": "holding:0", "type": "uint32"},
        "high": {"at": "holding:0"},
        "low": {"at": "holding:1"},
        "flag": {"at": "holding:1.3"},
        "name": {"at": "holding:0", "type": "string:4"},
    }
    compiled = plan(points)
    assert [job.request.hex() for job in compiled.jobs()] == ["0300000002"]
    values = compiled.decode([(compiled.jobs()[0], answer(compiled.jobs()[0], {"holding": [0x4142, 0x4348]}))], 0.0)
    assert dict(zip(values.points, values.values, strict=True)) == {
        "whole": 0x41424348,
        "high": 0x4142,
        "low": 0x4348,
        "flag": True,
        "name": "ABCH",
    }


@given(data=st.data())
def test_many_points_of_many_formulas_do_not_disturb_each_other(data: st.DataObject) -> None:
    registers: list[int] = []
    points: dict[str, dict[str, Any]] = {}
    wanted: dict[str, Fraction] = {}
    for index in range(data.draw(st.integers(1, 25))):
        type_name = data.draw(st.sampled_from(["int16", "uint16", "int32", "uint32", "int64", "float32", "bcd32"]))
        order = data.draw(st.sampled_from(ORDERS))
        raw = data.draw(st.integers(0, 9999))
        scale, offset = data.draw(SCALES), data.draw(OFFSETS)
        registers += [0xDEAD] * data.draw(st.integers(0, 3))
        points[f"p{index}"] = {
            "at": f"holding:{len(registers)}", "type": type_name, "order": order, "scale": scale, "offset": offset,
        }  # fmt: skip
        registers += to_registers(type_name, order, raw)
        wanted[f"p{index}"] = Fraction(raw) * Fraction(repr(scale)) + Fraction(repr(offset))
    found = read(points, holding=registers)
    assert found.keys() == wanted.keys()
    for name, (value, status) in found.items():
        assert status is GOOD
        assert value == wanted[name].numerator / wanted[name].denominator or Fraction(str(value)) == wanted[name]


VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["device"])
def test_answers_of_real_devices(vector: dict[str, Any]) -> None:
    memory = {vector["table"]: dict(enumerate(vector["cells"], vector["first"]))}
    found = read(vector["points"], **memory)
    assert found == {name: (value, GOOD) for name, value in vector["values"].items()}
