"""The gateway's own disk as witness: a trigger writes down every row in the transaction that commits it.

What stands in the tap was accepted; the product never reads or deletes it.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILES = ("journal", "telemetry")
INSTALL = """
CREATE TABLE IF NOT EXISTS tap(seq INTEGER PRIMARY KEY, ts INTEGER, topic TEXT, body BLOB, rank INTEGER);
CREATE TRIGGER IF NOT EXISTS tap_in AFTER INSERT ON message
BEGIN INSERT INTO tap VALUES(new.seq, new.ts, new.topic, new.body, new.rank); END;
"""


@dataclass(frozen=True, slots=True)
class Accepted:
    seq: int
    ts: int
    topic: str
    body: bytes
    rank: int

    def payload(self, outbox: str) -> dict[str, Any]:
        """The message as it is on the wire, without `backlog`."""
        members: dict[str, Any] = json.loads(b"{" + self.body)
        return {"id": f"{outbox}-{self.seq:06d}", "ts": self.ts, **members}


@dataclass(slots=True)
class Taps:
    """All that was found in the taps so far, by sequence number, and the rows the gateway still held last time."""

    state: Path
    outbox: str = ""
    accepted: dict[int, Accepted] = field(default_factory=dict)
    held: dict[str, set[int]] = field(default_factory=lambda: {name: set() for name in FILES})
    contradictions: list[str] = field(default_factory=list)

    def install(self, timeout_s: float = 60) -> None:
        """Put the triggers into the files, as soon as the gateway has made them."""
        give_up = time.monotonic() + timeout_s
        for name in FILES:
            while not self._install(name):
                assert time.monotonic() < give_up, f"{name} never became ready"
                time.sleep(0.05)

    def _install(self, name: str) -> bool:
        path = self.state / f"{name}.db"
        if not path.exists():
            return False
        try:
            with closing(sqlite3.connect(path, timeout=10)) as db:
                if not db.execute("SELECT 1 FROM sqlite_master WHERE name='message'").fetchone():
                    return False
                db.executescript(INSTALL)
        except sqlite3.Error:
            return False  # the gateway is making or replacing it
        return True

    def harvest(self) -> None:
        """Read what was accepted; the gateway may run."""
        for name in FILES:
            path = self.state / f"{name}.db"
            with closing(sqlite3.connect(path, timeout=10)) as db:
                for row in db.execute("SELECT seq, ts, topic, body, rank FROM tap"):
                    self._note(Accepted(*row))
                self.held[name] = {seq for (seq,) in db.execute("SELECT seq FROM message")}
                if name == "journal":
                    (self.outbox,) = db.execute("SELECT value FROM meta WHERE key='outbox'").fetchone()

    def _note(self, row: Accepted) -> None:
        if self.accepted.setdefault(row.seq, row) != row:
            self.contradictions.append(f"number {row.seq} was used twice: {self.accepted[row.seq]} and {row}")
