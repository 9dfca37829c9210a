"""A small site with rules of its own, run through the pipeline by hand: readings in, messages and transitions out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.app import load
from gateway.flow.snapshot import Snapshot
from gateway.model import AlarmState, MaybeValue, Point, Reading, ReportPolicy, Status, Transition, ValueType
from gateway.pipeline import Pipeline
from gateway.ports import AlarmOrder, Row
from gateway.rules.given_facts import PREFIX, GivenFacts
from gateway.rules.judge import GATEWAY
from gateway.settings.types import SiteSettings
from gateway.store import StoreOptions, open_store
from gateway.wire import topics
from tests.fakes.hand_clock import HandClock

START_MS = 1_795_000_000_000
SITE = """\
schema: 1
site: {id: depot, name: {zh: 库, en: Depot}, kind: warehouse, timezone: Asia/Shanghai}
lines:
  bus: {tcp: "127.0.0.1:5020"}
  other: {tcp: "127.0.0.1:5021"}
devices:
  - {id: gen-1, kind: generator, line: bus, unit: 1, interval: 1s, points: &points {
      battery_voltage: {at: "holding:0", type: float32}, fuel_level: {at: "holding:2", type: float32},
      fail_to_start: {at: "coil:0"}, overspeed: {at: "coil:1"}, emergency_stop: {at: "coil:2"}}}
  - {id: gen-2, kind: generator, line: bus, unit: 2, interval: 1s, points: *points}
  - {id: gen-3, kind: generator, line: other, unit: 1, interval: 1s, depends_on: [gen-1], points: *points}
rules: [alarms.yaml, builtin/communication, builtin/gateway]
"""
RULES = """\
schema: 1
kind: generator
name: {zh: 试验, en: Test}
rules:
  battery_low:
    text: {zh: 电池电压低, en: Battery low}
    action: {zh: 检查充电器, en: Check the charger}
    role: maintenance
    levels:
      - {priority: medium, raise: battery_voltage < 12, clear: battery_voltage >= 13, off: 5s}
      - {priority: critical, raise: battery_voltage < 10, clear: battery_voltage >= 11, on: 2s,
         text: {zh: 电池没电, en: Battery flat}}
  fuel_low:
    text: {zh: 油量低, en: Fuel low}
    action: {zh: 加油, en: Refuel}
    role: duty
    levels: [{priority: high, raise: fuel_level < 20, clear: fuel_level >= 30}]
  fail_to_start:
    text: {zh: 启动失败, en: Failed to start}
    action: {zh: 查明原因, en: Find out why}
    role: duty
    latched: true
    levels: [{priority: critical, raise: fail_to_start}]
  emergency_stop:
    text: {zh: 急停, en: Emergency stop}
    action: {zh: 查看, en: Look}
    role: duty
    safety: true
    levels: [{priority: high, raise: emergency_stop}]
"""
NAMES = ("battery_voltage", "fuel_level", "fail_to_start", "overspeed", "emergency_stop")
FINE: Mapping[str, MaybeValue] = {
    "battery_voltage": 13.5, "fuel_level": 80.0, "fail_to_start": False, "overspeed": False, "emergency_stop": False,
}  # fmt: skip


def write_site(folder: Path, *, site: str = SITE, rules: str = RULES, extra: str = "") -> Path:
    (folder / "alarms.yaml").write_text(rules, encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(site.replace("points: *points", f"points: {_POINTS}").replace("&points ", "") + extra, "utf-8")
    return path


_POINTS = SITE.partition("&points ")[2].partition("}}}")[0] + "}}"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that left: alarms by rule."""

    device: str
    rule: str
    ts: int
    seq: int
    body: dict[str, Any] | None

    @property
    def state(self) -> str:
        return "" if self.body is None else str(self.body["state"])


class Recorder:
    """An announcer that keeps what it planned with the transition, and notes what it was told."""

    def __init__(self) -> None:
        self.planned: list[Transition] = []
        self.heard: list[Transition] = []

    def plan(self, transition: Transition) -> Mapping[str, bytes | None]:
        self.planned.append(transition)
        return {f"dispatch/{transition.number}": b"{}"}

    def told(self, transition: Transition) -> None:
        self.heard.append(transition)

    @property
    def announced(self) -> list[str]:
        return [each.after.key for each in self.heard if each.is_announcement]


