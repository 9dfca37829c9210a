"""The outbox from outside: what is accepted is there after a restart until somebody says that it is stored."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from gateway.errors import StoreError
from gateway.ports import Confirmed, Row
from gateway.store import Store, StoreOptions, open_store

PATIENT = StoreOptions(commit_interval_s=3600.0)
"""Nothing but what is urgent or flushed is committed."""
START = (-1, -1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(tmp_path / "state", PATIENT)
    yield opened
    opened.close()


def telemetry(store: Store, ts: int = 1000, device: str = "gen-1", body: bytes = b'"v":{}}') -> Row:
    row = store.outbox.accept(f"vigil/v1/a/{device}/telemetry", body, ts=ts, retain=False, rank=2)
    assert row
    return row


def readiness(store: Store, ts: int = 1000, body: bytes = b'"state":"ready"}') -> Row:
    row = store.outbox.accept("vigil/v1/a/gen-1/readiness", body, ts=ts, retain=True, rank=1)
    assert row
    return row


def alarm(store: Store, ts: int = 1000, body: bytes = b'"state":"UNACK"}') -> Row:
    row = store.outbox.accept("vigil/v1/a/gen-1/alarm/battery_low", body, ts=ts, retain=True, rank=0)
    assert row
    return row


async def held(store: Store) -> list[Row]:
    return list(await store.outbox.backlog(START, 1000))


async def confirm(store: Store, *rows: Row) -> None:
    await store.outbox.confirm(Confirmed(store.outbox.id, tuple((row.seq, row.seq) for row in rows)))


async def test_rows_are_numbered_and_held_until_confirmed(store: Store) -> None:
    one, two, three = telemetry(store), telemetry(store), telemetry(store)
    assert (two.seq, three.seq) == (one.seq + 1, one.seq + 2)
    await store.flush()
    assert await held(store) == [one, two, three]
    await confirm(store, two)
    await store.flush()
    assert await held(store) == [one, three]
    counts = store.outbox.counts()
    assert (counts.accepted, counts.confirmed, counts.rows, counts.dropped) == (3, 1, 2, 0)


async def test_rows_confirmed_and_not_yet_deleted_are_not_given_out_again(store: Store) -> None:
    rows = [telemetry(store) for _ in range(10)] + [readiness(store), alarm(store)]
    await store.flush()
    await confirm(store, *rows[2:5], rows[10], rows[11])
    assert await held(store) == rows[:2] + rows[5:10]
    for limit in range(1, 8):
        assert await store.outbox.backlog(START, limit) == (rows[:2] + rows[5:10])[:limit], (
            "a page is full while it can be"
        )
    await store.flush()
    assert await held(store) == rows[:2] + rows[5:10]


async def test_rows_not_yet_committed_are_in_the_backlog_too(store: Store) -> None:
    row = telemetry(store)
    assert await held(store) == [row]
    assert store.outbox.counts().waiting == 1


async def test_a_row_confirmed_early_never_touches_the_disk(store: Store) -> None:
    row = telemetry(store)
    await confirm(store, row)
    await asyncio.wait_for(store.outbox.committed(row.seq), 10)
    assert store.outbox.counts().commits == 0
    assert store.outbox.counts().bytes == 0
    assert await held(store) == []


async def test_a_row_confirmed_during_its_commit_is_forgotten(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state", StoreOptions(commit_interval_s=0.001))
    for _ in range(200):
        await confirm(store, telemetry(store))
        await asyncio.sleep(0)
    await store.flush()
    await store.flush()
    assert await held(store) == []
    assert store.outbox.counts().rows == 0
    assert store.outbox.counts().bytes == 0
    store.close()


async def test_alarms_are_committed_at_once(store: Store) -> None:
    row = alarm(store)
    await asyncio.wait_for(store.outbox.committed(row.seq), 10)
    assert await held(store) == [row]
    await asyncio.wait_for(store.outbox.committed(row.seq), 10)


async def test_alarms_are_told_after_their_commit_and_in_order(store: Store) -> None:
    told: list[int] = []
    with store.outbox._writer.lock:  # the writing thread cannot commit now
        rows = [alarm(store, ts) for ts in range(5)]
        for row in rows:
            store.outbox.when_committed(row.seq, partial(told.append, row.seq))
        await asyncio.sleep(0)
        assert told == []
    await asyncio.wait_for(store.outbox.committed(rows[-1].seq), 10)
    await asyncio.sleep(0)
    assert told == [row.seq for row in rows]
    store.outbox.when_committed(rows[0].seq, partial(told.append, -1))
    assert told[-1] == -1


async def test_backlog_goes_by_rank_and_sequence_and_in_pages(store: Store) -> None:
    low, middle, high, late = telemetry(store), readiness(store), alarm(store), telemetry(store)
    await store.flush()
    unwritten = telemetry(store)
    assert await held(store) == [high, middle, low, late, unwritten]
    assert await store.outbox.backlog((0, high.seq), 2) == [middle, low]
    assert await store.outbox.backlog((2, low.seq), 10) == [late, unwritten]
    assert await store.outbox.backlog((2, unwritten.seq), 10) == []


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state", PATIENT)
    rows = [alarm(store), readiness(store), telemetry(store)]
    first_id = store.outbox.id
    store.close()
    store = open_store(tmp_path / "state", PATIENT)
    assert store.outbox.id == first_id
    assert len(first_id) == 12
    assert await held(store) == rows
    assert telemetry(store).seq == rows[-1].seq + 1
    assert store.outbox.counts().rows == 4
    assert store.outbox.last_ts == 1000
    store.close()


async def test_books_are_the_same_after_an_orderly_end_and_after_a_kill(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state", PATIENT)
    alarm(store), readiness(store), telemetry(store)
    await store.flush()
    before = store.outbox.counts()
    shutil.copytree(tmp_path / "state", tmp_path / "killed")
    store.close()
    for state in ("state", "killed"):
        store = open_store(tmp_path / state, PATIENT)
        counts = store.outbox.counts()
        assert (counts.rows, counts.bytes) == (before.rows, before.bytes) == (3, before.bytes)
        store.close()


async def test_foreign_and_unknown_confirmations_are_passed_over(store: Store) -> None:
    row = telemetry(store)
    await store.flush()
    await store.outbox.confirm(Confirmed("000000000000", ((row.seq, row.seq),)))
    await store.outbox.confirm(Confirmed(store.outbox.id, ((row.seq + 5, row.seq + 9),)))
    await store.flush()
    assert await held(store) == [row]


async def test_newest_of_each_retained_topic_outlives_its_confirmation(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state", PATIENT)
    rows = [alarm(store), alarm(store, 2000), readiness(store), readiness(store, 2000)]
    await store.flush()
    assert await store.outbox.newest_retained() == [rows[1], rows[3]]
    await confirm(store, *rows)
    await store.flush()
    assert await store.outbox.newest_retained() == [rows[1], rows[3]]
    store.close()
    store = open_store(tmp_path / "state", PATIENT)
    assert await store.outbox.newest_retained() == [rows[1]]
    assert store.outbox.retained_topics() == {rows[1].topic, rows[3].topic}
    store.close()


async def test_an_uncommitted_alarm_is_not_among_the_retained(store: Store) -> None:
    row = alarm(store)
    await store.outbox.committed(row.seq)
    with store.outbox._writer.lock:  # the writing thread cannot commit now
        alarm(store, 2000)
        newest = await store.outbox.newest_retained()
    assert newest == [row]


async def test_a_cleared_topic_stays_cleared(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state", PATIENT)
    readiness(store)
    alarm(store)
    for row in (readiness(store, 2000, b""), alarm(store, 2000, b"")):
        await confirm(store, row)
    await store.flush()
    assert store.outbox.retained_topics() == frozenset()
    store.close()
    store = open_store(tmp_path / "state", PATIENT)
    assert store.outbox.retained_topics() == frozenset()
    assert [row.body for row in await store.outbox.newest_retained()] == [b"", b""]
    again = readiness(store, 3000)
    assert store.outbox.retained_topics() == {again.topic}
    store.close()
    store = open_store(tmp_path / "state", PATIENT)
    assert store.outbox.retained_topics() == {again.topic}
    store.close()


async def test_two_messages_of_a_topic_never_share_a_millisecond(store: Store) -> None:
    assert [alarm(store, ts).ts for ts in (10_005, 10_005, 10_005, 10_006, 10_009)] == [
        10_005,
        10_006,
        10_007,
        10_008,
        10_009,
    ]


async def test_a_topic_runs_back_only_where_the_clock_was_set(store: Store) -> None:
    assert [alarm(store, ts).ts for ts in (60_000, 59_600, 60_000, 10_000)] == [60_000, 60_001, 60_002, 10_000]
    assert [telemetry(store, ts).ts for ts in (5, 5, 6)] == [5, 6, 7]


async def test_what_the_broker_refuses_goes_to_the_dead_letters(store: Store) -> None:
    rows = [telemetry(store), alarm(store), telemetry(store)]
    await store.flush()
    for row in rows[:2]:
        await store.outbox.set_aside(row.seq, "payload format invalid")
    await store.flush()
    assert await held(store) == [rows[2]]
    counts = store.outbox.counts()
    assert (counts.dead, counts.rows, counts.confirmed) == (2, 1, 0)


async def test_dead_letters_are_bounded_and_those_that_go_are_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.lane.MOST_DEAD", 3)
    for number in range(5):
        row = telemetry(store, ts=1000 + number, body=b'"v":{"a":1,"b":2}}')
        await store.flush()
        await store.outbox.set_aside(row.seq, "payload format invalid")
        await store.flush()
    counts = store.outbox.counts()
    assert (counts.dead, counts.rows, counts.confirmed) == (3, 0, 0)
    (gap,) = await store.outbox.gaps()
    assert (gap.place, gap.why, gap.first_ts, gap.last_ts, gap.count) == ("vigil/v1/a/gen-1", "refused", 1000, 1001, 4)


async def test_documents_are_written_with_their_message(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state", PATIENT)
    row = store.outbox.accept("vigil/v1/a/gen-1/event", b"}", ts=1, retain=False, rank=0, keep={"alarm/x": b"1"})
    assert row
    await store.outbox.committed(row.seq)
    store.documents.keep({"alarm/y": b"2", "shelf/z": b"3"})
    await store.flush()
    store.documents.keep({"shelf/z": None})
    store.close()
    store = open_store(tmp_path / "state", PATIENT)
    assert store.documents.loaded("alarm/") == {"alarm/x": b"1", "alarm/y": b"2"}
    assert store.documents.loaded("shelf/") == {}
    store.close()


async def test_a_disk_that_does_not_keep_up_costs_telemetry_and_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.outbox.MAX_WAITING_ROWS", 3)
    with store.outbox._writer.lock:
        for ts in range(3):
            telemetry(store, ts)
        for ts in range(3, 6):
            assert store.outbox.accept("vigil/v1/a/gen-1/telemetry", b"}", ts=ts, retain=False, rank=2) is None
        alarm(store)
        assert store.outbox.counts().dropped == 3
    (gap,) = await store.outbox.gaps()
    assert (gap.place, gap.why, gap.first_ts, gap.last_ts, gap.count) == ("vigil/v1/a/gen-1", "overload", 3, 5, 3)
    store.outbox.settle_gap(gap)
    assert await store.outbox.gaps() == []


def value(store: Store, ts: int, number: float) -> Row:
    return telemetry(store, ts, body=b'"kind":"x","v":{"a":%.1f},"pad":"%s"}' % (number, b" " * 370))


async def test_at_the_quota_telemetry_is_thinned_first(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state", StoreOptions(telemetry_quota_bytes=100_000))
    first, event = readiness(store), alarm(store)
    rows = [value(store, second * 1000, float(second % 60)) for second in range(400)]
    await store.flush()
    left = await held(store)
    counts = store.outbox.counts()
    assert left[:2] == [event, first]
    assert {row.seq for row in left[2:]} == {row.seq for row in rows if row.ts // 1000 % 60 in (0, 59)} | {rows[-1].seq}
    assert counts.dropped == 0
    assert counts.thinned == 400 - len(left) + 2
    assert counts.rows == len(left)
    (gap,) = await store.outbox.gaps()
    assert (gap.place, gap.why, gap.count) == ("vigil/v1/a/gen-1", "thinned", counts.thinned)
    store.close()


async def test_when_thinning_is_not_enough_the_oldest_telemetry_goes_and_leaves_a_gap(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state", StoreOptions(telemetry_quota_bytes=100_000))
    first, event = readiness(store), alarm(store)
    rows = []
    for minute in range(400):
        rows.append(value(store, minute * 60_000, 1.5))
        if minute % 50 == 49:
            await store.flush()
    left = await held(store)
    counts = store.outbox.counts()
    lost = 400 - (len(left) - 2)
    assert left[:2] == [event, first]
    assert left[2:] == rows[lost:]
    assert counts.bytes <= 101_000
    assert lost == counts.dropped > 100
    (gap,) = await store.outbox.gaps()
    assert (gap.place, gap.why) == ("vigil/v1/a/gen-1", "quota")
    assert (gap.first_ts, gap.last_ts, gap.count) == (0, (lost - 1) * 60_000, lost)
    store.close()


async def test_a_nearly_full_disk_does_not_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.lane.FLOOR_BYTES", 100_000)
    store = open_store(tmp_path / "state", StoreOptions(min_free_bytes=2**62))
    for minute in range(500):
        value(store, minute * 60_000, 1.5)
    await store.flush()
    counts = store.outbox.counts()
    assert 50_000 < counts.bytes <= 100_000
    (gap,) = await store.outbox.gaps()
    assert (gap.why, gap.count) == ("disk", counts.dropped)
    assert counts.rows + counts.dropped == 500
    store.close()


async def test_more_lost_after_a_gap_was_told_stands_in_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.outbox.MAX_WAITING_ROWS", 0)
    store.outbox.accept("vigil/v1/a/gen-1/telemetry", b"}", ts=1, retain=False, rank=2)
    (told,) = await store.outbox.gaps()
    store.outbox.accept("vigil/v1/a/gen-1/telemetry", b"}", ts=9, retain=False, rank=2)
    store.outbox.settle_gap(told)
    (gap,) = await store.outbox.gaps()
    assert (gap.last_ts, gap.count) == (9, 1)


async def test_a_closed_store_accepts_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state", PATIENT)
    store.close()
    await asyncio.wait_for(store.watch(), 10)
    for late in (lambda: telemetry(store), lambda: alarm(store)):
        with pytest.raises(StoreError, match="closed"):
            refuse(late)
    with pytest.raises(StoreError, match="closed"):
        await store.flush()


def refuse(late: Callable[[], object]) -> None:
    late()
