"""Old samples of the local history becoming daily figures: a few at a time, so that no commit takes long for it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from gateway.store import daily
from gateway.store.blocks import unpack

EVERY_S = 600.0
BLOCKS = 500
"""Blocks retired in that time, and twice as many as came: a clock that jumps ahead must not empty the history at
once."""
COMMIT_S = 0.25
"""How much of one commit goes into it, and how long until the next that may."""
PAUSE_S = 2.5
AT_ONCE = 20
OLDEST = 200
"""Blocks looked at for old ones: they stand about in order of time, and looking at all would read the whole file."""
DAYS = 400
"""How long daily figures are kept."""


class Retiring:
    """Called with each commit of the history, in the store's thread."""

    def __init__(self, keep_ms: int, quota_bytes: int, wall_ms: Callable[[], int]) -> None:
        self._keep_ms = keep_ms
        self._quota_bytes = quota_bytes
        self._wall_ms = wall_ms
        self._due_at = 0.0
        self._left = 0
        self._came = 0

    def note(self, blocks: int) -> None:
        """So many blocks were written."""
        self._came += blocks

    def work(self, db: sqlite3.Connection) -> None:
        """Retire what is due, inside a transaction: blocks past their time, and some more where the file is too
        large."""
        began = time.monotonic()
        if began < self._due_at:
            return
        if not self._left:
            self._left, self._came = BLOCKS + 2 * self._came, 0
            db.execute("DELETE FROM daily WHERE day < ?", (self._wall_ms() // daily.DAY_MS - DAYS,))
        while self._left > 0 and (found := self._oldest(db)):
            daily.add(db, ((device, unpack(data)) for _, device, data in found))
            db.executemany("DELETE FROM block WHERE id=?", [(number,) for number, _, _ in found])
            self._left -= len(found)
            if time.monotonic() - began > COMMIT_S:
                self._due_at = time.monotonic() + PAUSE_S
                return
        self._left = 0
        self._due_at = began + EVERY_S

    def _oldest(self, db: sqlite3.Connection) -> list[tuple[int, str, bytes]]:
        until = self._wall_ms() - self._keep_ms
        found: list[tuple[int, str, bytes]] = db.execute(
            "SELECT id, device, data FROM (SELECT id, device, data, last_ts FROM block ORDER BY id LIMIT ?)"
            " WHERE last_ts < ? LIMIT ?",
            (OLDEST, until, AT_ONCE),
        ).fetchall()
        if not found and _used_bytes(db) > self._quota_bytes:
            found = db.execute("SELECT id, device, data FROM block ORDER BY id LIMIT ?", (AT_ONCE,)).fetchall()
        return found


def _used_bytes(db: sqlite3.Connection) -> int:
    pages, free, size = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
