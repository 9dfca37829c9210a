"""The exceptions of Vigil; the class of an error is its retry policy.

::

    GatewayError
    ├── ConfigError(problems)       exit 2; carries every problem found, not only the first
    ├── SinkError                   a database or broker did not take what it was given
    │   ├── SinkUnavailable         keep everything, back off, try again
    │   │   └── SinkMisconfigured   ... and tell a person: login, name or address is wrong, waiting alone will not help
    │   └── SinkRejected(reasons)   these items will never be taken: dead letters, never block the batch
    ├── NotifyError                 a channel did not pass a notice on
    │   ├── NotifyRetry             keep it, back off, try again
    │   └── NotifyRejected          this notice will never be taken: the next channel of its route
    └── StoreError                  the state on disk cannot be used (newer schema, damaged journal, disk full)
        └── StoreUnavailable        it cannot be read for now (disk full): try again

Faults of the field are values (`gateway.model.Fault`), never exceptions: they become statuses of points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class GatewayError(Exception):
    """Anything Vigil raises on purpose. What a person may read also stands in Chinese."""

    def __init__(self, text: str = "", zh: str | None = None) -> None:
        super().__init__(text)
        self._zh = zh

    def say(self, language: str) -> str:
        """The sentence in the reader's language, in English where there is no other."""
        return self._zh if language == "zh" and self._zh else str(self)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a file a person wrote. `line` and `column` are 1-based; `hint` says what to write instead."""

    file: str
    line: int
    column: int
    path: str
    text: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: {self.path}: {self.text}"
        return f"{where} ({self.hint})" if self.hint else where


class ConfigError(GatewayError):
    """A configuration that cannot be used; `problems` is sorted and complete."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


class SinkError(GatewayError):
    """A sink (database, broker) did not take what it was given."""


class SinkUnavailable(SinkError):
    """Nothing is known to be lost: keep the batch and try again, not before `after_s` seconds if the server said so."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


class SinkMisconfigured(SinkUnavailable):
    """Nothing is known to be lost, but no retry can succeed before a person corrects a login, a name or an address."""


class SinkRejected(SinkError):
    """Some items were refused for good; `reasons` maps an item's index in the batch to the sink's own words."""

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__("; ".join(f"{index}: {reason}" for index, reason in sorted(reasons.items())))
        self.reasons = dict(reasons)


class StoreError(GatewayError):
    """The state on disk cannot be used as it is; nothing in it was changed."""


class StoreUnavailable(StoreError):
    """What is on disk cannot be read for now, and nothing is known to be lost: try again."""


class NotifyError(GatewayError):
    """A channel did not pass a notice on."""


class NotifyRetry(NotifyError):
    """The notice may get through later: try again, not before `after_s` seconds if the other side said so."""

    def __init__(self, reason: str, zh: str | None = None, after_s: float | None = None) -> None:
        super().__init__(reason, zh)
        self.after_s = after_s


class NotifyRejected(NotifyError):
    """The notice will never be taken by this channel; others may be."""
