"""Opening and closing the state of a site: two files and one lock in the state directory."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import StoreError
from gateway.store import gaps
from gateway.store.documents import Documents
from gateway.store.files import Schema, StoreFile, refuse_newer
from gateway.store.history import HISTORY_SCHEMA, History
from gateway.store.labels import STEP as HELD_STEP
from gateway.store.labels import newest_ts
from gateway.store.lane import LANE_SCHEMA, Lane
from gateway.store.lock import lock, unlock
from gateway.store.outbox import Outbox, newest_on_disk
from gateway.store.reader import Reader
from gateway.store.sequence import Sequence
from gateway.store.stamps import STEP as STAMPS_STEP
from gateway.store.stamps import earlier_stamps
from gateway.store.trail import STEP as TRAIL_STEP
from gateway.store.trail import Trail
from gateway.store.writer import Writer

JOURNAL = Schema(
    "journal",
    (
        LANE_SCHEMA
        + """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE retained(topic TEXT PRIMARY KEY, seq INTEGER NOT NULL, ts INTEGER NOT NULL, rank INTEGER NOT NULL,
                      body BLOB);
CREATE TABLE document(key TEXT PRIMARY KEY, value BLOB NOT NULL);
INSERT INTO meta VALUES('reserved', '0'), ('last_ts', '0')
""",
        HELD_STEP,
        TRAIL_STEP,
    ),
)
TELEMETRY = Schema("telemetry", (LANE_SCHEMA + HISTORY_SCHEMA, HELD_STEP, STAMPS_STEP))
SCHEMAS = (JOURNAL, TELEMETRY)
"""What documents hold belongs to the journal's schema: who changes their shape adds a step there."""
ROOM_CHECK_S = 5.0


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How the store uses the disk."""

    commit_interval_s: float = 1.0
    """The longest telemetry waits for its commit; alarms and events never wait."""
    telemetry_quota_bytes: int = 1024**3
    journal_quota_bytes: int = 64 * 1024**2
    min_free_bytes: int = 128 * 1024**2
    """With less free disk than this nothing grows any more."""
    history_days: float = 7.0
    history_quota_bytes: int = 2 * 1024**3
    """The telemetry file's size from which the oldest samples go early."""
    page_bytes: int = 4096
    checkpoint_pages: int = 1000


class Store:
    """The open state of a site. `close` commits what waits."""

    def __init__(
        self,
        outbox: Outbox,
        history: History,
        documents: Documents,
        trail: Trail,
        writer: Writer,
        close: Callable[[], None],
        telemetry: StoreFile,
    ) -> None:
        self.outbox = outbox
        self.history = history
        self.documents = documents
        self.trail = trail
        self._writer = writer
        self._close = close
        self._telemetry = telemetry

    @property
    def damaged_file(self) -> Path | None:
        """Where a damaged telemetry file was set aside since the store was opened."""
        return self._telemetry.set_aside

    async def flush(self) -> None:
        """Commit everything that waits, history included."""
        await self.history.flush()

    def late_s(self) -> float:
        """How long its thread is behind; seconds mean a disk that does not answer."""
        return self._writer.late_s()

    async def watch(self) -> None:
        """Return when the store is closed, StoreError when it can no longer write; to be watched by a task."""
        await self._writer.watch()

    def close(self) -> None:
        """Commit what waits and let go of the files; StoreError where something could not be written."""
        self._close()


def open_store(
    state_dir: Path, options: StoreOptions | None = None, *, wall_ms: Callable[[], int] | None = None
) -> Store:
    """Open or create the state in `state_dir`, which no other process may have open.

    StoreError where it is in use, of a newer version, or its journal is damaged; then nothing was changed.
    """
    chosen = options or StoreOptions()
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        handle = lock(state_dir)
    except OSError as error:
        raise StoreError(f"{state_dir}: {error}") from error
    opened: list[StoreFile] = []
    try:
        for schema in SCHEMAS:
            refuse_newer(state_dir / f"{schema.name}.db", schema)
        for schema in SCHEMAS:
            path = state_dir / f"{schema.name}.db"
            opened.append(
                StoreFile(
                    path,
                    schema,
                    replaceable=schema is TELEMETRY,
                    page_bytes=chosen.page_bytes,
                    checkpoint_pages=chosen.checkpoint_pages,
                )
            )
        return _assemble(opened[0], opened[1], chosen, wall_ms or _wall_ms, lambda: unlock(handle))
    except BaseException as error:
        for file in opened:
            file.close()
        unlock(handle)
        if isinstance(error, (sqlite3.Error, OSError)):
            raise StoreError(f"{state_dir}: {error}") from error
        raise


