"""What machines are told: every answer fits the document that is served with it."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from gateway.model import Status
from tests.unit.web.conftest import Served

PATHS = {
    "/api/site": "/api/site",
    "/api/devices": "/api/devices",
    "/api/devices/tank-1": "/api/devices/{device}",
    "/api/devices/pump-1": "/api/devices/{device}",
    "/api/devices/none": "/api/devices/{device}",
    "/api/devices/tank-1/points/level/trend": "/api/devices/{device}/points/{point}/trend",
    "/api/devices/tank-1/points/level/trend?minutes=5&steps=3": "/api/devices/{device}/points/{point}/trend",
    "/api/devices/tank-1/points/leak/trend": "/api/devices/{device}/points/{point}/trend",
    "/api/devices/tank-1/points/plate/trend": "/api/devices/{device}/points/{point}/trend",
    "/api/devices/tank-1/points/level/trend?minutes=0": "/api/devices/{device}/points/{point}/trend",
    "/api/devices/tank-1/points/level/trend?steps=1e9": "/api/devices/{device}/points/{point}/trend",
    "/api/devices/tank-1/rules/fill_level_low": "/api/devices/{device}/rules/{rule}",
    "/api/devices/tank-1/rules/none": "/api/devices/{device}/rules/{rule}",
    "/api/devices/none/rules/none": "/api/devices/{device}/rules/{rule}",
    "/api/alarms": "/api/alarms",
    "/api/alarms/tank-1/leak_alarm": "/api/alarms/{device}/{rule}",
    "/api/alarms/none/none": "/api/alarms/{device}/{rule}",
    "/api/health": "/api/health",
    "/api/configuration": "/api/configuration",
    "/api/geojson": "/api/geojson",
    "/api/openapi.json": "/api/openapi.json",
}


def read_all(served: Served) -> None:
    served.read("tank-1", temperature=17.25, level=(4.5, Status.UncertainEngineeringUnitsExceeded), leak=False)
    served.read("tank-1", plate='"><img src=x onerror=pwned()>')


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_fits_the_document(served: Served, path: str) -> None:
    read_all(served)
    served.gateway._report_health()
    document = (await served.ask("/api/openapi.json")).json
    answer = await served.ask(path)
    said = document["paths"][PATHS[path]]["get"]["responses"][str(answer.status)]["content"]
    schema = said[answer.headers["content-type"]]["schema"]
    validator = jsonschema.Draft202012Validator({**schema, "components": document["components"]})
    validator.validate(answer.json)


async def test_the_document_names_every_path(served: Served) -> None:
    document = (await served.ask("/api/openapi.json")).json
    assert set(document["paths"]) == {*PATHS.values(), "/api/cmd/{device}"}
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


async def test_values_come_with_status_and_time_and_nothing_stands_for_what_is_bad(served: Served) -> None:
    read_all(served)
    served.read("tank-1", temperature=(None, Status.BadTimeout))
    points = (await served.ask("/api/devices/tank-1")).json["points"]
    assert (points["level"]["value"], points["level"]["status"]) == (4.5, "UncertainEngineeringUnitsExceeded")
    assert (points["temperature"]["value"], points["temperature"]["status"]) == (None, "BadTimeout")
    assert points["leak"]["value"] is False
    assert points["level"]["ts"] > 1_700_000_000_000


async def test_never_polled_is_unknown_everywhere(served: Served) -> None:
    site = (await served.ask("/api/site")).json
    assert site["state"] == "not_ready"
    assert site["kinds"]["pump"] == site["kinds"]["pump"] | {"unknown": 1, "usable": 0, "required": 2}
    pump = (await served.ask("/api/devices/pump-1")).json
    assert (pump["state"], pump["score"]) == ("unknown", None)
    assert pump["points"]["running"]["status"] == "BadWaitingForInitialData"
    [feature] = (await served.ask("/api/geojson")).json["features"]
    assert feature["geometry"]["coordinates"] == [101.8, 36.62]
    assert feature["properties"]["data_age_s"] is None


async def test_an_unknown_resource_is_refused_as_json(served: Served) -> None:
    answer = await served.ask("/api/nothing")
    assert (answer.status, answer.json) == (404, {"error": "no such resource"})


async def test_metrics_can_be_read_back(served: Served) -> None:
    read_all(served)
    served.gateway._report_health()
    answer = await served.ask("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = dict(parse(line) for line in answer.text.splitlines() if not line.startswith("#"))
    level = ("vigil_point", "depot-9", "tank-1", "tank", "level", "m")
    assert samples[level] == 4.5
    assert samples["vigil_point", "depot-9", "tank-1", "tank", "leak", ""] == 0
    assert samples["vigil_device_state", "depot-9", "pump-1", "pump", "unknown"] == 1
    assert samples["vigil_device_state", "depot-9", "pump-1", "pump", "ready"] == 0
    assert samples["vigil_points", "depot-9", "tank-1", "uncertain"] == 1
    assert not [each for each in samples if "plate" in each]
    assert samples["vigil_gateway_uptime", "depot-9"] >= 0


def parse(line: str) -> tuple[tuple[str, ...], float]:
    """Name and label values, and the value, of one sample."""
    named, _, value = line.rpartition(" ")
    name, _, labels = named.rstrip("}").partition("{")
    return (name, *(pair.partition('="')[2].rstrip('"') for pair in labels.split('",'))), float(value)


async def test_the_running_configuration_has_no_secrets(served: Served) -> None:
    found: Any = (await served.ask("/api/configuration")).json
    assert "password" not in str(found).lower()
    assert [device["id"] for device in found["devices"]] == ["tank-1", "pump-1"]
