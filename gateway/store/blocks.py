"""How the local history is packed: all samples of one device over a short time in one compressed block."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gateway.model import MaybeValue, Value


class Record(NamedTuple):
    """What one reading or message said: usable values, and the status names of points that are not Good."""

    ts: int
    values: Mapping[str, Value]
    statuses: Mapping[str, str]


class Sample(NamedTuple):
    """One point at one time; `value` is None where `status` is bad."""

    ts: int
    value: MaybeValue
    status: str


def pack(records: Sequence[Record]) -> bytes:
    """Compact and self-contained; numbers with more digits than a float become floats."""
    text = json.dumps(
        [[record.ts, dict(record.values), dict(record.statuses)] for record in records],
        ensure_ascii=False,
        separators=(",", ":"),
        default=float,
    )
    return zlib.compress(text.encode(), 1)


def unpack(data: bytes) -> Iterator[Record]:
    """The records of a block in the order they were made."""
    for ts, values, statuses in json.loads(zlib.decompress(data)):
        yield Record(ts, values, statuses)


def samples(records: Sequence[Record], point: str) -> Iterator[Sample]:
    """What `records` say of one point."""
    for record in records:
        status = record.statuses.get(point, "Good")
        if point in record.values:
            yield Sample(record.ts, record.values[point], status)
        elif status != "Good":
            yield Sample(record.ts, None, status)
