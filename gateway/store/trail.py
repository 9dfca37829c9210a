"""Entries that are only ever added, in the journal's file: written with the alarm or event they belong to."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from gateway.errors import StoreUnavailable
from gateway.store.files import StoreFile
from gateway.store.reader import Reader
from gateway.store.writer import Writer

STEP = """
CREATE TABLE trail(number INTEGER PRIMARY KEY, ts INTEGER NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL)
"""
"""What brings a journal of schema 2 to 3."""
AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; numbers have no gap, `ts` is UTC ms."""

    number: int
    ts: int
    body: bytes
    hash: bytes


@dataclass(slots=True)
class _Work:
    entries: list[Entry] = field(default_factory=list)
    retire_to: int = 0


class Trail:
    """A source of the journal's commits: what is added while the writer's lock is held is written in one transaction
    with everything else that is."""

    def __init__(self, file: StoreFile, writer: Writer, reader: Reader, executor: Executor) -> None:
        self._file = file
        self._writer = writer
        self._reader = reader
        self._executor = executor
        self._next, self._now = _Work(), _Work()
        db = file.writer
        found = db.execute("SELECT number, ts, body, hash FROM trail ORDER BY number DESC LIMIT 1").fetchone()
        self.last: Entry | None = Entry(*found) if found else None
        """The newest entry when the store was opened."""
        self.highest = _highest(db)
        """The highest number ever written; more than that of `last` where somebody took entries away."""

    def add(self, entry: Entry, *, retire_to: int = 0) -> None:
        """Write `entry` with the next commit; with `retire_to`, let go of all up to that number."""
        with self._writer.lock:
            self._writer.wake(self._file, urgent=False)
            self._next.entries.append(entry)
            self._next.retire_to = max(self._next.retire_to, retire_to)

    def newest(self, limit: int) -> list[Entry]:
        """The newest entries there were when the store was opened, oldest first; only before anything is added."""
        query = "SELECT number, ts, body, hash FROM trail ORDER BY number DESC LIMIT ?"
        return [Entry(*values) for values in self._file.writer.execute(query, (limit,))][::-1]

    async def read(self, after: int, limit: int = AT_ONCE) -> Sequence[Entry]:
        """Entries on disk behind number `after`, oldest first."""
        read = asyncio.get_running_loop().run_in_executor
        return await read(self._executor, self._read, after, limit)

    def _read(self, after: int, limit: int) -> list[Entry]:
        return [Entry(*values) for values in self._reader.values(_READ, (after, limit))]

    async def last_before(self, ts: int) -> Entry | None:
        """The newest entry older than `ts`."""
        query = "SELECT number, ts, body, hash FROM trail WHERE ts < ? ORDER BY number DESC LIMIT 1"
        read = asyncio.get_running_loop().run_in_executor
        found = await read(self._executor, self._reader.values, query, (ts,))
        return Entry(*found[0]) if found else None

    # gateway.store.writer.Source

    def has_work(self) -> bool:
        return bool(self._next.entries)

    def take(self) -> None:
        self._now, self._next = self._next, _Work()

    def put_back(self) -> None:
        late = self._next
        self._next = _Work(self._now.entries + late.entries, max(self._now.retire_to, late.retire_to))
        self._now = _Work()

    def replaced(self) -> None:
        """The journal is never replaced."""

    def settle(self) -> None:
        self._now = _Work()

    def write(self, db: sqlite3.Connection) -> None:
        work = self._now
        db.executemany(
            "INSERT INTO trail VALUES(?,?,?,?)",
            [(entry.number, entry.ts, entry.body, entry.hash) for entry in work.entries],
        )
        db.execute("INSERT OR REPLACE INTO meta VALUES('trail', ?)", (str(work.entries[-1].number),))
        if work.retire_to:
            db.execute("DELETE FROM trail WHERE number<=?", (work.retire_to,))


_READ = "SELECT number, ts, body, hash FROM trail WHERE number > ? ORDER BY number LIMIT ?"


def _highest(db: sqlite3.Connection) -> int:
    found = db.execute("SELECT value FROM meta WHERE key='trail'").fetchone()
    return int(found[0]) if found else 0


def highest(path: Path) -> int:
    """The highest number ever written to a journal file; StoreUnavailable where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as db:
            return _highest(db)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error


def walk(path: Path) -> Iterator[Entry]:
    """Every entry of a journal file, oldest first, beside a gateway that runs; StoreUnavailable where it cannot be
    read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as db:
            for values in db.execute("SELECT number, ts, body, hash FROM trail ORDER BY number"):
                yield Entry(*values)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error
