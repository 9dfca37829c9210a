"""Writing is the exact inverse of reading: checked with registers made by pymodbus and a memory that is not ours."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus import MODBUS
from drivers.modbus.access import compile_access
from drivers.modbus.point_options import ModbusPoint
from drivers.modbus.write import write_request
from gateway.model import Answer, Status, Value, is_same
from gateway.ports import Unwritable
from tests.unit.drivers.modbus.build import device, line, read, to_registers

ORDERS = ["ABCD", "BADC", "CDAB", "DCBA"]
INTEGERS = ["int16", "uint16", "int32", "uint32", "int64", "uint64"]


def request(keys: Mapping[str, Any], value: Value, point: str = "p") -> bytes:
    (source,) = [each for each in MODBUS.points("p", ModbusPoint(**keys)) if each.name == point]
    return write_request(source.options, value)  # type: ignore[arg-type]


def apply(pdu: bytes, memory: dict[int, int]) -> None:
    """What a server does with the request, by the standard's words."""
    function, first = pdu[0], int.from_bytes(pdu[1:3], "big")
    if function == 5:
        memory[first] = {0xFF00: 1, 0: 0}[int.from_bytes(pdu[3:5], "big")]
    elif function == 6:
        memory[first] = int.from_bytes(pdu[3:5], "big")
    elif function == 15:
        assert pdu[3:6] == b"\0\1\1"
        memory[first] = pdu[6] & 1
    elif function == 16:
        count = int.from_bytes(pdu[3:5], "big")
        assert pdu[5] == 2 * count == len(pdu) - 6
        memory.update(enumerate(struct.unpack(f">{count}H", pdu[6:]), first))
    else:
        assert function == 22
        both, either = struct.unpack(">HH", pdu[3:7])
        memory[first] = memory[first] & both | either & ~both & 0xFFFF


def written(keys: Mapping[str, Any], value: Value, before: int = 0) -> dict[int, int]:
    memory = dict.fromkeys(range(140), before)
    apply(request(keys, value), memory)
    return memory


@pytest.mark.parametrize("order", ORDERS)
@given(st.data())
def test_integers_lie_as_pymodbus_lays_them(order: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(INTEGERS))
    bits, signed = int(name.removeprefix("u")[3:]), name.startswith("i")
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    value = data.draw(st.integers(low, high))
    memory = written({"at": "holding:5", "type": name, "order": order}, value)
    expected = to_registers(name, order, value)
    assert [memory[5 + place] for place in range(len(expected))] == expected


@pytest.mark.parametrize("order", ORDERS)
@given(st.sampled_from(["float16", "float32", "float64"]), st.floats(-1e4, 1e4, width=16))
def test_floats_lie_as_pymodbus_lays_them(order: str, name: str, value: float) -> None:
    (shown, status) = read({"p": {"at": "holding:0", "type": name}}, holding=to_registers(name, "ABCD", value))["p"]
    assert status is Status.Good
    assert shown is not None
    memory = written({"at": "holding:5", "type": name, "order": order}, shown)
    expected = to_registers(name, order, value)
    found = [memory[5 + place] for place in range(len(expected))]
    assert found == expected or value == 0


KEYS = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from([*INTEGERS, "bcd16", "bcd32", "int8", "uint8", "float32", "float64"]),
            "order": st.sampled_from(ORDERS),
        },
        optional={
            "scale": st.sampled_from([0.1, 0.01, 2, -0.5, 0.001, 3]),
            "offset": st.sampled_from([-40, 0.05, 1000]),
        },
    ),
    st.fixed_dictionaries(
        {"at": st.sampled_from(["holding:0.3:5", "holding:0.0:16"]), "order": st.sampled_from(ORDERS)}
    ),
    st.fixed_dictionaries({"at": st.just("holding:0.9"), "invert": st.booleans()}),
    st.just({"type": "bool"}),
    st.just({"type": "string:7"}),
)


@given(KEYS, st.lists(st.integers(0, 0xFFFF), min_size=4, max_size=4), st.integers(0, 0xFFFF))
def test_whatever_can_be_read_can_be_written_back(keys: dict[str, Any], registers: list[int], before: int) -> None:
    keys = {"at": "holding:0", **keys}
    value, status = read({"p": keys}, holding=registers)["p"]
    if not status.is_good or value is None:
        return
    try:
        memory = written(keys, value, before)
    except Unwritable:
        if keys.get("type") not in ("float32", "float64", "string:7"):  # of which several patterns read as one value
            raise
        return
    again = read({"p": keys}, holding=[memory[place] for place in range(4)])["p"]
    assert again[1] is Status.Good
    assert is_same(again[0], value)


@given(st.integers(0, 0xFFFF), st.integers(0, 31))
def test_a_masked_write_leaves_its_neighbours(before: int, value: int) -> None:
    assert request({"at": "holding:7.3:5"}, value)[0] == 22
    assert written({"at": "holding:7.3:5"}, value, before)[7] == before & ~0xF8 | value << 3


