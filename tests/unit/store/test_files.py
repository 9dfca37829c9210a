"""Damage, versions, locks and write errors of the files themselves."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import StoreError, StoreUnavailable
from gateway.ports import Confirmed, Row
from gateway.store import Store, StoreOptions, open_store, sequence
from gateway.store.files import MOST_ASIDE

PATIENT = StoreOptions(commit_interval_s=3600.0)


def fill(store: Store, count: int = 200) -> int:
    """The last sequence number."""
    seq = 0
    for ts in range(count):
        row = store.outbox.accept("vigil/v1/a/gen-1/telemetry", b"x" * 400, ts=ts, retain=False, rank=2)
        assert row
        seq = row.seq
    return seq


def wait_for_an_error(store: Store) -> None:
    give_up = time.monotonic() + 30
    while not store.outbox.counts().errors:
        assert time.monotonic() < give_up
        time.sleep(0.01)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_two_processes_cannot_share_a_state_directory(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(StoreError, match="in use"):
        open_store(tmp_path)
    store.close()
    open_store(tmp_path).close()


@pytest.mark.parametrize("name", ["journal", "telemetry"])
def test_a_newer_version_is_refused_untouched(tmp_path: Path, name: str) -> None:
    open_store(tmp_path).close()
    path = tmp_path / f"{name}.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=99")
    db.close()
    before = digest(path)
    with pytest.raises(StoreError, match="newer version"):
        open_store(tmp_path)
    assert digest(path) == before


async def test_a_damaged_telemetry_file_is_set_aside_and_the_numbers_go_on(tmp_path: Path) -> None:
    store = open_store(tmp_path, PATIENT)
    outbox_id, last = store.outbox.id, fill(store)
    event = store.outbox.accept("vigil/v1/a/gen-1/event", b"}", ts=1, retain=False, rank=0)
    assert event
    store.close()
    path = tmp_path / "telemetry.db"
    damaged = bytearray(path.read_bytes())
    damaged[:100] = b"\x55" * 100
    path.write_bytes(damaged)
    store = open_store(tmp_path, PATIENT)
    assert store.damaged_file is not None
    assert store.damaged_file.read_bytes() == bytes(damaged)
    assert store.outbox.id == outbox_id
    (gap,) = await store.outbox.gaps()
    assert (gap.why, gap.count) == ("damage", 0)  # nobody can tell how many
    assert list(await store.outbox.backlog((-1, -1), 1000)) == [event]
    row = store.outbox.accept("vigil/v1/a/gen-1/telemetry", b"}", ts=1, retain=False, rank=2)
    assert row
    assert row.seq > max(last, event.seq)
    store.close()


def test_a_disk_that_damages_file_after_file_is_not_filled_with_them(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    for number in range(MOST_ASIDE + 3):
        path.write_bytes(b"%d is no database" % number)
        store = open_store(tmp_path)
        newest = store.damaged_file
        store.close()
    assert newest is not None
    assert newest.read_bytes().startswith(b"%d" % number)
    assert len(list(tmp_path.glob("telemetry.db.damaged-*"))) == MOST_ASIDE


async def test_damage_in_a_page_is_found_when_opened(tmp_path: Path) -> None:
    store = open_store(tmp_path, PATIENT)
    fill(store)
    store.close()
    path = tmp_path / "telemetry.db"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2 :] = b"\x55" * (len(damaged) - len(damaged) // 2)
    path.write_bytes(damaged)
    store = open_store(tmp_path, PATIENT)
    assert store.damaged_file is not None
    (gap,) = await store.outbox.gaps()
    assert gap.why == "damage"
    store.outbox.settle_gap(gap)
    assert await store.outbox.gaps() == []
    store.close()


async def test_rows_of_a_damaged_file_that_can_still_be_counted_are_told(tmp_path: Path) -> None:
    store = open_store(tmp_path, PATIENT)
    fill(store)
    for minute in range(200):
        store.history.record("gen-1", minute * 60_000, {"x": float(minute)}, {})
        store.history.seal()
    store.close()
    path = tmp_path / "telemetry.db"
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name='block'").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\x55" * 4096)
    store = open_store(tmp_path, PATIENT)
    (gap,) = await store.outbox.gaps()
    assert (gap.why, gap.first_ts, gap.last_ts, gap.count) == ("damage", 0, 199, 200)
    store.close()


async def test_what_cannot_be_read_for_now_is_no_end(tmp_path: Path) -> None:
    store = open_store(tmp_path, PATIENT)
    fill(store)
    await store.flush()
    hidden = tmp_path / "hidden"
    (tmp_path / "telemetry.db").rename(hidden)
    with pytest.raises(StoreUnavailable):
        await store.outbox.backlog((-1, -1), 1000)
    hidden.rename(tmp_path / "telemetry.db")
    assert len(await store.outbox.backlog((-1, -1), 1000)) == 200
    store.close()


async def test_damage_met_while_running_costs_the_file_and_not_the_process(tmp_path: Path) -> None:
    store = open_store(tmp_path, StoreOptions(commit_interval_s=3600.0, checkpoint_pages=1))
    fill(store)
    await store.flush()
    store._telemetry.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = tmp_path / "telemetry.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x55" * (size - 4096))
    rows = list(await store.outbox.backlog((-1, -1), 1000))
    assert rows == []
    row = store.outbox.accept("vigil/v1/a/gen-1/telemetry", b"}", ts=1, retain=False, rank=2)
    assert row
    await asyncio.wait_for(store.flush(), 20)
    assert store.damaged_file is not None
    assert list(await store.outbox.backlog((-1, -1), 1000)) == [row]
    (gap,) = await store.outbox.gaps()
    assert (gap.why, gap.count) == ("damage", 200)
    store.close()


def test_a_damaged_journal_is_refused_untouched(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    path = tmp_path / "journal.db"
    path.write_bytes(b"\x55" * 8192)
    with pytest.raises(StoreError, match="damaged"):
        open_store(tmp_path)
    assert path.read_bytes() == b"\x55" * 8192


def test_a_lost_journal_does_not_reuse_numbers_that_are_held(tmp_path: Path) -> None:
    store = open_store(tmp_path, PATIENT)
    last = fill(store)
    store.close()
    (tmp_path / "journal.db").unlink()
    store = open_store(tmp_path, PATIENT)
    row = store.outbox.accept("vigil/v1/a/gen-1/telemetry", b"}", ts=1, retain=False, rank=2)
    assert row
    assert row.seq > last
    store.close()


async def test_a_failing_disk_is_tried_again_until_it_works(tmp_path: Path) -> None:
    store = open_store(tmp_path, PATIENT)
    blocker = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    store.outbox._journal.file.writer.execute("PRAGMA busy_timeout=10")
    blocker.execute("BEGIN IMMEDIATE")
    row = store.outbox.accept("vigil/v1/a/gen-1/event", b"}", ts=1, retain=False, rank=0)
    assert row
    await asyncio.to_thread(wait_for_an_error, store)
    assert list(await store.outbox.backlog((-1, -1), 10)) == []
    blocker.execute("ROLLBACK")
    blocker.close()
    await asyncio.wait_for(store.outbox.committed(row.seq), 20)
    assert list(await store.outbox.backlog((-1, -1), 10)) == [row]
    store.close()


async def test_without_reserved_numbers_nothing_is_accepted_until_the_disk_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequence, "BLOCK", 16)
    store = open_store(tmp_path, StoreOptions(commit_interval_s=0.01))
    with store.outbox._writer.lock:
        store.outbox._journal.file.writer.execute("PRAGMA busy_timeout=10")
    blocker = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")

    def accept(ts: int) -> Row | None:
        return store.outbox.accept("vigil/v1/a/gen-1/telemetry", b'"v":{}}', ts=ts, retain=False, rank=2)

    rows = [accept(ts) for ts in range(100)]
    given = [row.seq for row in rows if row is not None]
    assert 0 < len(given) < 100
    assert rows[-1] is None
    blocker.execute("ROLLBACK")
    blocker.close()
    give_up = time.monotonic() + 30
    while (row := accept(200)) is None:
        assert time.monotonic() < give_up
        await asyncio.sleep(0.01)
    assert row.seq > max(given)
    await asyncio.wait_for(store.flush(), 20)
    (gap,) = await store.outbox.gaps()
    assert (gap.why, gap.last_ts >= 99) == ("overload", True)
    assert gap.count >= 100 - len(given)
    store.close()


async def test_a_store_asked_to_write_at_once_is_not_late(tmp_path: Path) -> None:
    store = open_store(tmp_path, PATIENT)
    writer = store.outbox._writer
    with writer.lock:  # the writing thread cannot begin
        flushing = asyncio.create_task(writer.flush())
        await asyncio.sleep(0)
        assert writer.late_s() < 60
    await asyncio.wait_for(flushing, 20)
    store.close()


async def test_writing_goes_on_after_a_failure_whose_rows_were_stored_elsewhere_meanwhile(tmp_path: Path) -> None:
    store = open_store(tmp_path, StoreOptions(commit_interval_s=0.01))
    telemetry = store.outbox._telemetry
    with telemetry.writer.lock:
        telemetry.file.writer.execute("PRAGMA busy_timeout=10")
    blocker = sqlite3.connect(tmp_path / "telemetry.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    last = fill(store, 3)
    await asyncio.to_thread(wait_for_an_error, store)
    while store.outbox.counts().rows:  # they may just be in the hands of the writing thread
        await store.outbox.confirm(Confirmed(store.outbox.id, ((last - 2, last),)))
        await asyncio.sleep(0.005)
    blocker.execute("ROLLBACK")
    blocker.close()
    await asyncio.wait_for(store.flush(), 20)
    await asyncio.wait_for(store.outbox.committed(fill(store, 1)), 20)
    store.close()


def test_a_state_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        open_store(tmp_path / "file")
