"""Fields against pymodbus, which reads them back; layouts against hand-written registers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from gateway.model import Value
from gateway.sim.registers import Field, Table, pack, unpack

H = Table.HOLDING
TYPES = ModbusClientMixin.DATATYPE


def registers(place: Field, value: Value, factor: Decimal = Decimal(1)) -> list[int]:
    mask, bits = pack(place, value, factor)
    assert bits & ~mask == 0
    data = bits.to_bytes(place.registers * 2, "big")
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


@pytest.mark.parametrize(
    ("type_", "reader", "value"),
    [
        ("int16", TYPES.INT16, -1234),
        ("uint16", TYPES.UINT16, 65000),
        ("int32", TYPES.INT32, -123456789),
        ("uint32", TYPES.UINT32, 4000000000),
        ("int64", TYPES.INT64, -(2**60)),
        ("uint64", TYPES.UINT64, 2**63 + 7),
        ("float32", TYPES.FLOAT32, -12.625),
        ("float64", TYPES.FLOAT64, 3.141592653589793),
    ],
)
@pytest.mark.parametrize(("order", "word_order"), [("ABCD", "big"), ("CDAB", "little")])
def test_numbers_read_back_by_pymodbus(type_: str, reader: TYPES, value: float, order: str, word_order: str) -> None:
    wire = registers(Field(H, 0, type_, order=order), value)
    assert ModbusClientMixin.convert_from_registers(wire, reader, word_order=word_order) == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("place", "value", "wire"),
    [
        (Field(H, 0, "uint32", order="ABCD"), 0x11223344, [0x1122, 0x3344]),
        (Field(H, 0, "uint32", order="BADC"), 0x11223344, [0x2211, 0x4433]),
        (Field(H, 0, "uint32", order="CDAB"), 0x11223344, [0x3344, 0x1122]),
        (Field(H, 0, "uint32", order="DCBA"), 0x11223344, [0x4433, 0x2211]),
        (Field(H, 0, "uint64", order="CDAB"), 0x1122334455667788, [0x7788, 0x5566, 0x3344, 0x1122]),
        (Field(H, 0, "uint16", order="CDAB"), 0x1122, [0x1122]),
        (Field(H, 0, "uint16", order="BADC"), 0x1122, [0x2211]),
        (Field(H, 0, "bcd16"), 1234, [0x1234]),
        (Field(H, 0, "bcd32"), 12345678, [0x1234, 0x5678]),
        (Field(H, 0, "float16"), 1.5, [0x3E00]),
        (Field(H, 0, "int8", high_byte=True), -2, [0xFE00]),
        (Field(H, 0, "uint8"), 200, [0x00C8]),
        (Field(H, 0, "uint8", order="DCBA"), 200, [0xC800]),
        (Field(H, 0, bit=4, width=3), 5, [0x0050]),
        (Field(H, 0, mask=1 << 9), True, [0x0200]),
        (Field(H, 0, mask=1 << 9, invert=True), True, [0x0000]),
        (Field(H, 0, mask=1 << 1, order="BADC"), True, [0x0200]),
        (Field(H, 0, "string", length=5), "abcde", [0x6162, 0x6364, 0x6500]),
        (Field(H, 0, "string", length=4, order="DCBA"), "abcd", [0x6261, 0x6463]),
        (Field(H, 0, scale=Decimal("0.1")), 12.3, [123]),
        (Field(H, 0, "int16", scale=Decimal("0.1"), offset=Decimal(-40)), 20.5, [605]),
        (Field(H, 0, words={0: "stopped", 3: "running"}), "running", [3]),
        (Field(H, 0, true_when=((47, 47),)), True, [47]),
        (Field(H, 0, true_when=((47, 47),)), False, [0]),
        (Field(H, 0, true_when=((0, 3),), bad_when=((4, 9),)), False, [10]),
        (Field(H, 0, bit=8, width=4, true_when=((2, 4), (10, 10))), True, [0x0200]),
        (Field(H, 0, "int16", true_when=((-1, -1),)), True, [0xFFFF]),
        (Field(H, 0, "bcd16", true_when=((12, 12),)), True, [0x0012]),
        (Field(H, 0, "uint16"), 70000, [0xFFFF]),
        (Field(H, 0, "uint16"), -3, [0]),
    ],
)
def test_layouts(place: Field, value: Value, wire: list[int]) -> None:
    assert registers(place, value) == wire


def test_scale_from_another_point() -> None:
    assert registers(Field(H, 0), 12.0, Decimal("0.01")) == [1200]
    assert registers(Field(H, 0), 12.0, Decimal(0)) == [0]


ORDERS = st.sampled_from(["ABCD", "BADC", "CDAB", "DCBA"])


@given(st.sampled_from(["int16", "uint16", "int32", "uint32", "int64", "uint64", "bcd16", "bcd32"]), ORDERS, st.data())
def test_integers_come_back(type_: str, order: str, data: st.DataObject) -> None:
    bits = int("".join(filter(str.isdigit, type_)))
    if type_.startswith("bcd"):
        low, high = 0, 10 ** (bits // 4) - 1
    else:
        low, high = (0, 2**bits - 1) if type_.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    value = data.draw(st.integers(low, high))
    place = Field(H, 0, type_, order=order)
    assert unpack(place, pack(place, value)[1]) == value


@given(st.integers(0, 13), st.integers(1, 3), ORDERS, st.integers(0, 2**16 - 1))
def test_a_bit_field_leaves_its_neighbours(bit: int, width: int, order: str, value: int) -> None:
    place = Field(H, 0, bit=bit, width=min(width, 16 - bit), order=order)
    value %= 1 << place.width
    mask, bits = pack(place, value)
    assert mask.bit_count() == place.width
    assert unpack(place, bits | (0xFFFF & ~mask)) == value