class SmallSite:
    """`readings` in, `sent` out; time goes by when told."""

    def __init__(
        self, folder: Path, clock: HandClock | None = None, settings: SiteSettings | None = None, **options: Any
    ) -> None:
        """`settings` where they were read before; else from the file in `folder`, which is written where it is not."""
        self.path = folder / "site.yaml"
        if settings is None and not self.path.exists():
            write_site(folder)
        self.settings = settings or load(self.path)
        self.clock = clock or HandClock(START_MS, synced=True)
        self.store = open_store(self.settings.state_dir, StoreOptions(**options), wall_ms=self.clock.wall_ms)
        self.rows: list[Row] = []
        snapshot = Snapshot({device.id: device.points for device in self.settings.devices})
        given = GivenFacts(self.store.documents.loaded(PREFIX), self.settings)
        self.pipeline = Pipeline(self.settings, given, self.store, snapshot, self.clock, self.rows.append)
        self.announcer = Recorder()
        self.pipeline.alarms.announcer = self.announcer
        self.pipeline.watch_health([Point("disk_usage", ValueType.NUMBER, "%", 10.0, ReportPolicy(), None)])
        self.values = {device.id: dict(FINE) for device in self.settings.devices}

    @property
    def desk(self) -> Any:
        return self.pipeline.alarms

    def poll(self, device: str = "gen-1", **values: MaybeValue) -> None:
        """One reading of `device`; None is a bad value."""
        self.values[device].update(values)
        given = tuple(self.values[device][name] for name in NAMES)
        statuses = tuple(Status.Good if value is not None else Status.BadTimeout for value in given)
        self.pipeline.deliver(Reading(device, self.clock.wall_ms(), NAMES, given, statuses))

    def health(self, **values: MaybeValue) -> None:
        names = tuple(values)
        statuses = (Status.Good,) * len(names)
        self.pipeline.deliver_health(Reading(GATEWAY, self.clock.wall_ms(), names, tuple(values.values()), statuses))

    def lose(self, device: str) -> None:
        """From now on `device` does not answer."""
        self.values[device] = dict.fromkeys(NAMES)

    def pass_s(self, seconds: float, *devices: str, step_s: float = 1.0) -> None:
        """Time goes by with polls of `devices` (all, where none is named)."""
        for _ in range(round(seconds / step_s)):
            self.clock.up_s += step_s
            for device in devices or tuple(self.values):
                self.poll(device)
            self.pipeline.tick()

    def state(self, rule: str, device: str = "gen-1") -> AlarmState:
        found = self.desk._alarms._states[device, rule]
        assert isinstance(found, AlarmState)
        return found

    def condition(self, rule: str, device: str = "gen-1") -> str:
        found = self.desk._alarms.find(device, rule)
        return "NORMAL" if found is None else str(found.condition.value)

    async def order(self, act: str, rule: str, by: str = "duty-1", device: str = "gen-1", **more: Any) -> AlarmState:
        found = await self.desk.order(AlarmOrder(act, device, rule, by, "duty", **more))
        assert isinstance(found, AlarmState)
        return found

    async def settled(self) -> None:
        """Everything is on disk, and who waited for that was told."""
        await self.store.flush()
        await asyncio.sleep(0)

    def sent(self, rule: str = "", device: str = "") -> list[Sent]:
        found = []
        for row in self.rows:
            topic = topics.parse(row.topic)
            assert topic is not None
            if topic.rule is None or (rule and topic.rule != rule) or (device and topic.device != device):
                continue
            body = json.loads(b"{" + row.body) if row.body else None
            found.append(Sent(topic.device, topic.rule, row.ts, row.seq, body))
        return found

    def events(self, type_: str) -> list[dict[str, Any]]:
        bodies = [json.loads(b"{" + row.body) for row in self.rows if row.topic.endswith("/event")]
        return [each["data"] for each in bodies if each["type"] == type_]

    def close(self) -> None:
        self.pipeline.remember()
        self.store.close()
