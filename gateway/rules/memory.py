"""What rules remember, on disk: conditions within a second of a change, windows now and then (they are large)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from gateway.rules.judge import Judge

RULES, WINDOWS = "rules/", "windows/"
RULES_S, WINDOWS_S = 60.0, 900.0


class Documents(Protocol):
    """Where small documents are kept."""

    def loaded(self, prefix: str) -> dict[str, bytes]: ...

    def keep(self, documents: Mapping[str, bytes | None]) -> None: ...


class JudgeMemory:
    """Saves and restores what a judge remembers."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._rules_at = self._windows_at = 0.0
        self._written: dict[str, bytes] = {}
        self._moved: set[str] = set()

    def note(self, device: str) -> None:
        """A rule of `device` says something else: what its rules remember is kept the next time."""
        self._moved.add(device)

    def restore(self, judge: Judge) -> None:
        """Put back what the last run of the gateway kept."""
        found: dict[str, dict[str, Any]] = {}
        for prefix in (RULES, WINDOWS):
            for key, body in self._documents.loaded(prefix).items():
                found.setdefault(key.removeprefix(prefix), {}).update(json.loads(body))
        judge.restore(found)

    def keep(self, judge: Judge, now: float) -> None:
        """Write what changed, if it is time (`now` is monotonic seconds, infinity for at once)."""
        prefixes = []
        if now - self._rules_at >= RULES_S:
            prefixes.append(RULES)
            self._rules_at = now
        if now - self._windows_at >= WINDOWS_S:
            prefixes.append(WINDOWS)
            self._windows_at = now
        moved, self._moved = self._moved, set()
        if not prefixes and not moved:
            return
        fresh: dict[str, bytes | None] = {}
        for device, state in judge.export(None if prefixes else moved).items():
            windows = {"windows": state.pop("windows")}
            for prefix, part in ((RULES, state), (WINDOWS, windows)):
                key, body = f"{prefix}{device}", json.dumps(part, separators=(",", ":")).encode()
                if (prefix in prefixes or (prefix is RULES and device in moved)) and self._written.get(key) != body:
                    fresh[key] = self._written[key] = body
        if fresh:
            self._documents.keep(fresh)
