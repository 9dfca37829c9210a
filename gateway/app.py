"""The composition root: the one module that knows concrete drivers, sinks and notifiers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from drivers.modbus import MODBUS, compile_device, open_line
from gateway import __version__, health
from gateway.clock import SystemClock
from gateway.errors import StoreUnavailable
from gateway.flow.snapshot import Snapshot
from gateway.model import Reading, Value
from gateway.pipeline import Pipeline
from gateway.polling.poller import Poller
from gateway.polling.schedule import spread
from gateway.ports import Clock, Line, Row
from gateway.settings.protocol import ProtocolModel
from gateway.settings.site import load_site
from gateway.settings.types import SiteSettings, WebSettings
from gateway.store import Store, open_store
from gateway.supervise import every, until_stopped
from gateway.uplink.site import Identity, SiteUplink
from gateway.web import GatewayHealth, SiteView, build, listen, serve
from gateway.wire import topics
from gateway.wire.messages import Json

log = logging.getLogger(__name__)

#: Every protocol of the product; a new driver is one line here.
PROTOCOLS: Mapping[str, ProtocolModel] = MappingProxyType({MODBUS.name: MODBUS})

TICK_S = 1.0
HOUSE_S = 10.0
STOP_S = 4.0
DRAIN_STEP_S = 0.05


def load(path: Path, language: str = "en") -> SiteSettings:
    """The site file with every protocol known; ConfigError with all its problems."""
    return load_site(path, PROTOCOLS, language)


class Gateway:
    """One site, running: lines are polled, readings judged, messages kept and sent."""

    def __init__(self, site: SiteSettings, store: Store, clock: Clock | None = None) -> None:
        self.site = site
        self.store = store
        self.clock: Clock = clock or SystemClock()
        self.snapshot = Snapshot({device.id: device.points for device in site.devices})
        self.uplink: SiteUplink | None = None
        if site.mqtt is not None:
            identity = Identity(site.id, self.clock.wall_ms(), __version__, site.digest)
            self.uplink = SiteUplink(site.mqtt, identity, store.outbox)
        self.lines: dict[str, Line] = {line.id: open_line(line, self.clock) for line in site.lines}
        self.pipeline = Pipeline(site, store, self.snapshot, self.clock, self._offer)
        self._asking: list[asyncio.Task[None]] = []
        self.pollers = {line.id: self._poller(line.id) for line in site.lines}
        sources = [health.lines(self.lines), health.machine(site.state_dir), self._books]
        self.health = health.Health(site, sources, self.clock)
        self._health_reading: Reading | None = None
        self.pipeline.watch_health(self.health.points)

    async def run(self) -> None:
        """Run until cancelled; then stop asking, say goodbye and let go of the lines, in bounded time."""
        async with asyncio.TaskGroup() as group:
            uplink = group.create_task(self.uplink.run(), name="uplink") if self.uplink else None
            self._asking = [
                *(group.create_task(poller.run(), name=f"poller-{name}") for name, poller in self.pollers.items()),
                group.create_task(self._keep_house(), name="house"),
                group.create_task(every(TICK_S, self.pipeline.tick), name="tick"),
                group.create_task(every(health.INTERVAL_S, self._report_health), name="health"),
            ]
            try:
                await self.store.watch()
            finally:
                await self._stop_asking()
                if self.uplink is not None and uplink is not None:
                    self.uplink.stop()
                    await asyncio.wait([uplink], timeout=STOP_S)
                    uplink.cancel()

    async def drain(self, timeout_s: float) -> bool:
        """Stop asking, and wait until the centre has everything; whether it has within `timeout_s`."""
        await self._stop_asking()
        give_up = self.clock.monotonic() + timeout_s
        while self.store.outbox.counts().rows or self.store.outbox.counts().waiting:
            if self.clock.monotonic() > give_up:
                return False
            await asyncio.sleep(DRAIN_STEP_S)
        return True

    async def _stop_asking(self) -> None:
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        for line in self.lines.values():
            await line.close()

    def _poller(self, line: str) -> Poller:
        settings = next(each for each in self.site.lines if each.id == line)
        plans = {device.id: compile_device(settings, device) for device in self.site.devices if device.line == line}
        return Poller(self.lines[line], plans, self.clock, self.pipeline.deliver, spread(tuple(plans)))

    def _offer(self, row: Row) -> None:
        if self.uplink is not None:
            self.uplink.offer(row)

    async def _keep_house(self) -> None:
        """What the store has to tell: a damaged file, gaps; and the topics of devices that are gone."""
        known = {device.id for device in self.site.devices} | {topics.SITE, topics.GATEWAY}
        for name in self.store.outbox.retained_topics():
            topic = topics.parse(name)
            if topic is None or topic.site != self.site.id or topic.device not in known:
                self.pipeline.clear(name)
        told: Path | None = None
        while True:
            damaged = self.store.damaged_file
            if damaged is not None and damaged != told:
                told = damaged
                log.error("telemetry_damaged set_aside=%s", damaged)
                self.pipeline.event(topics.GATEWAY, "store_damaged", {"file": damaged.name})
            try:
                await self._tell_gaps()
            except StoreUnavailable as error:
                log.warning("gaps_unreadable reason=%s", error)
            await asyncio.sleep(HOUSE_S)

    async def _tell_gaps(self) -> None:
        gaps = await self.store.outbox.gaps()
        for gap in gaps:
            place = topics.parse(f"{gap.place}/event") if gap.place else None
            device = place.device if place else topics.GATEWAY
            data: dict[str, Json] = {
                "from": gap.first_ts or None,
                "to": gap.last_ts or None,
                "count": gap.count or None,
                "why": gap.why,
            }
            row = self.pipeline.event(device, "gap", data)
            if row is None:
                return
            await self.store.outbox.committed(row.seq)
            await self.store.outbox.settle_gaps([gap])

    def _report_health(self) -> None:
        self._health_reading = self.health.reading()
        self.pipeline.deliver_health(self._health_reading)

    def _books(self) -> dict[str, Value]:
        """The pipeline's, outbox's and uplink's own figures."""
        books, outbox = self.pipeline.counts, self.store.outbox.counts()
        stats = [stats for poller in self.pollers.values() for stats in poller.stats()]
        values: dict[str, Value] = {
            "samples_polled": books.polled,
            "samples_published": books.sent,
            "samples_unchanged": books.unchanged,
            "outbox_rows": outbox.rows,
            "outbox_bytes": outbox.bytes,
            "rows_accepted": outbox.accepted,
            "rows_confirmed": outbox.confirmed,
            "rows_dropped": outbox.dropped,
            "rows_refused": outbox.dead,
            "clock_synced": self.clock.synced,
            "devices_configured": len(self.site.devices),
            "devices_silent": sum(1 for each in stats if each.silent_since is not None),
            "polls": sum(each.polls for each in stats),
            "polls_missed": sum(each.skipped for each in stats),
        }
        if self.uplink is not None:
            state = self.uplink.health()
            values |= {
                "uplink_connected": state.connected,
                "uplink_reconnects": max(0, state.connects - 1),
                "rows_sent": state.sent,
                "rows_resent": state.resent,
            }
        return values

    def view(self) -> SiteView:
        """What the local page shows."""
        return SiteView(
            site=self.site,
            snapshot=self.snapshot,
            judge=self.pipeline.judge,
            clock=self.clock,
            trend=self.store.history.trend,
            health=lambda: GatewayHealth(self.health.points, self._health_reading),
            tell=self.pipeline.event,
            version=__version__,
        )


async def _serve_page(gateway: Gateway, web: WebSettings) -> None:
    """The page for as long as it can be had: a gateway whose page cannot open still does its work."""
    try:
        sock = listen(web.host, web.port)
    except OSError as error:
        log.error("page_unavailable address=%s:%d reason=%s", web.host, web.port, error)
        return
    log.info("page_open address=http://%s:%d", web.host, web.port)
    await serve(build(gateway.view()), sock)


async def run_site(site: SiteSettings) -> None:
    """The daemon of one site, until SIGTERM or SIGINT."""
    store = open_store(site.state_dir)
    try:
        gateway = Gateway(site, store)
        parts: dict[str, Callable[[], Awaitable[None]]] = {"gateway": gateway.run}
        if site.web is not None:
            parts["page"] = partial(_serve_page, gateway, site.web)
        await until_stopped(parts)
    finally:
        store.close()
