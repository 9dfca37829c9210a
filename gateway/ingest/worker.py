"""One worker: MQTT to the database. The broker is acknowledged, and the sites hear `stored`, only after the database or
the dead letters have what came."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from functools import partial

from gateway.ingest.batch import Batch, Limits
from gateway.ingest.books import Books, Gauges
from gateway.ingest.dead_letters import DeadLetters
from gateway.ingest.inbox import Arrival, Inbox
from gateway.ingest.intake import FILTERS, take
from gateway.ingest.letter_events import events
from gateway.ingest.patience import PatientSink
from gateway.mqtt import Link, LinkFailed, LinkOptions, Session
from gateway.settings.types import MqttSettings
from gateway.wire import topics
from gateway.wire.encode import stored_payload
from gateway.wire.messages import Stored

log = logging.getLogger(__name__)

LIMITS = Limits()
#: Messages and bytes that may wait beside the batch that is being written.
INBOX_MESSAGES = LIMITS.messages
INBOX_BYTES = 8_000_000
#: How long a stopping worker may take to write what it holds; saying goodbye takes up to 2 s more.
FLUSH_S = 3.0
_COMPLAINT_EVERY_S = 60.0


def worker_session(settings: MqttSettings) -> Session:
    """A session as a worker needs it. A clean start, since a member that is gone for good would otherwise hold back its
    part of the shared messages; a client id of its own, since many workers may run from one file."""
    return Session(
        settings,
        LinkOptions(
            client_id=f"{settings.client_id or 'vigil-ingest'}-{secrets.token_hex(4)}",
            manual_ack=True,
            receive_maximum=LIMITS.messages,
            inbox=LIMITS.messages,
        ),
    )


class Worker:
    """Takes its share of the sites' messages. What it holds in memory is bounded by `Limits` and the inbox."""

    def __init__(
        self,
        session: Session,
        sink: PatientSink,
        dead_letters: DeadLetters,
        books: Books,
        *,
        share: str | None,
        confirm: bool,
        limits: Limits = LIMITS,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._session = session
        self._sink = sink
        self._dead_letters = dead_letters
        self._books = books
        self._filters = tuple(f"$share/{share}/{name}" if share else name for name in FILTERS)
        self._confirms = confirm
        self._limits = limits
        self._wall_ms = wall_ms
        self._inbox = Inbox(INBOX_MESSAGES, INBOX_BYTES)
        self._complained_at = float("-inf")
        self.subscribed = asyncio.Event()
        """Set while messages can come."""

    def gauges(self) -> Gauges:
        return {
            "connected": ("1 while connected to the broker", lambda: float(self._session.link is not None)),
            "waiting_messages": ("Messages that wait to be written", lambda: float(len(self._inbox))),
            "database_outage_seconds": ("How long the database has taken nothing", lambda: self._sink.outage_s),
            "dead_letter_bytes": ("Size of the dead letters on disk", lambda: float(self._dead_letters.size())),
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then write and acknowledge what is held, for at most FLUSH_S, and say goodbye."""
        serving = asyncio.create_task(self._session.run(self._serve), name="ingest-mqtt")
        storing = asyncio.create_task(self._store_all(), name="ingest-store")
        stopping = asyncio.create_task(stop.wait(), name="ingest-stop")
        tasks = {serving, storing, stopping}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                self._inbox.close()
                await asyncio.wait({storing}, timeout=FLUSH_S)
                if (link := self._session.link) is not None:
                    await link.close()
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
                raise outcome

    async def _serve(self, link: Link) -> None:
        await link.subscribe(self._filters)
        log.info("subscribed filters=%s", ",".join(self._filters))
        self.subscribed.set()
        try:
            while True:
                for message in await link.receive():
                    await self._inbox.put(Arrival(link, message))
        finally:
            self.subscribed.clear()

    async def _store_all(self) -> None:
        while batch := await self._collect():
            await self._store(batch)

    async def _collect(self) -> Batch[Arrival] | None:
        """The next batch; None when the inbox is closed and empty."""
        arrival = await self._inbox.take(None)
        if arrival is None:
            return None
        batch: Batch[Arrival] = Batch(self._limits)
        due = asyncio.get_running_loop().time() + self._limits.age_s
        while arrival is not None:
            topic, payload = arrival.message.topic, arrival.message.payload
            batch.add(arrival, take(topic, payload), topic, payload)
            left_s = due - asyncio.get_running_loop().time()
            if batch.is_full or left_s <= 0:
                break
            arrival = await self._inbox.take(min(self._limits.quiet_s, left_s))
        return batch

    async def _store(self, batch: Batch[Arrival]) -> None:
        rejected = await self._sink.write(batch.facts)
        unsafe = await self._bury(batch, rejected)
        for arrival in batch.origins:
            arrival.link.ack(arrival.message)
        books = self._books
        books.messages += len(batch.origins)
        books.acknowledged += len(batch.origins)
        books.empty += batch.empty
        books.malformed += batch.malformed
        if self._confirms:
            await self._confirm(batch.confirmed(unsafe))

    async def _bury(self, batch: Batch[Arrival], rejected: dict[int, str]) -> set[int]:
        """Dead letters to disk; gives the numbers of messages that are not safe there, because the disk will not.

        Those are acknowledged all the same, so that the others flow, but not confirmed: their site keeps them.
        """
        letters = batch.letters(rejected)
        if not letters:
            return set()
        only_letters = [letter for _, letter in letters]
        try:
            dropped = await asyncio.to_thread(self._dead_letters.keep, only_letters, self._wall_ms())
        except OSError as error:
            self._books.unkept += len(letters)
            self._complain("dead_letters_not_written count=%d reason=%s", len(letters), error)
            return {number for number, _ in letters}
        self._books.dead_letters_dropped += dropped
        if dropped:
            self._complain("dead_letters_dropped count=%d total=%d", dropped, self._books.dead_letters_dropped)
        else:
            self._complain("dead_letters count=%d first_reason=%s", len(letters), only_letters[0].reason)
        if refused := await self._sink.write(events(only_letters, self._wall_ms())):
            self._complain("dead_letters_not_told count=%d reason=%s", len(refused), next(iter(refused.values())))
        return set()

    def _complain(self, event: str, *facts: object) -> None:
        """ERROR, at most once a minute: the books have the rest."""
        now = asyncio.get_running_loop().time()
        if now - self._complained_at >= _COMPLAINT_EVERY_S:
            self._complained_at = now
            log.error(event, *facts)

    async def _confirm(self, ranges: dict[tuple[str, str], list[tuple[int, int]]]) -> None:
        """Tell each site which of its messages are safe. What cannot be said now the site will ask for by sending it
        again."""
        for (site, outbox), done in ranges.items():
            count = sum(last - first + 1 for first, last in done)
            link = self._session.link
            if link is None:
                self._books.confirmations_missed += count
                continue
            try:
                await link.wait_for_room()
                answer = link.publish(topics.stored(site), stored_payload(Stored(outbox, tuple(done))))
            except LinkFailed:
                self._books.confirmations_missed += count
                continue
            self._books.confirmed += count
            answer.add_done_callback(partial(self._note_answer, site))

    def _note_answer(self, site: str, answer: asyncio.Future[int]) -> None:
        """A broker that refuses `stored` (its ACL, as a rule) leaves the sites sending everything twice."""
        if answer.cancelled() or answer.exception() is not None:
            return
        if answer.result() >= 0x80:
            self._books.confirmations_refused += 1
            self._complain("stored_refused site=%s code=0x%02x", site, answer.result())
