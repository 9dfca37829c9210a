"""Small documents of state in the journal (alarm states, shelves), written beside messages or alone."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.store.lane import Lane


class Documents:
    """What was kept when the store was opened, and a way to keep more; one transaction with a message by
    `Outbox.accept(keep=...)`."""

    def __init__(self, journal: Lane, found: Mapping[str, bytes]) -> None:
        self._journal = journal
        self._found = found

    def loaded(self, prefix: str) -> dict[str, bytes]:
        """The documents whose key begins with `prefix`, as they were when the store was opened."""
        return {key: value for key, value in self._found.items() if key.startswith(prefix)}

    def keep(self, documents: Mapping[str, bytes | None]) -> None:
        """Write (None: delete) with the next commit of the journal."""
        with self._journal.writer.lock:
            self._journal.keep(documents)
