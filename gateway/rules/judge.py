"""Keeps the readiness of every device of a site up to date: told of readings, asked on a tick.

A change is told at once; what did not change is told again every minute, so that `valid_until` never runs out while the
gateway lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.flow.snapshot import Snapshot
from gateway.model import Readiness, ReadinessState, Reading, Status, Text
from gateway.rules.readiness import Judgement, KindCount, judge, roll_up
from gateway.settings.types import DeviceSettings, SiteSettings

REPEAT_S = 60.0
VALID_MS = 180_000


@dataclass(frozen=True, slots=True)
class SiteVerdict:
    """The roll-up of a site at `ts`."""

    ts: int
    state: ReadinessState
    valid_until: int
    kinds: dict[str, KindCount]


@dataclass(slots=True)
class _Device:
    settings: DeviceSettings
    groups: tuple[tuple[str, ...], ...]
    labels: Mapping[str, Text]
    watched: tuple[str, ...]
    """The points readiness depends on."""
    statuses: dict[tuple[str, ...], tuple[Status, ...]] = field(default_factory=dict)
    judgement: Judgement | None = None
    since: int = 0
    told_at: float = 0.0


class Judge:
    """Readiness of all devices of one site and of the site; times are given, never looked up.

    `now` is monotonic seconds, `ts` UTC milliseconds. `snapshot` already holds a reading when it is told here.
    """

    def __init__(self, site: SiteSettings, snapshot: Snapshot) -> None:
        self._site = site
        self._snapshot = snapshot
        self._devices = {device.id: _watch(device, site) for device in site.devices}
        self._verdict: SiteVerdict | None = None
        self._told_at = 0.0

    def update(self, reading: Reading, now: float) -> Readiness | None:
        """The device's readiness, if the reading changed it or it is due to be told again."""
        device = self._devices[reading.device]
        known = device.statuses.get(reading.points)
        is_settled = device.judgement is not None and device.judgement.state is not ReadinessState.UNKNOWN
        if known == reading.statuses and is_settled and now - device.told_at < REPEAT_S:
            return None
        device.statuses[reading.points] = reading.statuses
        return self._tell(device, now, reading.ts)

    def tick(self, now: float, ts: int) -> list[Readiness]:
        """Readiness that time alone changed (points grew old) or that is due to be told again."""
        told = (self._tell(device, now, ts) for device in self._devices.values())
        return [readiness for readiness in told if readiness is not None]

    def site(self, now: float, ts: int) -> SiteVerdict | None:
        """The roll-up, if it changed or is due to be told again."""
        states = [
            (device.settings.kind, device.judgement.state if device.judgement else ReadinessState.UNKNOWN)
            for device in self._devices.values()
        ]
        state, counts = roll_up(states, self._site.required)
        last = self._verdict
        is_same = last is not None and last.state is state and last.kinds == counts
        if is_same and now - self._told_at < REPEAT_S:
            return None
        self._verdict, self._told_at = SiteVerdict(ts, state, ts + VALID_MS, counts), now
        return self._verdict

    def standing(self, device: str) -> tuple[Judgement, int] | None:
        """The judgement on `device` as it stands and since when (UTC ms); None before the first."""
        found = self._devices[device]
        return (found.judgement, found.since) if found.judgement else None

    @property
    def site_state(self) -> ReadinessState:
        return self._verdict.state if self._verdict else ReadinessState.UNKNOWN

    def _tell(self, device: _Device, now: float, ts: int) -> Readiness | None:
        usable = {name: self._snapshot.point(device.settings.id, name, now).is_usable for name in device.watched}
        judgement = judge(device.groups, usable, device.labels)
        previous = device.judgement
        if judgement == previous and now - device.told_at < REPEAT_S:
            return None
        if previous is None or previous.state is not judgement.state:
            device.since = ts
        device.judgement, device.told_at = judgement, now
        return Readiness(
            device.settings.id, ts, judgement.state, device.since, ts + VALID_MS, judgement.score, judgement.reasons
        )


def _watch(device: DeviceSettings, site: SiteSettings) -> _Device:
    facts = {**site.facts, **device.facts}
    groups = tuple(
        requirement.points
        for requirement in device.mandatory
        if all(facts.get(name) == value for name, value in requirement.when.items())
    )
    names = tuple(point.name for point in device.points)
    asked = {name for group in groups for name in group}
    labels = {name: point.label for name, point in site.kinds[device.kind].points.items()}
    labels |= {point.name: point.label for point in device.points if point.label}
    watched = tuple(name for name in names if name in asked) if groups else names
    return _Device(device, groups, labels, watched)
