"""Reading one file of the store beside its writer; used in the store's reading thread alone."""

from __future__ import annotations

import sqlite3
from typing import Any

from gateway.errors import StoreError, StoreUnavailable
from gateway.ports import Row
from gateway.store.files import StoreFile, is_damage


class Reader:
    """A read-only connection that follows its file when that is replaced. What is damaged reads as empty."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file
        self._db: sqlite3.Connection | None = None
        self._generation = -1

    def values(self, query: str, values: tuple[object, ...]) -> list[Any]:
        """All rows of `query`; StoreUnavailable where the file cannot be read for now, StoreError where it is damaged
        and cannot be replaced."""
        try:
            return self._connection().execute(query, values).fetchall()
        except sqlite3.Error as error:
            if not is_damage(error):
                self.close()  # a connection made on a full disk is of no use later
                raise StoreUnavailable(f"{self._file.path}: {error}") from error
            if self._file.replaceable:
                self._file.suspect = str(error)
                return []
            raise StoreError(f"{self._file.path}: {error}") from error

    def rows(self, query: str, values: tuple[object, ...]) -> list[Row]:
        """Messages; `query` names the columns in the order of `Row`."""
        return [
            Row(seq, ts, topic, body, bool(retain), rank)
            for seq, ts, topic, body, retain, rank in self.values(query, values)
        ]

    def _connection(self) -> sqlite3.Connection:
        if self._db is None or self._generation != self._file.generation:
            self.close()
            self._generation = self._file.generation
            self._db = self._file.reader()
        return self._db

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
