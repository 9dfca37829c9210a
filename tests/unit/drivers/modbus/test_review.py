"""What cannot be once devices and points of a line are seen together."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.modbus import MODBUS
from gateway.model import Text
from gateway.settings.protocol import Finding
from tests.unit.drivers.modbus.build import SERIAL, device, line


def review(points: dict[str, dict[str, Any]], on: dict[str, Any] | None = None, **keys: Any) -> list[Finding]:
    return list(MODBUS.review(line(**(on or {})), [device(points, **keys)]))


def said(finding: Finding) -> str:
    assert isinstance(finding.text, Text)
    assert isinstance(finding.hint, Text)
    assert finding.text.zh
    assert finding.hint.zh
    return f"{finding.text.en} ({finding.hint.en})"


@pytest.mark.parametrize(
    "points",
    [
        {"a": {"at": "holding:0", "type": "float32"}, "b": {"at": "holding:2", "type": "float32"}},
        {"a": {"at": "holding:0"}, "b": {"at": "holding:0", "type": "int16"}, "c": {"at": "holding:0.3"}},
        {"a": {"at": "holding:0", "type": "uint32"}, "b": {"at": "holding:1"}},
        {"a": {"at": "holding:0", "type": "string:16"}, "b": {"at": "holding:3"}},
        {"a": {"at": "holding:0", "bits": {0: "x", 1: "y"}}, "b": {"at": "holding:0.2:2"}},
        {"a": {"at": "coil:0"}, "b": {"at": "coil:0", "invert": True}},
        {"a": {"at": "holding:0", "type": "uint32"}, "b": {"at": "input:1", "type": "uint32"}},
        {"a": {"at": "holding:0", "type": "float32"}, "b": {"at": "holding:0", "type": "float32", "scale": 2}},
        {"a": {"at": "holding:0"}, "b": {"at": "holding:1", "scale_from": "a"}},
    ],
)
def test_sound_maps(points: dict[str, dict[str, Any]]) -> None:
    assert review(points) == []


@pytest.mark.parametrize(
    ("points", "point", "key", "text"),
    [
        (
            {"a": {"at": "holding:0", "type": "uint32"}, "b": {"at": "holding:1", "type": "uint32"}},
            "b",
            "at",
            "it overlaps a, a uint32 on holding:0..1",
        ),
        (
            {"a": {"at": "holding:0", "type": "int32"}, "b": {"at": "holding:1", "type": "uint32"}},
            "b",
            "at",
            "it overlaps a, an int32 on holding:0..1",
        ),
        (
            {"a": {"at": "holding:1", "type": "float32"}, "b": {"at": "holding:2"}},
            "b",
            "at",
            "it overlaps a, a float32",
        ),
        (
            {"a": {"at": "holding:1", "type": "float32"}, "b": {"at": "holding:1", "type": "int32"}},
            "b",
            "at",
            "overlaps",
        ),
        (
            {"a": {"at": "holding:1", "type": "int32"}, "b": {"at": "holding:1", "type": "int32", "order": "CDAB"}},
            "b",
            "at",
            "check at, type and order of both",
        ),
        (
            {"a": {"at": "holding:0", "type": "string:8"}, "b": {"at": "holding:3", "type": "uint32"}},
            "b",
            "at",
            "overlaps",
        ),
        ({"a": {"at": "holding:0", "scale_from": "z"}}, "a", "scale_from", "there is no point called z"),
        ({"a": {"at": "holding:0", "scale_from": "b"}, "b": {"at": "coil:0"}}, "a", "scale_from", "b is not a number"),
        ({"a": {"at": "holding:0", "scale_from": "a"}}, "a", "scale_from", "round in a circle"),
    ],
)
def test_points_that_contradict_each_other(points: dict[str, Any], point: str, key: str, text: str) -> None:
    (finding,) = review(points)
    assert (finding.device, finding.point, finding.key) == ("dev", point, key)
    assert text in said(finding)


def test_every_point_of_a_circle_of_scales_is_named() -> None:
    points = {f"p{i}": {"at": f"holding:{i}", "scale_from": f"p{(i + 1) % 3}"} for i in range(3)}
    points["outside"] = {"at": "holding:9", "scale_from": "p0"}
    assert [finding.point for finding in review(points)] == ["p0", "p1", "p2"]


def test_a_finding_about_bits_stands_at_their_entry() -> None:
    points = {"a": {"at": "holding:0", "type": "float32"}, "b": {"at": "holding:1", "bits": {0: "x", 5: "y"}}}
    assert [finding.point for finding in review(points)] == ["b"]


@pytest.mark.parametrize(
    ("points", "keys", "key", "text"),
    [
        (
            {"a": {"at": "holding:0", "type": "uint64"}},
            {"max_registers": 2},
            "type",
            "takes 4 registers, one read holds 2",
        ),
        (
            {"a": {"at": "holding:9", "type": "uint32"}},
            {"forbidden": ["holding:10..20"]},
            "at",
            "forbidden holding:10..20",
        ),
        ({"a": {"at": "holding:9"}}, {"starts": ["holding:10"]}, "at", "add holding:9 to starts"),
        ({"a": {"at": "holding:200"}}, {"starts": ["holding:0"]}, "at", "add holding:200 to starts"),
    ],
)
def test_points_no_read_can_hold(points: dict[str, Any], keys: dict[str, Any], key: str, text: str) -> None:
    (finding,) = review(points, **keys)
    assert (finding.point, finding.key) == ("a", key)
    assert text in said(finding)


def test_nobody_answers_a_broadcast_on_a_serial_line() -> None:
    (finding,) = review({"a": {"at": "holding:0"}}, SERIAL, unit=0)
    assert (finding.point, finding.key) == (None, "unit")
    assert "1 to 247" in said(finding)
    assert review({"a": {"at": "holding:0"}}, unit=0) == []


@pytest.mark.parametrize("unit", [248, 254, 255])
def test_a_reserved_unit_is_not_for_a_line_that_is_shared(unit: int) -> None:
    points = {"a": {"at": "holding:0"}}
    shared = [device(points, name="one", unit=unit), device(points, name="two", unit=1)]
    (finding,) = MODBUS.review(line(**SERIAL), shared)
    assert (finding.device, finding.key) == ("one", "unit")
    assert "alone on its line" in said(finding)
    assert MODBUS.review(line(), shared) == []
    assert MODBUS.review(line(**SERIAL), shared[:1]) == []


def test_two_devices_of_one_serial_line_do_not_share_a_unit() -> None:
    points = {"a": {"at": "holding:0"}}
    devices = [device(points, name="one", unit=3), device(points, name="two", unit=3)]
    (finding,) = MODBUS.review(line(**SERIAL), devices)
    assert (finding.device, finding.key) == ("two", "unit")
    assert "device one has unit 3" in said(finding)
    assert MODBUS.review(line(), devices) == []


def test_a_plan_that_does_not_fit_says_what_would() -> None:
    points = {f"p{at}": {"at": f"holding:{at}"} for at in range(100)}
    units = [device(points, name=f"d{unit}", unit=unit, interval=1.0) for unit in range(1, 21)]
    on = line(**SERIAL, turnaround="5ms")
    (finding,) = MODBUS.review(on, units)
    assert (finding.device, finding.point, finding.key) == (None, None, "")
    text = said(finding)
    assert "takes 461% of this line's time" in text
    assert "intervals 4.7 times as long (the fastest: 5s)" in text
    assert "or baudrate: 57600" in text
    for interval, keys in ((5.0, {}), (1.0, {"baudrate": 57600})):
        slower = [device(points, name=f"d{unit}", unit=unit, interval=interval) for unit in range(1, 21)]
        assert MODBUS.review(line(**SERIAL, turnaround="5ms", **keys), slower) == []


def test_where_no_speed_is_enough_only_the_interval_is_named() -> None:
    units = [device({"a": {"at": "holding:0"}}, name=f"d{unit}", unit=unit, interval=0.1) for unit in range(1, 31)]
    (finding,) = MODBUS.review(line(**SERIAL), units)
    assert "baudrate" not in said(finding)
    (finding,) = MODBUS.review(line(tcp="10.0.0.5:502", turnaround="20ms"), units)
    assert "intervals" in said(finding)


def test_the_plan_of_a_line_names_every_request() -> None:
    points = {
        "a": {"at": "holding:3", "type": "uint32"},
        "b": {"at": "holding:7"},
        "c": {"at": "coil:1", "interval": 10.0},
    }
    found = MODBUS.plan(line(**SERIAL), [device(points, name="tank-1")])
    assert [(r.device, r.table, r.first, r.count, r.points, r.interval_s) for r in found.requests] == [
        ("tank-1", "holding", 3, 5, 2, 1.0),
        ("tank-1", "coil", 1, 1, 1, 10.0),
    ]
    cost = [(13 + 2 * 5 + 3.5) * 10 / 9.6 + 20, (13 + 1 + 3.5) * 10 / 9.6 + 20]
    assert found.load == pytest.approx((cost[0] + cost[1] / 10) / 1000)