def _assemble(
    journal: StoreFile,
    telemetry: StoreFile,
    options: StoreOptions,
    wall_ms: Callable[[], int],
    unlock: Callable[[], None],
) -> Store:
    outbox_id = _outbox_id(journal.writer)
    writer = Writer(options.commit_interval_s)
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-read")
    readers = (Reader(journal), Reader(telemetry))
    has_room = _Room(journal.path.parent, options.min_free_bytes)
    (highest,) = telemetry.writer.execute("SELECT coalesce(max(seq), 0) FROM message").fetchone()
    sequence = Sequence(journal, writer, behind=highest, not_before=_last_ts(journal.writer, telemetry.writer))
    early = Lane(journal, writer, False, options.journal_quota_bytes, has_room)
    late = Lane(telemetry, writer, True, options.telemetry_quota_bytes, has_room)
    early.open()
    late.open()
    if telemetry.set_aside is not None:
        gaps.add(telemetry.writer, gaps.lost_with(telemetry.set_aside))
    newest, topics = newest_on_disk(journal.writer, telemetry.writer)
    stamps = earlier_stamps(journal.writer, telemetry.writer, wall_ms())
    outbox = Outbox(outbox_id, writer, sequence, early, late, readers, executor, newest, topics, stamps)
    history = History(
        telemetry,
        writer,
        readers[1],
        executor,
        keep_days=options.history_days,
        quota_bytes=options.history_quota_bytes,
        wall_ms=wall_ms,
    )
    documents = Documents(early, _documents(journal.writer))
    trail = Trail(journal, writer, readers[0], executor)
    writer.attach(journal, (sequence, early, trail))
    writer.attach(telemetry, (late, history, stamps))
    writer.start()

    def close() -> None:
        try:
            history.seal()
            writer.close()
            sequence.release()
            for lane in (early, late):
                lane.close()
            stamps.close(telemetry.writer)
        finally:
            for reader in readers:
                executor.submit(reader.close).result()
            executor.shutdown()
            journal.close()
            telemetry.close()
            unlock()

    return Store(outbox, history, documents, trail, writer, close, telemetry)


def _outbox_id(journal: sqlite3.Connection) -> str:
    fresh = secrets.token_hex(6)
    journal.execute("INSERT OR IGNORE INTO meta VALUES('outbox', ?)", (fresh,))
    (found,) = journal.execute("SELECT value FROM meta WHERE key='outbox'").fetchone()
    return str(found)


def _last_ts(journal: sqlite3.Connection, telemetry: sqlite3.Connection) -> int:
    """The newest time stamp on disk, as far as the newest of what was written tells."""
    return max(
        newest_ts(journal, "message", "ts", "seq"),
        newest_ts(telemetry, "message", "ts", "seq"),
        newest_ts(telemetry, "block", "last_ts", "id"),
    )


def _documents(journal: sqlite3.Connection) -> Mapping[str, bytes]:
    return dict(journal.execute("SELECT key, value FROM document"))


class _Room:
    """Whether the disk has room, asked at most every few seconds."""

    def __init__(self, folder: Path, min_free_bytes: int) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._asked = float("-inf")
        self._answer = True

    def __call__(self) -> bool:
        now = time.monotonic()
        if now - self._asked >= ROOM_CHECK_S:
            self._asked = now
            self._answer = shutil.disk_usage(self._folder).free >= self._min_free_bytes
        return self._answer


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
