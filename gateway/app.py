"""The composition root: the one module that knows concrete drivers, sinks and notifiers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from drivers.modbus import MODBUS, compile_access, compile_device, make_probe, open_line
from gateway import __version__, health
from gateway.clock import SystemClock
from gateway.dispatch.crew import Announcers, Crew
from gateway.dispatch.review import review_names
from gateway.errors import StoreError
from gateway.field import Field
from gateway.flow.snapshot import STALE_POLLS, Latest, Snapshot
from gateway.health.books import books
from gateway.house import clear_what_is_gone, keep_house
from gateway.life.supervise import every
from gateway.model import MaybeValue, Reading, Status, Value
from gateway.notifiers.annunciator import Annunciator, AnnunciatorNotifier
from gateway.notifiers.apprise_notifier import AppriseNotifier
from gateway.notifiers.apprise_process import AppriseProcess
from gateway.notifiers.event_notifier import EventNotifier
from gateway.orders import SiteHands
from gateway.pipeline import NOTED_START, Pipeline
from gateway.polling.identification import doubted, identified
from gateway.polling.poll import DeviceStats
from gateway.ports import Clock, Notifier, Row
from gateway.rules.book import load_rules
from gateway.rules.given_facts import PREFIX as FACTS
from gateway.rules.given_facts import GivenFacts
from gateway.settings.notify_types import ChannelSettings
from gateway.settings.pace import pace_of, paced
from gateway.settings.protocol import ProtocolModel
from gateway.settings.site import load_site
from gateway.settings.types import DeviceSettings, SiteSettings
from gateway.store import Store
from gateway.timekeeping.boot import this_boot
from gateway.timekeeping.held_rows import HeldRows, kept_scale
from gateway.timekeeping.keeper import Settled, Timekeeper
from gateway.uplink.commands import Execute, refuse
from gateway.uplink.site import Identity, SiteUplink
from gateway.web.history import history_of
from gateway.web.view import GatewayHealth, Silence, SiteView
from gateway.wire import topics
from gateway.wire.messages import Command, Json, Reply
from gateway.writing import Writing

log = logging.getLogger(__name__)

#: Every protocol of the product; a new driver is one line here.
PROTOCOLS: Mapping[str, ProtocolModel] = MappingProxyType({MODBUS.name: MODBUS})

TICK_S = 1.0
STOP_S = 2.5
"""How long the uplink may take to say goodbye, and the store to begin what waits."""
DRAIN_STEP_S = 0.05


def load(path: Path, language: str = "en") -> SiteSettings:
    """The site file with every protocol known, its rules tried; ConfigError with all its problems."""
    site = load_site(path, PROTOCOLS, language)
    review_names(site, [rule for pack in load_rules(site, language).packs for rule in pack.rules], language)
    return site


def planned_loads(site: SiteSettings) -> dict[str, float]:
    """The share of each line's time that its plan takes, as `vigil check --plan` has it."""
    devices: dict[str, list[DeviceSettings]] = {line.id: [] for line in site.lines}
    for device in site.devices:
        devices[device.line].append(device)
    return {line.id: PROTOCOLS[line.protocol].plan(line, devices[line.id]).load for line in site.lines}


