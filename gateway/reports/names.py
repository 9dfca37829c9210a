"""What things are called in a report, and how times and values are written. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from gateway.model import Text, Value
from gateway.settings.types import SiteSettings

GATEWAY = "gateway"
OWN = {"_gateway": Text("网关", "gateway"), "_site": Text("站点", "site")}


@dataclass(frozen=True, slots=True)
class Called:
    """What a point is called, its unit, and the words of its values."""

    label: Text
    unit: str = ""
    words: Mapping[str, Text] = field(default_factory=lambda: MappingProxyType({}))


#: What rules look at beside points.
BUILT_IN: Mapping[str, Called] = MappingProxyType(
    {
        "silent_for": Called(Text("无应答时长", "silent for"), "s"),
        "poll_interval": Called(Text("轮询周期", "poll interval"), "s"),
        "good_polls": Called(Text("连续有效轮询次数", "good polls in a row")),
        "points_out_of_range": Called(Text("超出范围的测点", "points out of range")),
        "out_of_range_samples": Called(Text("连续超出范围次数", "readings out of range in a row")),
    }
)
#: Of these, what is measured in seconds.
DURATIONS = frozenset({"silent_for", "poll_interval"})


@dataclass(frozen=True, slots=True)
class Names:
    """Names of a site and its devices, labels and units of points, in one language."""

    language: str
    zone: ZoneInfo
    site: str
    site_name: Text
    devices: Mapping[str, Text]
    points: Mapping[tuple[str, str], Called]
    """By device and point."""
    facts: Mapping[tuple[str, str], Called]
    """By device (or `_gateway`, `_site`) and fact."""

    @classmethod
    def of(cls, site: SiteSettings, language: str) -> Names:
        """Those of the site file as it is now."""
        points = {
            (device.id, point.name): Called(point.label or Text(point.name, point.name), point.unit, point.words)
            for device in site.devices
            for point in device.points
        }
        if GATEWAY in site.kinds:
            own = site.kinds[GATEWAY].points.values()
            points |= {("_gateway", point.name): Called(point.label, point.unit, point.words) for point in own}
        devices = {device.id: device.name or site.kinds[device.kind].label for device in site.devices}
        kinds = {"_gateway": GATEWAY, "_site": site.kind, **{device.id: device.kind for device in site.devices}}
        facts = {
            (device, fact.name): Called(fact.label, fact.unit, fact.words)
            for device, kind in kinds.items()
            if kind in site.kinds
            for fact in site.kinds[kind].facts.values()
        }
        return cls(language, ZoneInfo(site.timezone), site.id, site.name, devices, points, facts)

    def say(self, text: Text) -> str:
        return text[self.language]

    def each(self, *words: str) -> tuple[str, ...]:
        """Each of `中文|English`, in the language of the report."""
        return tuple(word.partition("|")[0 if self.language == "zh" else 2] for word in words)

    def of_site(self) -> str:
        return self._with_id(self.site_name[self.language], self.site)

    def of_device(self, device: str) -> str:
        """`东侧发电机（gen-1）`; the id alone for a device that is no longer in the file."""
        if device in OWN:
            return OWN[device][self.language]
        name = self.devices.get(device)
        return device if name is None else self._with_id(name[self.language], device)

    def _with_id(self, name: str, id_: str) -> str:
        if name == id_:
            return name
        return f"{name}（{id_}）" if self.language == "zh" else f"{name} ({id_})"

    def when(self, ts: int) -> str:
        """Local time to the second: `2026-11-22 08:15:02`."""
        return datetime.fromtimestamp(ts / 1000, UTC).astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def point(self, device: str, point: str) -> Called | None:
        """What a point is called; None for one that is not in the file."""
        return self.points.get((device, point))

    def fact(self, device: str, fact: str) -> Called | None:
        """What a fact of a device, of `_site` or `_gateway` is called; None for one the vocabulary has not."""
        return self.facts.get((device, fact))

    def value(self, device: str, point: str, value: Value) -> str:
        """`启动电池电压 11.9 V`."""
        called = self.point(device, point) or self.fact(device, point) or BUILT_IN.get(point)
        called = called or Called(Text(point, point))
        return f"{called.label[self.language]} {self.shown(called, value, is_duration=point in DURATIONS)}"

    def shown(self, called: Called, value: Value | None, *, is_duration: bool = False) -> str:
        """`11.9 V`, or a word."""
        shown = _number(value, is_duration=is_duration) if isinstance(value, float) else str(value)
        if value is None:
            return self.say(Text("未设定", "not set"))
        if isinstance(value, bool):
            shown = self.say(Text("是", "true") if value else Text("否", "false"))
        elif isinstance(value, str) and value in called.words:
            shown = self.say(called.words[value])
        return f"{shown} {called.unit}".rstrip()

    def values(self, device: str, because: Mapping[str, Any]) -> str:
        """All values a rule looked at, without what it derived from them and has no name for people; empty where none
        is recorded."""
        comma = "，" if self.language == "zh" else ", "
        named = {key for of, key in (*self.points, *self.facts) if of == device}
        return comma.join(
            self.value(device, point, value)
            for point, value in because.items()
            if point in named or point in BUILT_IN or not named
        )


def _number(value: float, *, is_duration: bool) -> str:
    """To the thousandth; seconds as people count them."""
    if is_duration and value >= 10:
        return str(round(value))
    shown = round(value, 1 if is_duration else 3) or value
    return str(int(shown)) if shown.is_integer() else f"{shown:.12g}"
