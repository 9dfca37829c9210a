"""Reading an InfluxDB 1.x back, to compare what is there with what should be."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any

from tests.servers import Influxd

Key = tuple[int | tuple[str, str], ...]


def ask(influxd: Influxd, question: str, database: str = "") -> list[dict[str, Any]]:
    """The series InfluxQL gives; an error in the answer fails the test."""
    query = urllib.parse.urlencode({"q": question, "db": database, "epoch": "ms"})
    with urllib.request.urlopen(f"{influxd.url}/query", query.encode(), timeout=20) as answer:
        (result,) = json.loads(answer.read())["results"]
    assert "error" not in result, result
    series: list[dict[str, Any]] = result.get("series", [])
    return series


def measurements(influxd: Influxd, database: str = "vigil") -> set[str]:
    return {row[0] for series in ask(influxd, "SHOW MEASUREMENTS", database) for row in series["values"]}


def field_types(influxd: Influxd, database: str = "vigil") -> dict[str, dict[str, str]]:
    """Measurement -> field -> type."""
    return {series["name"]: dict(series["values"]) for series in ask(influxd, "SHOW FIELD KEYS", database)}


def rows(influxd: Influxd, measurement: str, database: str = "vigil") -> dict[Key, dict[str, bool | float | str]]:
    """(time, sorted tags) -> fields, of every row of a measurement."""
    found: dict[Key, dict[str, bool | float | str]] = {}
    for series in ask(influxd, f'SELECT * FROM "{measurement}" GROUP BY *', database):
        tags = tuple(sorted((name, value) for name, value in series["tags"].items() if value))
        for time, *values in series["values"]:
            fields = zip(series["columns"][1:], values, strict=True)
            found[time, *tags] = {name: value for name, value in fields if value is not None}
    return found


def everything(influxd: Influxd, database: str = "vigil") -> dict[str, dict[Key, dict[str, bool | float | str]]]:
    return {name: rows(influxd, name, database) for name in measurements(influxd, database)}
