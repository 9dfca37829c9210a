"""Every shipped profile against the vocabulary and the rules of our pages, read straight from the files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drivers.modbus import MODBUS
from gateway.settings.document import read
from gateway.settings.nodes import plain
from gateway.settings.problems import Problems
from gateway.settings.profiles import load_profile

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "config" / "profiles"

KEYS = {
    *("schema", "vendor", "model", "kind", "name", "protocol", "source", "confidence", "firmware", "caveats"),
    *("extends", "line", "unit", "device", "identity", "points"),
}
POINT_KEYS = {
    *("at", "type", "order", "byte", "scale", "offset", "scale_from", "invert", "enum", "bits", "bad_when"),
    *("true_when", "range", "unit", "interval", "report", "name"),
}
#: What a profile needs that is nothing to know about a kind of equipment.
OWN_NAMES = {"generic/qdy30a": {"scale_exponent"}}


def _read(path: Path) -> Any:
    problems = Problems()
    root, _ = read(path, problems)
    problems.raise_any()
    assert root is not None
    return plain(root)


def _name(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


VOCABULARY: Mapping[str, Any] = {path.stem: _read(path) for path in (ROOT / "config" / "vocabulary").glob("*.yaml")}
PROFILES: Mapping[str, Any] = {_name(path): _read(path) for path in sorted(FOLDER.glob("*/*.yaml"))}
NAMES = list(PROFILES)


def _points(name: str) -> dict[str, Any]:
    page = PROFILES[name]
    below = _points(page["extends"]) if "extends" in page else {}
    return below | dict(page.get("points", {}))


def _is_boolean(point: Mapping[str, Any]) -> bool:
    table, _, place = point["at"].partition(":")
    single_bit = re.fullmatch(r"\d+\.\d+", place) is not None
    return "true_when" in point or point.get("type") == "bool" or table in ("coil", "discrete") or single_bit


def test_the_library_holds_what_sites_have() -> None:
    assert len(NAMES) >= 50
    kinds = {PROFILES[name]["kind"] for name in NAMES}
    assert kinds >= {"generator", "ats", "pump", "meter", "ups", "tank", "weather", "sensor"}


@pytest.mark.parametrize("name", NAMES)
def test_page_is_complete(name: str) -> None:
    page = PROFILES[name]
    assert set(page) <= KEYS
    assert page["schema"] == 1
    assert page["protocol"] == "modbus"
    assert page["kind"] in VOCABULARY
    assert page["vendor"]
    assert page["model"]
    assert page["source"]
    assert all(isinstance(each, str) and each for each in page["source"])
    assert page["confidence"] in ("high", "medium", "low")
    assert isinstance(page["firmware"], list)
    for text in (page["name"], *page.get("caveats", ())):
        assert set(text) == {"zh", "en"}
        assert all(each.strip() for each in text.values())
        assert text["en"].isascii()


@pytest.mark.parametrize("name", [name for name in NAMES if PROFILES[name]["confidence"] != "high"])
def test_a_doubtful_page_says_what_to_check(name: str) -> None:
    assert PROFILES[name].get("caveats")


@pytest.mark.parametrize("name", NAMES)
def test_points_are_known_and_of_the_right_type(name: str) -> None:
    known = VOCABULARY[PROFILES[name]["kind"]]["points"]
    points = _points(name)
    assert points
    assert set(points) - set(known) == OWN_NAMES.get(name, set())
    for point_name, point in points.items():
        assert set(point) <= POINT_KEYS, point_name
        if point_name not in known:
            continue
        entry = known[point_name]
        is_text = "enum" in point or str(point.get("type", "")).startswith("string:")
        assert entry["type"] == ("string" if is_text else "boolean" if _is_boolean(point) else "number"), point_name
        assert point.get("unit", entry.get("unit", "")) == entry.get("unit", ""), point_name
        strange = [word for word in point.get("enum", {}).values() if word not in entry["words"]]
        assert not strange, (point_name, strange)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_can_be_written(name: str) -> None:
    assert not [point for point, keys in _points(name).items() if "write" in keys]


@pytest.mark.parametrize("name", NAMES)
def test_a_base_is_of_the_same_kind(name: str) -> None:
    base = PROFILES[name].get("extends")
    assert base is None or PROFILES[base]["kind"] == PROFILES[name]["kind"]


@pytest.mark.parametrize("name", NAMES)
def test_settings_take_it_as_it_stands(name: str) -> None:
    profile = load_profile(FOLDER / f"{name}.yaml", {"modbus": MODBUS})
    assert profile.sound
    assert set(profile.points) == set(_points(name))
