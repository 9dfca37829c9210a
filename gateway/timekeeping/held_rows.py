"""Keeps rows back until the clock is known, and lets them go with their final times; survives restarts and boots."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from gateway.ports import Row
from gateway.store import Documents, Labelling, Store
from gateway.timekeeping.keeper import Mode, Scale, Settled, Timekeeper
from gateway.wire import topics
from gateway.wire.relabel import relabel

log = logging.getLogger(__name__)

DOCUMENT = "clock/scale"
TELEMETRY_RANK = 2


def kept_scale(documents: Documents) -> Scale | None:
    """The scale of the times that rows on disk were held with, if any were."""
    found = documents.loaded(DOCUMENT).get(DOCUMENT)
    return Scale.loads(found) if found is not None else None


class HeldRows:
    """Belongs to one run of a gateway; `released` is told once what this run held may be sent."""

    def __init__(
        self,
        store: Store,
        timekeeper: Timekeeper,
        released: Callable[[Settled], None],
        moved: Callable[[Settled], object] = lambda _: None,
    ) -> None:
        """`moved` is told before that of times, given out provisionally by this run or the one before, that moved."""
        self._moved = moved
        self._store = store
        self._timekeeper = timekeeper
        self._released = released
        self._kept = kept_scale(store.documents)
        store.outbox.labelled = self._remember
        store.outbox.is_holding = timekeeper.mode is Mode.HELD

    async def start(self) -> None:
        """Settle what earlier runs left; call before the first row is accepted."""
        keeper, kept = self._timekeeper, self._kept
        if kept is not None and kept.boot != keeper.scale.boot:
            # Nobody can know any more when that boot was: what it saw goes out behind all that was known before it.
            await self._label(Settled(kept.since_ms, 0, synced=False))
        elif kept is not None and keeper.since_start is not None:
            await self._label(keeper.since_start)
        if keeper.mode is Mode.HELD:
            log.warning("clock_not_synchronised rows_held=true")
            self._store.documents.keep({DOCUMENT: keeper.scale.dumps()})
            await self._store.flush()
        elif kept is not None:
            self._store.documents.keep({DOCUMENT: None})

    async def tick(self) -> None:
        """Once a second: release what is held as soon as the clock is known."""
        settled = self._timekeeper.tick()
        if settled is None:
            return
        log.info("clock_settled synced=%s shift_ms=%d", settled.synced, settled.shift_ms)
        self._store.outbox.is_holding = False
        await self._label(settled)
        self._store.documents.keep({DOCUMENT: None})
        self._released(settled)

    async def _label(self, settled: Settled) -> None:
        if settled.shift_ms:
            self._moved(settled)

        def move(ts: int) -> int:
            return ts + settled.shift_ms if ts >= settled.since_ms else ts

        body = partial(relabel, move=move, synced=settled.synced)
        await self._store.outbox.label(Labelling(settled.since_ms, settled.shift_ms, body))

    def _remember(self, rows: list[Row]) -> None:
        """Into the local history, now that it is known when they were."""
        for row in rows:
            topic = topics.parse(row.topic)
            if row.rank == TELEMETRY_RANK and topic is not None:
                self._store.history.record_body(topic.device, row.ts, row.body)