class Gateway:
    """One site, running: lines are polled, readings judged, messages kept and sent."""

    def __init__(self, site: SiteSettings, store: Store, clock: Clock | None = None) -> None:
        self.site = site
        self.store = store
        system = clock or SystemClock()
        keeper = Timekeeper(
            system, site.clock, this_boot(), last_ts=store.outbox.last_ts, kept=kept_scale(store.documents)
        )
        self._keeper = keeper
        self.clock: Clock = keeper
        self._held = HeldRows(store, keeper, self._released, self._moved)
        given = GivenFacts(store.documents.loaded(FACTS), site)
        self._pace = pace_of(given.over(site))
        """Devices that are asked more often than the file says, for the response level."""
        asked = paced(site, self._pace)
        self._replacing = asyncio.Lock()
        self._facts_given = asyncio.Event()
        self.snapshot = Snapshot({device.id: device.points for device in asked.devices})
        self._since = self.clock.wall_ms()
        self.obey: Execute = refuse
        """Who carries MQTT commands out."""
        self.silence: Silence | None = None
        """Ends the siren, by name of who asks; None where there is none."""
        self.uplink = self._new_uplink()
        self.pipeline = Pipeline(asked, given, store, self.snapshot, self.clock, self._offer)
        self.pipeline.facts_given = self._facts_given.set
        compile_checked = doubted(identified(compile_device, self._tell_identity), self._tell_doubt)
        self.field = Field(self.clock, self.pipeline.deliver, open_line, compile_checked)
        self.field.open(self.field.plan(asked))
        self.pipeline.is_line_silent = self.field.is_silent
        self.pipeline.note = self.pipeline.alarms.note
        self.annunciator = Annunciator(
            site.annunciator,
            store.documents,
            self.clock,
            Writing(self.hands(), self.clock).write,
            self.pipeline.event,
            self._latest,
        )
        self._apprise = AppriseProcess()
        self.crew = Crew(site, store.documents, self.clock, self._make_notifier, self.pipeline.event)
        self.pipeline.alarms.announcer = Announcers(self.annunciator, self.crew)
        self.silence = self.annunciator.silence if site.annunciator is not None else None
        self.replaced = asyncio.Event()
        """Set whenever another configuration came into force; who waits for it clears it."""
        self._planned = planned_loads(asked)
        self._asking: list[asyncio.Task[None]] = []
        self._calling: list[asyncio.Task[None]] = []
        self._group: asyncio.TaskGroup | None = None
        self._uplink_task: asyncio.Task[None] | None = None
        self._health_sources: list[health.Source] = [
            health.lines(self.field.lines),
            health.line_load(self.field.pollers, lambda: self._planned, self.clock.monotonic),
            health.machine(site.state_dir),
            health.time_error(),
            health.supply(lambda: self.pipeline.judge.settings, self.snapshot, self.clock.monotonic),
            self._books,
            self.pipeline.alarms.figures,
        ]
        self._look_at_itself()

    async def run(self) -> None:
        """Run until cancelled; then stop asking, say goodbye and let go of the lines, in bounded time."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await self._held.start()
            self.pipeline.note(self.clock.wall_ms(), NOTED_START, {"version": __version__, "config": self.site.digest})
            self._start_uplink()
            self.crew.correct(self.pipeline.alarms.known)
            self._calling = [
                group.create_task(self.annunciator.run(), name="annunciator"),
                group.create_task(self.crew.run(), name="crew"),
            ]
            self._asking = [
                group.create_task(self.field.run(), name="field"),
                group.create_task(keep_house(self.store, self.pipeline), name="house"),
                group.create_task(self._keep_time(), name="time"),
                group.create_task(self._keep_pace(), name="pace"),
                group.create_task(every(TICK_S, self.pipeline.tick), name="tick"),
                group.create_task(every(health.INTERVAL_S, self._report_health), name="health"),
            ]
            try:
                await self.store.watch()
            finally:
                self._group = None
                await self._stop_asking()
                self.pipeline.remember()
                await asyncio.gather(self._stop_uplink(), self._flush())

    async def replace(self, site: SiteSettings) -> None:
        """`site` holds from now on; lines, devices and connections that are the same are not interrupted."""
        async with self._replacing:
            await self._replace(site)

    async def _replace(self, site: SiteSettings) -> None:
        pace = pace_of(self.pipeline.situation(site))
        asked = paced(site, pace)
        known = self.pipeline.judge.book if site is self.site else None  # files may be half written meanwhile
        layout, rules, planned = await asyncio.to_thread(
            lambda: (self.field.plan(asked), known or load_rules(site), planned_loads(asked))
        )
        await self.annunciator.replace(site.annunciator)  # a coil that goes is switched off while it is still known
        if pace != self._pace:
            log.info("pace_changed devices_asked_more_often=%d", len(pace))
        before, self.site, self._pace = self.site, site, pace
        self._keeper.configure(site.clock)
        self.pipeline.replace(asked, rules)
        await self.field.apply(layout)
        self._planned = planned
        self.crew.replace(site, self.pipeline.alarms.known)
        self.silence = self.annunciator.silence if site.annunciator is not None else None
        self._look_at_itself()
        clear_what_is_gone(self.store, self.pipeline)
        if site.mqtt != before.mqtt:
            await self._stop_uplink()
            self.uplink = self._new_uplink()
            self._start_uplink()
        elif self.uplink is not None:
            self.uplink.identify(self._identity())
        self.replaced.set()

    # gateway.life.vital_signs.Living

    def now(self) -> float:
        return self.clock.monotonic()

    def turned_at(self) -> float:
        return self.field.turned_at()

    def store_late_s(self) -> float:
        return self.store.late_s()

    def standing(self) -> tuple[str, int, int, bool | None, int]:
        silent = sum(1 for each in self.field.stats() if each.failures >= STALE_POLLS)
        connected = self.uplink.health().connected if self.uplink is not None else None
        return self.site.language, len(self.site.devices), silent, connected, self.store.outbox.counts().rows

    # gateway.reload.reloading.Reloadable

    def stats(self) -> list[DeviceStats]:
        """How each device has answered."""
        return self.field.stats()

    def tell(self, type_: str, data: Mapping[str, Json]) -> Row | None:
        """An event of the gateway itself."""
        return self.pipeline.event(topics.GATEWAY, type_, data)

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
        """The annunciator is left as it should be while its line is still there."""
        for task in self._calling:
            task.cancel()
        await asyncio.gather(*self._calling, return_exceptions=True)
        await asyncio.gather(self.annunciator.close(), self._apprise.close())
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self.field.close()

    async def _flush(self) -> None:
        """Begin to write what waits while goodbye is said; closing the store tells whether it could be written."""
        with contextlib.suppress(TimeoutError, StoreError):
            async with asyncio.timeout(STOP_S):
                await self.store.flush()

    def _identity(self) -> Identity:
        return Identity(self.site.id, self._since, __version__, self.site.digest)

    def _new_uplink(self) -> SiteUplink | None:
        self.store.outbox.is_awaited = self.site.mqtt is not None
        if self.site.mqtt is None:
            return None
        return SiteUplink(self.site.mqtt, self._identity(), self.store.outbox, self._obey)

    async def _obey(self, device: str, command: Command) -> Reply:
        return await self.obey(device, command)

    def _start_uplink(self) -> None:
        if self.uplink is not None and self._group is not None:
            self._uplink_task = self._group.create_task(self.uplink.run(), name="uplink")

    async def _stop_uplink(self) -> None:
        task, self._uplink_task = self._uplink_task, None
        if self.uplink is not None and task is not None:
            self.uplink.stop()
            await asyncio.wait([task], timeout=STOP_S)
            task.cancel()

    def _look_at_itself(self) -> None:
        self.health = health.Health(self.site, self._health_sources, self.clock)
        self._health_reading: Reading | None = self.health.reading()
        self.pipeline.watch_health(self.health.points)

    def _tell_identity(self, device: str, found: Mapping[str, MaybeValue] | None) -> None:
        """The wrong device answers as `device`, or the right one is back."""
        if found is None:
            log.info("device_identified device=%s", device)
            self.pipeline.event(device, "device_identified", {})
            return
        settings = next((each for each in self.site.devices if each.id == device), None)
        marks = settings.identity if settings is not None else ()
        expected: dict[str, Json] = {mark.point.name: list[Json](mark.wanted) for mark in marks}
        log.error("wrong_device device=%s found=%s expected=%s", device, dict(found), expected)
        self.pipeline.event(device, "wrong_device", {"found": dict[str, Json](found), "expected": expected})

    def _tell_doubt(self, device: str, odd: Mapping[str, Status] | None) -> None:
        """What `device` says cannot be that of its model, or can again."""
        if odd is None:
            log.info("model_plausible device=%s", device)
            self.pipeline.event(device, "model_plausible", {})
            return
        points: dict[str, Json] = {name: status.name for name, status in odd.items()}
        log.warning("model_doubtful device=%s points=%s", device, points)
        self.pipeline.event(device, "model_doubtful", {"points": points})

    def _latest(self, device: str, point: str) -> Latest | None:
        try:
            return self.snapshot.point(device, point, self.clock.monotonic())
        except KeyError:  # of a configuration that comes into force only now
            return None

    def _offer(self, row: Row) -> None:
        if self.uplink is not None and not row.held:
            self.uplink.offer(row)

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            await self._held.tick()

    async def _keep_pace(self) -> None:
        """Ask devices as often as the response level wants, whenever facts were given."""
        while True:
            await self._facts_given.wait()
            self._facts_given.clear()
            async with self._replacing:  # by the file that is in force then
                if pace_of(self.pipeline.situation(self.site)) != self._pace:
                    await self._replace(self.site)

    def _moved(self, settled: Settled) -> None:
        """The provisional times of this boot are known now."""
        self.pipeline.alarms.moved(settled.since_ms, settled.shift_ms)

    def _released(self, settled: Settled) -> None:
        """What was held while nobody knew the time may go now."""
        self._since += settled.shift_ms
        if self.uplink is not None:
            self.uplink.identify(self._identity())
            self.uplink.look_again()

    def _report_health(self) -> None:
        known = self.health.points
        self._health_reading = self.health.reading()
        if self.health.points is not known:
            self.pipeline.watch_health(self.health.points)
        self.pipeline.deliver_health(self._health_reading)

    def _books(self) -> dict[str, Value]:
        """The pipeline's, outbox's and uplink's own figures."""
        uplink = self.uplink.health() if self.uplink is not None else None
        not_understood = self._apprise.not_understood
        own = books(self.pipeline.counts, self.store.outbox.counts(), self.field, uplink, not_understood)
        own |= self.crew.health() | self.annunciator.health()
        return {**own, "clock_synced": self.clock.synced, "devices_configured": len(self.site.devices)}

    def _make_notifier(self, channel: ChannelSettings) -> Notifier:
        if channel.kind == "apprise":
            return AppriseNotifier(channel, self._apprise)
        if channel.kind == "annunciator":
            return AnnunciatorNotifier(self.annunciator)
        return EventNotifier(channel, self.pipeline.event, self.store.outbox.committed)

    def hands(self) -> SiteHands:
        """Points read and written one at a time, through the owners of the lines."""
        return SiteHands(self, compile_access, make_probe)

    def view(self) -> SiteView:
        """What the local page shows."""
        return SiteView(
            site=self.pipeline.judge.settings,
            snapshot=self.snapshot,
            judge=self.pipeline.judge,
            clock=self.clock,
            trend=self.store.history.trend,
            health=lambda: GatewayHealth(self.health.points, self._health_reading),
            tell=self.pipeline.event,
            version=__version__,
            alarms=self.pipeline.alarms,
            obey=self._obey,
            silence=self.silence,
            history=history_of(self.store),
        )
