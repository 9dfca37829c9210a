"""Copies of the state: taken while it is in use, and made fit to go on from on another machine."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import StoreError
from gateway.store.files import BUSY_S
from gateway.store.store import SCHEMAS

LEAP = 1 << 36
"""How far a restored sequence leaps: more than the box that is gone can have sent since the backup (at 1,000 messages a
second: two years). 2^53 numbers, which JSON carries exactly, have room for 100,000 restores."""
FASTEST_PER_S = 10_000
"""Messages a second nobody exceeds, for a backup that is older than the leap."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One file of a copy."""

    path: Path
    schema: int


def file_names() -> tuple[str, ...]:
    """The files of a state directory that make up its state, in the order in which they are to be copied: the journal
    last, so that it knows of every number the others used."""
    return tuple(f"{schema.name}.db" for schema in reversed(SCHEMAS))


def copy_file(source: Path, target: Path) -> Copied:
    """A consistent copy of one file, whether or not a gateway is writing it; StoreError where it cannot be had."""
    if not source.is_file():
        raise StoreError(f"{source}: there is no such file", f"{source}：没有这个文件")
    try:
        with (
            contextlib.closing(_open(source)) as found,
            contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy,
        ):
            found.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise StoreError(f"{source}: damaged: {verdict}", f"{source}：文件已损坏：{verdict}")
            return Copied(target, _version(copy))
    except sqlite3.Error as error:
        raise StoreError(f"{source}: {error}") from error


def known_schema(name: str) -> int:
    """The newest schema of the file `name` that this version knows; 0 for a file it does not know."""
    return next((len(schema.steps) for schema in SCHEMAS if name == f"{schema.name}.db"), 0)


def leap(journal: Path, age_s: float) -> int:
    """Move the sequence of a restored journal forward, past everything the box that is gone can have given out since
    the backup, `age_s` ago; the new end of what is reserved. The outbox keeps its id: rows keep theirs, and what ingest
    still confirms of them is honoured."""
    further = max(LEAP, int(max(0.0, age_s) * FASTEST_PER_S))
    try:
        with contextlib.closing(sqlite3.connect(journal, isolation_level=None)) as db:
            (reserved,) = db.execute("SELECT value FROM meta WHERE key='reserved'").fetchone()
            db.execute("PRAGMA synchronous=FULL")
            db.execute("UPDATE meta SET value=? WHERE key='reserved'", (str(int(reserved) + further),))
            return int(reserved) + further
    except (sqlite3.Error, TypeError, ValueError) as error:
        raise StoreError(f"{journal}: {error}") from error


def outbox_id(journal: Path) -> str:
    """The outbox id in a copied journal; empty where there is none yet."""
    with contextlib.closing(sqlite3.connect(journal)) as db:
        found = db.execute("SELECT value FROM meta WHERE key='outbox'").fetchone()
    return str(found[0]) if found else ""


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S, isolation_level=None)


def _version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)
