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
_ALERTING = (("RuleGroup", "group"), ("ContactPoint", "contact_point"), ("NotificationPolicy", "route"))


@pytest.mark.skipif(_FOLDER is None, reason="VIGIL_GRAFANA_SCHEMAS names no folder with Grafana's schemas")
def test_everything_is_valid_by_grafana_s_own_schema() -> None:
    dashboards = _dashboards()
    found = {name_of(path): _problems(dashboards, load(path)) for path in paths()}
    for definition, part in _ALERTING:
        schema = _schema("alerting.jsonschema.json") | {"$ref": f"#/definitions/{definition}"}
        found[part] = _problems(Draft7Validator(schema), alerting()[part])
    assert {name: problems for name, problems in found.items() if problems} == {}

    wrong = load("zh/fleet/overview.json")
    wrong["panels"][0]["gridPos"]["w"] = "six"
    wrong["panels"][1]["titel"] = "x"
    assert len(_problems(dashboards, wrong)) == 2, "the schema finds nothing"


def _dashboards() -> Draft7Validator:
    found = _schema("dashboard.jsonschema.json")
    # The schema says "object" where Grafana takes any value: what a matcher matches, what a property is set to.
    found["definitions"]["MatcherConfig"]["properties"]["options"] = {}
    found["definitions"]["DynamicConfigValue"]["properties"]["value"] = {}
    return Draft7Validator(found)


def _schema(name: str) -> dict[str, Any]:
    assert _FOLDER is not None
    found: dict[str, Any] = json.loads((Path(_FOLDER) / name).read_text(encoding="utf-8"))
    return found


def _problems(validator: Draft7Validator, found: object) -> list[str]:
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(found)]
