"""What was lost, summed up per device and reason until an event has told it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gateway.store.thinning import count_values

SCHEMA = """
CREATE TABLE gap(place TEXT NOT NULL, why TEXT NOT NULL, first_ts INTEGER NOT NULL, last_ts INTEGER NOT NULL,
                 count INTEGER NOT NULL, PRIMARY KEY(place, why));
"""


@dataclass(frozen=True, slots=True)
class Gap:
    """What was accepted, or should have been, and is gone: `count` values of points, other messages counting 1 each
    (`damage`: messages, 0 where nobody can tell how many). Times are of the first and the last, 0 where not known."""

    place: str
    """The topic up to the device; empty where messages of unknown devices and times went with a damaged file."""
    why: str
    """`thinned` and `quota` (dropped) at the quota, `disk` (little space left), `overload` (the disk did not keep up),
    `refused` (the broker never took it, and there were too many such), `damage` (a file was set aside)."""
    first_ts: int
    last_ts: int
    count: int
    is_of_journal: bool = False
    """Which of the two files has it, where it was read from one."""


def place_of(topic: str) -> str:
    """`vigil/v1/<site>/<device>` of any topic below it."""
    return "/".join(topic.split("/")[:4])


def overload(topic: str, ts: int, body: bytes) -> Gap:
    """The gap a message leaves that could not even wait."""
    return Gap(place_of(topic), "overload", ts, ts, count_values(body))


def lost_with(aside: Path) -> Gap:
    """The gap a damaged file leaves that was found when it was opened. Its rows are only counted: there is no telling
    which of its values are still what they were."""
    with closing(sqlite3.connect(f"{aside.absolute().as_uri()}?mode=ro", uri=True)) as db:
        try:
            count, first_ts, last_ts = db.execute("SELECT count(*), min(ts), max(ts) FROM message").fetchone()
        except sqlite3.Error:
            count, first_ts, last_ts = 0, 0, 0
    return Gap("", "damage", first_ts or 0, last_ts or 0, count)


def merge(gaps: dict[tuple[str, str], Gap], gap: Gap) -> None:
    key = (gap.place, gap.why)
    old = gaps.get(key, gap)
    count = gap.count + (old.count if key in gaps else 0)
    gaps[key] = Gap(gap.place, gap.why, min(old.first_ts, gap.first_ts), max(old.last_ts, gap.last_ts), count)


def add(db: sqlite3.Connection, gap: Gap) -> None:
    db.execute(
        "INSERT INTO gap VALUES(?,?,?,?,?) ON CONFLICT(place, why) DO UPDATE SET"
        " first_ts=min(first_ts, excluded.first_ts), last_ts=max(last_ts, excluded.last_ts),"
        " count=count + excluded.count",
        (gap.place, gap.why, gap.first_ts, gap.last_ts, gap.count),
    )


def settle(db: sqlite3.Connection, gap: Gap) -> None:
    """What was told of a gap is taken off; what was lost meanwhile stays, from the end of the told part on."""
    where = (gap.place, gap.why)
    db.execute(
        "UPDATE gap SET count=count - ?, first_ts=max(first_ts, ?) WHERE place=? AND why=?",
        (gap.count, gap.last_ts, *where),
    )
    db.execute("DELETE FROM gap WHERE place=? AND why=? AND count <= 0", where)
