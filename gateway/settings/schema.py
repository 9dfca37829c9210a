"""JSON Schema of the files people write, for editors: completion, descriptions, red underlines.

It says less than `vigil check`: what needs more than one key, or another file, is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from gateway.settings.files import (
    DeviceDefaults,
    DeviceKeys,
    InfluxKeys,
    IngestFile,
    IngestMqttKeys,
    LineKeys,
    PointKeys,
    ProfileFile,
    SiteFile,
    SiteKeys,
    SiteMqttKeys,
    UplinkKeys,
    VocabularyFile,
)
from gateway.settings.protocol import Protocols

Schema = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def site_schema(protocols: Protocols, kinds: Iterable[str]) -> Schema:
    """Of a site file, with the keys of all protocols and the kinds of the vocabulary."""
    defs: Schema = {}
    points = _each(merged(defs, PointKeys, *(each.point_options for each in protocols.values())))
    device = merged(defs, DeviceKeys, *(each.device_options for each in protocols.values()), required=("id", "line"))
    device["properties"]["points"] |= points
    device["properties"]["identity"]["items"] = _identity(defs, protocols)
    line = merged(defs, LineKeys, *(each.line_options for each in protocols.values()), required=())
    line["properties"]["protocol"]["enum"] = sorted(protocols)
    uplink = merged(defs, UplinkKeys)
    uplink["properties"]["mqtt"] = merged(defs, SiteMqttKeys)
    site = merged(defs, SiteKeys)
    for properties in (site["properties"], device["properties"]):
        properties["kind"] = _described(properties["kind"], {"enum": sorted(kinds)})
    schema = merged(defs, SiteFile)
    schema["properties"] |= {"site": site, "uplink": uplink}
    schema["properties"]["lines"] |= _each(line)
    schema["properties"]["devices"]["items"] = device
    schema["properties"]["required"]["propertyNames"] = {"enum": sorted(kinds)}
    return titled("Vigil site file", schema, defs)


def ingest_schema() -> Schema:
    """Of the centre's file."""
    defs: Schema = {}
    schema = merged(defs, IngestFile)
    schema["properties"] |= {"mqtt": merged(defs, IngestMqttKeys), "influx": merged(defs, InfluxKeys)}
    return titled("Vigil ingest file", schema, defs)


def profile_schema(protocols: Protocols, kinds: Iterable[str]) -> Schema:
    """Of a device model."""
    defs: Schema = {}
    options = [each.point_options for each in protocols.values()]
    schema = merged(defs, ProfileFile)
    properties = schema["properties"]
    properties["kind"] = _described(properties["kind"], {"enum": sorted(kinds)})
    properties["protocol"] = _described(properties["protocol"], {"enum": sorted(protocols)})
    properties["points"] |= _each(merged(defs, PointKeys, *options))
    devices = (each.device_options for each in protocols.values())
    properties["device"] |= merged(defs, DeviceDefaults, *devices, required=())
    properties["line"] |= merged(defs, *(each.line_options for each in protocols.values()), required=())
    properties["identity"]["items"] = _identity(defs, protocols)
    return titled("Vigil device profile", schema, defs)


def _identity(defs: Schema, protocols: Protocols) -> Schema:
    entry = merged(defs, *(each.point_options for each in protocols.values()))
    entry["properties"]["equals"] = {"description": "What is found there, or a list of what may be."}
    entry["properties"]["begins"] = {
        "type": "string",
        "description": "Instead of equals: what the text there begins with.",
    }
    entry["oneOf"] = [{"required": ["equals"]}, {"required": ["begins"]}]
    return entry


def vocabulary_schema() -> Schema:
    """Of the words of a kind."""
    defs: Schema = {}
    return titled("Vigil vocabulary", merged(defs, VocabularyFile), defs)


def schemas(protocols: Protocols, kinds: Iterable[str]) -> Mapping[str, Schema]:
    """Every schema by the name of its file."""
    known = sorted(kinds)
    makers: Mapping[str, Callable[[], Schema]] = {
        "site": lambda: site_schema(protocols, known),
        "ingest": ingest_schema,
        "profile": lambda: profile_schema(protocols, known),
        "vocabulary": vocabulary_schema,
    }
    return {f"{name}.schema.json": make() for name, make in makers.items()}


def merged(defs: Schema, *models: type[BaseModel], required: Iterable[str] | None = None) -> Schema:
    """One mapping with the keys of several models; what they refer to goes to `defs`."""
    properties: Schema = {}
    needed: list[str] = []
    for model in models:
        schema = model.model_json_schema()
        defs |= schema.get("$defs", {})
        properties |= schema["properties"]
        needed += schema.get("required", [])
    merged = {"type": "object", "properties": properties, "additionalProperties": False}
    wanted = list(dict.fromkeys(needed if required is None else required))
    return merged | ({"required": wanted} if wanted else {})


def _each(schema: Schema) -> Schema:
    return {"type": "object", "additionalProperties": schema}


def _described(old: Schema, new: Schema) -> Schema:
    return new | {key: old[key] for key in ("description", "examples") if key in old}


def _tidy(schema: Any) -> Any:
    """Without null (an empty key is an error here), and without the titles pydantic makes up."""
    if isinstance(schema, list):
        return [_tidy(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {}
    for key, value in schema.items():
        if key == "properties":
            tidy[key] = {name: _tidy(each) for name, each in value.items()}
        elif key not in ("title", "default", "examples"):
            tidy[key] = _tidy(value)
        elif key != "title" and value not in (None, [], {}):
            tidy[key] = value
    choices = [each for each in tidy.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        del tidy["anyOf"]
        return choices[0] | tidy
    return tidy | ({"anyOf": choices} if choices else {})


def titled(title: str, schema: Schema, defs: Schema) -> Schema:
    return {
        "$schema": _DRAFT,
        "title": title,
        **_tidy(schema),
        "$defs": {name: _tidy(each) for name, each in defs.items()},
    }
