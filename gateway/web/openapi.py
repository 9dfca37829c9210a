"""What the JSON API says of itself (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any, TypeAlias

from gateway.model import Priority, ReadinessState, Status, ValueType
from gateway.rules.readiness import COUNTED

Schema: TypeAlias = dict[str, Any]
MAX_MINUTES = 7 * 24 * 60
MAX_STEPS = 1000

_STRING: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TIME: Schema = {"type": "integer", "description": "UTC milliseconds"}


def document(version: str) -> Schema:
    """The whole document; `version` is the product's."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Vigil local API",
            "version": version,
            "description": "One site as its gateway sees it now. Read only. Texts are in Chinese and English.",
        },
        "paths": {
            "/api/site": _get("The site and its roll-up", "Site"),
            "/api/devices": _get("All devices without their points", "Devices"),
            "/api/devices/{device}": _get("One device with all its points", "Device", _named("device"), missing=True),
            "/api/devices/{device}/points/{point}/trend": _get(
                "A number or flag over time, from the local history",
                "Trend",
                _named("device"),
                _named("point"),
                _asked("minutes", 60, MAX_MINUTES),
                _asked("steps", 120, MAX_STEPS),
                missing=True,
            ),
            "/api/health": _get("The gateway's own points", "Health"),
            "/api/configuration": _get("The configuration it runs with, without secrets", "Configuration"),
            "/api/geojson": _get("The site for a map", "Map", media_type="application/geo+json"),
            "/api/openapi.json": _get("This document", "Document"),
        },
        "components": {"schemas": _schemas()},
    }


def _get(
    summary: str, schema: str, *parameters: Schema, missing: bool = False, media_type: str = "application/json"
) -> Schema:
    answers: Schema = {"200": _content("What stands now", schema, media_type)}
    if missing:
        answers["404"] = _content("There is none of that name", "Error")
    if any(each["in"] == "query" for each in parameters):
        answers["400"] = _content("A parameter is out of its range", "Error")
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": answers}}


def _content(words: str, schema: str, media_type: str = "application/json") -> Schema:
    return {"description": words, "content": {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _named(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": _STRING}


def _asked(name: str, default: int, most: int) -> Schema:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _object(**members: Schema) -> Schema:
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def _map(of: Schema) -> Schema:
    return {"type": "object", "additionalProperties": of}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> Schema:
    text = _ref("Text")
    state: Schema = {"enum": [each.value for each in ReadinessState]}
    value: Schema = {"type": ["number", "boolean", "string", "null"]}
    priority: Schema = {"enum": [each.value for each in Priority]}
    reason = _object(rule=_STRING, priority=priority, text=text, action=_maybe(text), because=_map(value))
    summary = {
        "id": _STRING,
        "name": text,
        "kind": _STRING,
        "state": state,
        "since": _maybe(_TIME),
        "score": _maybe({"type": "integer", "minimum": 0, "maximum": 100}),
        "reasons": _list(reason),
    }
    point = _object(
        value=value,
        status={"enum": [each.name for each in Status]},
        stale={"type": "boolean"},
        ts=_maybe(_TIME),
        type={"enum": [each.value for each in ValueType]},
        unit=_STRING,
    )
    counts = {each.value: _COUNT for each in COUNTED}
    step = _object(ts=_TIME, low=_maybe(_NUMBER), high=_maybe(_NUMBER), mean=_maybe(_NUMBER), count=_COUNT)
    feature = _object(
        type={"const": "Feature"},
        id=_STRING,
        geometry=_object(type={"const": "Point"}, coordinates={**_list(_NUMBER), "minItems": 2, "maxItems": 2}),
        properties={
            "type": "object",
            "properties": {"site": _STRING, "state": state, "marker-color": _STRING, "data_age_s": _maybe(_COUNT)},
            "required": ["site", "state", "marker-color", "data_age_s"],
        },
    )
    options = {"id": _STRING, "options": _STRING}
    device = _object(
        **options,
        name=_STRING,
        kind=_STRING,
        profile=_maybe(_STRING),
        line=_STRING,
        interval_s=_STRING,
        facts=_STRING,
        points=_list(_object(name=_STRING, label=_STRING, unit=_STRING, options=_STRING)),
    )
    return {
        "Text": _object(zh=_STRING, en=_STRING),
        "Site": _object(
            id=_STRING,
            name=text,
            kind=_STRING,
            location=_maybe(_object(lat=_NUMBER, lon=_NUMBER)),
            timezone=_STRING,
            labels=_map(_STRING),
            config=_STRING,
            version=_STRING,
            ts=_TIME,
            clock={"enum": ["synced", "free"]},
            state=state,
            kinds=_map(_object(**counts, usable=_COUNT, required=_COUNT)),
        ),
        "Devices": _object(devices=_list(_object(**summary))),
        "Device": _object(**summary, points=_map(point)),
        "Trend": _object(device=_STRING, point=_STRING, unit=_STRING, steps=_list(step)),
        "Health": _object(ts=_maybe(_TIME), points=_map(_object(value=value, unit=_STRING))),
        "Configuration": _object(
            site=_map(_STRING),
            lines=_list(_object(**options, protocol=_STRING, endpoint=_STRING)),
            devices=_list(device),
        ),
        "Map": _object(type={"const": "FeatureCollection"}, features=_list(feature)),
        "Document": {"type": "object", "required": ["openapi", "info", "paths"]},
        "Error": _object(error=_STRING),
    }
