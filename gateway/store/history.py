"""The local history: 7 days of every sample and 400 days of daily figures, for the local page and trends.

Samples of a device are gathered for up to a minute and written as one block, so that an SD card sees few writes; what
is gathered and not yet written is read from memory, and `flush` writes it at once. A kill loses at most that minute.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from gateway.model import Value
from gateway.store import daily
from gateway.store.blocks import Entry, Record, Said, Sample, pack, samples, unpack, weigh
from gateway.store.files import StoreFile
from gateway.store.reader import Reader
from gateway.store.retiring import Retiring
from gateway.store.writer import Writer

HISTORY_SCHEMA = (
    """
CREATE TABLE block(id INTEGER PRIMARY KEY, device TEXT NOT NULL, first_ts INTEGER NOT NULL, last_ts INTEGER NOT NULL,
                   data BLOB NOT NULL);
CREATE INDEX block_device ON block(device, first_ts);
"""
    + daily.SCHEMA
)
BLOCK_BYTES = 16 * 1024
"""Of text, before compression."""
BLOCK_S = 60.0
MAX_GATHERED_BLOCKS = 2_000
"""Blocks that may wait for the disk; the oldest is dropped and counted."""
SPAN_MS = 3_600_000
"""Longer than any block lasts, also where the clock was set meanwhile."""
HOLD_MS = 150_000
"""How long a value is taken to stand when nothing new is said: points are sent at least every 60 s."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One step of a trend, from `ts` (UTC ms) on. Numbers and booleans (as 0 and 1) have low, high and mean; words only
    `last`. All None where there is a gap: the point was bad or nothing was heard of it."""

    ts: int
    low: float | None
    high: float | None
    mean: float | None
    last: Value | None
    count: int
    status: str


class History:
    """Samples by device. `record` belongs to the event loop; reading is done in the store's reading thread."""

    def __init__(
        self,
        file: StoreFile,
        writer: Writer,
        reader: Reader,
        executor: Executor,
        *,
        keep_days: float,
        quota_bytes: int,
        wall_ms: Callable[[], int],
    ) -> None:
        self._file = file
        self._writer = writer
        self._reader = reader
        self._executor = executor
        self._retiring = Retiring(int(keep_days * 86_400_000), quota_bytes, wall_ms)
        self._gathering: dict[str, tuple[float, list[Entry]]] = {}
        self._sizes: dict[str, int] = {}
        self._sealed: list[tuple[str, list[Entry]]] = []
        self._writing: list[tuple[str, list[Entry]]] = []
        self.dropped = 0
        """Readings that could not wait for the disk."""

    def record(self, device: str, ts: int, values: Mapping[str, Value], statuses: Mapping[str, str]) -> None:
        """Keep what was said of `device` at `ts`: usable values, and status names of points that are not Good.

        The mappings are kept as they are and must not be changed afterwards.
        """
        self._gather(device, Record(ts, values, statuses))

    def record_body(self, device: str, ts: int, body: bytes) -> None:
        """The same from the body of a telemetry message as the outbox took it, which is cheaper."""
        self._gather(device, Said(ts, body))

    def _gather(self, device: str, entry: Entry) -> None:
        with self._writer.mutex:
            now = time.monotonic()
            began, entries = self._gathering.get(device, (now, []))
            if entries and (now - began >= BLOCK_S or self._sizes[device] >= BLOCK_BYTES):
                self._seal(device)
                began, entries = now, []
            if not entries:
                self._gathering[device] = (began, entries)
                self._sizes[device] = 0
            entries.append(entry)
            self._sizes[device] += weigh(entry)

    def _seal(self, device: str) -> None:
        self._writer.wake(self._file, urgent=False)
        _, entries = self._gathering.pop(device)
        self._sealed.append((device, entries))
        if len(self._sealed) > MAX_GATHERED_BLOCKS:
            _, lost = self._sealed.pop(0)
            self.dropped += len(lost)

    async def flush(self) -> None:
        """Return when everything recorded is on disk."""
        self.seal()
        await self._writer.flush()

    def seal(self) -> None:
        """Let everything gathered go with the next commit."""
        with self._writer.lock:
            for device in list(self._gathering):
                self._seal(device)

    async def samples(self, device: str, point: str, since_ms: int, until_ms: int) -> list[Sample]:
        """All samples of a point with `since_ms` <= ts <= `until_ms`, in order of time."""
        with self._writer.lock:
            blocks = [*self._writing, *self._sealed]
            recent = [entries for name, entries in blocks if name == device]
            if device in self._gathering:
                recent.append(list(self._gathering[device][1]))
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, self._read, device, point, since_ms, until_ms, recent
        )

    def _read(
        self, device: str, point: str, since_ms: int, until_ms: int, recent: Sequence[Sequence[Entry]]
    ) -> list[Sample]:
        found = self._reader.values(
            "SELECT data FROM block WHERE device=? AND first_ts BETWEEN ? AND ? AND last_ts>=? ORDER BY first_ts",
            (device, since_ms - SPAN_MS, until_ms, since_ms),
        )
        # A block may have been written since `recent` was taken: equal samples are one.
        every = {
            sample
            for entries in (*(unpack(data) for (data,) in found), *recent)
            for sample in samples(entries, point)
            if since_ms <= sample.ts <= until_ms
        }
        return sorted(every, key=lambda sample: sample.ts)

    async def trend(self, device: str, point: str, since_ms: int, until_ms: int, max_points: int) -> list[Bucket]:
        """The time from `since_ms` up to `until_ms` in at most `max_points` equal steps; gaps stay visible."""
        if until_ms <= since_ms or max_points < 1:
            return []
        found = await self.samples(device, point, since_ms - HOLD_MS, until_ms)
        return buckets(found, since_ms, until_ms, max_points)

    async def days(self, device: str, point: str) -> list[daily.Day]:
        """Daily figures of a point, oldest first: of the days whose samples are gone or going."""
        query = "SELECT day, count, low, high, total FROM daily WHERE device=? AND point=? ORDER BY day"
        read = partial(self._reader.values, query, (device, point))
        return daily.as_days(await asyncio.get_running_loop().run_in_executor(self._executor, read))

    # gateway.store.writer.Source

    def has_work(self) -> bool:
        return bool(self._sealed)

    def take(self) -> None:
        self._writing, self._sealed = self._sealed, []

    def settle(self) -> None:
        self._writing = []

    def put_back(self) -> None:
        self._sealed = self._writing + self._sealed
        self._writing = []

    def replaced(self) -> None:
        """What was on disk is gone; what waits goes to the new file."""

    def write(self, db: sqlite3.Connection) -> None:
        db.executemany(
            "INSERT INTO block(device, first_ts, last_ts, data) VALUES(?,?,?,?)",
            [
                (device, min(entry.ts for entry in entries), max(entry.ts for entry in entries), pack(entries))
                for device, entries in self._writing
            ],
        )
        self._retiring.note(len(self._writing))
        self._retiring.work(db)


