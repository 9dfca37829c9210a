"""What the gateway keeps in order beside its work: topics of what is gone, and gaps that are told once."""

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


class Killed(Exception):
    """Here the gateway was killed."""


def lose(site: SmallSite, rank: int, ts: int = 5) -> None:
    """A message that the disk was too far behind for."""
    with pytest.MonkeyPatch.context() as behind:
        behind.setattr("gateway.store.outbox.MAX_WAITING_ROWS", 0)
        topic = "vigil/v1/depot/gen-1/telemetry"
        assert site.store.outbox.accept(topic, b'"v":{"a":1}}', ts=ts, retain=False, rank=rank) is None


def kill_at(monkeypatch: pytest.MonkeyPatch, site: SmallSite, step: str) -> None:
    """Killed right after the event was committed, or after the gap was settled and before that is noted."""
    outbox, documents = site.store.outbox, site.store.documents
    committed, keep = outbox.committed, documents.keep

    async def killed(seq: int) -> None:
        await committed(seq)
        raise Killed

    def killed_late(kept: dict[str, bytes | None]) -> None:
        if "gap/told" in kept:
            raise Killed
        keep(kept)

    if step == "told":
        monkeypatch.setattr(outbox, "committed", killed)
    else:
        monkeypatch.setattr(documents, "keep", killed_late)


@pytest.mark.parametrize(("rank", "step"), [(0, "told"), (2, "told"), (2, "settled")])
async def test_a_gap_is_told_once_whenever_the_gateway_is_killed(
    rank: int, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = SmallSite(tmp_path)
    lose(site, rank)
    with monkeypatch.context() as killing:
        kill_at(killing, site, step)
        with pytest.raises(Killed):
            await keep_house(site.store, site.pipeline)
    await site.settled()
    assert [gap["count"] for gap in site.events("gap")] == [1]
    site.close()

    again = SmallSite(tmp_path)
    async with kept(again):
        await looked(again)
        lose(again, rank, ts=9)
        await looked(again)
    await again.settled()
    assert [(gap["from"], gap["count"]) for gap in again.events("gap")] == [(9, 1)], "only what was lost later"
    assert await again.store.outbox.gaps() == []
    again.close()

    last = SmallSite(tmp_path)
    assert last.store.documents.loaded("gap/") == {}
    last.close()
