"""Sequence numbers that never repeat: reserved on disk in blocks before they are used.

The end of the block is on disk before its first number is given out, so after any crash counting goes on behind it.
"""

from __future__ import annotations

import sqlite3

from gateway.store.files import StoreFile
from gateway.store.writer import Writer

BLOCK = 131_072
"""Numbers reserved at a time. Half of it is more than rows may wait for the disk; only when rows are confirmed without
it, while it takes nothing at all, may a block run out."""


class Sequence:
    """Counter of one outbox; also keeps the last time stamp given out, as of the last reservation."""

    def __init__(self, file: StoreFile, writer: Writer, *, behind: int, not_before: int = 0) -> None:
        """`behind` is a number, and `not_before` a time stamp, known to be taken, whatever the journal says."""
        self._file = file
        self._writer = writer
        db = file.writer
        (reserved,) = db.execute("SELECT value FROM meta WHERE key='reserved'").fetchone()
        (last_ts,) = db.execute("SELECT value FROM meta WHERE key='last_ts'").fetchone()
        taken = max(int(reserved), behind)
        self._next = taken + 1
        self._reserved = taken + BLOCK
        self._asked = self._taken = self._reserved
        self.last_ts = max(int(last_ts), not_before)
        _reserve(db, self._reserved, self.last_ts)

    @property
    def has_next(self) -> bool:
        """Whether a number is left that is safe to use: one that is reserved on disk."""
        return self._next <= self._reserved

    def next(self, ts: int) -> int:
        """The next number; only where `has_next`, and with the lock held."""
        number = self._next
        self._next += 1
        self.last_ts = max(self.last_ts, ts)
        if number + BLOCK // 2 > self._asked:
            self._asked += BLOCK
            self._writer.wake(self._file, urgent=True)
        return number

    def note(self, ts: int) -> None:
        """`ts` is given out, too."""
        self.last_ts = max(self.last_ts, ts)

    def release(self) -> None:
        """Give back what was reserved and not used; only after the writer has ended."""
        _reserve(self._file.writer, self._next - 1, self.last_ts)

    # gateway.store.writer.Source

    def has_work(self) -> bool:
        return self._asked > self._reserved

    def take(self) -> None:
        self._taken = self._asked

    def write(self, db: sqlite3.Connection) -> None:
        _reserve(db, self._taken, self.last_ts)

    def settle(self) -> None:
        self._reserved = self._taken

    def put_back(self) -> None:
        """Still asked for."""

    def replaced(self) -> None:
        """The journal is never replaced."""


def _reserve(db: sqlite3.Connection, reserved: int, last_ts: int) -> None:
    db.execute("UPDATE meta SET value=? WHERE key='reserved'", (str(reserved),))
    db.execute("UPDATE meta SET value=? WHERE key='last_ts'", (str(last_ts),))
