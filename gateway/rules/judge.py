"""Keeps the readiness of every device of a site up to date: fed with readings, asked on a tick.

A change is told at once; what did not change is told again every minute, so that `valid_until` never runs out while the
gateway lives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.model import Readiness, ReadinessState, Reading, Status
from gateway.rules.readiness import Judgement, KindCount, Sight, judge, roll_up, stale_after_s
from gateway.settings.types import DeviceSettings, SiteSettings

REPEAT_S = 60.0
VALID_MS = 180_000


@dataclass(frozen=True, slots=True)
class SiteReadiness:
    """The roll-up of a site at `ts`."""

    ts: int
    state: ReadinessState
    valid_until: int
    kinds: dict[str, KindCount]


@dataclass(slots=True)
class _Device:
    settings: DeviceSettings
    groups: tuple[tuple[str, ...], ...]
    stale_after_s: dict[str, float]
    soonest_stale_s: float
    seen: dict[tuple[str, ...], tuple[tuple[Status, ...], float]] = field(default_factory=dict)
    judgement: Judgement | None = None
    since: int = 0
    told_at: float = 0.0

    def sights(self, now: float) -> dict[str, Sight]:
        found = {
            point.name: Sight(Status.BadWaitingForInitialData, 0.0, self.stale_after_s[point.name])
            for point in self.settings.points
        }
        latest: dict[str, float] = {}
        for points, (statuses, at) in self.seen.items():
            for name, status in zip(points, statuses, strict=True):
                if at >= latest.get(name, at):
                    latest[name] = at
                    found[name] = Sight(status, now - at, self.stale_after_s[name])
        return found


class Judge:
    """Readiness of all devices of one site and of the site; times are given, never looked up."""

    def __init__(self, site: SiteSettings) -> None:
        self._site = site
        self._devices = {device.id: _track(device) for device in site.devices}
        self._rolled: ReadinessState | None = None
        self._counts: dict[str, KindCount] | None = None
        self._site_told_at = 0.0

    def update(self, reading: Reading, now: float) -> Readiness | None:
        """Take one reading in; the device's readiness if it changed by it or is due to be told again."""
        device = self._devices[reading.device]
        before = device.seen.get(reading.points)
        device.seen[reading.points] = (reading.statuses, now)
        is_same = before is not None and before[0] == reading.statuses and now - before[1] <= device.soonest_stale_s
        if is_same and now - device.told_at < REPEAT_S:
            return None
        return self._tell(device, now, reading.ts)

    def tick(self, now: float, ts: int) -> list[Readiness]:
        """Readiness that time alone changed (points grew old) or that is due to be told again."""
        told = (self._tell(device, now, ts) for device in self._devices.values())
        return [readiness for readiness in told if readiness is not None]

    def site(self, now: float, ts: int) -> SiteReadiness | None:
        """The roll-up, if it changed or is due to be told again."""
        states = [
            (device.settings.kind, device.judgement.state if device.judgement else ReadinessState.UNKNOWN)
            for device in self._devices.values()
        ]
        state, counts = roll_up(states, self._site.required)
        if state is self._rolled and counts == self._counts and now - self._site_told_at < REPEAT_S:
            return None
        self._rolled, self._counts, self._site_told_at = state, counts, now
        return SiteReadiness(ts, state, ts + VALID_MS, counts)

    def states(self) -> Iterable[tuple[DeviceSettings, Judgement | None]]:
        """What is known now, for the local page."""
        return [(device.settings, device.judgement) for device in self._devices.values()]

    def _tell(self, device: _Device, now: float, ts: int) -> Readiness | None:
        judgement = judge(device.groups, device.sights(now))
        previous = device.judgement
        if judgement == previous and now - device.told_at < REPEAT_S:
            return None
        if previous is None or previous.state is not judgement.state:
            device.since = ts
        device.judgement, device.told_at = judgement, now
        return Readiness(
            device.settings.id, ts, judgement.state, device.since, ts + VALID_MS, judgement.score, judgement.reasons
        )


def _track(device: DeviceSettings) -> _Device:
    groups: Sequence[tuple[str, ...]] = tuple(requirement.points for requirement in device.mandatory)
    stale = {point.name: stale_after_s(point.interval_s) for point in device.points}
    return _Device(device, tuple(groups), stale, min(stale.values(), default=0.0))
