"""What the gateway keeps in order beside its work: topics of what is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway import house
from gateway.house import keep_house
from tests.unit.alarms.small_site import SmallSite

GONE = "vigil/v1/depot-07/gone-1/readiness"


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "LOOK_S", 0.01)


@asynccontextmanager
async def kept(site: SmallSite) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(keep_house(site.store, site.pipeline))
    try:
        async with asyncio.timeout(20):
            yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def looked(site: SmallSite, times: int = 3) -> None:
    """It has looked for gaps so often, from now on."""
    asked, gaps, enough = 0, site.store.outbox.gaps, asyncio.Event()

    async def count() -> object:
        nonlocal asked
        asked += 1
        if asked >= times:
            enough.set()
        return await gaps()

    site.store.outbox.gaps = count  # type: ignore[method-assign,assignment]
    await enough.wait()


async def test_a_topic_that_could_not_be_cleared_is_cleared_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = SmallSite(tmp_path)
    site.store.outbox.accept(GONE, b'"kind":"x"}', ts=1, retain=True, rank=1)
    with monkeypatch.context() as behind:
        behind.setattr("gateway.store.outbox.MAX_WAITING_ROWS", 0)
        async with kept(site):
            await looked(site)
            assert GONE in site.store.outbox.retained_topics()
            assert site.store.outbox.counts().dropped == 0, "nothing was lost"
            behind.undo()
            await looked(site)
    cleared = [row.body for row in site.rows if row.topic == GONE]
    assert cleared == [b""]
    assert GONE not in site.store.outbox.retained_topics()
    site.close()
