"""Comparing what should be with what is. Pure.

Only what we say is compared: a server adds members of its own (defaults, versions, who saved it), which are its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

LONGEST = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """At `path` stands `found` and should stand `wanted`; None where there is nothing."""

    path: str
    found: object
    wanted: object

    def __str__(self) -> str:
        return f"{self.path}: {_shown(self.found)} -> {_shown(self.wanted)}"


def differences(wanted: object, found: object, path: str = "") -> Iterator[Difference]:
    """Where `found` is not what `wanted` says; members that `wanted` does not have are passed over."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key, value in wanted.items():
            yield from differences(value, found.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(wanted, (list, tuple)) and isinstance(found, (list, tuple)):
        for index, (one, other) in enumerate(zip(wanted, found, strict=False)):
            yield from differences(one, other, f"{path}[{index}]")
        if len(wanted) != len(found):
            yield Difference(f"{path}.length", len(found), len(wanted))
    elif not _is_same(wanted, found):
        yield Difference(path, found, wanted)


def _is_same(wanted: object, found: object) -> bool:
    if _is_empty(wanted) and _is_empty(found):
        return True  # servers leave out what is empty
    return wanted == found and isinstance(wanted, bool) == isinstance(found, bool)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, (str, Mapping, Sequence)) and len(value) == 0)


def _shown(value: object) -> str:
    text = "-" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
