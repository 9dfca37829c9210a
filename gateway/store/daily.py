"""One line per point and day, kept long after the samples are gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.store.blocks import Entry, numbers

SCHEMA = """
CREATE TABLE daily(device TEXT NOT NULL, point TEXT NOT NULL, day INTEGER NOT NULL, count INTEGER NOT NULL,
                   low REAL NOT NULL, high REAL NOT NULL, total REAL NOT NULL, PRIMARY KEY(device, point, day))
                   WITHOUT ROWID;
"""
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Day:
    """A day (UTC, `ts` at its beginning) of one point; booleans count as 0 and 1, words have no days."""

    ts: int
    count: int
    low: float
    high: float
    mean: float


def days(blocks: Iterable[tuple[str, list[Entry]]]) -> dict[tuple[str, str, int], tuple[int, float, float, float]]:
    """Count, low, high and total of each device, point and day."""
    found: dict[tuple[str, str, int], tuple[int, float, float, float]] = {}
    for device, entries in blocks:
        for entry in entries:
            day = entry.ts // DAY_MS
            for point, number in numbers(entry):
                key = (device, point, day)
                count, low, high, total = found.get(key, (0, number, number, 0.0))
                found[key] = (count + 1, min(low, number), max(high, number), total + number)
    return found


def add(db: sqlite3.Connection, blocks: Iterable[tuple[str, list[Entry]]]) -> None:
    """Add blocks to their days; each block only once."""
    db.executemany(
        "INSERT INTO daily VALUES(?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET count=count + excluded.count,"
        " low=min(low, excluded.low), high=max(high, excluded.high), total=total + excluded.total",
        [(*key, *values) for key, values in sorted(days(blocks).items())],
    )


def as_days(rows: Iterable[tuple[int, int, float, float, float]]) -> list[Day]:
    """Rows of day, count, low, high, total."""
    return [Day(day * DAY_MS, count, low, high, total / count) for day, count, low, high, total in rows]
