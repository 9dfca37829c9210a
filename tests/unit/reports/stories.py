"""Journals made by hand, entry by entry, as the gateway writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.alarms.chain import Chain
from gateway.alarms.keeping import transition_json
from gateway.app import load
from gateway.model import Ack, AlarmCondition, AlarmEvent, AlarmState, Priority, Suppression, Text, Transition
from gateway.reports import Names
from gateway.store import Entry

ZONE = ZoneInfo("Asia/Shanghai")
SITE = """
schema: 1
site: {id: depot-07, name: {zh: 城东库, en: Chengdong depot}, kind: warehouse, timezone: Asia/Shanghai}
lines: {lan: {tcp: "127.0.0.1:15999"}}
devices:
  - {id: gen-1, name: {zh: 东侧发电机, en: East generator}, kind: generator, profile: dse/gencomm, line: lan, unit: 1}
  - {id: gen-2, name: {zh: "<b>西侧</b>|发电机", en: "West <script>alert(1)</script> | generator"}, kind: generator,
     profile: dse/gencomm, line: lan, unit: 2}
"""


def names(folder: Path, language: str) -> Names:
    path = folder / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return Names.of(load(path), language)


def at(clock: str, day: int = 21) -> int:
    """UTC ms of `08:15:02` of a day in November 2026, at the site."""
    hour, minute, second = (int(part) for part in f"{clock}:00".split(":")[:3])
    return round(datetime(2026, 11, day, hour, minute, second, tzinfo=ZONE).timestamp() * 1000)


def state(
    device: str, rule: str, text: Text, condition: AlarmCondition = AlarmCondition.UNACK, **more: Any
) -> AlarmState:
    fields = {"priority": Priority.HIGH, "action": Text("查看", "look"), "role": "duty", **more}
    return AlarmState(device=device, rule=rule, kind="generator", text=text, condition=condition, **fields)


class Story:
    """Writes entries one after the other."""

    def __init__(self) -> None:
        self._chain = Chain(None)
        self.entries: list[Entry] = []
        self._last: dict[str, AlarmState] = {}

    def step(self, ts: int, event: AlarmEvent, after: AlarmState, by: str = "", note: str = "") -> None:
        before = self._last.get(after.key)
        transition = Transition(
            self._chain.next_number,
            ts,
            event,
            before.condition if before is not None else AlarmCondition.NORMAL,
            before.suppression if before is not None else Suppression.NONE,
            after,
            by,
            note,
        )
        self._last[after.key] = after
        self._add(ts, "alarm", transition_json(transition))

    def event(self, ts: int, device: str, event: str, **data: Any) -> None:
        self._add(ts, "event", {"device": device, "event": event, "data": data})

    def turn(self, ts: int, device: str, before: str | None, now: str, *reasons: Text) -> None:
        told = [{"rule": "r", "text": reason.as_dict()} for reason in reasons]
        self._add(ts, "readiness", {"device": device, "before": before, "state": now, "reasons": told})

    def start(self, ts: int) -> None:
        self._add(ts, "start", {"version": "0.1.0", "config": "sha256:00"})

    def other(self, ts: int, type_: str, **data: Any) -> None:
        self._add(ts, type_, data)

    def _add(self, ts: int, type_: str, data: Mapping[str, Any]) -> None:
        self.entries.append(self._chain.add(ts, type_, data))

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)


FAIL = Text("启动失败", "Failed to start")
LOW = Text("启动电池电压低", "Starting battery voltage low")
SILENT = Text("设备没有应答", "The device does not answer")


def night() -> Story:
    """A generator that did not start because its battery was low; another one that fell silent."""
    story = Story()
    story.start(at("07:55"))
    story.turn(at("07:56"), "gen-1", None, "ready")
    low = state(
        "gen-1",
        "battery_low",
        LOW,
        since=at("21:03:11"),
        because={"battery_voltage": 11.9},
        is_first_out=True,
        occurrences=1,
    )
    story.step(at("21:03:11"), AlarmEvent.RAISE, low)
    story.turn(at("21:03:11"), "gen-1", "ready", "not_ready", LOW)
    fail = state(
        "gen-1",
        "fail_to_start",
        FAIL,
        since=at("21:03:15"),
        because={"engine_state": "locked_out"},
        first_out="battery_low",
        priority=Priority.CRITICAL,
        occurrences=1,
    )
    story.step(at("21:03:15"), AlarmEvent.RAISE, fail)
    told = {"channel": "sms-duty", "result": "accepted", "alarms": ["gen-1/battery_low"]}
    story.event(at("21:03:20"), "_site", "notice", notice="n-1", **told)
    ack = Ack("值班甲", at("21:10:00"), "已派人 <i>现场</i>查看")
    acked = replace(low, condition=AlarmCondition.ACKED, acks=(ack,))
    story.step(at("21:10:00"), AlarmEvent.ACK, acked, "值班甲", ack.note)
    silent = state(
        "gen-2",
        "device_silent",
        SILENT,
        since=at("22:00"),
        priority=Priority.MEDIUM,
        because={"silent_for": 120.0},
    )
    story.step(at("22:00"), AlarmEvent.RAISE, silent)
    story.event(at("22:05"), "gen-1", "write", by="值班乙", point="mode", value="auto", ok=True)
    gap = {"from": at("22:40"), "to": at("22:50"), "count": 1200, "why": "quota"}
    story.event(at("23:00"), "_gateway", "gap", **gap)
    done = replace(low, condition=AlarmCondition.NORMAL, is_first_out=False, because={"battery_voltage": 13.1})
    story.step(at("23:30:30"), AlarmEvent.RETURN, done)
    story.turn(at("23:30:30"), "gen-1", "not_ready", "ready")
    shelf = Ack("值班丙", at("23:45"), "等配件")
    shelved = replace(silent, shelved_until=at("07:00", 22), shelf=(shelf,))
    story.step(at("23:45"), AlarmEvent.SHELVE, shelved, "值班丙", "等配件")
    return story
