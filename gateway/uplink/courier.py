"""Which row goes next: the retained ones after a connect, then live rows at once, and the backlog beside them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from enum import Enum, auto
from functools import partial

from gateway.errors import StoreUnavailable
from gateway.mqtt import NO_MATCHING_SUBSCRIBERS, Link, LinkFailed
from gateway.ports import Row
from gateway.uplink.bars import Bars
from gateway.uplink.books import Books
from gateway.uplink.health import Counters
from gateway.uplink.ledger import START, Ledger, Place, place
from gateway.uplink.outbox import Outbox
from gateway.uplink.pace import Pace
from gateway.uplink.spans import Range
from gateway.wire.encode import frame

log = logging.getLogger(__name__)

LIVE_ROWS = 1000
"""Above this the oldest become backlog: what is fresh goes first."""
LIVE_AGE_S = 10.0
"""A row that could not be sent live for so long is backlog."""
PAGE_ROWS = 200
PAGE_PAUSE_S = 0.25
"""How often the backlog is read, at most, while live rows fill the window."""
TICK_S = 0.5
UNREADABLE_WAIT_S = 2.0
FIRST_QUOTA_WAIT_S = 1.0
LAST_QUOTA_WAIT_S = 60.0
OVERHEAD_BYTES = 16
"""Fixed header, lengths, packet id and properties of a PUBLISH, at most (MQTT 5.0 section 3.3)."""

# PUBACK reason codes, MQTT 5.0 section 3.4.2.1
REFUSAL = 0x80
NOT_AUTHORISED = 0x87
TOPIC_NAME_INVALID = 0x90
QUOTA_EXCEEDED = 0x97
PAYLOAD_FORMAT_INVALID = 0x99


class _Kind(Enum):
    RETAINED = auto()
    LIVE = auto()
    BACKLOG = auto()


class Courier:
    """Moves rows from the outbox and from `offer` to the link of the moment. Belongs to one event loop."""

    def __init__(self, outbox: Outbox, *, confirm_by_broker: bool) -> None:
        self._outbox = outbox
        self._confirm_by_broker = confirm_by_broker
        self.counters = Counters()
        self.has_subscribers = True
        """The broker's hint; never evidence."""
        self._link: Link | None = None
        self._ledger = Ledger()
        self._bars = Bars()
        self._pace = Pace(1)
        self._newest: dict[str, int] = {}
        self._republish: deque[Row] = deque()
        self._is_open = False
        self._live: deque[tuple[Row, float]] = deque()
        self._queued: set[int] = set()
        self._live_flights = 0
        self._backlog_flights = 0
        self._page: deque[Row] = deque()
        self._read_to: Place = START
        self._at_end = False
        self._page_asked_at = float("-inf")
        self._turned = False
        """Something became backlog since the last page was asked for."""
        self._wants_page = asyncio.Event()
        self._rests_until = 0.0
        self._quota_wait_s = FIRST_QUOTA_WAIT_S
        self.books = Books(outbox)
        self._pump_is_due = False

    # what comes in

    def offer(self, row: Row) -> bool:
        """Send `row` live; False where it has to wait in the outbox. Call it for every accepted row, in order."""
        if row.retain:
            self._newest[row.topic] = max(row.seq, self._newest.get(row.topic, 0))
        if self._link is None:
            self._defer(row)
            return False
        if self._ledger.is_waiting(row.seq):
            return True
        if len(self._live) >= LIVE_ROWS:
            self._defer(self._next_live()[0])
        self._live.append((row, self._now()))
        self._queued.add(row.seq)
        self._schedule()
        return True

    def _defer(self, row: Row) -> None:
        self.counters.deferred += 1
        self._turn_to_backlog(place(row))

    def look_again(self) -> None:
        """There are rows in the outbox that were not there when it was read: read it anew."""
        self._turn_to_backlog(START)
        self._schedule()

    def hold(self) -> None:
        """Send nothing more over this link."""
        self._is_open = False

    @property
    def is_authorised(self) -> bool:
        """Whether the broker takes every topic."""
        return not self._bars

    def confirm(self, outbox: str, ranges: Sequence[Range]) -> None:
        """Somebody says that these rows are stored: what was not sent from this outbox is ignored."""
        self.counters.stored_at = self._now()
        if outbox != self._outbox.id:
            return
        accepted, due = self._ledger.confirm(ranges, self._now())
        self._settle(accepted)
        if due is not None:
            self._turn_to_backlog(due)
        self._schedule()

    # the link of the moment

    async def serve(self, link: Link) -> None:
        """Send over `link` until it ends (LinkFailed) or this is cancelled."""
        self._link = link
        link.has_room = self._pump
        self._pace = Pace(link.window // 2)
        self._ledger.restart()
        self._bars.clear()
        self._turn_to_backlog(START)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._load(), name="uplink-load")
                group.create_task(self._tick(), name="uplink-tick")
                await self._remember_retained()
                self._is_open = True
                self._schedule()
        finally:
            self._link = None
            self._is_open = False
            self._republish.clear()
            self._live.clear()
            self._queued.clear()
            self._live_flights = self._backlog_flights = 0

    async def _remember_retained(self) -> None:
        rows = await self._outbox.newest_retained()
        for row in rows:
            self._newest[row.topic] = max(row.seq, self._newest.get(row.topic, 0))
        self._republish.extend(row for row in rows if self._newest[row.topic] == row.seq)

    async def _load(self) -> None:
        """Keep a page of the backlog at hand."""
        while True:
            await self._wants_page.wait()
            self._wants_page.clear()
            after, self._turned = self._read_to, False
            rows = await self._read_page(after)
            if after != self._read_to:
                self._schedule()  # turned back meanwhile
                continue
            self._at_end = len(rows) < PAGE_ROWS and not self._turned
            if rows:
                self._read_to = place(rows[-1])
            self._page.extend(row for row in rows if self._may_wait_in_page(row))
            self._schedule()

    async def _read_page(self, after: Place) -> Sequence[Row]:
        """A page of the outbox, as soon as it can be read."""
        complained = False
        while True:
            try:
                return await self._outbox.backlog(after, PAGE_ROWS)
            except StoreUnavailable as error:
                if not complained:
                    log.warning("backlog_unreadable reason=%s", error)
                complained = True
                await asyncio.sleep(UNREADABLE_WAIT_S)

    def _may_wait_in_page(self, row: Row) -> bool:
        return not (self._ledger.is_waiting(row.seq) or row.seq in self._queued or self.books.holds(row.seq))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now = self._now()
            expired = START if self._bars.expire(now) else self._ledger.expire(now)
            if expired is not None:
                self._turn_to_backlog(expired)
            self._schedule()

    def _turn_to_backlog(self, first: Place) -> None:
        """Something at `first` or behind it is backlog now: read the outbox from there, if it was read past it."""
        if first <= self._read_to:
            self._read_to = (first[0], first[1] - 1)
            if self._page and place(self._page[-1]) >= first:
                self._page = deque(row for row in self._page if place(row) < first)
        self._at_end = False
        self._turned = True

    # choosing and sending

    def _schedule(self) -> None:
        if not self._pump_is_due and self._is_open:
            self._pump_is_due = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_is_due = False
        link = self._link
        if link is None or not self._is_open or self._now() < self._rests_until:
            return
        try:
            while link.room:
                chosen = self._choose(link)
                if chosen is None:
                    break
                self._send(link, *chosen)
        except LinkFailed:
            return  # `serve` is about to be told
        if not self._at_end and self._may_send_backlog and self._is_low(link):
            self._page_asked_at = self._now()
            self._wants_page.set()

    def _is_low(self, link: Link) -> bool:
        """Whether it is time for another page; where live rows take all the room there is, seldom."""
        if link.room:
            return len(self._page) < PAGE_ROWS // 2
        return not self._page and self._now() - self._page_asked_at >= PAGE_PAUSE_S

    def _choose(self, link: Link) -> tuple[Row, _Kind] | None:
        if self._republish:
            return self._republish.popleft(), _Kind.RETAINED
        oldest_s = self._now() - LIVE_AGE_S
        while self._live and self._live[0][1] < oldest_s:
            row, _ = self._next_live()
            self._defer(row)
        backlog = self._next_of_backlog()
        if self._live and (backlog is None or self._live_flights < max(link.window - 1, 1)):
            return self._next_live()
        if backlog is None:
            return None
        self._page.popleft()
        return backlog, _Kind.BACKLOG

    def _next_live(self) -> tuple[Row, _Kind]:
        row, _ = self._live.popleft()
        self._queued.discard(row.seq)
        return row, _Kind.LIVE

    @property
    def _may_send_backlog(self) -> bool:
        return self._backlog_flights < self._pace.limit and self._ledger.room > 0

    def _next_of_backlog(self) -> Row | None:
        if not self._may_send_backlog:
            return None
        while self._page:
            row = self._page[0]
            if self._may_wait_in_page(row) and not self._bars.holds(row.topic):
                return row
            self._page.popleft()
        return None

    def _send(self, link: Link, row: Row, kind: _Kind) -> None:
        payload = frame(self._outbox.id, row, backlog=kind is not _Kind.LIVE)
        size = len(payload) + len(row.topic.encode()) + OVERHEAD_BYTES
        if link.largest_packet_bytes is not None and size > link.largest_packet_bytes:
            self._put_aside(row, f"larger than the broker's maximum packet size of {link.largest_packet_bytes} bytes")
            return
        retain = row.retain and self._newest.get(row.topic, row.seq) <= row.seq
        now = self._now()
        link.send(row.topic, payload, partial(self._answered, link, row, kind, now), retain=retain)
        again = row.seq in self._ledger.sent
        self.counters.note_sent(again=again)
        if kind is _Kind.BACKLOG:
            self._backlog_flights += 1
            self._ledger.note_backlog(row, now)
        else:
            self._live_flights += 1
            evicted = self._ledger.note_live(row, now)
            if evicted is not None:
                self._turn_to_backlog(evicted)

    def _answered(self, link: Link, row: Row, kind: _Kind, sent_at: float, code: int) -> None:
        if link is not self._link:
            return
        if kind is _Kind.BACKLOG:
            self._backlog_flights -= 1
        else:
            self._live_flights -= 1
        now = self._now()
        self._pace.note(sent_at, now)
        self.counters.latency_s = now - sent_at
        if code < REFUSAL:
            self._taken(row, code)
        else:
            self._refused(row, code)

    def _taken(self, row: Row, code: int) -> None:
        self._quota_wait_s = FIRST_QUOTA_WAIT_S
        self.has_subscribers = code != NO_MATCHING_SUBSCRIBERS
        if not self.has_subscribers:
            self._ledger.note_unheard(row)
        if self._bars.lift(row.topic):
            self._turn_to_backlog(START)
        if self._confirm_by_broker or not row.body:  # nobody stores what only clears a retained message
            accepted, _ = self._ledger.confirm([(row.seq, row.seq)], self._now())
            self._settle(accepted)

    def _refused(self, row: Row, code: int) -> None:
        self.counters.refused += 1
        if code in (PAYLOAD_FORMAT_INVALID, TOPIC_NAME_INVALID):
            words = "payload format invalid" if code == PAYLOAD_FORMAT_INVALID else "topic name invalid"
            self._put_aside(row, f"refused by the broker: {words} (0x{code:02x})")
            return
        if code == QUOTA_EXCEEDED:
            self._ledger.forget(row.seq)
            self._turn_to_backlog(place(row))
            self._rest()
        elif code == NOT_AUTHORISED:
            self._ledger.forget(row.seq)
            if self._bars.put(row.topic, self._now()):
                log.error("mqtt_not_authorised topic=%s", row.topic)
        # any other refusal: its time runs as if the broker had lost it

    def _settle(self, accepted: Sequence[Range]) -> None:
        self.books.confirm(accepted)
        self.counters.confirmed += sum(last - first + 1 for first, last in accepted)

    def _put_aside(self, row: Row, reason: str) -> None:
        log.error("mqtt_row_refused topic=%s seq=%d reason=%s", row.topic, row.seq, reason)
        if self.books.set_aside(row.seq, reason):
            self._ledger.forget(row.seq)

    def _rest(self) -> None:
        now = self._now()
        if now < self._rests_until:
            return
        log.warning("mqtt_quota_exceeded wait_s=%.0f", self._quota_wait_s)
        self._rests_until = now + self._quota_wait_s
        self._quota_wait_s = min(self._quota_wait_s * 2, LAST_QUOTA_WAIT_S)

    @property
    def waiting(self) -> int:
        """Rows sent that may still be confirmed without being sent again."""
        return self._ledger.waiting

    def _now(self) -> float:
        return time.monotonic()
