"""How the local history is packed: all that was said of one device over a short time in one compressed block.

A line of a block is a time stamp and either the body of a telemetry message as it was sent, which costs nothing more
to keep, or the same members written here.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from gateway.model import MaybeValue, Value


class Record(NamedTuple):
    """What was said at one time: usable values, and the status names of points that are not Good."""

    ts: int
    values: Mapping[str, Value]
    statuses: Mapping[str, str]


class Said(NamedTuple):
    """The same as the body of a telemetry message (`gateway.ports.Row.body`)."""

    ts: int
    body: bytes


Entry: TypeAlias = Record | Said


class Sample(NamedTuple):
    """One point at one time; `value` is None where `status` is bad."""

    ts: int
    value: MaybeValue
    status: str


def weigh(entry: Entry) -> int:
    """About how many bytes an entry takes before compression."""
    return len(entry.body) if isinstance(entry, Said) else 24 * (len(entry.values) + len(entry.statuses)) + 16


def pack(entries: Sequence[Entry]) -> bytes:
    """A block of at least one entry; numbers with more digits than a float may lose them."""
    return zlib.compress(b"\n".join([b"%d %s" % (entry.ts, _body(entry)) for entry in entries]), 1)


def _body(entry: Entry) -> bytes:
    if isinstance(entry, Said):
        return entry.body
    members = {"v": dict(entry.values), "bad": dict(entry.statuses)}
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"), default=float).encode()[1:]


def unpack(data: bytes) -> list[Entry]:
    """The entries of a block in the order they were made."""
    entries: list[Entry] = []
    for line in zlib.decompress(data).split(b"\n"):
        ts, _, body = line.partition(b" ")
        entries.append(Said(int(ts), body))
    return entries


def times(data: bytes) -> list[int]:
    """The time stamps of a block, in the order its entries were made."""
    return [int(line.partition(b" ")[0]) for line in zlib.decompress(data).split(b"\n")]


def samples(entries: Sequence[Entry], point: str) -> Iterator[Sample]:
    """What `entries` say of one point."""
    name = json.dumps(point, ensure_ascii=False).encode()
    for entry in entries:
        if isinstance(entry, Said):
            if name not in entry.body:
                continue
            entry = _record(entry)
        status = entry.statuses.get(point, "Good")
        if point in entry.values:
            yield Sample(entry.ts, entry.values[point], status)
        elif status != "Good":
            yield Sample(entry.ts, None, status)


def numbers(entry: Entry) -> Iterator[tuple[str, float]]:
    """Points and values of an entry that can be added up."""
    record = _record(entry) if isinstance(entry, Said) else entry
    for name, value in record.values.items():
        if not isinstance(value, str):
            yield name, float(value)


def _record(said: Said) -> Record:
    members = json.loads(b"{" + said.body)
    return Record(said.ts, members["v"], {**members.get("uncertain", {}), **members.get("bad", {})})
