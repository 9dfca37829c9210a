"""The outbox rows of one file: what waits to be committed, what is on disk, what may be forgotten.

A row confirmed before its commit never touches the disk (where that is allowed: alarms and events are told only after
their commit). What had to be dropped is summed up as gaps in the same transaction that drops it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from gateway.ports import Row
from gateway.store import gaps
from gateway.store.files import StoreFile
from gateway.store.gaps import Gap
from gateway.store.labels import AT_ONCE, Labelling, label_gaps, label_rows
from gateway.store.thinning import count_values, thin
from gateway.store.writer import Writer

Range: TypeAlias = tuple[int, int]

LANE_SCHEMA = (
    """
CREATE TABLE message(seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, topic TEXT NOT NULL, body BLOB NOT NULL,
                     retain INTEGER NOT NULL, rank INTEGER NOT NULL);
CREATE INDEX message_early ON message(rank, seq) WHERE rank < 2;
CREATE TABLE dead(seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, topic TEXT NOT NULL, body BLOB NOT NULL,
                  rank INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE lane(thinned_to INTEGER NOT NULL, rows INTEGER, bytes INTEGER);
INSERT INTO lane VALUES(0, NULL, NULL);
"""
    + gaps.SCHEMA
)
ROW_BYTES = 40
"""What a row takes beside its topic and body."""
DROP_ROWS = 100
"""Rows dropped at a time when the quota is reached."""
FLOOR_BYTES = 4 * 1024 * 1024
"""What the outbox may take even of a nearly full disk."""
MOST_DEAD = 10_000
"""Dead letters kept, the newest."""
THIN_ROWS = 1000
"""Rows thinned at a time."""


@dataclass(slots=True)
class _Work:
    """What one transaction changes, and what came of it."""

    rows: dict[int, Row] = field(default_factory=dict)
    keep: dict[str, bytes | None] = field(default_factory=dict)
    topics: dict[str, Row] = field(default_factory=dict)
    forget: list[Range] = field(default_factory=list)
    set_aside: dict[int, str] = field(default_factory=dict)
    gaps: dict[tuple[str, str], Gap] = field(default_factory=dict)
    settled: list[Gap] = field(default_factory=list)
    forgotten: int = 0
    forgotten_bytes: int = 0
    dropped: int = 0
    thinned: int = 0
    dead: int = 0
    unburied: int = 0
    labelling: Labelling | None = None
    labelled: list[Row] = field(default_factory=list)
    grown: int = 0
    """Bytes by which labelling made rows longer."""

    def __bool__(self) -> bool:
        return bool(self.rows or self.keep or self.topics or self.forget or self.set_aside or self.gaps or self.settled)


@dataclass(slots=True)
class LaneCounts:
    """Rows and bytes held (waiting and on disk), dead letters on disk, and what became of rows since start."""

    rows: int = 0
    bytes: int = 0
    dropped: int = 0
    dead: int = 0
    confirmed: int = 0
    thinned: int = 0
    """Rows of which nothing was left."""


@dataclass(slots=True)
class Lane:
    """One file's part of the outbox; `may_skip` where a row confirmed early needs no commit."""

    file: StoreFile
    writer: Writer
    may_skip: bool
    quota_bytes: int
    has_room: Callable[[], bool]
    committed: Callable[[Iterable[Row]], None] | None = None
    """Told of rows that are on disk now, in the store's thread with the lock held."""
    labelled: Callable[[list[Row]], None] | None = None
    """Told of rows that were held and have their final time now, in the same way."""
    counts: LaneCounts = field(default_factory=LaneCounts)
    _labelling: Labelling | None = None
    _next: _Work = field(default_factory=_Work)
    _now: _Work = field(default_factory=_Work)
    """What the thread is writing."""
    _waiting_bytes: int = 0
    _listeners: dict[int, list[Callable[[], None]]] = field(default_factory=dict)

    def open(self) -> None:
        """Learn what is on disk: told at the last orderly end, else counted."""
        db = self.file.writer
        rows, size = db.execute("SELECT rows, bytes FROM lane").fetchone()
        if rows is None:
            rows, size = db.execute(
                f"SELECT count(*), coalesce(sum(length(body) + length(topic) + {ROW_BYTES}), 0) FROM message"  # noqa: S608
            ).fetchone()
        else:
            db.execute("UPDATE lane SET rows=NULL, bytes=NULL")
        (dead,) = db.execute("SELECT count(*) FROM dead").fetchone()
        self.counts = LaneCounts(rows=rows, bytes=size, dead=dead)

    def close(self) -> None:
        """Leave word of what is on disk; only after the writer has ended."""
        self.file.writer.execute("UPDATE lane SET rows=?, bytes=?", (self.counts.rows, self.counts.bytes))

    # what comes in; with the lock held

    @property
    def waiting(self) -> int:
        """Rows that are not committed yet."""
        return len(self._next.rows) + len(self._now.rows)

    @property
    def waiting_bytes(self) -> int:
        return self._waiting_bytes

    def add(self, row: Row, keep: Mapping[str, bytes | None] | None, *, urgent: bool) -> None:
        self.writer.wake(self.file, urgent=urgent)
        self._next.rows[row.seq] = row
        size = _size(row)
        self._waiting_bytes += size
        self.counts.rows += 1
        self.counts.bytes += size
        if keep:
            self._next.keep.update(keep)

    def keep(self, documents: Mapping[str, bytes | None]) -> None:
        self.writer.wake(self.file, urgent=False)
        self._next.keep.update(documents)

    def note_topic(self, row: Row) -> None:
        """Remember the name of a retained topic whose messages live in the other file."""
        self.writer.wake(self.file, urgent=False)
        self._next.topics[row.topic] = row

    def is_pending(self, seq: int) -> bool:
        return seq in self._next.rows or seq in self._now.rows

    def listen(self, seq: int, listener: Callable[[], None]) -> None:
        """Call `listener`, once, when `seq` is committed or need not be."""
        self._listeners.setdefault(seq, []).append(listener)

    def pending(self) -> list[Row]:
        return [*self._now.rows.values(), *self._next.rows.values()]

    def leaving(self) -> list[Range]:
        """What may be forgotten and still stands on disk, until the next commit."""
        return [*self._now.forget, *self._next.forget]

    def forget(self, ranges: Iterable[Range]) -> None:
        """These rows are safe elsewhere."""
        skipped: list[Row] = []
        left: list[Range] = []
        for first, last in ranges:
            if self.may_skip and self._next.rows:
                inside = range(first, last + 1)
                few = inside if len(inside) < len(self._next.rows) else list(self._next.rows)
                found = [seq for seq in few if first <= seq <= last and seq in self._next.rows]
                skipped += [self._next.rows.pop(seq) for seq in found]
                if len(found) == len(inside):
                    continue
            left.append((first, last))
        for row in skipped:
            self._waiting_bytes -= _size(row)
            self.counts.rows -= 1
            self.counts.bytes -= _size(row)
            for listener in self._listeners.pop(row.seq, ()):
                listener()
        self.counts.confirmed += len(skipped)
        if left and (self.counts.rows or self._now.rows):
            self.writer.wake(self.file, urgent=False)
            self._next.forget += left

    def label(self, labelling: Labelling) -> None:
        """Give every held row its final time, from the next commits on."""
        self.writer.wake(self.file, urgent=True)
        self._labelling = labelling

    @property
    def is_labelling(self) -> bool:
        return self._labelling is not None

    def set_aside(self, seq: int, reason: str) -> None:
        self.writer.wake(self.file, urgent=False)
        self._next.set_aside[seq] = reason

    def note_gap(self, gap: Gap) -> None:
        self.writer.wake(self.file, urgent=False)
        gaps.merge(self._next.gaps, gap)

    def settle_gap(self, gap: Gap) -> None:
        self.writer.wake(self.file, urgent=False)
        self._next.settled.append(gap)

    # gateway.store.writer.Source

    def has_work(self) -> bool:
        return bool(self._next or self._labelling) or (self.counts.rows > 0 and self.counts.bytes > self.quota_bytes)

    def take(self) -> None:
        self._now, self._next = self._next, _Work()
        self._now.labelling = self._labelling
        self._waiting_bytes = 0

    def put_back(self) -> None:
        work, late = self._now, self._next
        work.rows.update(late.rows)
        work.keep.update(late.keep)
        work.topics.update(late.topics)
        work.forget += late.forget
        work.set_aside.update(late.set_aside)
        work.settled += late.settled
        for gap in late.gaps.values():
            gaps.merge(work.gaps, gap)
        self._next, self._now = work, _Work()
        self._waiting_bytes = sum(map(_size, work.rows.values()))

    def replaced(self) -> None:
        """Everything that was on disk is gone; what waits will be written to the new file."""
        waiting = len(self._next.rows)
        lost = self.counts.rows - waiting
        self.counts = replace(self.counts, rows=waiting, bytes=self._waiting_bytes, dead=0)
        if lost:
            self.counts.dropped += lost
            self.note_gap(Gap("", "damage", 0, 0, lost))

    def settle(self) -> None:
        work, self._now = self._now, _Work()
        counts = self.counts
        counts.rows -= work.forgotten
        counts.bytes -= work.forgotten_bytes
        counts.dropped += work.dropped
        counts.dead += work.dead - work.unburied
        counts.thinned += work.thinned
        counts.confirmed += work.forgotten - work.dropped - work.thinned - work.dead
        counts.bytes += work.grown
        if self.committed is not None:
            self.committed(work.rows.values())
        if work.labelling is not None:
            if len(work.labelled) < AT_ONCE:
                self._labelling = None
            if self.labelled is not None:
                self.labelled(work.labelled)
        for seq in [seq for seq in work.rows if seq in self._listeners]:
            for listener in self._listeners.pop(seq):
                listener()

    def write(self, db: sqlite3.Connection) -> None:
        work = self._now
        work.forgotten = work.forgotten_bytes = work.dropped = work.thinned = work.dead = work.unburied = 0
        db.executemany(
            "INSERT INTO message VALUES(?,?,?,?,?,?,?)",
            [(row.seq, row.ts, row.topic, row.body, row.retain, row.rank, row.held) for row in work.rows.values()],
        )
        if not self.may_skip:
            _write_journal(db, work)
        self._bury(db, work)
        gone = [*work.forget, *[(seq, seq) for seq in work.set_aside]]
        for first, last in gone:
            self._delete(db, work, "seq BETWEEN ? AND ?", (first, last))
        if work.labelling is not None:
            self._label(db, work, work.labelling)
        self._make_room(db, work)
        for gap in work.settled:
            gaps.settle(db, gap)
        for gap in work.gaps.values():
            gaps.add(db, gap)

    def _bury(self, db: sqlite3.Connection, work: _Work) -> None:
        """Rows the broker will never take become dead letters; the oldest of those go where there are too many."""
        for seq, reason in work.set_aside.items():
            work.dead += db.execute(
                "INSERT OR REPLACE INTO dead SELECT seq, ts, topic, body, rank, ? FROM message WHERE seq=?",
                (reason, seq),
            ).rowcount
        excess = self.counts.dead + work.dead - MOST_DEAD
        if excess > 0:
            lost = db.execute(
                "DELETE FROM dead WHERE seq IN (SELECT seq FROM dead ORDER BY seq LIMIT ?) RETURNING topic, ts, body",
                (excess,),
            ).fetchall()
            work.unburied = len(lost)
            for topic, ts, body in lost:
                gaps.add(db, Gap(gaps.place_of(topic), "refused", ts, ts, count_values(body)))

    def _label(self, db: sqlite3.Connection, work: _Work, labelling: Labelling) -> None:
        pairs = label_rows(db, labelling)
        work.labelled = [row for _, row in pairs]
        work.grown = sum(_size(row) - _size(before) for before, row in pairs)
        if len(pairs) < AT_ONCE:
            label_gaps(db, labelling)
        if not self.may_skip:
            _write_retained(db, work.labelled)

    def _delete(
        self, db: sqlite3.Connection, work: _Work, where: str, values: tuple[int, ...]
    ) -> list[tuple[str, int, bytes]]:
        """Delete rows; gives topic, time stamp and body of each."""
        found: list[tuple[str, int, bytes]] = db.execute(
            f"DELETE FROM message WHERE {where} RETURNING topic, ts, body",  # noqa: S608
            values,
        ).fetchall()
        work.forgotten += len(found)
        work.forgotten_bytes += sum(len(topic) + len(body) + ROW_BYTES for topic, _, body in found)
        return found

    def _make_room(self, db: sqlite3.Connection, work: _Work) -> None:
        """Thin, then drop the oldest of the last rank until the quota holds; on a nearly full disk, do not grow."""
        counts, added = self.counts, sum(map(_size, work.rows.values()))
        before = counts.bytes - self._waiting_bytes - added
        has_room = self.has_room()
        target = self.quota_bytes if has_room else min(self.quota_bytes, max(before, FLOOR_BYTES))
        while before + added - work.forgotten_bytes > target:
            if not self._thin(db, work) and not self._drop_oldest(db, work, "quota" if has_room else "disk"):
                return

    def _thin(self, db: sqlite3.Connection, work: _Work) -> bool:
        """Thin the next rows that were not thinned yet; False where there are none."""
        (up_to,) = db.execute("SELECT thinned_to FROM lane").fetchone()
        rows = [
            Row(seq, ts, topic, body, False, 2)
            for seq, ts, topic, body in db.execute(
                "SELECT seq, ts, topic, body FROM message WHERE rank=2 AND seq>? ORDER BY seq LIMIT ?",
                (up_to, THIN_ROWS),
            )
        ]
        if not rows:
            return False
        db.execute("UPDATE lane SET thinned_to=?", (rows[-1].seq,))
        thinned = thin(rows)
        smaller = {row.seq: row for row in thinned.kept}
        db.executemany("UPDATE message SET body=? WHERE seq=?", [(row.body, row.seq) for row in thinned.kept])
        db.executemany("DELETE FROM message WHERE seq=?", [(row.seq,) for row in thinned.dropped])
        work.thinned += len(thinned.dropped)
        work.forgotten += len(thinned.dropped)
        work.forgotten_bytes += sum(map(_size, thinned.dropped))
        work.forgotten_bytes += sum(_size(row) - _size(smaller[row.seq]) for row in rows if row.seq in smaller)
        for topic, count in thinned.lost.items():
            times = [row.ts for row in rows if row.topic == topic]
            gaps.add(db, Gap(gaps.place_of(topic), "thinned", min(times), max(times), count))
        return True

    def _drop_oldest(self, db: sqlite3.Connection, work: _Work, why: str) -> bool:
        """Drop some of the oldest rows of the last rank there is; False where there are none."""
        for rank in (2, 1, 0):
            lost = self._delete(
                db, work, "seq IN (SELECT seq FROM message WHERE rank=? ORDER BY seq LIMIT ?)", (rank, DROP_ROWS)
            )
            if lost:
                work.dropped += len(lost)
                for topic, ts, body in lost:
                    gaps.add(db, Gap(gaps.place_of(topic), why, ts, ts, count_values(body)))
                return True
        return False


def _size(row: Row) -> int:
    return len(row.body) + len(row.topic) + ROW_BYTES


def _write_journal(db: sqlite3.Connection, work: _Work) -> None:
    """What stands beside messages in the journal: documents and the newest message of each retained topic."""
    for key, value in work.keep.items():
        if value is None:
            db.execute("DELETE FROM document WHERE key=?", (key,))
        else:
            db.execute("INSERT OR REPLACE INTO document VALUES(?,?)", (key, value))
    _write_retained(db, work.rows.values())
    db.executemany(  # of these the content is not kept, only that they are there, or were cleared
        _RETAIN,
        [(row.topic, row.seq, row.ts, row.rank, None if row.body else b"") for row in work.topics.values()],
    )


_RETAIN = "INSERT OR REPLACE INTO retained VALUES(?,?,?,?,?)"


def _write_retained(db: sqlite3.Connection, rows: Iterable[Row]) -> None:
    kept = [(row.topic, row.seq, row.ts, row.rank, row.body) for row in rows if row.retain and not row.held]
    db.executemany(_RETAIN, kept)
