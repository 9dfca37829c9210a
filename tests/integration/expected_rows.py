"""What a message must have become in the database: written from the contract alone, not with our code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.integration.influx_rows import Key

Row = tuple[str, Key, dict[str, object]]
"""Measurement, (UTC ms, sorted tags), fields."""


def _row(measurement: str, tags: Mapping[str, str], ts: int, fields: Mapping[str, object]) -> Row:
    held = tuple(sorted((key, value) for key, value in tags.items() if value != ""))
    return measurement, (ts, *held), {key: value for key, value in fields.items() if value is not None}


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
