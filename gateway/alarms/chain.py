"""The journal of alarms as a chain: every entry contains the SHA-256 of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.model import Text
from gateway.store.trail import Entry
from gateway.wire.json_text import dumps
from gateway.wire.messages import Json

GENESIS = ""
RETIRED = "retired"
"""The type of an entry that says up to where the journal was let go of, and the hash of the last one that went."""


class Chain:
    """Writes the next entry; `last` is the newest there is, `highest` the highest number that was ever given."""

    def __init__(self, last: Entry | None, highest: int = 0) -> None:
        self._last = last
        self._highest = max(highest, last.number if last is not None else 0)

    @property
    def next_number(self) -> int:
        return self._highest + 1

    @property
    def head(self) -> str:
        """The hash of the newest entry, in hex; empty before the first."""
        return self._last.hash.hex() if self._last is not None else GENESIS

    def add(self, ts: int, type_: str, data: Mapping[str, Json]) -> Entry:
        """The entry that follows; it counts as written from now on."""
        number = self.next_number
        body = dumps({"number": number, "ts": ts, "prev": self.head, "type": type_, **data}).encode()
        self._last = Entry(number, ts, body, hashlib.sha256(body).digest())
        self._highest = number
        return self._last


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first entry that is missing or not what it was."""

    number: int
    what: Text


@dataclass(frozen=True, slots=True)
class Verified:
    """What a walk over the chain found."""

    first: int
    last: int
    entries: int
    head: str
    flaw: Flaw | None


def verify(entries: Iterable[Entry], highest: int = 0) -> Verified:
    """Walk the whole journal, oldest first; stops at the first flaw. Entries must be there up to number `highest`."""
    first = last = count = 0
    previous: str | None = None
    begins_behind: tuple[int, str] | None = None
    """What the first entry says was before it."""
    retired: tuple[int, str] | None = None
    for entry in entries:
        if count and entry.number != last + 1:
            return Verified(first, last, count, previous or "", Flaw(last + 1, _MISSING))
        if hashlib.sha256(entry.body).digest() != entry.hash:
            return Verified(first, last, count, previous or "", Flaw(entry.number, _CHANGED))
        told = _read(entry)
        if told is None:
            return Verified(first, last, count, previous or "", Flaw(entry.number, _CHANGED))
        if not count:
            first, begins_behind = entry.number, (entry.number - 1, told["prev"])
        elif told["prev"] != previous:
            return Verified(first, last, count, previous or "", Flaw(last, _EXCHANGED))
        if told["type"] == RETIRED:
            retired = told["up_to"], told["hash"]
        last, previous, count = entry.number, entry.hash.hex(), count + 1
    expected = retired or (0, GENESIS)
    if begins_behind is not None and begins_behind != expected:
        return Verified(first, last, count, previous or "", Flaw(expected[0] + 1, _MISSING))
    return Verified(first, last, count, previous or "", Flaw(last + 1, _MISSING) if last < highest else None)


def _read(entry: Entry) -> Mapping[str, Any] | None:
    """What the entry says; None where it is not what an entry of this number and time looks like."""
    try:
        told = json.loads(entry.body)
    except ValueError:
        return None
    if not isinstance(told, dict) or not {"prev", "type"} <= told.keys():
        return None
    if told["type"] == RETIRED and not {"up_to", "hash"} <= told.keys():
        return None
    return told if (told.get("number"), told.get("ts")) == (entry.number, entry.ts) else None


_MISSING = Text("缺少这一条记录", "this entry is missing")
_CHANGED = Text("这一条记录被改动过", "this entry was changed")
_EXCHANGED = Text("这一条记录被换过", "this entry is not the one that the next one followed")
