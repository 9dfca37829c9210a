"""Rows that wait for their time, through labelling, restarts, power cuts and the change of schema."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import StoreError
from gateway.ports import Row
from gateway.store import Labelling, Store, StoreOptions, open_store
from gateway.store.files import damage
from gateway.store.lane import LANE_SCHEMA
from gateway.store.store import JOURNAL, TELEMETRY

FAST = StoreOptions(commit_interval_s=0.01)
TOPIC = "vigil/v1/s/d"


class Shelf:
    """Opens stores, and closes at the end what a test left open."""

    def __init__(self) -> None:
        self._open: list[Store] = []

    def open(self, folder: Path, options: StoreOptions = FAST) -> Store:
        self._open.append(open_store(folder, options))
        return self._open[-1]

    def close(self, store: Store) -> None:
        self._open.remove(store)
        store.close()

    def close_all(self) -> None:
        while self._open:
            self._open.pop().close()


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    found = Shelf()
    yield found
    found.close_all()


def accept(store: Store, ts: int, rank: int = 2, topic: str = "telemetry", *, retain: bool = False) -> Row:
    row = store.outbox.accept(f"{TOPIC}/{topic}", b'"v":{"n":%d}}' % ts, ts=ts, retain=retain, rank=rank)
    assert row is not None
    return row


async def backlog(store: Store) -> list[Row]:
    return list(await store.outbox.backlog((-1, -1), 100_000))


def later(shift_ms: int = 1000, since_ms: int = 100) -> Labelling:
    return Labelling(since_ms, shift_ms, lambda body: body.replace(b'"n"', b'"m"'))


async def test_held_rows_are_kept_and_not_given_out(shelf: Shelf, tmp_path: Path) -> None:
    store = shelf.open(tmp_path)
    before = accept(store, 50, 1, "readiness", retain=True)
    store.outbox.is_holding = True
    held = [
        accept(store, 100),
        accept(store, 101, 1, "readiness", retain=True),
        accept(store, 102, 0, "alarm/x", retain=True),
    ]
    assert all(row.held for row in held)
    assert await backlog(store) == [before]
    await store.flush()
    assert await backlog(store) == [before]
    assert list(await store.outbox.newest_retained()) == [before]
    assert store.outbox.retained_topics() == {f"{TOPIC}/readiness", f"{TOPIC}/alarm/x"}

    store.outbox.is_holding = False
    told: list[Row] = []
    store.outbox.labelled = told.extend
    await store.outbox.label(later())
    assert [(row.ts, row.body) for row in await backlog(store)] == [
        (1102, b'"v":{"m":102}}'),
        (50, b'"v":{"n":50}}'),
        (1101, b'"v":{"m":101}}'),
        (1100, b'"v":{"m":100}}'),
    ]
    assert [row.ts for row in await store.outbox.newest_retained()] == [1102, 1101]
    assert sorted(row.ts for row in told) == [1100, 1101, 1102]
    assert store.outbox.last_ts == 1102
    shelf.close(store)


async def test_rows_not_committed_yet_are_labelled_too(shelf: Shelf, tmp_path: Path) -> None:
    store = shelf.open(tmp_path, StoreOptions(commit_interval_s=60))
    store.outbox.is_holding = True
    for ts in range(100, 150):
        accept(store, ts, ts % 3)
    store.outbox.is_holding = False
    await store.outbox.label(later())
    assert sorted(row.ts for row in await backlog(store)) == list(range(1100, 1150))
    assert not any(row.held for row in await backlog(store))
    counted = store.outbox.counts()
    shelf.close(store)
    again = shelf.open(tmp_path)
    assert (again.outbox.counts().rows, again.outbox.counts().bytes) == (counted.rows, counted.bytes)
    shelf.close(again)


async def test_more_rows_than_fit_one_transaction_are_all_labelled(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.labels.AT_ONCE", 7)
    monkeypatch.setattr("gateway.store.lane.AT_ONCE", 7)
    store = shelf.open(tmp_path)
    store.outbox.is_holding = True
    for ts in range(100, 150):
        accept(store, ts)
    await store.flush()
    store.outbox.is_holding = False
    await store.outbox.label(later())
    assert [row.ts for row in await backlog(store)] == list(range(1100, 1150))
    shelf.close(store)


async def test_held_rows_outlive_a_restart_and_keep_their_numbers(shelf: Shelf, tmp_path: Path) -> None:
    store = shelf.open(tmp_path)
    store.outbox.is_holding = True
    rows = [accept(store, 100), accept(store, 101, 0, "alarm/x", retain=True)]
    shelf.close(store)
    again = shelf.open(tmp_path)
    assert await backlog(again) == []
    assert list(await again.outbox.newest_retained()) == []
    assert again.outbox.last_ts == 101
    await again.outbox.label(later())
    assert {(row.seq, row.ts) for row in await backlog(again)} == {(row.seq, row.ts + 1000) for row in rows}
    shelf.close(again)
    third = shelf.open(tmp_path)
    assert [row.ts for row in await third.outbox.newest_retained()] == [1101]
    shelf.close(third)


async def test_a_topic_has_no_two_messages_in_one_millisecond_across_labelling(shelf: Shelf, tmp_path: Path) -> None:
    store = shelf.open(tmp_path)
    store.outbox.is_holding = True
    accept(store, 100, 1, "readiness", retain=True)
    store.outbox.is_holding = False
    await store.outbox.label(later())
    assert accept(store, 1100, 1, "readiness", retain=True).ts == 1101
    shelf.close(store)


async def test_the_last_time_on_disk_is_known_after_a_crash(shelf: Shelf, tmp_path: Path) -> None:
    store = shelf.open(tmp_path)
    accept(store, 5_000_000)
    await store.flush()
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("journal.db", "telemetry.db"):
        with sqlite3.connect(tmp_path / name) as source, sqlite3.connect(copy / name) as target:
            source.backup(target)
    again = shelf.open(copy)
    assert again.outbox.last_ts == 5_000_000
    shelf.close(again)
    shelf.close(store)


async def test_gaps_among_held_rows_get_their_times_too(shelf: Shelf, tmp_path: Path) -> None:
    store = shelf.open(tmp_path, StoreOptions(commit_interval_s=0.01, telemetry_quota_bytes=1))
    store.outbox.is_holding = True
    accept(store, 100)
    await store.flush()
    store.outbox.is_holding = False
    await store.outbox.label(later())
    (gap,) = await store.outbox.gaps()
    assert (gap.first_ts, gap.last_ts) == (1100, 1100)
    shelf.close(store)


async def test_files_of_the_first_schema_are_brought_forward(shelf: Shelf, tmp_path: Path) -> None:
    for schema, numbers in ((JOURNAL, (7, 0)), (TELEMETRY, (8, 2))):
        with sqlite3.connect(tmp_path / f"{schema.name}.db", isolation_level=None) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.executescript(f"BEGIN; {schema.steps[0]}; PRAGMA user_version=1; COMMIT;")
            db.execute("INSERT INTO message VALUES(?, 70, 'vigil/v1/s/d/telemetry', x'7D', 0, ?)", numbers)
        db.close()
    assert "held" not in LANE_SCHEMA
    store = shelf.open(tmp_path)
    assert [(row.seq, row.ts, row.held) for row in await backlog(store)] == [(7, 70, False), (8, 70, False)]
    assert store.outbox.last_ts == 70
    shelf.close(store)
    for schema in (JOURNAL, TELEMETRY):
        with sqlite3.connect(tmp_path / f"{schema.name}.db") as db:
            assert db.execute("PRAGMA user_version").fetchone() == (len(schema.steps),)
        db.close()


def test_a_newer_file_keeps_the_other_from_being_brought_forward(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journal.db", isolation_level=None) as db:
        db.executescript(f"BEGIN; {JOURNAL.steps[0]}; PRAGMA user_version=1; COMMIT;")
    db.close()
    with sqlite3.connect(tmp_path / "telemetry.db") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(StoreError, match=r"telemetry.db: written by a newer version \(schema 99"):
        open_store(tmp_path)
    assert (tmp_path / "journal.db").read_bytes() == before


async def test_who_waits_hears_of_a_store_that_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise damage("the journal is broken")

    store = open_store(tmp_path, FAST)
    store.outbox.is_holding = True
    accept(store, 100, 0, "event")
    await store.flush()
    store.outbox.is_holding = False
    monkeypatch.setattr("gateway.store.lane.label_rows", broken)
    row = accept(store, 101)
    waiting = asyncio.create_task(store.outbox.committed(row.seq))
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match="broken"):
        await asyncio.wait_for(store.outbox.label(later()), 20)
    await asyncio.wait({waiting}, timeout=20)
    assert waiting.done()
    assert waiting.exception() is None or isinstance(waiting.exception(), StoreError)
    assert not store._writer._ended, "nobody is told twice"
    with pytest.raises(StoreError, match="broken"):
        store.close()
