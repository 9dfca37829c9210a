"""One SQLite file of the store: opening, schema version, damage.

Write-ahead log and `synchronous=FULL`: a commit is on the disk when it returns. A file of a newer schema is refused as
it is; a damaged one is set aside where losing it is allowed (telemetry), and refused where it is not (journal).
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import StoreError

log = logging.getLogger(__name__)

QUICK_CHECK_BYTES = 16 * 1024 * 1024
"""Files up to this size are checked page by page when opened; larger ones show damage when it is met."""
BUSY_S = 5.0
MOST_ASIDE = 3
"""Damaged files kept, the newest."""


@dataclass(frozen=True, slots=True)
class Schema:
    """`steps[n]` brings a file from version n to n + 1."""

    name: str
    steps: Sequence[str]


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, not the disk full or busy."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damage(what: str) -> sqlite3.DatabaseError:
    """The error of a file that was found to be broken."""
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def refuse_newer(path: Path, schema: Schema) -> None:
    """StoreError where the file was written by a newer version; damage is left to who opens it."""
    if not path.is_file():
        return
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_read_only(path)) as db:
        _known_version(db, path, schema)


def _known_version(db: sqlite3.Connection, path: Path, schema: Schema) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    newest = len(schema.steps)
    if version > newest:
        raise StoreError(
            f"{path}: written by a newer version (schema {version}, this one knows {newest})",
            f"{path}：由更新的版本写入（结构版本 {version}，本程序只认识到 {newest}）",
        )
    return int(version)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )


class StoreFile:
    """A file and the connection that writes it; `writer` is used by the store's thread alone once that runs."""

    def __init__(
        self, path: Path, schema: Schema, *, replaceable: bool, page_bytes: int, checkpoint_pages: int
    ) -> None:
        self.path = path
        self.schema = schema
        self.replaceable = replaceable
        self._page_bytes = page_bytes
        self._checkpoint_pages = checkpoint_pages
        self.set_aside: Path | None = None
        """Where a damaged file was moved since this object exists."""
        self.generation = 0
        """Counts replacements, so that readers notice."""
        self.suspect: str | None = None
        """What a reader found to be damaged; the writing thread deals with it."""
        try:
            self.writer = self._open()
        except sqlite3.Error as error:
            if not is_damage(error):
                raise StoreError(f"{path}: {error}") from error
            if not replaceable:
                raise StoreError(
                    f"{path}: damaged: {error}; restore it from a backup", f"{path}：文件已损坏：{error}；请从备份恢复"
                ) from error
            self.writer = self._replace(str(error))

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        version, newest = _known_version(db, self.path, self.schema), len(self.schema.steps)
        if version == 0:
            db.execute(f"PRAGMA page_size={self._page_bytes}")
        elif self.path.stat().st_size <= QUICK_CHECK_BYTES:
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise damage(verdict)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute(f"PRAGMA wal_autocheckpoint={self._checkpoint_pages}")
        db.execute("PRAGMA journal_size_limit=8388608")
        for step in range(version, newest):
            db.executescript(f"BEGIN IMMEDIATE; {self.schema.steps[step]}; PRAGMA user_version={step + 1}; COMMIT;")

    def replace(self, why: str) -> None:
        """Set the damaged file aside and begin a new one."""
        self.writer.close()
        self.writer = self._replace(why)

    def _replace(self, why: str) -> sqlite3.Connection:
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        aside = self.path.with_name(f"{self.path.name}.damaged-{stamp}-{time.monotonic_ns() % 1_000_000:06d}")
        for ending in ("-wal", "-shm", ""):
            part = self.path.with_name(self.path.name + ending)
            if part.exists():
                part.rename(aside.with_name(aside.name + ending))
        self.set_aside = aside
        self.generation += 1
        self.suspect = None
        log.error("store_file_set_aside file=%s aside=%s reason=%s", self.path, aside, why)
        self._drop_older_than(aside)
        return self._open()

    def _drop_older_than(self, aside: Path) -> None:
        """A disk that damages its files again and again must not be filled by them."""
        others: dict[str, list[Path]] = {}
        for part in self.path.parent.glob(f"{self.path.name}.damaged-*"):
            others.setdefault(part.name.removesuffix("-wal").removesuffix("-shm"), []).append(part)
        del others[aside.name]
        for name in sorted(others)[: 1 - MOST_ASIDE]:
            log.warning("store_file_dropped file=%s", name)
            for part in others[name]:
                part.unlink()

    def reader(self) -> sqlite3.Connection:
        """A second connection that only reads."""
        return _read_only(self.path)

    def close(self) -> None:
        self.writer.close()
