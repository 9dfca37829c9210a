"""The JSON Schemas that ship are those the code makes, and they accept what the loaders accept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.cli.schema import texts
from gateway.settings.bundled import config_dir
from gateway.settings.document import parse
from gateway.settings.nodes import plain
from gateway.settings.problems import Problems
from tests.unit.settings.sample import BASE_PROFILE, GOOD, PROFILE

SCHEMAS = config_dir() / "schema"


def tree_of(text: str) -> Any:
    """As a JSON tool sees the file: keys are texts."""
    root = parse(text.encode(), "f.yaml", Problems())
    assert root is not None
    return json.loads(json.dumps(plain(root)))


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_generated_files_are_up_to_date() -> None:
    made = texts()
    assert set(SCHEMAS.glob("*.json")) <= made.keys()
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run python -m gateway.cli.schema"


def examples(name: str) -> list[Path]:
    if name == "site":
        return [path for path in (config_dir() / "sites").glob("*.yaml") if path.stem != "ingest"]
    folder, pattern = {"ingest": ("sites", "ingest.yaml"), "profile": ("profiles", "*/*.yaml")}.get(
        name, ("vocabulary", "*.yaml")
    )
    return sorted((config_dir() / folder).glob(pattern))


@pytest.mark.parametrize("name", ["site", "ingest", "profile", "vocabulary"])
def test_files_that_ship_satisfy_their_schema(name: str) -> None:
    paths = examples(name)
    assert paths
    for path in paths:
        faults = [fault.message for fault in validator(name).iter_errors(tree_of(path.read_text(encoding="utf-8")))]
        assert faults == [], path


@pytest.mark.parametrize(("name", "text"), [("site", GOOD), ("profile", BASE_PROFILE), ("profile", PROFILE)])
def test_samples_satisfy_their_schema(name: str, text: str) -> None:
    assert list(validator(name).iter_errors(tree_of(text))) == []


@pytest.mark.parametrize(
    "change",
    [
        ("unit: 3", "slave: 3"),
        ("interval: 1s", "interval: 1"),
        ("kind: warehouse", "kind: wharehouse"),
        ("lat: 36.62", "lat: 136.62"),
        ("id: gen-1", "id: Gen 1"),
        ("every: 90s", "evry: 90s"),
        ('at: "holding:42"', 'at: "hold:42"'),
        ("{tcp:", "{tpc:"),
        ("url:", "uri:"),
        ("schema: 1", "schema: 0"),
    ],
)
def test_common_mistakes_are_underlined(change: tuple[str, str]) -> None:
    assert change[0] in GOOD
    assert list(validator("site").iter_errors(tree_of(GOOD.replace(*change, 1))))


def test_every_key_has_a_description_or_a_meaning_of_its_own() -> None:
    site = yaml.safe_load((SCHEMAS / "site.schema.json").read_text(encoding="utf-8"))
    device = site["properties"]["devices"]["items"]["properties"]
    assert [key for key, schema in device.items() if "description" not in schema] == []
    point = device["points"]["additionalProperties"]["properties"]
    assert [key for key, schema in point.items() if "description" not in schema] == []
