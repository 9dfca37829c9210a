"""The documents of a journal for who only looks: a gateway may have it open, or none."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from gateway.errors import StoreError
from gateway.store.files import BUSY_S


def look_at_documents(state_dir: Path, prefix: str) -> dict[str, bytes]:
    """The documents whose key begins with `prefix`, as last committed; none where no gateway ever ran here.
    StoreError where the journal cannot be read."""
    path = state_dir / "journal.db"
    try:
        if not path.is_file():
            return {}
        with contextlib.closing(_open(path)) as db:
            found = db.execute(
                "SELECT key, value FROM document WHERE substr(key, 1, ?) = ?", (len(prefix), prefix)
            ).fetchall()
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path}: {error}") from error
    return {str(key): bytes(value) for key, value in found}


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S, isolation_level=None)
