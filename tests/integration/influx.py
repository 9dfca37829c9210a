"""Reads InfluxDB 1.x back, and says what a message must have become there: written from the contract, not from our code."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

Row = tuple[str, tuple[tuple[str, str], ...], int, tuple[tuple[str, object], ...]]
"""Measurement, tags, UTC milliseconds, fields; sorted, so that rows compare."""


def query(url: str, database: str, text: str) -> list[dict[str, Any]]:
    """The series of an InfluxQL answer; an error inside a 200 is raised."""
    parameters = urllib.parse.urlencode({"db": database, "q": text, "epoch": "ms"})
    with urllib.request.urlopen(f"{url}/query?{parameters}", timeout=10) as answer:
        body = json.load(answer)
    assert "error" not in body, body
    results = body["results"][0]
    assert "error" not in results, results
    return list(results.get("series", []))


def measurements(url: str, database: str) -> set[str]:
    return {row[0] for series in query(url, database, "SHOW MEASUREMENTS") for row in series["values"]}


def rows(url: str, database: str) -> set[Row]:
    """Everything in the database."""
    found: set[Row] = set()
    for measurement in measurements(url, database):
        tags = {
            row[0]
            for series in query(url, database, f'SHOW TAG KEYS FROM "{measurement}"')
            for row in series["values"]
        }
        for series in query(url, database, f'SELECT * FROM "{measurement}" GROUP BY *'):
            held = tuple(sorted((key, value) for key, value in series["tags"].items() if value))
            assert {key for key, _ in held} <= tags
            for values in series["values"]:
                facts = dict(zip(series["columns"], values, strict=True))
                ts = facts.pop("time")
                fields = tuple(sorted((key, value) for key, value in facts.items() if value is not None))
                found.add((measurement, held, ts, fields))
    return found


def _row(measurement: str, tags: Mapping[str, str], ts: int, fields: Mapping[str, object]) -> Row:
    held = tuple(sorted((key, value) for key, value in tags.items() if value != ""))
    kept = {key: value for key, value in fields.items() if value is not None}
    return (measurement, held, ts, tuple(sorted(kept.items())))


def _field(value: object) -> object:
    return value if isinstance(value, bool | str) else float(value)  # type: ignore[arg-type]


def expected(topic: str, payload: Mapping[str, Any]) -> list[Row]:
    """What the contract says `payload` on `topic` becomes."""
    _, _, site, device, *channel = topic.split("/")
    ts, labels = payload.get("ts"), payload.get("labels", {})
    tags = {"site": site, "device": device, **labels}
    match channel[0]:
        case "telemetry" if device == "_gateway":
            assert ts is not None
            made = []
            if payload["v"]:
                fields = {key: _field(value) for key, value in payload["v"].items()}
                made.append(_row("gateway", {"site": site, **labels}, ts, fields))
            return made + _qualities(payload, tags, ts)
        case "telemetry":
            assert ts is not None
            made = []
            if payload["v"]:
                fields = {key: _field(value) for key, value in payload["v"].items()}
                made.append(_row(payload["kind"], tags, ts, fields))
            return made + _qualities(payload, tags, ts)
        case "readiness" if device == "_site":
            assert ts is not None
            fields = {"state": payload["state"], "name_zh": payload["name"]["zh"], "name_en": payload["name"]["en"]}
            if payload.get("location"):
                fields |= {key: float(value) for key, value in payload["location"].items()}
            for kind, counts in payload["kinds"].items():
                fields |= {f"{kind}_{name}": float(count) for name, count in counts.items()}
            return [_row("site", {"site": site, "kind": payload["kind"], **labels}, ts, fields)]
        case "readiness":
            assert ts is not None
            state = payload["state"]
            fields = {
                "state": state,
                "ready": float(state == "ready"),
                "usable": float(state in ("ready", "degraded", "in_use")),
                "score": None if payload["score"] is None else float(payload["score"]),
                "reasons": json.dumps(payload["reasons"], ensure_ascii=False, separators=(",", ":")),
            }
            return [_row("readiness", {**tags, "kind": payload["kind"]}, ts, fields)]
        case _:
            return []


def _qualities(payload: Mapping[str, Any], tags: Mapping[str, str], ts: int) -> list[Row]:
    made = [
        _row("point_quality", {**tags, "point": point}, ts, {"status": status})
        for group in ("uncertain", "bad")
        for point, status in payload.get(group, {}).items()
    ]
    made += [_row("point_quality", {**tags, "point": p}, ts, {"status": "Good"}) for p in payload.get("recovered", [])]
    if "q" in payload:
        counts = payload["q"]
        fields = {key: float(counts[key]) for key in ("good", "uncertain", "bad")} | {"worst": counts["worst"]}
        made.append(_row("quality", tags, ts, fields))
    return made
