"""The keys of lines, devices and points: what they take, what they refuse, and where the complaint stands."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from drivers.modbus import MODBUS
from drivers.modbus.options import ModbusDevice, ModbusLine
from drivers.modbus.point_options import ModbusPoint
from gateway.model import ValueType
from gateway.settings.protocol import SourcePoint, Wrong


def complaint(model: type[BaseModel], keys: dict[str, Any]) -> tuple[tuple[int | str, ...], str]:
    """Place and text of the one complaint about `keys`."""
    with pytest.raises(ValidationError) as caught:
        model(**keys)
    (error,) = caught.value.errors()
    wrong = error.get("ctx", {}).get("error")
    if isinstance(wrong, Wrong):
        assert wrong.text.zh
        assert wrong.hint is not None
        assert wrong.hint.zh
        assert wrong.hint.en
        return error["loc"], f"{wrong.text.en} ({wrong.hint.en})"
    return error["loc"], error["type"]


def points(name: str = "p", **keys: Any) -> list[SourcePoint]:
    return list(MODBUS.points(name, ModbusPoint(**keys)))


# --- lines ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "endpoint", "framing", "bytesize", "turnaround"),
    [
        ({"serial": "/dev/serial/by-id/usb-FTDI_A1", "baudrate": 9600, "parity": "N", "stopbits": 1},
         "serial:/dev/serial/by-id/usb-FTDI_A1", "rtu", 8, 0.02),
        ({"serial": "/dev/ttyS0", "framing": "ascii"}, "serial:/dev/ttyS0", "ascii", 7, 0.02),
        ({"tcp": "10.0.0.5:502"}, "tcp:10.0.0.5:502", "tcp", 8, 0.005),
        ({"tcp": "Meter.LAN"}, "tcp:meter.lan:502", "tcp", 8, 0.005),
        ({"tcp": "[fd00::1]:1502"}, "tcp:[fd00::1]:1502", "tcp", 8, 0.005),
        ({"tcp": "10.0.0.5:4001", "framing": "rtu", "turnaround": "50ms"}, "tcp:10.0.0.5:4001", "rtu", 8, 0.05),
        ({"udp": "10.0.0.5:502"}, "udp:10.0.0.5:502", "tcp", 8, 0.005),
    ],
)  # fmt: skip
def test_lines(keys: dict[str, Any], endpoint: str, framing: str, bytesize: int, turnaround: float) -> None:
    options = ModbusLine(**keys)
    assert MODBUS.endpoint(options) == endpoint
    assert (options.framing, options.bytesize, options.turnaround) == (framing, bytesize, turnaround)


@pytest.mark.parametrize(
    ("keys", "place", "text"),
    [
        ({}, (), "exactly one of serial, tcp and udp"),
        ({"serial": "/dev/ttyS0", "tcp": "a:1"}, (), "exactly one of serial, tcp and udp"),
        ({"tcp": "10.0.0.5:99999"}, ("tcp",), "write for instance 10.0.0.5:502"),
        ({"tcp": ""}, ("tcp",), "is not host:port"),
        ({"tcp": "http://10.0.0.5"}, ("tcp",), "is not host:port"),
        ({"tcp": "fd00::1"}, ("tcp",), "is not host:port"),
        ({"tcp": 502}, ("tcp",), "is not host:port"),
        ({"serial": "/dev/ttyS0", "framing": "tcp"}, ("framing",), "write rtu or ascii"),
        ({"serial": "/dev/ttyS0", "framing": "rtu", "bytesize": 7}, ("bytesize",), "framing rtu needs 8 data bits"),
        ({"serial": "/dev/ttyS0", "parity": "X"}, ("parity",), "literal_error"),
        ({"serial": "/dev/ttyS0", "baudrate": 0}, ("baudrate",), "greater_than_equal"),
        ({"serial": "/dev/ttyS0", "speed": 9600}, ("speed",), "extra_forbidden"),
        ({"serial": "/dev/ttyS0", "turnaround": 20}, ("turnaround",), "500ms"),
        ({"serial": "/dev/ttyS0", "turnaround": "5m"}, ("turnaround",), "write between 0 s and 60 s"),
        ({"tcp": "a:1", "rs485": True}, ("rs485",), "only a serial port has RTS"),
    ],
)
def test_lines_that_cannot_be(keys: dict[str, Any], place: tuple[str, ...], text: str) -> None:
    found = complaint(ModbusLine, keys)
    assert found[0] == place
    assert text in found[1]


# --- devices --------------------------------------------------------------------------------------------------------


def test_a_device_needs_only_its_unit() -> None:
    options = ModbusDevice(unit=3)
    assert (options.timeout, options.max_registers, options.max_bits, options.max_gap) == (1.0, 125, 2000, None)
    assert ModbusDevice(unit=3, timeout="500ms").timeout == 0.5


@pytest.mark.parametrize(
    ("keys", "place", "text"),
    [
        ({}, ("unit",), "missing"),
        ({"unit": 256}, ("unit",), "less_than_equal"),
        ({"unit": 1, "timeout": 1}, ("timeout",), "is not a duration"),
        ({"unit": 1, "timeout": "0s"}, ("timeout",), "makes no sense here"),
        ({"unit": 1, "max_registers": 126}, ("max_registers",), "less_than_equal"),
        ({"unit": 1, "forbidden": ["holding:20..10"]}, ("forbidden", 0), "write holding:10..20"),
        ({"unit": 1, "forbidden": ["10..20"]}, ("forbidden", 0), "write for instance holding:10..20"),
        ({"unit": 1, "forbidden": ["register:1"]}, ("forbidden", 0), "there is no table called register"),
    ],
)
def test_devices_that_cannot_be(keys: dict[str, Any], place: tuple[str, ...], text: str) -> None:
    found = complaint(ModbusDevice, keys)
    assert found[0] == place
    assert text in found[1]


# --- points ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "value_type"),
    [
        ({"at": "holding:40"}, ValueType.NUMBER),
        ({"at": "input:40", "type": "float32", "order": "CDAB"}, ValueType.NUMBER),
        ({"at": "coil:0"}, ValueType.BOOLEAN),
        ({"at": "discrete:65535"}, ValueType.BOOLEAN),
        ({"at": "holding:40.3"}, ValueType.BOOLEAN),
        ({"at": "holding:40.3:1"}, ValueType.NUMBER),
        ({"at": "holding:40.3:1", "type": "bool"}, ValueType.BOOLEAN),
        ({"at": "holding:40.4:3"}, ValueType.NUMBER),
        ({"at": "holding:40", "type": "bool"}, ValueType.BOOLEAN),
        ({"at": "holding:40", "type": "string:20"}, ValueType.STRING),
        ({"at": "holding:40", "enum": {0: "off"}}, ValueType.STRING),
        ({"at": "coil:4", "enum": {0: "open", 1: "closed"}}, ValueType.STRING),
        ({"at": "holding:65532", "type": "float64"}, ValueType.NUMBER),
    ],
)
def test_what_a_point_carries(keys: dict[str, Any], value_type: ValueType) -> None:
    (point,) = points(**keys)
    assert (point.name, point.type) == ("p", value_type)


def test_bits_stand_for_one_boolean_per_word_and_enum_names_its_words() -> None:
    assert [(p.name, p.type) for p in points("alarm", at="holding:1", bits={3: "overspeed", "0": "low_oil"})] == [
        ("alarm_low_oil", ValueType.BOOLEAN),
        ("alarm_overspeed", ValueType.BOOLEAN),
    ]
    (mode,) = points("mode", at="holding:1", enum={0: "off", 1: "auto", 2: "auto", "0x10": "manual"})
    assert mode.words == ("off", "auto", "manual")


def test_numbers_are_taken_as_they_are_written() -> None:
    options = ModbusPoint(at="holding:0", scale=0.1, offset=-273.15)
    assert (options.scale, options.offset) == (Decimal("0.1"), Decimal("-273.15"))


@pytest.mark.parametrize(
    ("keys", "place", "text"),
    [
        ({}, ("at",), "missing"),
        ({"at": 40}, ("at",), "write holding:N, input:N, coil:N or discrete:N"),
        ({"at": "40001"}, ("at",), "is not an address"),
        ({"at": "holding:-1"}, ("at",), "is not an address"),
        ({"at": "Holding:1"}, ("at",), "is not an address"),
        ({"at": "register:1"}, ("at",), "there is no table called register"),
        ({"at": "holding:65536"}, ("at",), "address 65536 is past 65535"),
        ({"at": "holding:65535", "type": "uint32"}, ("at",), "the last place for it is 65534"),
        ({"at": "holding:65530", "type": "string:20"}, ("at",), "the last place for it is 65526"),
        ({"at": "holding:1.16"}, ("at",), "holding:2.0"),
        ({"at": "coil:1.0"}, ("at",), "write coil:1"),
        ({"at": "coil:1", "type": "uint16"}, ("at",), "leave type out"),
        ({"at": "holding:1.3", "type": "uint16"}, ("at",), "leave type out"),
        ({"at": "holding:1.12:5"}, ("at",), "5 bits from bit 12 up do not fit the 16 bits of a uint16"),
        ({"at": "holding:1.0:0"}, ("at",), "do not fit"),
        ({"at": "holding:1.0:4", "type": "float32"}, ("at",), "a float32 has no bit fields"),
        ({"at": "holding:1.6:4", "type": "uint8"}, ("at",), "the 8 bits of a uint8"),
        ({"at": "holding:1", "type": "float"}, ("type",), "write float"),
        ({"at": "holding:1", "type": "u16"}, ("type",), "write uint16"),
        ({"at": "holding:1", "type": "string"}, ("type",), "write string:BYTES"),
        ({"at": "holding:1", "type": "string:0"}, ("type",), "1 to 250 bytes"),
        ({"at": "holding:1", "type": "string:300"}, ("type",), "1 to 250 bytes"),
        ({"at": "holding:1", "order": "ACBD"}, ("order",), "literal_error"),
        ({"at": "coil:1", "order": "CDAB"}, ("order",), "leave order out"),
        ({"at": "holding:1", "byte": "low"}, ("byte",), "a uint16 is not one byte of a register"),
        ({"at": "holding:1", "type": "int8", "byte": "first"}, ("byte",), "literal_error"),
        ({"at": "holding:1", "scale": 0}, ("scale",), "write another number than 0"),
        ({"at": "holding:1", "scale": "0.1"}, ("scale",), "write a number such as 0.1"),
        ({"at": "holding:1", "scale": True}, ("scale",), "is not a number"),
        ({"at": "holding:1", "scale": 1e99}, ("scale",), "is not a number that can be used"),
        ({"at": "coil:1", "scale": 0.1}, ("scale",), "a bool is no number to scale"),
        ({"at": "holding:1", "type": "string:4", "offset": 1}, ("offset",), "no number to scale"),
        ({"at": "holding:1", "scale_from": 3}, ("scale_from",), "write the name of a point"),
        ({"at": "holding:1", "scale_from": {"point": "a", "power": 2}}, ("scale_from",), "{point: name, power: 10}"),
        ({"at": "holding:1", "scale_from": {"power": 10}}, ("scale_from",), "does not name a point"),
        ({"at": "holding:1", "invert": True}, ("invert",), "a uint16 cannot be inverted"),
        ({"at": "holding:1", "enum": {}}, ("enum",), "a table is wanted here"),
        ({"at": "holding:1", "enum": {"one": "a"}}, ("enum",), "'one' is not a whole number"),
        ({"at": "holding:1", "enum": {1: True}}, ("enum",), "put true, false and numbers into quotes"),
        ({"at": "holding:1", "enum": {70000: "a"}}, ("enum",), "raw value 70000 is not within 0 to 65535"),
        ({"at": "holding:1.0:2", "enum": {4: "a"}}, ("enum",), "is not within 0 to 3"),
        ({"at": "holding:1", "enum": {1: "a", "0x1": "b"}}, ("enum",), "raw value 1 stands twice"),
        ({"at": "holding:1", "type": "float32", "enum": {1: "a"}}, ("enum",), "has no whole numbers to name"),
        ({"at": "holding:1", "scale": 0.1, "enum": {1: "a"}}, ("enum",), "leave scale, offset, scale_from"),
        ({"at": "holding:1", "bits": {16: "a"}}, ("bits",), "bit 16 is not within 0 to 15"),
        ({"at": "holding:1", "bits": {0: "Low Oil"}}, ("bits",), "low_oil_pressure"),
        ({"at": "holding:1", "bits": {0: "a", 1: "a"}}, ("bits",), "stands twice"),
        ({"at": "holding:1", "type": "int16", "bits": {0: "a"}}, ("bits",), "write an unsigned type"),
        ({"at": "coil:1", "bits": {0: "a"}}, ("bits",), "a bool has no bits to name"),
        ({"at": "holding:1", "scale": 2, "bits": {0: "a"}}, ("bits",), "bits gives booleans"),
        ({"at": "holding:1", "bad_when": []}, ("bad_when",), "the list is empty"),
        ({"at": "holding:1", "bad_when": "none"}, ("bad_when",), "0xFFF8..0xFFFF"),
        ({"at": "holding:1", "bad_when": "9..3"}, ("bad_when",), "runs backwards"),
        ({"at": "holding:1", "bad_when": 65536}, ("bad_when",), "is not within 0 to 65535"),
        ({"at": "holding:1", "bad_when": 1.5}, ("bad_when",), "raw values of integer types are whole"),
        ({"at": "holding:1", "type": "int16", "bad_when": "0x7FF8..0x8003"}, ("bad_when",), "crosses the sign bit"),
        ({"at": "coil:1", "bad_when": 1}, ("bad_when",), "a bool has no raw number"),
        ({"at": "holding:1", "true_when": []}, ("true_when",), "the list is empty"),
        ({"at": "holding:1.0:4", "true_when": 16}, ("true_when",), "is not within 0 to 15"),
        ({"at": "coil:1", "true_when": 1}, ("true_when",), "has no whole number to compare"),
        ({"at": "holding:1", "type": "float32", "true_when": 1}, ("true_when",), "has no whole number to compare"),
        ({"at": "holding:1", "scale": 2, "true_when": 1}, ("true_when",), "leave scale, offset"),
        ({"at": "holding:1", "enum": {1: "a"}, "true_when": 1}, ("true_when",), "true_when gives a boolean"),
        ({"at": "holding:1", "type": "bcd16", "true_when": 0xFFFF}, ("true_when",), "is no BCD number"),
        ({"at": "holding:1", "ofset": 1}, ("ofset",), "extra_forbidden"),
    ],
)  # fmt: skip
def test_points_that_cannot_be(keys: dict[str, Any], place: tuple[str, ...], text: str) -> None:
    found = complaint(ModbusPoint, keys)
    assert found[0] == place
    assert text in found[1]


def test_all_complaints_of_an_entry_come_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        ModbusPoint(at="coil:9", type="uin16", scale=0, order="XY", foo=1)
    assert {error["loc"] for error in caught.value.errors()} == {("type",), ("scale",), ("order",), ("foo",)}


@pytest.mark.parametrize("model", [ModbusLine, ModbusDevice, ModbusPoint])
def test_every_key_is_described_for_editors(model: type[BaseModel]) -> None:
    schema = json.loads(json.dumps(model.model_json_schema()))
    assert schema["additionalProperties"] is False
    assert all(key.get("description") for key in schema["properties"].values())
    assert "$defs" not in schema
