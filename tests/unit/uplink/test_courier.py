"""Which row goes next, and what each answer of the broker does to it, on a link that only remembers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from gateway.mqtt import Link, LinkFailed, LinkFault
from gateway.ports import Row
from gateway.uplink import courier as module
from gateway.uplink.courier import Courier
from gateway.uplink.ledger import MOST_OUTSTANDING
from tests.fakes.outbox import OUTBOX, MemoryOutbox


@dataclass
class Sent:
    topic: str
    payload: bytes
    retain: bool
    flight: asyncio.Future[int]

    @property
    def seq(self) -> int:
        return int(json.loads(self.payload)["id"].partition("-")[2])

    @property
    def is_backlog(self) -> bool:
        return json.loads(self.payload).get("backlog", False) is True


class FakeLink(Link):
    """The sending side of a link; the test is the broker."""

    def __init__(self, window: int = 20, largest_packet_bytes: int | None = None) -> None:
        self.window = window
        self.largest_packet_bytes = largest_packet_bytes
        self.sent: list[Sent] = []
        self.grew = asyncio.Event()
        self.automatic: int | None = None

    @property
    def room(self) -> int:
        return self.window - sum(not sent.flight.done() for sent in self.sent)

    def send(
        self,
        topic: str,
        payload: bytes,
        answered: Callable[[int], object],
        *,
        retain: bool = False,
        correlation: bytes | None = None,
    ) -> None:
        assert self.room > 0
        flight: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        flight.add_done_callback(partial(self._answer, answered))
        self.sent.append(Sent(topic, payload, retain, flight))
        if self.automatic is not None:
            asyncio.get_running_loop().call_soon(flight.set_result, self.automatic)
        self.grew.set()

    def _answer(self, answered: Callable[[int], object], flight: asyncio.Future[int]) -> None:
        if flight.exception() is None:
            answered(flight.result())
            self.has_room()

    def answer_all(self) -> None:
        for sent in self.sent:
            if not sent.flight.done():
                sent.flight.set_result(0)

    async def until(self, count: int) -> list[Sent]:
        while len(self.sent) < count:
            self.grew.clear()
            await self.grew.wait()
        return self.sent


@asynccontextmanager
async def serving(courier: Courier, link: Link) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(courier.serve(link)), asyncio.create_task(courier.books.keep())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def settle() -> None:
    """Let everything happen that can happen without an answer or the clock."""
    for _ in range(50):
        await asyncio.sleep(0)


def seqs(sent: list[Sent]) -> list[int]:
    return [one.seq for one in sent]


async def test_retained_first_then_live_then_backlog() -> None:
    outbox, link = MemoryOutbox(), FakeLink(window=100)
    courier = Courier(outbox, confirm_by_broker=False)
    for _ in range(3):
        outbox.accept("s/d/telemetry")
    outbox.accept("s/d/readiness", retain=True, rank=1)
    newest = outbox.accept("s/d/readiness", retain=True, rank=1)
    async with serving(courier, link):
        await asyncio.sleep(0)
        live = outbox.accept("s/d/telemetry")
        assert courier.offer(live)
        sent = await link.until(6)
        assert [(one.seq, one.retain, one.is_backlog) for one in sent] == [
            (newest.seq, True, True),
            (live.seq, False, False),
            (4, False, True),  # an older one of a retained topic must not replace the newer
            (1, False, True),
            (2, False, True),
            (3, False, True),
        ]


async def test_retained_rows_that_were_confirmed_long_ago_are_published_again() -> None:
    outbox, link = MemoryOutbox(), FakeLink()
    outbox.accept("s/d/alarm/x", retain=True, rank=0)
    outbox.rows.clear()
    async with serving(Courier(outbox, confirm_by_broker=False), link):
        (sent,) = await link.until(1)
        assert sent.retain


async def test_live_row_of_a_retained_topic_is_retained_and_makes_older_ones_not() -> None:
    outbox, link = MemoryOutbox(), FakeLink()
    courier = Courier(outbox, confirm_by_broker=False)
    link.automatic = 0
    async with serving(courier, link):
        await settle()
        courier.offer(outbox.accept("t", retain=True, rank=1))
        courier.offer(outbox.accept("t", retain=True, rank=1))
        sent = await link.until(2)
        assert [(one.seq, one.retain) for one in sent] == [(1, False), (2, True)]


async def test_without_a_link_rows_wait_in_the_outbox() -> None:
    outbox = MemoryOutbox()
    courier = Courier(outbox, confirm_by_broker=False)
    assert not courier.offer(outbox.accept("t"))
    link = FakeLink()
    async with serving(courier, link):
        (sent,) = await link.until(1)
        assert sent.is_backlog


async def test_an_outbox_that_cannot_be_read_for_now_is_read_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNREADABLE_WAIT_S", 0.0)
    outbox, link = MemoryOutbox(), FakeLink()
    outbox.accept("t")
    outbox.unreadable = 3
    async with serving(Courier(outbox, confirm_by_broker=False), link):
        (sent,) = await link.until(1)
        assert sent.seq == 1


async def test_rows_that_become_due_do_not_push_out_those_before_them() -> None:
    outbox, link = MemoryOutbox(), FakeLink(window=100)
    courier = Courier(outbox, confirm_by_broker=False)
    for _ in range(10):
        outbox.accept("t")
    async with serving(courier, link):
        first = await link.until(4)  # as many as may be in flight; the others wait in the page
        assert seqs(first) == [1, 2, 3, 4]
        courier._turn_to_backlog((2, 8))
        await settle()
        link.automatic = 0
        link.answer_all()
        await link.until(10)
        await settle()
        assert seqs(link.sent) == list(range(1, 11))


async def test_live_goes_before_a_long_backlog_and_the_backlog_goes_on() -> None:
    outbox, link = MemoryOutbox(), FakeLink(window=20)
    courier = Courier(outbox, confirm_by_broker=True)
    for _ in range(400):
        outbox.accept("t")
    live: list[Row] = []
    async with serving(courier, link):
        for _ in range(30):
            await settle()
            row = outbox.accept("t")
            position = len(link.sent)
            assert courier.offer(row)
            live.append(row)
            await settle()
            assert row.seq in seqs(link.sent[position:]), "a live row had to wait for an answer to the backlog"
            link.answer_all()
        link.automatic = 0
        link.answer_all()
        await outbox.wait_until_empty()
    first_time = list(dict.fromkeys((one.is_backlog, one.seq) for one in link.sent))
    backlog = [seq for is_backlog, seq in first_time if is_backlog]
    assert backlog == list(range(1, 401))
    assert [seq for is_backlog, seq in first_time if not is_backlog] == [row.seq for row in live]


async def test_backlog_never_takes_more_than_half_of_the_window() -> None:
    outbox, link = MemoryOutbox(), FakeLink(window=20)
    for _ in range(500):
        outbox.accept("t")
    async with serving(Courier(outbox, confirm_by_broker=False), link):
        for _ in range(100):
            await settle()
            assert link.room >= 10
            link.answer_all()


async def test_a_flood_of_live_rows_leaves_the_backlog_its_share() -> None:
    outbox, link = MemoryOutbox(), FakeLink(window=5)
    courier = Courier(outbox, confirm_by_broker=False)
    for _ in range(10):
        outbox.accept("t")
    async with serving(courier, link):
        await settle()
        for _ in range(100):
            courier.offer(outbox.accept("t"))
        for _ in range(60):
            await settle()
            link.answer_all()
        assert set(range(1, 11)) <= set(seqs(link.sent))


async def test_beyond_the_queue_the_oldest_live_rows_become_backlog_in_order() -> None:
    outbox, link = MemoryOutbox(), FakeLink(window=10)
    courier = Courier(outbox, confirm_by_broker=True)
    async with serving(courier, link):
        await settle()
        for _ in range(module.LIVE_ROWS + 300):
            courier.offer(outbox.accept("t"))
        link.automatic = 0
        await settle()
        link.answer_all()
        await outbox.wait_until_empty()
    live = [one.seq for one in link.sent if not one.is_backlog]
    backlog = [one.seq for one in link.sent if one.is_backlog]
    assert live == list(range(301, module.LIVE_ROWS + 301))
    assert backlog == list(range(1, 301))


async def test_a_link_that_is_too_slow_for_live_rows_costs_few_looks_into_the_outbox() -> None:
    outbox, link = MemoryOutbox(), FakeLink(window=10)
    courier = Courier(outbox, confirm_by_broker=True)
    async with serving(courier, link):
        await settle()
        for _ in range(module.LIVE_ROWS + 300):
            courier.offer(outbox.accept("t"))
            await asyncio.sleep(0)
    assert outbox.pages <= 10


async def test_unconfirmed_backlog_is_bounded_and_goes_on_with_the_confirmations() -> None:
    outbox, link = MemoryOutbox(), FakeLink(window=100)
    link.automatic = 0
    for _ in range(2 * MOST_OUTSTANDING + 100):
        outbox.accept("t")
    courier = Courier(outbox, confirm_by_broker=False)
    async with serving(courier, link):
        await link.until(MOST_OUTSTANDING)
        await settle()
        assert seqs(link.sent) == list(range(1, MOST_OUTSTANDING + 1))
        courier.confirm(OUTBOX, [(1, MOST_OUTSTANDING)])
        await link.until(2 * MOST_OUTSTANDING)
        courier.confirm(OUTBOX, [(1, 2 * MOST_OUTSTANDING)])
        await link.until(2 * MOST_OUTSTANDING + 100)
        await settle()
        assert seqs(link.sent) == list(range(1, 2 * MOST_OUTSTANDING + 101))
        assert len(outbox.rows) == 100
        courier.confirm(OUTBOX, [(0, 10**15)])
        await outbox.wait_until_empty()


async def test_a_puback_is_no_evidence_and_a_stranger_neither() -> None:
    outbox, link = MemoryOutbox(), FakeLink()
    link.automatic = 0
    courier = Courier(outbox, confirm_by_broker=False)
    for _ in range(3):
        outbox.accept("t")
    courier.confirm(OUTBOX, [(1, 3)])  # nothing was sent yet
    async with serving(courier, link):
        await link.until(3)
        courier.confirm("0123456789ab", [(1, 3)])
        await settle()
        assert outbox.seqs == [1, 2, 3]
        courier.confirm(OUTBOX, [(2, 2)])
        while outbox.seqs != [1, 3]:
            outbox.changed.clear()
            await outbox.changed.wait()


async def test_a_new_link_sends_again_what_is_not_confirmed() -> None:
    outbox = MemoryOutbox()
    courier = Courier(outbox, confirm_by_broker=False)
    for _ in range(5):
        outbox.accept("t")
    first, second = FakeLink(), FakeLink()
    first.automatic = 0
    async with serving(courier, first):
        await first.until(5)
        courier.offer(outbox.accept("t"))
        await first.until(6)
        courier.confirm(OUTBOX, [(2, 3)])
        await settle()
    async with serving(courier, second):
        assert seqs(await second.until(4)) == [1, 4, 5, 6]
        courier.confirm(OUTBOX, [(1, 6)])
        await outbox.wait_until_empty()


async def test_flights_of_a_lost_link_do_not_disturb_the_next() -> None:
    outbox = MemoryOutbox()
    courier = Courier(outbox, confirm_by_broker=True)
    outbox.accept("t")
    first, second = FakeLink(), FakeLink()
    async with serving(courier, first):
        await first.until(1)
    failure = LinkFailed(LinkFault.LOST)
    async with serving(courier, second):
        first.sent[0].flight.set_exception(failure)
        (sent,) = await second.until(1)
        await settle()
        assert outbox.seqs == [1]
        sent.flight.set_result(0)
        await outbox.wait_until_empty()


@pytest.mark.parametrize(("code", "words"), [(0x99, "payload format invalid"), (0x90, "topic name invalid")])
async def test_what_the_broker_will_never_take_goes_to_the_dead_letters(code: int, words: str) -> None:
    outbox, link = MemoryOutbox(), FakeLink()
    courier = Courier(outbox, confirm_by_broker=False)
    async with serving(courier, link):
        await settle()
        courier.offer(outbox.accept("t"))
        (sent,) = await link.until(1)
        sent.flight.set_result(code)
        await outbox.wait_until_empty()
    assert words in outbox.aside[1]
    assert courier.counters.refused == 1


async def test_what_is_larger_than_the_broker_takes_is_never_sent() -> None:
    outbox, link = MemoryOutbox(), FakeLink(largest_packet_bytes=200)
    courier = Courier(outbox, confirm_by_broker=True)
    link.automatic = 0
    outbox.accept("t", body=b'"v":{"x":"' + b"y" * 200 + b'"}}')
    outbox.accept("t")
    async with serving(courier, link):
        await outbox.wait_until_empty()
    assert seqs(link.sent) == [2]
    assert "maximum packet size" in outbox.aside[1]


async def test_quota_exceeded_waits_and_then_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_QUOTA_WAIT_S", 0.05)
    monkeypatch.setattr(module, "TICK_S", 0.01)
    outbox, link = MemoryOutbox(), FakeLink()
    courier = Courier(outbox, confirm_by_broker=True)
    async with serving(courier, link):
        await settle()
        courier.offer(outbox.accept("t"))
        (sent,) = await link.until(1)
        sent.flight.set_result(0x97)
        await settle()
        courier.offer(outbox.accept("t"))
        await settle()
        assert len(link.sent) == 1  # nothing goes while the quota is exceeded
        link.automatic = 0
        await outbox.wait_until_empty()
    assert sorted(seqs(link.sent[1:])) == [1, 2]


async def test_not_authorised_is_said_once_and_stops_no_other_topic(caplog: pytest.LogCaptureFixture) -> None:
    outbox, link = MemoryOutbox(), FakeLink()
    courier = Courier(outbox, confirm_by_broker=True)
    for _ in range(3):
        outbox.accept("secret", rank=0)
    outbox.accept("open")
    async with serving(courier, link):
        for number in range(3):
            sent = await link.until(number + 1)
            sent[number].flight.set_result(0x87)
        sent = await link.until(4)
        assert sent[3].topic == "open"
        sent[3].flight.set_result(0)
        await settle()
        assert outbox.seqs == [1, 2, 3]
        assert not courier.is_authorised
        errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert errors == ["mqtt_not_authorised topic=secret"]
        # the operator corrects the broker: the next live row is taken, and the others follow
        courier.offer(outbox.accept("secret", rank=0))
        sent = await link.until(5)
        link.automatic = 0
        sent[4].flight.set_result(0)
        await outbox.wait_until_empty()
        assert courier.is_authorised


async def test_no_matching_subscribers_is_a_hint_only() -> None:
    outbox, link = MemoryOutbox(), FakeLink()
    courier = Courier(outbox, confirm_by_broker=False)
    async with serving(courier, link):
        await settle()
        for code, expected in ((0x10, False), (0, True)):
            courier.offer(outbox.accept("t"))
            await settle()
            link.sent[-1].flight.set_result(code)
            await settle()
            assert courier.has_subscribers is expected
        assert outbox.seqs == [1, 2]


async def test_an_empty_row_clears_its_topic_and_needs_no_ingest() -> None:
    outbox, link = MemoryOutbox(), FakeLink()
    courier = Courier(outbox, confirm_by_broker=False)
    link.automatic = 0
    async with serving(courier, link):
        await settle()
        courier.offer(outbox.accept("s/gone/readiness", retain=True, rank=1, body=b""))
        await outbox.wait_until_empty()
    assert (link.sent[0].payload, link.sent[0].retain) == (b"", True)


async def test_ranks_go_in_order() -> None:
    outbox, link = MemoryOutbox(), FakeLink(window=100)
    link.automatic = 0
    for rank in (2, 1, 0, 2, 1, 0):
        outbox.accept("t", rank=rank)
    async with serving(Courier(outbox, confirm_by_broker=False), link):
        assert seqs(await link.until(6)) == [3, 6, 2, 5, 1, 4]


async def test_rows_whose_time_is_over_are_sent_again_as_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.ledger.FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(module, "TICK_S", 0.01)
    outbox, link = MemoryOutbox(), FakeLink()
    link.automatic = 0
    courier = Courier(outbox, confirm_by_broker=False)
    async with serving(courier, link):
        await settle()
        courier.offer(outbox.accept("t"))
        sent = await link.until(4)
        assert seqs(sent[:4]) == [1, 1, 1, 1]
        assert [one.is_backlog for one in sent[:4]] == [False, True, True, True]
        assert courier.counters.resent >= 3
        courier.confirm(OUTBOX, [(1, 1)])
        await outbox.wait_until_empty()
