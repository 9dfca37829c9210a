"""What waits is bounded: a disk that does not answer costs data, which is counted, and no memory."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.ports import Confirmed
from gateway.store import Store, StoreOptions, open_store
from gateway.store.outbox import MAX_WAITING_ROWS

BODY = b'"kind":"tank","labels":{},"clock":"synced","v":{' + b",".join(b'"p%02d":12.5' % at for at in range(40)) + b"}}"
BOUND_BYTES = 48 * 1024 * 1024
"""What may wait for the disk in messages of this size: the rows of the outbox and the local history."""


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def flood(store: Store, rows: int) -> None:
    for number in range(rows):
        topic = f"vigil/v1/depot-07/tank-{number % 50}"
        body = BODY[:-1] + b"}"  # each its own bytes
        store.outbox.accept(f"{topic}/telemetry", body, ts=number, retain=False, rank=2)
        store.history.record_body(f"tank-{number % 50}", number, body)
        if number % 10 == 0:
            store.outbox.accept(f"{topic}/readiness", BODY[:-1] + b"}", ts=number, retain=True, rank=1)


@pytest.mark.usefixtures("traced")
def test_a_disk_that_does_not_answer_costs_no_more_than_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path, StoreOptions(commit_interval_s=0.01), wall_ms=lambda: 0)
    answers = threading.Event()
    commit = store._writer._commit
    monkeypatch.setattr(store._writer, "_commit", lambda target: (answers.wait(), commit(target))[1])
    before, _ = tracemalloc.get_traced_memory()
    flood(store, 3 * MAX_WAITING_ROWS)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    counts = store.outbox.counts()
    answers.set()
    assert after - before < BOUND_BYTES
    assert counts.waiting <= 2 * MAX_WAITING_ROWS
    assert counts.dropped > MAX_WAITING_ROWS, "what did not fit is counted"
    store.close()


@pytest.mark.usefixtures("traced")
async def test_days_of_traffic_leave_nothing_behind(tmp_path: Path) -> None:
    store = open_store(tmp_path, StoreOptions(commit_interval_s=0.01), wall_ms=lambda: 0)

    async def hours() -> int:
        for number in range(3000):
            row = store.outbox.accept(
                f"vigil/v1/depot-07/tank-{number % 50}/telemetry", BODY[:-1] + b"}", ts=number, retain=False, rank=2
            )
            assert row is not None
            if number % 100 == 99:
                await store.flush()
                await store.outbox.confirm(Confirmed(store.outbox.id, ((row.seq - 99, row.seq),)))
        await store.flush()
        return tracemalloc.get_traced_memory()[0]

    first = await hours()
    second = await hours()
    assert second - first < 1024 * 1024
    assert store.outbox.counts().rows == 0
    store.close()
