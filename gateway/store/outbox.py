"""The durable queue between the site and the world: two lanes, the journal (rank 0) and telemetry (rank 1 and 2)."""

from __future__ import annotations

import asyncio
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from gateway.ports import Confirmed, Row
from gateway.store.gaps import Gap, overload
from gateway.store.labels import Labelling, only_labelled
from gateway.store.lane import Lane, Range
from gateway.store.reader import Reader
from gateway.store.sequence import Sequence as SequenceNumbers
from gateway.store.stamps import Stamps
from gateway.store.writer import Writer, call, tell

Place: TypeAlias = tuple[int, int]
"""Rank and sequence number: the order in which rows are sent."""

MAX_WAITING_ROWS = 10_000
MAX_WAITING_BYTES = 32 * 1024 * 1024
"""What may wait for the disk; beyond it telemetry is not accepted and leaves a gap, alarms have twice the room."""


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """For the gateway's own health: rows and bytes held, and what happened since start."""

    accepted: int
    confirmed: int
    dropped: int
    thinned: int
    dead: int
    rows: int
    bytes: int
    waiting: int
    commits: int
    errors: int
    usage: float = 0.0
    """The fuller one of its two files, in percent of its quota."""


class Outbox:
    """Rows from their acceptance until somebody says that they are stored. Called from one event loop."""

    def __init__(
        self,
        outbox_id: str,
        writer: Writer,
        sequence: SequenceNumbers,
        journal: Lane,
        telemetry: Lane,
        readers: tuple[Reader, Reader],
        executor: Executor,
        newest: Iterable[Row],
        topics: Iterable[str],
        stamps: Stamps,
    ) -> None:
        self._id = outbox_id
        self._writer = writer
        self._sequence = sequence
        self._journal = journal
        self._telemetry = telemetry
        self._readers = readers
        self._executor = executor
        self._newest = {row.topic: row for row in newest}
        self._stamps = stamps
        self._accepted = 0
        self._topics = set(topics)
        self.is_holding = False
        """While True, rows are kept and not given out until `label`."""
        self.is_awaited = True
        """While False, nobody will ask for rows: only alarms and events are queued, and what is held for its time."""
        self.labelled: Callable[[list[Row]], object] | None = None
        """Told of rows that have their final time now, on the event loop."""
        self._labelled: list[asyncio.Future[None]] = []
        journal.committed = self._note_newest

    @property
    def id(self) -> str:
        """Twelve hex digits."""
        return self._id

    @property
    def last_ts(self) -> int:
        """The last time stamp known to have been given out, UTC ms; after a crash it may be a little older."""
        return self._sequence.last_ts

    def accept(
        self,
        topic: str,
        body: bytes | Callable[[int], bytes],
        *,
        ts: int,
        retain: bool,
        rank: int,
        keep: Mapping[str, bytes | None] | None = None,
    ) -> Row | None:
        """Queue one message; gives its row with sequence number and final `ts`, None where the disk is too far behind.

        Two messages on one topic never share a millisecond, since the database would take them for one: the later gets
        the next; a body that tells times is given as a function of the final `ts`. With rank 0, `keep`
        is written in the same transaction (None deletes a document), and the row may be told only after `committed`.
        An empty retained body clears the topic. While nobody awaits rows (`is_awaited`) only those of rank 0 are
        queued. StoreError where nothing more can be written at all.
        """
        with self._writer.mutex:
            lane = self._telemetry if rank else self._journal
            ts = self._stamps.own(topic, ts)
            content = body if isinstance(body, bytes) else body(ts)
            if not self.can_take(rank):
                lane.counts.dropped += 1
                lane.note_gap(overload(topic, ts, content))
                return None
            row = Row(self._sequence.next(ts), ts, topic, content, retain, rank, self.is_holding)
            is_queued = self.is_awaited or not rank or row.held
            if is_queued:
                lane.add(row, keep, urgent=not rank)
                self._accepted += 1
            if retain and rank:
                if is_queued:
                    self._note_topic(row)
                if not row.held:
                    self._newest[topic] = row
            return row

    @contextmanager
    def together(self) -> Iterator[None]:
        """Whatever is accepted and kept inside is written in one transaction."""
        with self._writer.lock:
            yield

    def can_take(self, rank: int) -> bool:
        """Whether the disk is near enough for one more message of this rank; inside `together` it stays so for it."""
        lane, room = (self._telemetry if rank else self._journal), (1 if rank == 2 else 2)
        is_full = lane.waiting >= MAX_WAITING_ROWS * room or lane.waiting_bytes >= MAX_WAITING_BYTES * room
        return self._sequence.has_next and not is_full

    def _note_topic(self, row: Row) -> None:
        """Keep the names of retained topics in the journal, so that those of removed devices can be cleared."""
        if bool(row.body) != (row.topic in self._topics):
            self._journal.note_topic(row)
            (self._topics.add if row.body else self._topics.discard)(row.topic)

    def _note_newest(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.retain:
                if not row.held:
                    self._newest[row.topic] = row
                (self._topics.add if row.body else self._topics.discard)(row.topic)

    async def committed(self, seq: int) -> None:
        """Return when the row is on disk (or stored elsewhere already); StoreError where it can no longer get there."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._writer.lock:
            lane = next((lane for lane in (self._journal, self._telemetry) if lane.is_pending(seq)), None)
            if lane is None:
                return
            lane.listen(seq, partial(tell, done))
        await self._writer.wait(done)

    def when_committed(self, seq: int, then: Callable[[], object]) -> None:
        """Call `then` on the event loop once the row is on disk, in order of commits; at once where it is already."""
        loop = asyncio.get_running_loop()
        with self._writer.lock:
            lane = next((lane for lane in (self._journal, self._telemetry) if lane.is_pending(seq)), None)
            if lane is not None:
                lane.listen(seq, partial(call, loop, then))
                return
        then()

    async def backlog(self, after: Place, limit: int) -> Sequence[Row]:
        """Held rows in order of rank and sequence number, those behind `after`, at most `limit`; of rank 0 only what is
        committed. StoreUnavailable where they cannot be read for now."""
        with self._writer.lock:
            waiting, leaving = only_labelled(self._telemetry.pending()), self._leaving()
        loop, read_to = asyncio.get_running_loop(), after
        found: list[Row] = []
        while len(found) < limit:
            page = await loop.run_in_executor(self._executor, self._read, read_to, limit)
            with self._writer.lock:
                leaving += self._leaving()  # confirmed while this was read
            found += _without(page, leaving)
            if len(page) < limit:
                break
            read_to = (page[-1].rank, page[-1].seq)
        known = {row.seq for row in found}
        late = [row for row in waiting if (row.rank, row.seq) > after and row.seq not in known]
        if late:
            found = sorted([*found, *_without(late, leaving)], key=lambda row: (row.rank, row.seq))
        return found[:limit]

    def _leaving(self) -> list[Range]:
        return [*self._telemetry.leaving(), *self._journal.leaving()]

    def _read(self, after: Place, limit: int) -> list[Row]:
        rows: list[Row] = []
        for rank in range(max(after[0], 0), 3):
            behind = after[1] if rank == after[0] else -1
            reader = self._readers[1] if rank else self._readers[0]
            rows += reader.rows(
                "SELECT seq, ts, topic, body, retain, rank FROM message WHERE rank=? AND seq>? AND held=0"
                " ORDER BY seq LIMIT ?",
                (rank, behind, limit - len(rows)),
            )
            if len(rows) >= limit:
                break
        return rows

    async def newest_retained(self) -> Sequence[Row]:
        """The newest committed row of each retained topic, confirmed or not; an empty body where it was cleared."""
        with self._writer.lock:
            return sorted(self._newest.values(), key=lambda row: (row.rank, row.seq))

    def retained_topics(self) -> frozenset[str]:
        """Every topic that may be retained at the broker and was not cleared."""
        with self._writer.lock:
            return frozenset(self._topics)

    async def confirm(self, confirmed: Confirmed) -> None:
        """Forget these rows; numbers that are not held, and other outboxes, are passed over."""
        if confirmed.outbox != self._id:
            return
        with self._writer.lock:
            self._telemetry.forget(confirmed.ranges)
            self._journal.forget(confirmed.ranges)

    async def set_aside(self, seq: int, reason: str) -> None:
        """The broker will never take this row: to the dead letters, with the broker's reason."""
        with self._writer.lock:
            self._telemetry.set_aside(seq, reason)
            self._journal.set_aside(seq, reason)

    async def label(self, labelling: Labelling) -> None:
        """Give every held row its final time; return when all may be given out. `is_holding` must be over. StoreError
        where the store ends before."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        with self._writer.lock:
            self._labelled.append(done)
            self._stamps.move(labelling.moved)
            for lane in (self._journal, self._telemetry):
                lane.labelled = partial(self._note_labelled, loop)
                lane.label(labelling)
        await self._writer.wait(done)

    def _note_labelled(self, loop: asyncio.AbstractEventLoop, rows: list[Row]) -> None:
        for row in rows:
            self._sequence.note(row.ts)
            known = self._newest.get(row.topic)
            if row.retain and (known is None or known.seq < row.seq):
                self._newest[row.topic] = row
        if rows and self.labelled is not None:
            call(loop, partial(self.labelled, rows))
        if not (self._journal.is_labelling or self._telemetry.is_labelling):
            for future in self._labelled:
                tell(future)
            self._labelled.clear()

    async def gaps(self) -> list[Gap]:
        """What was dropped and not yet settled, for gap events."""
        await self._writer.flush()
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._read_gaps)

    def _read_gaps(self) -> list[Gap]:
        return [
            Gap(place, why, first_ts, last_ts, count, is_of_journal=reader is self._readers[0])
            for reader in self._readers
            for place, why, first_ts, last_ts, count in reader.values(
                "SELECT place, why, first_ts, last_ts, count FROM gap", ()
            )
        ]

    def settle_gap(self, gap: Gap) -> None:
        """This gap, as it was read, stands in an event: one of the same transaction (`together`) where it is of the
        journal, else a committed one."""
        with self._writer.lock:
            (self._journal if gap.is_of_journal else self._telemetry).settle_gap(gap)

    def counts(self) -> OutboxCounts:
        with self._writer.lock:
            one, two = self._journal.counts, self._telemetry.counts
            rows = one.rows + two.rows
            return OutboxCounts(
                accepted=self._accepted,
                confirmed=one.confirmed + two.confirmed,
                dropped=one.dropped + two.dropped,
                thinned=one.thinned + two.thinned,
                dead=one.dead + two.dead,
                rows=rows,
                bytes=one.bytes + two.bytes,
                waiting=self._journal.waiting + self._telemetry.waiting,
                commits=self._writer.commits,
                errors=self._writer.errors,
                usage=max(100 * lane.counts.bytes / lane.quota_bytes for lane in (self._journal, self._telemetry)),
            )


def _without(rows: Sequence[Row], ranges: Iterable[Range]) -> Sequence[Row]:
    """The rows whose numbers are in none of `ranges`."""
    firsts: list[int] = []
    lasts: list[int] = []
    for first, last in sorted(ranges):
        firsts.append(first)
        lasts.append(max(last, lasts[-1]) if lasts else last)
    if not firsts:
        return rows
    return [row for row in rows if not (at := bisect_right(firsts, row.seq)) or lasts[at - 1] < row.seq]


def newest_on_disk(journal: sqlite3.Connection, telemetry: sqlite3.Connection) -> tuple[list[Row], set[str]]:
    """The newest row of each retained topic whose content is known, and the names of all topics not cleared."""
    found: dict[str, Row] = {}
    topics: set[str] = set()
    for topic, seq, ts, rank, body in journal.execute("SELECT topic, seq, ts, rank, body FROM retained"):
        if body is not None:
            found[topic] = Row(seq, ts, topic, body, True, rank)
        if body != b"":
            topics.add(topic)
    for seq, ts, topic, body, rank in telemetry.execute(
        "SELECT seq, ts, topic, body, rank FROM message WHERE rank=1 AND retain=1 AND held=0 ORDER BY seq"
    ):
        if topic not in found or found[topic].seq < seq:
            found[topic] = Row(seq, ts, topic, body, True, rank)
    return list(found.values()), topics
