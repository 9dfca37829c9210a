"""Grafana's own JSON Schema, where VIGIL_GRAFANA_SCHEMAS names a folder that holds it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.dashboards.files import alerting, load, name_of, paths

_FOLDER = os.environ.get("VIGIL_GRAFANA_SCHEMAS")

pytestmark = pytest.mark.skipif(_FOLDER is None, reason="VIGIL_GRAFANA_SCHEMAS names no folder with Grafana's schemas")


def schema(name: str) -> dict[str, Any]:
    assert _FOLDER is not None
    found: dict[str, Any] = json.loads((Path(_FOLDER) / name).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def dashboards() -> Draft7Validator:
    found = schema("dashboard.jsonschema.json")
    # The schema says "object" where Grafana takes any value: what a matcher matches, what a property is set to.
    found["definitions"]["MatcherConfig"]["properties"]["options"] = {}
    found["definitions"]["DynamicConfigValue"]["properties"]["value"] = {}
    return Draft7Validator(found)


def problems(validator: Draft7Validator, found: object) -> list[str]:
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(found)]


@pytest.mark.parametrize("path", paths(), ids=name_of)
def test_dashboards_are_valid(dashboards: Draft7Validator, path: Path) -> None:
    assert problems(dashboards, load(path)) == []


def test_mistakes_are_found(dashboards: Draft7Validator) -> None:
    found = load("zh/fleet/overview.json")
    found["panels"][0]["gridPos"]["w"] = "six"
    found["panels"][1]["titel"] = "x"
    assert problems(dashboards, found)


@pytest.mark.parametrize(
    ("definition", "part"),
    [("RuleGroup", "group"), ("ContactPoint", "contact_point"), ("NotificationPolicy", "route")],
)
def test_alerting_is_valid(definition: str, part: str) -> None:
    found = schema("alerting.jsonschema.json")
    found["$ref"] = f"#/definitions/{definition}"
    assert problems(Draft7Validator(found), alerting()[part]) == []
