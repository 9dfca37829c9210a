"""What the store has to tell: a damaged file, gaps; and what has to be taken back from the broker."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from gateway.errors import StoreUnavailable
from gateway.pipeline import Pipeline
from gateway.store import Gap, Store
from gateway.wire import topics
from gateway.wire.messages import Json

log = logging.getLogger(__name__)

LOOK_S = 10.0


async def keep_house(store: Store, pipeline: Pipeline) -> None:
    """Tell it, as long as this runs."""
    told: Path | None = None
    while True:
        if pipeline.has_to_clear:
            clear_what_is_gone(store, pipeline)
        damaged = store.damaged_file
        if damaged is not None and damaged != told:
            told = damaged
            log.error("telemetry_damaged set_aside=%s", damaged)
            pipeline.event(topics.GATEWAY, "store_damaged", {"file": damaged.name})
        try:
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
        row = pipeline.event(place.device if place else topics.GATEWAY, "gap", _told(gap))
        if row is None:
            return
        await store.outbox.committed(row.seq)
        await store.outbox.settle_gaps([gap])


def _told(gap: Gap) -> dict[str, Json]:
    """What went with a damaged file could be seen only in part, or not at all (`count` null)."""
    return {
        "from": gap.first_ts or None,
        "to": gap.last_ts or None,
        "count": gap.count or None,
        "why": gap.why,
        "exact": gap.why != "damage",
    }
