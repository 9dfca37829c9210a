"""The laws of the vocabulary, read straight from its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.settings.document import read
from gateway.settings.nodes import plain
from gateway.settings.problems import Problems

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "config" / "vocabulary"

KINDS = (
    "generator",
    "ats",
    "pump",
    "light_tower",
    "forklift",
    "field_kitchen",
    "scba_compressor",
    "warehouse",
    "shelter",
    "ups",
    "meter",
    "weather",
    "tank",
    "hydrology",
    "vehicle",
    "cold_store",
    "gateway",
    "sensor",
)

UNITS = {
    *("", "V", "A", "kW", "kvar", "kVA", "kWh", "Hz", "%", "°C", "kPa", "MPa", "hPa", "rpm", "h", "min", "s"),
    *("ms", "d", "L", "L/h", "L/d", "L/kWh", "m³", "m³/h", "m³/s", "m", "mm", "mm/h", "m/s", "km/h", "km"),
    *("kg", "°", "ppm", "%LEL", "mg/m³", "µg/m³", "lx", "dB", "dBm", "W/m²", "Ah", "MΩ", "B"),
}

#: Called so in the database already, or kept for the row itself.
RESERVED = frozenset({"time", "site", "device", "kind", "rule", "type", "point"})
#: What sites call their labels; a point of the same name could not be told from the tag.
LABELS = frozenset({"province", "city", "county", "town", "township", "village"})

RULES = {"GEN": 29, "ATS": 3, "PMP": 12, "LGT": 4, "FLT": 3, "KIT": 3, "SCB": 7, "WHS": 9, "SHE": 10, "HYD": 2, "GW": 7}
DISCARDS = ("crc", "length", "function", "unit", "transaction", "protocol", "late", "echo", "noise", "truncated")
UNMEASURED_KINDS = {"meter", "weather", "gateway", "sensor"}


def _read(path: Path) -> Any:
    problems = Problems()
    root, _ = read(path, problems)
    problems.raise_any()
    assert root is not None
    return plain(root)


VOCABULARY: Mapping[str, Any] = {path.stem: _read(path) for path in sorted(FOLDER.glob("*.yaml"))}


def _entries(kind: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for part in ("points", "facts"):
        for name, entry in VOCABULARY[kind][part].items():
            yield part, name, entry


def _condition(requirement: str | Mapping[str, Any]) -> Mapping[str, str]:
    """The facts a requirement applies with."""
    return {} if isinstance(requirement, str) else requirement.get("when", {})


def _texts(value: object) -> Iterator[Mapping[str, str]]:
    if isinstance(value, Mapping):
        if "zh" in value or "en" in value:
            yield value
        else:
            for below in value.values():
                yield from _texts(below)


def test_has_a_page_for_every_kind_and_no_other() -> None:
    assert set(VOCABULARY) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_page_says_its_own_kind(kind: str) -> None:
    page = VOCABULARY[kind]
    assert page["schema"] == 1
    assert page["kind"] == kind
    assert set(page) == {"schema", "kind", "name", "points", "facts", "mandatory"}


@pytest.mark.parametrize("kind", KINDS)
def test_entries_have_a_type_a_unit_and_nothing_unknown(kind: str) -> None:
    for part, name, entry in _entries(kind):
        types = {"number", "boolean", "string"} | ({"date"} if part == "facts" else set())
        assert entry["type"] in types, name
        assert set(entry) <= {"type", "unit", "name", "words"} | ({"default"} if part == "facts" else set()), name
        assert ("unit" in entry) == (entry["type"] == "number"), name
        assert entry.get("unit", "") in UNITS, name
        assert "words" not in entry or entry["type"] == "string", name


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_snake_case_and_free(kind: str) -> None:
    for _, name, entry in _entries(kind):
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name), name
        assert len(name) <= 64
        assert name not in RESERVED | LABELS
        for word in entry.get("words", {}):
            assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*|[A-C]|I|II|III|IV", word), (name, word)


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_is_there_in_both_languages(kind: str) -> None:
    for text in _texts(VOCABULARY[kind]):
        assert set(text) == {"zh", "en"}, text
        assert all(isinstance(each, str) and each.strip() == each and each for each in text.values()), text
        assert text["en"].isascii(), text
        assert re.search(r"[\u4e00-\u9fff]|PM", text["zh"]), text


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_points_of_a_kind_are_called_alike(kind: str) -> None:
    for part in ("points", "facts"):
        entries = VOCABULARY[kind][part].values()
        for language in ("zh", "en"):
            labels = [entry["name"][language] for entry in entries]
            assert sorted(labels) == sorted(set(labels))


@pytest.mark.parametrize("kind", KINDS)
def test_a_fact_is_no_point(kind: str) -> None:
    assert not set(VOCABULARY[kind]["points"]) & set(VOCABULARY[kind]["facts"])


def test_one_name_has_one_type_and_unit_everywhere() -> None:
    seen: dict[str, tuple[str, str, str]] = {}
    for kind in KINDS:
        for _, name, entry in _entries(kind):
            shape = (entry["type"], entry.get("unit", ""))
            first = seen.setdefault(name, (*shape, kind))
            assert first[:2] == shape, f"{name} of {kind} differs from {first[2]}"


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_fit_their_type(kind: str) -> None:
    types: dict[str, Any] = {"number": (int, float), "boolean": bool, "string": str, "date": str}
    for part, name, entry in _entries(kind):
        if part == "facts" and "default" in entry:
            assert isinstance(entry["default"], types[entry["type"]]), name
            assert "words" not in entry or entry["default"] in entry["words"], name


@pytest.mark.parametrize("kind", KINDS)
def test_mandatory_points_and_their_conditions_exist(kind: str) -> None:
    page = VOCABULARY[kind]
    assert bool(page["mandatory"]) == (kind not in UNMEASURED_KINDS)
    for requirement in page["mandatory"]:
        if isinstance(requirement, str):
            assert requirement in page["points"]
            continue
        assert set(requirement) - {"when"} in ({"any"}, {"point"}), requirement
        points = requirement["any"] if "any" in requirement else [requirement["point"]]
        assert len(points) == len(set(points)) > 0
        assert set(points) <= set(page["points"]), requirement
        for name, value in requirement.get("when", {}).items():
            assert value in page["facts"][name]["words"], requirement


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in UNMEASURED_KINDS])
def test_every_class_of_a_kind_has_something_mandatory(kind: str) -> None:
    page = VOCABULARY[kind]
    classes = {name for each in page["mandatory"] for name in _condition(each)}
    always = any(not _condition(each) for each in page["mandatory"])
    for name in classes - {"mode"}:
        for word in page["facts"][name]["words"]:
            alone = any(
                not isinstance(each, str) and each.get("when", {}).get(name) == word for each in page["mandatory"]
            )
            assert always or alone, f"{kind} with {name}: {word} needs nothing"


def test_every_equipment_kind_knows_what_it_is_worth() -> None:
    for kind in set(KINDS) - {"gateway"}:
        assert {"criticality", "category", "response_level", "season", "retired"} <= set(VOCABULARY[kind]["facts"]), (
            kind
        )
    assert list(VOCABULARY["generator"]["facts"]["response_level"]["words"])[:4] == ["I", "II", "III", "IV"]
    assert {"flood", "forest_fire", "industrial_safety"} <= set(VOCABULARY["pump"]["facts"]["category"]["words"])


def test_site_kinds_take_the_facts_of_a_site() -> None:
    for kind in ("warehouse", "shelter", "vehicle"):
        assert set(VOCABULARY[kind]["facts"]["mode"]["words"]) == {"normal", "activated"}
        assert {"response_level", "season"} <= set(VOCABULARY[kind]["facts"])


def test_names_the_contract_speaks_of_are_there() -> None:
    generator = VOCABULARY["generator"]["points"]
    assert generator["battery_voltage"]["unit"] == "V"
    assert generator["fuel_level"]["unit"] == "%"
    assert generator["coolant_temperature"]["unit"] == "°C"
    assert generator["running"]["type"] == "boolean"
    assert "auto" in generator["mode"]["words"]
    assert VOCABULARY["tank"]["points"]["level"]["unit"] == "m"
    gateway = VOCABULARY["gateway"]["points"]
    assert gateway["version"]["type"] == gateway["config"]["type"] == "string"
    assert {f"frames_discarded_{reason}" for reason in DISCARDS} <= set(gateway)


def test_every_rule_of_the_library_finds_its_inputs() -> None:
    rules = _read(Path(__file__).parent / "rule_inputs.yaml")
    assert list(rules) == [f"{group}-{number:02}" for group, count in RULES.items() for number in range(1, count + 1)]
    for code, kinds in rules.items():
        for kind, names in kinds.items():
            page = VOCABULARY[kind]
            missing = [name for name in names if name not in page["points"] and name not in page["facts"]]
            assert not missing, f"{code} finds no {missing} in {kind}"
            assert names, code