def buckets(found: Sequence[Sample], since_ms: int, until_ms: int, max_points: int) -> list[Bucket]:
    """Cut samples, in order of time, into equal steps; a value stands until the next, for at most `HOLD_MS`."""
    step = -(-(until_ms - since_ms) // max_points)
    held: Sample | None = None
    at = 0
    while at < len(found) and found[at].ts < since_ms:
        held = found[at]
        at += 1
    steps: list[Bucket] = []
    for start in range(since_ms, until_ms, step):
        inside: list[Sample] = []
        end = min(start + step, until_ms)
        while at < len(found) and found[at].ts < end:
            inside.append(found[at])
            at += 1
        steps.append(_bucket(start, held, inside))
        held = inside[-1] if inside else held
    return steps


def _bucket(start: int, held: Sample | None, inside: Sequence[Sample]) -> Bucket:
    if not inside:
        if held is None or held.value is None or start - held.ts > HOLD_MS:
            status = held.status if held is not None and held.value is None else ""
            return Bucket(start, None, None, None, None, 0, status)
        number = None if isinstance(held.value, str) else float(held.value)
        return Bucket(start, number, number, number, held.value, 0, held.status)
    last = inside[-1]
    numbers = [float(item.value) for item in inside if item.value is not None and not isinstance(item.value, str)]
    if not numbers:
        return Bucket(start, None, None, None, last.value, len(inside), last.status)
    return Bucket(start, min(numbers), max(numbers), sum(numbers) / len(numbers), last.value, len(inside), last.status)
