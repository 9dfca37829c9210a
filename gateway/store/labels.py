"""Rows whose time is not known yet: kept, held back, and labelled once it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gateway.ports import Row

STEP = """
ALTER TABLE message ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_held ON message(seq) WHERE held=1
"""
"""What brings a file of schema 1 to 2."""
AT_ONCE = 5000
"""Rows labelled in one transaction."""


@dataclass(frozen=True, slots=True)
class Labelling:
    """How held rows get their final times: those from `since_ms` on move by `shift_ms`; `body` does the same to what a
    message says."""

    since_ms: int
    shift_ms: int
    body: Callable[[bytes], bytes]

    def of(self, row: Row) -> Row:
        """The row as it will be sent."""
        return replace(row, ts=self.moved(row.ts), body=self.body(row.body), held=False)

    def moved(self, ts: int) -> int:
        return ts + self.shift_ms if ts >= self.since_ms else ts


def label_rows(db: sqlite3.Connection, labelling: Labelling) -> list[tuple[Row, Row]]:
    """Label the next held rows on disk: each before and after."""
    found = [
        Row(seq, ts, topic, body, bool(retain), rank, held=True)
        for seq, ts, topic, body, retain, rank in db.execute(
            "SELECT seq, ts, topic, body, retain, rank FROM message WHERE held=1 ORDER BY seq LIMIT ?", (AT_ONCE,)
        )
    ]
    labelled = [(row, labelling.of(row)) for row in found]
    db.executemany(
        "UPDATE message SET ts=?, body=?, held=0 WHERE seq=?", [(row.ts, row.body, row.seq) for _, row in labelled]
    )
    return labelled


def label_gaps(db: sqlite3.Connection, labelling: Labelling) -> None:
    """The same for what is noted of losses."""
    for name in ("first_ts", "last_ts"):
        db.execute(
            f"UPDATE gap SET {name}={name}+? WHERE {name}>=?",  # noqa: S608
            (labelling.shift_ms, labelling.since_ms),
        )


def newest_ts(db: sqlite3.Connection, table: str, column: str, order: str) -> int:
    """The newest of the last time stamps written to a table; 0 where there are none."""
    (found,) = db.execute(
        f"SELECT coalesce(max(ts), 0) FROM (SELECT {column} AS ts FROM {table} ORDER BY {order} DESC LIMIT {AT_ONCE})"  # noqa: S608
    ).fetchone()
    return int(found)


def only_labelled(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if not row.held]
