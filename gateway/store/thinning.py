"""Making telemetry smaller without losing what matters: per point and minute the last value, the lowest, the highest,
and every change of status, word or switch stay; the rest goes and is counted.

Rows keep their sequence number and time stamp; a row of which nothing stays is dropped.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from gateway.ports import Row

BUCKET_MS = 60_000


@dataclass(frozen=True, slots=True)
class Thinned:
    """`kept` are rows with what stays of them, `dropped` those of which nothing does; `lost` counts values by topic."""

    kept: tuple[Row, ...]
    dropped: tuple[Row, ...]
    lost: dict[str, int]


def count_values(body: bytes) -> int:
    """How many points a message speaks of, at least 1: the unit in which losses are counted."""
    if b'"v":' not in body:
        return 1
    members = json.loads(b"{" + body)
    return max(1, len(members["v"]) + len(members.get("bad", ())))


def thin(rows: Sequence[Row]) -> Thinned:
    """Thin telemetry rows, given in order of sequence number."""
    by_topic: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_topic[row.topic].append(row)
    kept: list[Row] = []
    dropped: list[Row] = []
    lost: dict[str, int] = {}
    for topic, group in by_topic.items():
        messages = [json.loads(b"{" + row.body, parse_float=Decimal) for row in group]
        stays = _what_stays([row.ts for row in group], messages)
        for row, members, points in zip(group, messages, stays, strict=True):
            before = len(members["v"]) + len(members.get("bad", ()))
            rest = _reduced(members, points)
            if rest is None:
                dropped.append(row)
            elif rest == members:
                continue
            else:
                kept.append(replace(row, body=_dumps(rest).encode()[1:]))
            after = 0 if rest is None else len(rest["v"]) + len(rest.get("bad", ()))
            lost[topic] = lost.get(topic, 0) + before - after
    return Thinned(tuple(kept), tuple(dropped), {topic: count for topic, count in lost.items() if count})


_QUALITY = "q"
"""Stands beside the points, none of which can have this name and a mapping as value."""


def _what_stays(times: Sequence[int], messages: Sequence[dict[str, Any]]) -> list[set[str]]:
    """For each message the names of the points that stay (and `q`)."""
    stays: list[set[str]] = [set() for _ in messages]
    series: dict[str, list[tuple[int, str, Any]]] = defaultdict(list)
    for at, members in enumerate(messages):
        uncertain = members.get("uncertain", {})
        for name, value in members["v"].items():
            series[f"v {name}"].append((at, uncertain.get(name, "Good"), value))
        for name, status in members.get("bad", {}).items():
            series[f"v {name}"].append((at, status, None))
        if _QUALITY in members:
            series[_QUALITY].append((at, "", json.dumps(members[_QUALITY])))
    for key, entries in series.items():
        name = key.removeprefix("v ")
        for at in _entries_that_stay(times, entries):
            stays[at].add(_QUALITY if key == _QUALITY else f"v {name}")
    return stays


def _entries_that_stay(times: Sequence[int], entries: Sequence[tuple[int, str, Any]]) -> set[int]:
    stays: set[int] = set()
    buckets: dict[int, list[tuple[int, Any]]] = defaultdict(list)
    before: tuple[str, Any] | None = None
    for at, status, value in entries:
        is_word = isinstance(value, (bool, str))
        if before is None or status != before[0] or (is_word and value != before[1]):
            stays.add(at)
        before = (status, value)
        buckets[times[at] // BUCKET_MS].append((at, value))
    for inside in buckets.values():
        stays.add(inside[-1][0])
        numbers = [(value, at) for at, value in inside if value is not None and not isinstance(value, (bool, str))]
        if numbers:
            stays.add(min(numbers)[1])
            stays.add(max(numbers)[1])
    return stays


def _reduced(members: dict[str, Any], stays: set[str]) -> dict[str, Any] | None:
    """`members` with only what stays, None where that is nothing."""
    if not stays:
        return None
    rest: dict[str, Any] = {}
    for key, value in members.items():
        if key in ("v", "uncertain", "bad"):
            value = {name: item for name, item in value.items() if f"v {name}" in stays}
            if not value and key != "v":
                continue
        elif key == "recovered":
            value = [name for name in value if f"v {name}" in stays]
            if not value:
                continue
        elif key == _QUALITY and _QUALITY not in stays:
            continue
        rest[key] = value
    return rest


def _dumps(value: Any) -> str:
    """Compact JSON with every digit of a Decimal."""
    if isinstance(value, dict):
        return "{" + ",".join([f"{_dumps(key)}:{_dumps(item)}" for key, item in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_dumps(item) for item in value]) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
