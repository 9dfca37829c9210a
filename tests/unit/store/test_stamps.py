"""Every message of a topic has a millisecond of its own, whatever the clock does, and across restarts."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ports import Confirmed
from gateway.store import Store, StoreOptions, open_store
from gateway.store.copies import copy_file, file_names
from gateway.store.stamps import REMEMBERED, SET_BACK_MS, Stamps

NOW = 1_800_000_000_000
TOPIC = "vigil/v1/a/gen-1/telemetry"


@given(st.lists(st.integers(0, 20_000).map(lambda ms: NOW + ms), max_size=200))
def test_no_two_messages_of_a_topic_share_a_millisecond(asked: list[int]) -> None:
    stamps = Stamps()
    told = [stamps.own(TOPIC, ts) for ts in asked]
    assert len(set(told)) == len(told)
    assert all(ts <= own for ts, own in zip(asked, told, strict=True))


@given(st.lists(st.sampled_from([-7_200_000, -90_000, -10_000, 0, 0, 0, 0, 3_600_000]), max_size=100))
def test_a_clock_that_is_set_moves_a_label_by_no_more_than_it_must(steps: list[int]) -> None:
    stamps, asked, told = Stamps(), NOW, set[int]()
    for step in steps:
        asked += 1000 + step
        own = stamps.own(TOPIC, asked)
        assert own not in told
        told.add(own)
        assert own - asked <= len(told)


def test_what_is_a_little_late_comes_behind_the_last() -> None:
    stamps = Stamps()
    assert [stamps.own(TOPIC, NOW - back) for back in (0, 0, SET_BACK_MS - 10, SET_BACK_MS + 10)] == [
        NOW,
        NOW + 1,
        NOW + 2,
        NOW - SET_BACK_MS - 10,
    ]


def test_topics_do_not_mind_each_other() -> None:
    stamps = Stamps()
    assert stamps.own("a/b/readiness", NOW) == stamps.own("a/c/readiness", NOW) == NOW


def test_what_is_remembered_is_bounded() -> None:
    stamps = Stamps(remembered=10)
    for turn in range(50):
        for second in range(100):
            stamps.own(TOPIC, NOW - turn * 60_000 + second * 1000)
    (known,) = stamps._topics.values()
    assert len(known.given) <= 20
    assert len(known.ahead) <= 40


def accept(store: Store, times: Sequence[int], topic: str = TOPIC, rank: int = 2) -> list[int]:
    rows = [store.outbox.accept(topic, b'"v":{"a":1}}', ts=ts, retain=rank < 2, rank=rank) for ts in times]
    return [row.ts for row in rows if row is not None]


@pytest.mark.parametrize(("topic", "rank"), [(TOPIC, 2), ("vigil/v1/a/gen-1/readiness", 1), ("vigil/v1/a/g/event", 0)])
def test_a_clock_set_back_while_the_gateway_was_off(tmp_path: Path, topic: str, rank: int) -> None:
    asked = [NOW + second * 1000 for second in range(100)]
    store = open_store(tmp_path, wall_ms=lambda: NOW)
    accept(store, asked, topic, rank)
    store.close()
    store = open_store(tmp_path, wall_ms=lambda: NOW + 30_000)
    again = accept(store, [*asked[30:], NOW + 200_000], topic, rank)
    store.close()
    assert again == [ts + 1 for ts in asked[30:]] + [NOW + 200_000]


async def test_a_clock_set_back_after_what_it_told_was_confirmed(tmp_path: Path) -> None:
    """What is confirmed leaves the outbox; the local history still knows when it was."""
    store = open_store(tmp_path, StoreOptions(commit_interval_s=3600), wall_ms=lambda: NOW)
    for second in range(REMEMBERED + 10):
        store.history.record_body("gen-1", NOW + second * 1000, b'"v":{"a":1}}')
    await store.flush()
    store.close()
    store = open_store(tmp_path, wall_ms=lambda: NOW + 5_000)
    assert accept(store, [NOW + 6_000, NOW + 7_500, NOW + 8_000]) == [NOW + 6_001, NOW + 7_500, NOW + 8_001]
    assert accept(store, [NOW + 6_000], "vigil/v1/a/gen-2/telemetry") == [NOW + 6_000]
    store.close()


async def test_states_that_were_confirmed_are_remembered_over_an_orderly_end(tmp_path: Path) -> None:
    """They leave the outbox and stand in no history."""
    topic = "vigil/v1/a/_site/readiness"
    store = open_store(tmp_path, StoreOptions(commit_interval_s=3600), wall_ms=lambda: NOW)
    rows = [store.outbox.accept(topic, b'"state":"ready"}', ts=NOW + n * 1000, retain=True, rank=1) for n in range(90)]
    await store.outbox.confirm(Confirmed(store.outbox.id, tuple((row.seq, row.seq) for row in rows if row)))
    store.close()
    store = open_store(tmp_path, wall_ms=lambda: NOW + 60_000)
    assert accept(store, [NOW + 60_000, NOW + 61_500], topic, 1) == [NOW + 60_001, NOW + 61_500]
    store.close()


async def test_a_commit_now_and_then_takes_them_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.stamps.KEEP_EVERY_S", 0.0)
    topic = "vigil/v1/a/_site/readiness"
    store = open_store(tmp_path / "one", StoreOptions(commit_interval_s=0.01), wall_ms=lambda: NOW)
    accept(store, [NOW, NOW + 1000], topic, 1)
    await store.flush()
    killed = tmp_path / "two"
    killed.mkdir()
    for name in file_names():
        copy_file(tmp_path / "one" / name, killed / name)
    with sqlite3.connect(killed / "telemetry.db") as db:
        db.execute("DELETE FROM message")
    db.close()
    store.close()
    store = open_store(killed, wall_ms=lambda: NOW + 1000)
    assert accept(store, [NOW + 1000], topic, 1) == [NOW + 1001]
    store.close()
