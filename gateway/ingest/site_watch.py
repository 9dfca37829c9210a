"""The watch over silent sites, with its own connection: on a shared subscription each worker would see only a part, and
a database that is down must not make the watch blind."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque

from gateway.ingest.books import Books, Gauges
from gateway.ingest.patience import PatientSink
from gateway.ingest.watch import FILTERS, Watch
from gateway.mqtt import Link, LinkOptions, Message, Session
from gateway.ports import Clock, Fact
from gateway.settings.types import MqttSettings

log = logging.getLogger(__name__)

TICK_S = 1.0
#: Rows that wait while the database is down; those of silence itself are made anew instead of waiting.
MAX_WAITING = 10_000
#: Sites named one by one in the log at a time.
MAX_LINES = 20
#: Rows written at once.
MAX_ROWS = 5_000


def watch_session(settings: MqttSettings) -> Session:
    """A session for the watch: clean start, so that the broker sends every retained message again."""
    name = settings.client_id or "vigil-ingest"
    return Session(settings, LinkOptions(client_id=f"{name}-watch-{secrets.token_hex(4)}"))


class SiteWatch:
    """Watches every site of the broker and writes what their silence means."""

    def __init__(self, session: Session, sink: PatientSink, books: Books, clock: Clock, watch: Watch) -> None:
        self._session = session
        self._sink = sink
        self._books = books
        self._clock = clock
        self._watch = watch
        self._waiting: deque[Fact] = deque(maxlen=MAX_WAITING)
        self.subscribed = asyncio.Event()
        """Set while the watch sees."""

    def gauges(self) -> Gauges:
        return {
            "watched_topics": ("Devices and sites whose readiness is watched", lambda: float(self._watch.watched)),
            "unwatched_messages": (
                "Messages not watched, because there are too many sites or devices",
                lambda: float(self._watch.refused),
            ),
            "silent_sites": ("Sites that are silent now", lambda: float(self._watch.silent_sites)),
        }

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._session.run(self._serve), name="watch-mqtt")
            group.create_task(self._write_all(), name="watch-write")

    async def _serve(self, link: Link) -> None:
        try:
            self._watch.connected(self._clock.monotonic())
            await link.subscribe(FILTERS)
            self.subscribed.set()
            while True:
                for message in await link.receive():
                    self._see(message)
        finally:
            self.subscribed.clear()
            self._watch.disconnected()

    def _see(self, message: Message) -> None:
        now_s, wall_ms = self._clock.monotonic(), self._clock.wall_ms()
        for row in self._watch.see(
            message.topic, message.payload, retained=message.retain, now_s=now_s, wall_ms=wall_ms
        ):
            self._books.watch_rows_dropped += len(self._waiting) == MAX_WAITING
            self._waiting.append(row)

    async def _write_all(self) -> None:
        while True:
            rows = [*self._waiting, *self._watch.due(self._clock.monotonic())]
            self._waiting.clear()
            self._books.sites_silent = self._watch.fell_silent
            self._report()
            for first in range(0, len(rows), MAX_ROWS):
                part = rows[first : first + MAX_ROWS]
                rejected = await self._sink.write(part)
                self._books.unknown_rows += len(part) - len(rejected)
                for reason in list(rejected.values())[:1]:
                    log.error("watch_rows_refused count=%d reason=%s", len(rejected), reason)
            await self._clock.sleep_until(self._clock.monotonic() + TICK_S)

    def _report(self) -> None:
        """One line for each site that fell silent or came back; one for all where they are many."""
        news, self._watch.news = self._watch.news, []
        if len(news) > MAX_LINES:
            log.warning("sites_changed count=%d silent=%d", len(news), self._watch.silent_sites)
            return
        for site, what in news:
            if what == "silent":
                log.warning("site_silent site=%s", site)
            else:
                log.info("site_returned site=%s cause=%s", site, what)