@pytest.mark.parametrize(
    ("keys", "value", "pdu"),
    [
        ({"at": "coil:3"}, True, "05 0003 ff00"),
        ({"at": "coil:3"}, False, "05 0003 0000"),
        ({"at": "coil:3", "invert": True}, True, "05 0003 0000"),
        ({"at": "coil:3", "write_multiple": True}, True, "0f 0003 0001 01 01"),
        ({"at": "coil:3", "enum": {0: "off", 1: "on"}}, "on", "05 0003 ff00"),
        ({"at": "holding:9", "scale": 0.1}, 12.3, "06 0009 007b"),
        ({"at": "holding:9", "scale": 0.1, "write_multiple": True}, Decimal("12.3"), "10 0009 0001 02 007b"),
        ({"at": "holding:9", "type": "int16"}, -2, "06 0009 fffe"),
        ({"at": "holding:9", "type": "uint32", "order": "CDAB"}, 0x10002, "10 0009 0002 04 0002 0001"),
        ({"at": "holding:9", "type": "bcd16"}, 1234, "06 0009 1234"),
        ({"at": "holding:9", "enum": {0: "stop", 7: "auto"}}, "auto", "06 0009 0007"),
        ({"at": "holding:9", "type": "uint8", "byte": "high"}, 5, "16 0009 00ff 0500"),
        ({"at": "holding:9", "type": "uint8", "byte": "high", "order": "BADC"}, 5, "16 0009 ff00 0005"),
        ({"at": "holding:9.15"}, True, "16 0009 7fff 8000"),
        ({"at": "holding:9", "type": "uint32", "order": "CDAB", "bits": {0: "x"}}, True, "16 0009 fffe 0001"),
        ({"at": "holding:9", "type": "string:3"}, "ab", "10 0009 0002 04 6162 0000"),
    ],
)
def test_requests_by_hand(keys: dict[str, Any], value: Value, pdu: str) -> None:
    assert request(keys, value, "p_x" if "bits" in keys else "p") == bytes.fromhex(pdu)


@pytest.mark.parametrize(
    ("keys", "value", "text"),
    [
        ({"at": "holding:9", "scale": 0.1}, 12.34, "the nearest are 12.3 and 12.4"),
        ({"at": "holding:9", "scale": 0.1}, 1e9, "the nearest are 6553.5"),
        ({"at": "holding:9", "scale": 0.1}, -1, "the nearest are 0"),
        ({"at": "holding:9", "scale": 3}, 10, "the nearest are 9 and 12"),
        ({"at": "holding:9", "type": "float32"}, 0.123456789012, "the nearest are 0.12345678 and 0.12345679"),
        ({"at": "holding:9", "type": "float16"}, 1e9, "the number is too large"),
        ({"at": "holding:9.0:4"}, 16, "the nearest are 15"),
        ({"at": "holding:9"}, True, "a number is expected"),
        ({"at": "holding:9"}, "5", "a number is expected"),
        ({"at": "coil:9"}, 1, "true or false is expected"),
        ({"at": "discrete:9"}, True, "can only be read"),
        ({"at": "input:9"}, 1, "can only be read"),
        ({"at": "holding:9", "true_when": 4}, True, "can only be read"),
        ({"at": "holding:9", "scale_from": "q"}, 4, "can only be read"),
        ({"at": "holding:9", "bad_when": 65535}, 65535, "there is no sensor"),
        ({"at": "holding:9", "enum": {0: "off", 1: "on"}}, "auto", "known here: off, on"),
        ({"at": "holding:9", "enum": {0: "off", 7: "off"}}, "off", "several raw values mean off"),
        ({"at": "holding:9.8:16", "type": "uint32"}, 1, "lie in several registers"),
        ({"at": "holding:9", "type": "string:3"}, "abcd", "at most 3 bytes"),
        ({"at": "holding:9", "type": "string:3"}, "ab ", "no blanks at its end"),
        ({"at": "holding:9", "type": "string:3"}, 5, "a text is expected"),
    ],
)
def test_what_cannot_be_written_exactly_is_refused(keys: dict[str, Any], value: Value, text: str) -> None:
    with pytest.raises(Unwritable) as caught:
        request(keys, value)
    assert text in caught.value.text.en
    assert caught.value.text.zh


def test_single_points_keep_to_what_the_device_asks_for() -> None:
    points = {"a": {"at": "holding:5"}, "b": {"at": "holding:7", "type": "uint32"}}
    access = compile_access(line(), device(points, align=4))
    job = access.read("b")
    assert job.request == bytes.fromhex("03 0004 0005")
    assert access.decode("b", Answer(bytes.fromhex("0000 0000 0000 0001 0002"), 0.0)) == (0x10002, Status.Good)
    assert access.decode("b", Answer(b"\0\0", 0.0)) == (None, Status.BadDecodingError)
    assert access.write("a", 3).points == ("a",)
