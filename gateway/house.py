"""What the store has to tell: a damaged file, gaps; and what has to be taken back from the broker."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict
from pathlib import Path

from gateway.errors import StoreUnavailable
from gateway.pipeline import Pipeline
from gateway.store import Gap, Store
from gateway.wire import topics
from gateway.wire.messages import Json

log = logging.getLogger(__name__)

LOOK_S = 10.0
TOLD = "gap/told"
"""The gap of the telemetry file that an event has told and that may not be settled there yet."""


async def keep_house(store: Store, pipeline: Pipeline) -> None:
    """Tell it, as long as this runs."""
    told: Path | None = None
    is_settled = False
    while True:
        if pipeline.has_to_clear:
            clear_what_is_gone(store, pipeline)
        damaged = store.damaged_file
        if damaged is not None and damaged != told:
            told = damaged
            log.error("telemetry_damaged set_aside=%s", damaged)
            pipeline.event(topics.GATEWAY, "store_damaged", {"file": damaged.name})
        try:
            if not is_settled:
                await _settle_told(store)
                is_settled = True
            await _tell_gaps(store, pipeline)
            await pipeline.alarms.let_go()
        except StoreUnavailable as error:
            log.warning("store_unreadable reason=%s", error)
        await asyncio.sleep(LOOK_S)


def clear_what_is_gone(store: Store, pipeline: Pipeline) -> None:
    """Take back the retained messages of devices, and of alarms, that are no longer in the file; what the disk is too
    far behind for stays to be done (`Pipeline.has_to_clear`)."""
    pipeline.has_to_clear = False
    site = pipeline.site
    known = {device.id for device in site.devices} | {topics.SITE, topics.GATEWAY}
    for name in store.outbox.retained_topics():
        topic = topics.parse(name)
        is_known = topic is not None and topic.site == site.id and topic.device in known
        if topic is not None and topic.rule is not None:
            is_known = is_known and pipeline.alarms.knows(topic.device, topic.rule)
        if not is_known and not pipeline.clear(name):
            pipeline.has_to_clear = True


async def _tell_gaps(store: Store, pipeline: Pipeline) -> None:
    for gap in await store.outbox.gaps():
        place = topics.parse(f"{gap.place}/event") if gap.place else None
        keep = None if gap.is_of_journal else {TOLD: json.dumps(asdict(gap)).encode()}
        with store.outbox.together():
            row = pipeline.event(place.device if place else topics.GATEWAY, "gap", _told(gap), keep=keep)
            if row is None:
                return
            if gap.is_of_journal:
                store.outbox.settle_gap(gap)
        await store.outbox.committed(row.seq)
        if not gap.is_of_journal:
            await _settle(store, gap)


async def _settle_told(store: Store) -> None:
    """What was told before the gateway was killed is not told again."""
    kept = store.documents.loaded(TOLD).get(TOLD)
    if kept is None:
        return
    told = Gap(**json.loads(kept))
    is_open = any(
        (gap.place, gap.why, gap.first_ts) == (told.place, told.why, told.first_ts) and gap.count >= told.count
        for gap in await store.outbox.gaps()
        if not gap.is_of_journal
    )
    if is_open:
        await _settle(store, told)
    else:
        store.documents.keep({TOLD: None})


async def _settle(store: Store, gap: Gap) -> None:
    store.outbox.settle_gap(gap)
    await store.flush()
    store.documents.keep({TOLD: None})


def _told(gap: Gap) -> dict[str, Json]:
    """What went with a damaged file could be seen only in part, or not at all (`count` null)."""
    return {
        "from": gap.first_ts or None,
        "to": gap.last_ts or None,
        "count": gap.count or None,
        "why": gap.why,
        "exact": gap.why != "damage",
    }
