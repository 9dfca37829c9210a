"""What the JSON API says of itself (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any, TypeAlias

from gateway.model import AlarmCondition, AlarmEvent, Priority, ReadinessState, Status, Suppression, ValueType
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
            "description": "One site as its gateway sees it now. Texts are in Chinese and English. Everything is read "
            "only but commands, which are the same as over MQTT.",
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
            "/api/devices/{device}/rules/{rule}": _get(
                "Why a rule says what it says", "Explanation", _named("device"), _named("rule"), missing=True
            ),
            "/api/alarms": _get("All alarms that are not normal, the worst first", "Alarms"),
            "/api/alarms/{device}/{rule}": _get(
                "One alarm and what happened to it, the newest first",
                "AlarmAndHistory",
                _named("device"),
                _named("rule"),
                missing=True,
            ),
            "/api/cmd/{device}": _command(),
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


def _command() -> Schema:
    """A command, with its answers: done, refused as it stands, not understood, not allowed, not there, too many."""
    refusals = {
        "400": "Not understood",
        "403": "The credential is wrong, or its role may not",
        "404": "There is none of that name",
        "409": "Refused as things stand",
        "503": "Too many at once",
    }
    answers = {"200": _content("Done", "Reply")} | {
        code: _content(words, "ReplyOrError") for code, words in refusals.items()
    }
    answers |= {"415": _content("Not JSON", "Error"), "504": _content("Not finished in time", "Error")}
    body = {"required": True, "content": {"application/json": {"schema": _ref("Command")}}}
    return {
        "post": {
            "summary": "What somebody asks of a device, `_site` or `_gateway`",
            "parameters": [_named("device")],
            "requestBody": body,
            "responses": answers,
        }
    }


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
    ack = _object(by=_STRING, ts=_TIME, note=_STRING)
    alarm_state: Schema = {"enum": [each.value for each in AlarmCondition]}
    flag: Schema = {"type": "boolean"}
    alarm = _object(
        alarm=_STRING,
        device=_STRING,
        rule=_STRING,
        kind=_STRING,
        state=alarm_state,
        active=flag,
        acked=flag,
        acks=_list(ack),
        acks_needed=_COUNT,
        suppression={"enum": [each.value for each in Suppression]},
        priority=priority,
        since=_TIME,
        occurrences=_COUNT,
        because=_map(value),
        text=text,
        action=text,
        role=_STRING,
        stale=flag,
        first_out=flag,
        consequence_of=_maybe(_STRING),
        shelved_until=_maybe(_TIME),
        shelf=_list(ack),
        work_order=_maybe(_STRING),
    )
    event: Schema = {"enum": [each.value for each in AlarmEvent]}
    happened = _object(ts=_TIME, event=event, priority=priority, state=alarm_state, by=_STRING, note=_STRING)
    reply: Schema = {
        "type": "object",
        "properties": {"id": _STRING, "ok": flag, "error": _STRING, "text": text, "data": {"type": "object"}},
        "required": ["id", "ok"],
        "additionalProperties": False,
    }
    command: Schema = {
        "type": "object",
        "properties": {"id": _STRING, "cmd": _STRING, "args": {"type": "object"}, "by": _STRING, "auth": _STRING},
        "required": ["id", "cmd", "by"],
    }
    explanation: Schema = {
        "type": "object",
        "properties": {"device": _STRING, "rule": _STRING, "ts": _TIME, "says": _STRING, "why": text, "text": text},
        "required": ["device", "rule", "ts", "says", "why", "text", "action", "levels", "names", "missing"],
    }
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
        "Explanation": explanation,
        "Alarm": alarm,
        "Alarms": _object(
            open=_COUNT,
            unacked=_COUNT,
            priorities=_object(**{each.value: _object(open=_COUNT, unacked=_COUNT) for each in Priority}),
            alarms=_list(_ref("Alarm")),
        ),
        "AlarmAndHistory": _object(alarm=_maybe(_ref("Alarm")), history=_list(happened)),
        "Command": command,
        "Reply": reply,
        "ReplyOrError": {"anyOf": [_ref("Reply"), _ref("Error")]},
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
