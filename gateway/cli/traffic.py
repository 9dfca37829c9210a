"""How much a site sends, computed with the real encoder from the report policies of its points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.model import Point, QualityCount, ReadinessState, Value, ValueType
from gateway.ports import Row
from gateway.settings.types import DeviceSettings, SiteSettings
from gateway.wire import encode, topics
from gateway.wire.messages import DeviceReadiness, KindCount, Message, SiteReadiness, Telemetry

DAY_S = 86400.0
EVERY_S = 60.0
"""How often readiness, the counts of quality and the gateway's health are sent (contract, section 4)."""

_OUTBOX = "0123456789ab"
_TS = 1_763_764_800_123
_MQTT = 8
"""Fixed header, length of the topic, packet id and property length of a QoS 1 publish (MQTT 5.0, section 3.3)."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes a day handed to the broker: topic, payload and MQTT header, without TCP, IP and TLS."""

    at_rest: float
    """No value changes."""
    at_most: float
    """Every value changes at every poll."""

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(self.at_rest + other.at_rest, self.at_most + other.at_most)


def site_traffic(site: SiteSettings) -> Traffic:
    """All messages of a site but alarms and events."""
    total = Traffic(0.0, 0.0)
    for device in site.devices:
        total += device_traffic(site, device)
    health = [(name, _sample(point.type, ())) for name, point in site.kinds["gateway"].points.items()]
    own = _size(topics.telemetry(site.id, topics.GATEWAY), _telemetry(site, "gateway", dict(health), None))
    roll_up = _size(topics.readiness(site.id, topics.SITE), _site(site))
    fixed = (own + roll_up) * DAY_S / EVERY_S
    return total + Traffic(fixed, fixed)


def device_traffic(site: SiteSettings, device: DeviceSettings) -> Traffic:
    """Telemetry and readiness of one device."""
    rest = sum(_a_day(site, device, points, period) for period, points in _by_period(device.points).items())
    most = sum(_a_day(site, device, points, period) for period, points in _by_interval(device.points).items())
    quality = QualityCount(len(device.points), 0, 0, "Good")
    counts = len(encode.body(_telemetry(site, device.kind, {}, quality))) - len(
        encode.body(_telemetry(site, device.kind, {}, None))
    )
    readiness = DeviceReadiness(device.kind, site.labels, ReadinessState.READY, _TS, _TS, 100)
    fixed = (_size(topics.readiness(site.id, device.id), readiness) + counts) * DAY_S / EVERY_S
    return Traffic(rest + fixed, most + fixed)


def _by_period(points: Iterable[Point]) -> Mapping[float, list[Point]]:
    """Points by how often they are sent while nothing changes."""
    groups: dict[float, list[Point]] = {}
    for point in points:
        period = point.interval_s if point.report.poll else max(point.interval_s, point.report.every_s)
        groups.setdefault(period, []).append(point)
    return groups


def _by_interval(points: Iterable[Point]) -> Mapping[float, list[Point]]:
    groups: dict[float, list[Point]] = {}
    for point in points:
        groups.setdefault(point.interval_s, []).append(point)
    return groups


def _a_day(site: SiteSettings, device: DeviceSettings, points: Iterable[Point], period_s: float) -> float:
    values = {point.name: _sample(point.type, point.words) for point in points}
    message = _telemetry(site, device.kind, values, None)
    return _size(topics.telemetry(site.id, device.id), message) * DAY_S / period_s


def _sample(kind: ValueType, words: Iterable[str]) -> Value:
    """A value of ordinary length."""
    if kind is ValueType.BOOLEAN:
        return False
    return 123.4 if kind is ValueType.NUMBER else max(words, key=len, default="word")


def _telemetry(site: SiteSettings, kind: str, values: Mapping[str, Value], quality: QualityCount | None) -> Telemetry:
    return Telemetry(kind, site.labels, True, values, {}, {}, quality=quality)


def _site(site: SiteSettings) -> SiteReadiness:
    location = (site.latitude or 0.0, site.longitude or 0.0)
    kinds = {device.kind: KindCount() for device in site.devices}
    return SiteReadiness(site.kind, site.labels, ReadinessState.READY, _TS, site.name, location, kinds)


def _size(topic: str, message: Message) -> int:
    row = Row(1, _TS, topic, encode.body(message), retain=False, rank=2)
    return len(encode.frame(_OUTBOX, row)) + len(topic) + _MQTT
