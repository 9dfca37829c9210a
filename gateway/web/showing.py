"""What a viewer sees of the site, in one language: texts ready to be written into the page, as plain JSON shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from gateway.flow.snapshot import Latest
from gateway.model import AlarmState, Point, Priority, ReadinessState, Value, ValueType
from gateway.rules.readiness import Judgement, KindCount, roll_up
from gateway.settings.types import DeviceSettings
from gateway.web.alarm_words import ALARM_WORDS
from gateway.web.facts import causes_of, judgement_of
from gateway.web.order import first, for_tile, in_order
from gateway.web.view import Look, SiteView
from gateway.web.words import (
    ORDER,
    PRIORITIES,
    SIGNS,
    STATES,
    STATUSES,
    WORDS,
    duration,
    name_of,
    write_plain,
    write_value,
)
from gateway.wire import topics

Shown: TypeAlias = dict[str, Any]
ORDER_STEP = 5
"""Places of one state: four priorities and none."""
ASKS_BEFORE = ORDER.index(ReadinessState.IN_USE) * ORDER_STEP
"""Devices that stand before this place ask for somebody."""
#: What a header counts, worst first.
COUNTED = (ReadinessState.NOT_READY, ReadinessState.UNKNOWN, ReadinessState.DEGRADED, ReadinessState.READY)


@dataclass(frozen=True, slots=True)
class _Face:
    """One device with its points in the order they are shown."""

    settings: DeviceSettings
    points: tuple[Point, ...]
    tile: tuple[Point, ...]
    first: frozenset[str]


class Showing:
    """Texts about one running site, as it was when `refresh` last looked. `language` is `zh` or `en` everywhere."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self.view = look()
        self.alarms: Sequence[AlarmState] = self._alarms()
        self._lay_out()

    def refresh(self) -> SiteView:
        """The site as it stands now; called before each request and each round of the live streams."""
        before, self.view = self.view, self._look()
        self.alarms = self._alarms()
        if self.view.site is not before.site:
            self._lay_out()
        return self.view

    def _alarms(self) -> Sequence[AlarmState]:
        return self.view.alarms.alarms()

    def _lay_out(self) -> None:
        site = self.view.site
        self._zone = ZoneInfo(site.timezone)
        self._faces = {
            device.id: _Face(device, points, for_tile(device, points), first(device, points))
            for device in site.devices
            for points in (in_order(device, site.kinds[device.kind]),)
        }
        self.devices: Mapping[str, DeviceSettings] = {name: face.settings for name, face in self._faces.items()}

    def time(self, ts: int | None) -> str:
        """In the site's time zone: the time of day, with the date where that is not today."""
        if not ts:
            return "—"
        when = datetime.fromtimestamp(ts / 1000, UTC).astimezone(self._zone)
        today = datetime.fromtimestamp(self.view.clock.wall_ms() / 1000, UTC).astimezone(self._zone).date()
        return when.strftime("%H:%M:%S" if when.date() == today else "%m-%d %H:%M")

    def minute(self, ts: int) -> str:
        """The time of day to the minute."""
        return datetime.fromtimestamp(ts / 1000, UTC).astimezone(self._zone).strftime("%H:%M")

    def clock(self) -> str:
        return self.time(self.view.clock.wall_ms())

    def site(self, language: str) -> Shown:
        """State of the site, counts of its devices, and what must be usable against what is."""
        states = [(face.settings.kind, judgement_of(self.view, name)[0].state) for name, face in self._faces.items()]
        state, kinds = roll_up(states, self.view.site.required)
        return {
            **_state(state, language),
            "counts": {
                each.value: sum(kind.states[each] for kind in kinds.values())
                for each in (*COUNTED, ReadinessState.IN_USE, ReadinessState.OUT_OF_SERVICE)
            },
            "required": {
                kind: {"usable": count.usable, "required": count.required, "state": _required(count).value}
                for kind, count in kinds.items()
                if count.required
            },
        }

    def head(self, device: str, language: str) -> Shown:
        """One device without its points: state, since when, why."""
        judgement, since = judgement_of(self.view, device)
        return {
            **_state(judgement.state, language),
            "order": _order(judgement),
            "since": self.time(since),
            "lasting": duration(max(0, self.view.clock.wall_ms() - since), language) if since else "",
            "score": judgement.score,
            "reasons": [
                [
                    cause.reason.priority.value,
                    PRIORITIES[cause.reason.priority][language],
                    cause.reason.text[language],
                    cause.action[language] if cause.action else "",
                    self.because(device, cause.because, language),
                    cause.reason.rule,
                ]
                for cause in causes_of(self.view, device, judgement)
            ],
        }

    def tile(self, device: str, language: str) -> Shown:
        """A device as the overview shows it."""
        return {**self.head(device, language), "points": self._points(device, self._faces[device].tile, language)}

    def device(self, device: str, language: str) -> Shown:
        """A device with all its points and their times."""
        face = self._faces[device]
        return {**self.head(device, language), "points": self._points(device, face.points, language, timed=True)}

    def name(self, device: str, language: str) -> Shown:
        """What of a device never changes while the gateway runs."""
        settings = self._faces[device].settings
        return {
            "id": device,
            "name": settings.name[language] if settings.name else device,
            "kind": self.view.site.kinds[settings.kind].label[language],
        }

    def labels(self, device: str, language: str, *, tile: bool = False) -> list[Shown]:
        """What of a device's points never changes, in the order of `tile` or `device`."""
        face = self._faces[device]
        return [
            {
                "name": point.name,
                "label": name_of(point, language),
                "unit": point.unit,
                "is_number": point.type is ValueType.NUMBER,
                "is_first": point.name in face.first,
            }
            for point in (face.tile if tile else face.points)
        ]

    def point(self, device: str, name: str) -> Point | None:
        """A point of a device, None where either is not known."""
        face = self._faces.get(device)
        return next((point for point in face.points if point.name == name), None) if face else None

    def _points(
        self, device: str, points: tuple[Point, ...], language: str, *, timed: bool = False
    ) -> dict[str, list[str]]:
        """By name: text, grade, quality; and with `timed` the time."""
        now, snapshot = self.view.clock.monotonic(), self.view.snapshot
        shown = {}
        for point in points:
            sample = snapshot.point(device, point.name, now)
            shown[point.name] = [
                write_value(sample.value, point, language),
                _grade(sample),
                self._quality(sample, now, language),
            ]
            if timed:
                shown[point.name].append(self.time(sample.ts))
        return shown

    def place(self, device: str, language: str) -> str:
        """What people call a device, the gateway or the site."""
        if device == topics.SITE:
            return self.view.site.name[language]
        settings = self.devices.get(device)
        if settings is None:
            return ALARM_WORDS["gateway"][language] if device == topics.GATEWAY else device
        return settings.name[language] if settings.name else device

    def because(self, device: str, because: Mapping[str, Value], language: str) -> str:
        """The values a rule looked at, by the names people know; what it worked out of them only where that is all."""
        known = {name: point for name in because if (point := self.any_point(device, name)) is not None}
        parts = [
            f"{name_of(point, language)} {write_value(because[name], point, language)} {point.unit}".rstrip()
            for name, point in known.items()
        ] or [f"{name} {write_plain(value)}" for name, value in because.items()]
        return "，".join(parts) if language == "zh" else ", ".join(parts)

    def any_point(self, device: str, name: str) -> Point | None:
        """A point of a device or of the gateway itself."""
        if device == topics.GATEWAY:
            return next((point for point in self.view.health().points if point.name == name), None)
        return self.point(device, name)

    def _quality(self, sample: Latest, now: float, language: str) -> str:
        if sample.stale and sample.at is not None:
            return f"{WORDS['stale'][language]} {duration(int((now - sample.at) * 1000), language)}"
        return STATUSES[sample.status][language]


def _order(judgement: Judgement) -> int:
    """Where a device stands among the others: by its state, and within that by its worst reason."""
    worst = max((reason.priority.level for reason in judgement.reasons), default=0)
    return ORDER.index(judgement.state) * ORDER_STEP + Priority.CRITICAL.level - worst


def _state(state: ReadinessState, language: str) -> Shown:
    return {"state": state.value, "word": STATES[state][language], "sign": SIGNS[state]}


def _required(count: KindCount) -> ReadinessState:
    """Whether enough of a kind are usable, perhaps, or not."""
    if count.usable >= count.required:
        return ReadinessState.READY
    return ReadinessState.UNKNOWN if count.usable + count.unknown >= count.required else ReadinessState.NOT_READY


def _grade(sample: Latest) -> str:
    if sample.status.is_bad or sample.stale:
        return "bad"
    return "uncertain" if sample.status.is_uncertain else "good"
