"""Two messages of one topic never share a millisecond, since the database would take them for one: not when two things
happen at once, nor when the clock is set back into a time that was told before."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gateway.store.blocks import times

SET_BACK_MS = 5_000
"""Messages of one topic are never further out of order than this, unless the clock was set."""
REMEMBERED = 512
"""Time stamps remembered of each topic, at least: eight minutes at one a second, eight hours at one a minute. A clock
that is set back further may meet one that is forgotten, once in about 1,000 messages."""
KEEP_EVERY_S = 60.0
"""How often those that stand nowhere else are written to disk, with a commit that is made anyway."""
RECENT_MS = 600_000
RECENT_ROWS = 20_000
RECENT_BLOCKS = 2_000
"""What is looked through for time stamps of earlier runs: those from this long before now on."""
TELEMETRY = "telemetry"
"""The last part of the topics whose messages stand in the local history, by device."""
STEP = "CREATE TABLE stamps(data BLOB NOT NULL)"
"""What brings a telemetry file of schema 2 to 3."""


@dataclass(slots=True)
class _Topic:
    last: int
    given: array[int]
    """In the order in which they were given."""
    ahead: set[int] = field(default_factory=set)
    """Those the clock will meet again, up to `ahead_to`."""
    ahead_to: int = 0

    def look_ahead(self, stamps: Iterable[int], most: int) -> None:
        """The clock stands before `stamps`."""
        self.ahead.update(stamps)
        if len(self.ahead) > most:
            self.ahead = set(sorted(self.ahead)[:most])
        self.ahead_to = max(self.ahead, default=0)


class Stamps:
    """The time stamps given out, by topic."""

    def __init__(
        self,
        topics: Mapping[str, Iterable[int]] | None = None,
        devices: Mapping[str, Iterable[int]] | None = None,
        *,
        remembered: int = REMEMBERED,
    ) -> None:
        """What earlier runs gave, by topic, and of telemetry by device."""
        self._before = dict(topics or {})
        self._before_by_device = dict(devices or {})
        self._remembered = remembered
        self._topics: dict[str, _Topic] = {}
        self._newest = 0
        self._kept = 0
        self._keep_at = 0.0
        self._writing = b""

    def own(self, topic: str, ts: int) -> int:
        """`ts`, or the first millisecond behind it that no message of `topic` has. A `ts` a little older than the last
        one comes behind that: what a poll found may be told after what a tick found. One much older is a clock that was
        set."""
        known = self._topics.get(topic)
        if known is None:
            known = self._topics[topic] = self._met(topic, ts)
        if ts <= known.last:
            if ts > known.last - SET_BACK_MS:
                ts = known.last + 1
            else:
                known.look_ahead([stamp for stamp in known.given if stamp >= ts], 4 * self._remembered)
        if known.ahead:
            while ts in known.ahead:
                ts += 1
            if ts > known.ahead_to:
                known.ahead.clear()
        known.last = self._newest = ts
        known.given.append(ts)
        if len(known.given) > 2 * self._remembered:
            del known.given[: self._remembered]
        return ts

    def move(self, moved: Callable[[int], int]) -> None:
        """Time stamps that were provisional became others."""
        for known in self._topics.values():
            known.last = moved(known.last)
            known.given = array("q", map(moved, known.given))
            known.ahead = set(map(moved, known.ahead))
            known.ahead_to = moved(known.ahead_to)

    # gateway.store.writer.Source: a commit that is made anyway takes them along

    def has_work(self) -> bool:
        return self._newest != self._kept and time.monotonic() >= self._keep_at

    def take(self) -> None:
        self._kept, self._keep_at = self._newest, time.monotonic() + KEEP_EVERY_S
        self._writing = self._dumps()

    def write(self, db: sqlite3.Connection) -> None:
        _keep(db, self._writing)

    def settle(self) -> None:
        """Written."""

    def put_back(self) -> None:
        self._kept, self._keep_at = 0, 0.0

    def replaced(self) -> None:
        self.put_back()

    def close(self, db: sqlite3.Connection) -> None:
        """Leave word of all of them; only after the writer has ended."""
        _keep(db, self._dumps())

    def _dumps(self) -> bytes:
        """Those that stand in no history: of all but telemetry, the recent ones and those ahead."""
        since = self._newest - RECENT_MS
        recent = {
            topic: [stamp for stamp in known.given if stamp >= since]
            for topic, known in self._topics.items()
            if not topic.endswith(f"/{TELEMETRY}")
        }
        return zlib.compress(json.dumps(recent, separators=(",", ":")).encode(), 1)

    def _met(self, topic: str, ts: int) -> _Topic:
        """A topic of which nothing was told since the start."""
        given = set(self._before.pop(topic, ()))
        *_, device, channel = ["", *topic.rsplit("/", 2)]
        if channel == TELEMETRY:
            given.update(self._before_by_device.pop(device, ()))
        met = _Topic(max((stamp for stamp in given if stamp < ts), default=ts - 1), array("q", sorted(given)))
        met.look_ahead([stamp for stamp in given if stamp >= ts], 4 * self._remembered)
        return met


def earlier_stamps(journal: sqlite3.Connection, telemetry: sqlite3.Connection, now_ms: int) -> Stamps:
    """The memory of a store that is opened: what earlier runs gave lately, or for a time that is still to come."""
    since = now_ms - RECENT_MS
    topics: defaultdict[str, list[int]] = defaultdict(list)
    for db, table in (
        (journal, "message"), (telemetry, "message"), (journal, "retained"),
    ):  # fmt: skip
        for topic, ts in db.execute(
            f"SELECT topic, ts FROM {table} ORDER BY seq DESC LIMIT {RECENT_ROWS}"  # noqa: S608
        ):
            if ts >= since:
                topics[topic].append(ts)
    for (kept,) in telemetry.execute("SELECT data FROM stamps"):
        for topic, stamps in json.loads(zlib.decompress(kept)).items():
            topics[topic] += [ts for ts in stamps if ts >= since]
    devices: defaultdict[str, list[int]] = defaultdict(list)
    for device, data in telemetry.execute(
        "SELECT device, data FROM block WHERE id > (SELECT max(id) FROM block) - ? AND last_ts >= ?",
        (RECENT_BLOCKS, since),
    ):
        devices[device] += [ts for ts in times(data) if ts >= since]
    return Stamps(topics, devices)


def _keep(db: sqlite3.Connection, data: bytes) -> None:
    db.execute("DELETE FROM stamps")
    db.execute("INSERT INTO stamps VALUES(?)", (data,))
