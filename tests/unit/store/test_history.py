"""The local history: what was recorded can be read, at once and after a restart."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Report, Status
from gateway.store import Bucket, Day, Sample, Store, StoreOptions, open_store
from gateway.store.blocks import Record, pack
from gateway.store.history import HISTORY_SCHEMA, HOLD_MS, buckets
from gateway.store.retiring import COMMIT_S, EVERY_S, PAUSE_S, Retiring
from gateway.wire.encode import telemetry_body

T0 = 1_763_764_800_000
HIGH = Status.UncertainEngineeringUnitsExceeded
PATIENT = StoreOptions(commit_interval_s=3600.0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(tmp_path / "state", PATIENT, wall_ms=lambda: T0)
    yield opened
    opened.close()


async def test_samples_are_read_from_memory_and_from_disk(store: Store) -> None:
    history = store.history
    history.record("gen-1", T0, {"a": 1.5, "mode": "auto", "on": True}, {})
    await history.flush()
    history.record("gen-1", T0 + 1000, {"a": 2.5}, {"a": "UncertainEngineeringUnitsExceeded"})
    history.record("gen-1", T0 + 2000, {}, {"a": "BadTimeout"})
    history.record("gen-2", T0, {"a": 9}, {})
    expected = [
        Sample(T0, 1.5, "Good"),
        Sample(T0 + 1000, 2.5, "UncertainEngineeringUnitsExceeded"),
        Sample(T0 + 2000, None, "BadTimeout"),
    ]
    assert await history.samples("gen-1", "a", T0, T0 + 5000) == expected
    assert await history.samples("gen-1", "a", T0 + 1, T0 + 1000) == expected[1:2]
    assert await history.samples("gen-1", "mode", T0, T0) == [Sample(T0, "auto", "Good")]
    assert await history.samples("gen-1", "on", T0, T0) == [Sample(T0, True, "Good")]
    assert await history.samples("gen-2", "a", T0, T0) == [Sample(T0, 9, "Good")]
    assert await history.samples("gen-9", "a", T0, T0) == []


async def test_bodies_of_messages_are_read_like_records(store: Store) -> None:
    report = Report("gen-1", T0, {"a": 1.5, "b": 101}, {"b": HIGH}, {"c": Status.BadTimeout}, ("a",))
    body = telemetry_body(report, "generator", {"city": "西宁"}, synced=True)
    store.history.record_body("gen-1", T0, body)
    for _ in ("from memory", "from disk"):
        assert await store.history.samples("gen-1", "a", T0, T0) == [Sample(T0, 1.5, "Good")]
        assert await store.history.samples("gen-1", "b", T0, T0) == [Sample(T0, 101, HIGH.name)]
        assert await store.history.samples("gen-1", "c", T0, T0) == [Sample(T0, None, "BadTimeout")]
        assert await store.history.samples("gen-1", "city", T0, T0) == []
        await store.flush()


async def test_history_is_there_after_a_restart(tmp_path: Path) -> None:
    store = open_store(tmp_path, PATIENT, wall_ms=lambda: T0)
    for second in range(1000):
        store.history.record("gen-1", T0 + second * 1000, {"a": float(second)}, {})
    store.close()
    store = open_store(tmp_path, PATIENT, wall_ms=lambda: T0)
    found = await store.history.samples("gen-1", "a", T0, T0 + 1_000_000)
    assert [sample.value for sample in found] == [float(second) for second in range(1000)]
    store.close()


async def test_what_is_older_than_its_days_is_removed(tmp_path: Path) -> None:
    store = open_store(tmp_path, PATIENT, wall_ms=lambda: T0)
    store.history.record("gen-1", T0, {"a": 1.0}, {})
    store.close()
    later = T0 + 8 * 86_400_000
    store = open_store(tmp_path, PATIENT, wall_ms=lambda: later)
    store.history.record("gen-1", later, {"a": 2.0}, {})
    await store.flush()
    assert await store.history.samples("gen-1", "a", 0, later) == [Sample(later, 2.0, "Good")]
    store.close()


async def test_days_stay_when_samples_go(tmp_path: Path) -> None:
    store = open_store(tmp_path, PATIENT, wall_ms=lambda: T0)
    day = T0 - T0 % 86_400_000
    for hour, number in enumerate([3.0, 1.0, 8.0]):
        store.history.record("gen-1", day + hour * 3_600_000, {"a": number, "on": True, "mode": "auto"}, {})
        store.history.record_body("gen-2", day + hour * 3_600_000, b'"v":{"a":%d},"bad":{"b":"BadTimeout"}}' % number)
    assert await store.history.days("gen-1", "a") == []
    store.close()
    later = T0 + 8 * 86_400_000
    store = open_store(tmp_path, PATIENT, wall_ms=lambda: later)
    store.history.record("gen-1", later, {"a": 2.0}, {})
    await store.flush()
    assert await store.history.days("gen-1", "a") == [Day(day, 3, 1.0, 8.0, 4.0)]
    assert await store.history.days("gen-1", "on") == [Day(day, 3, 1.0, 1.0, 1.0)]
    assert await store.history.days("gen-1", "mode") == []
    assert await store.history.days("gen-2", "a") == [Day(day, 3, 1.0, 8.0, 4.0)]
    assert await store.history.days("gen-2", "b") == []
    store.close()


async def test_a_file_that_grew_too_large_loses_its_oldest_samples_first(tmp_path: Path) -> None:
    store = open_store(tmp_path, PATIENT, wall_ms=lambda: T0)
    for second in range(2000):
        store.history.record("gen-1", T0 + second * 1000, {f"p{n}": second * 1.7 + n for n in range(50)}, {})
    store.close()
    small = StoreOptions(commit_interval_s=3600.0, history_quota_bytes=10_000)
    store = open_store(tmp_path, small, wall_ms=lambda: T0)
    store.history.record("gen-1", T0 + 2_000_000, {"p0": 1.0}, {})
    await store.flush()
    assert len(await store.history.samples("gen-1", "p0", T0, T0 + 3_000_000)) < 2001
    assert await store.history.days("gen-1", "p0") != []
    store.close()


async def test_a_commit_is_not_held_up_by_what_retires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: object, blocks: Iterable[object]) -> None:
        clock.spent_s += 0.01 * len(list(blocks))

    clock = SpentClock()
    monkeypatch.setattr("gateway.store.daily.add", slow)
    monkeypatch.setattr("gateway.store.retiring.time", clock)
    db = sqlite3.connect(":memory:")
    db.executescript(HISTORY_SCHEMA)
    row = ("gen-1", T0, T0, pack([Record(T0, {"a": 1.0}, {})]))
    db.executemany("INSERT INTO block(device, first_ts, last_ts, data) VALUES(?,?,?,?)", [row] * 1000)
    retiring = Retiring(1000, 10**9, lambda: T0 + 10_000)
    turns = 0
    while db.execute("SELECT count(*) FROM block").fetchone()[0] > 500:
        before = clock.spent_s
        retiring.work(db)
        assert clock.spent_s - before < 2 * COMMIT_S
        clock.spent_s += PAUSE_S
        turns += 1
    assert turns > 5
    before = clock.spent_s
    retiring.work(db)
    assert clock.spent_s == before, "the rest of what is old has its turn later"
    clock.spent_s += EVERY_S
    retiring.work(db)
    assert db.execute("SELECT count(*) FROM block").fetchone()[0] < 500
    db.close()


class SpentClock:
    """A clock that goes on only where a test says so."""

    spent_s = 0.0

    def monotonic(self) -> float:
        return self.spent_s


async def test_looking_for_old_samples_does_not_read_the_whole_file() -> None:
    db = sqlite3.connect(":memory:")
    db.executescript(HISTORY_SCHEMA)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    db.executemany(
        "INSERT INTO block(device, first_ts, last_ts, data) VALUES('gen-1',?,?,?)", [(T0, T0, b"x")] * 50_000
    )
    db.set_progress_handler(count, 100)
    Retiring(1000, 10**9, lambda: T0).work(db)
    assert 0 < steps < 100
    db.close()


async def test_trend_shows_gaps(store: Store) -> None:
    for second in range(0, 600, 10):
        if 200 <= second < 400:
            store.history.record("gen-1", T0 + second * 1000, {}, {"a": "BadTimeout"})
        else:
            store.history.record("gen-1", T0 + second * 1000, {"a": float(second)}, {})
    got = await store.history.trend("gen-1", "a", T0, T0 + 600_000, 6)
    assert [bucket.ts for bucket in got] == [T0 + step * 100_000 for step in range(6)]
    assert got[0] == Bucket(T0, 0.0, 90.0, 45.0, 90.0, 10, "Good")
    assert got[2] == Bucket(T0 + 200_000, None, None, None, None, 10, "BadTimeout")
    assert got[3].low is None
    assert got[4] == Bucket(T0 + 400_000, 400.0, 490.0, 445.0, 490.0, 10, "Good")
    assert await store.history.trend("gen-1", "a", T0, T0, 6) == []


def test_a_value_stands_until_the_next_but_not_for_ever() -> None:
    found = [Sample(T0, 5, "Good")]
    got = buckets(found, T0, T0 + 2 * HOLD_MS, 20)
    assert [bucket.low for bucket in got] == [5.0] * 11 + [None] * 9
    assert got[0].count == 1
    assert got[1].count == 0


def test_words_and_booleans() -> None:
    found = [Sample(T0, "auto", "Good"), Sample(T0 + 10, True, "Good"), Sample(T0 + 11, False, "Good")]
    got = buckets(found, T0, T0 + 20, 2)
    assert got[0] == Bucket(T0, None, None, None, "auto", 1, "Good")
    assert got[1] == Bucket(T0 + 10, 0.0, 1.0, 0.5, False, 2, "Good")


@given(
    st.lists(st.tuples(st.integers(-2 * HOLD_MS, 10 * HOLD_MS), st.none() | st.floats(-1e6, 1e6)), max_size=30),
    st.integers(1, 10 * HOLD_MS),
    st.integers(1, 50),
)
def test_every_sample_is_in_one_bucket(pairs: list[tuple[int, float | None]], span: int, points: int) -> None:
    moments = sorted(dict(pairs).items())
    found = [Sample(T0 + at, value, "BadTimeout" if value is None else "Good") for at, value in moments]
    got = buckets(found, T0, T0 + span, points)
    assert sum(bucket.count for bucket in got) == sum(T0 <= sample.ts < T0 + span for sample in found)
    assert len(got) <= points
    for bucket in got:
        if bucket.low is not None and bucket.high is not None and bucket.mean is not None:
            assert bucket.low - 1e-6 <= bucket.mean <= bucket.high + 1e-6
