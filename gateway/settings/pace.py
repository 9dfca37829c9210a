"""How often devices are asked while a response is active: nothing of a device is asked more rarely than its
`longest_interval` at the response level that holds for it. A level wants what milder ones want, and more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.model import Point, Value
from gateway.settings.types import DeviceSettings, SiteSettings

RESPONSE_LEVEL = "response_level"
#: From the mildest to the most severe; at no other word of the fact is anything asked more often.
LEVELS = ("IV", "III", "II", "I")


def longest_at(device: DeviceSettings, level: Value | None) -> float | None:
    """Seconds; None where `level` leaves everything of `device` as it is."""
    if level not in LEVELS:
        return None
    wanted = LEVELS[: LEVELS.index(str(level)) + 1]
    longest = min(
        (device.longest_interval_s[each] for each in wanted if each in device.longest_interval_s), default=0.0
    )
    slowest = max((point.interval_s for point in device.points), default=0.0)
    return longest if 0 < longest < max(slowest, device.interval_s) else None


def pace_of(situation: SiteSettings) -> dict[str, float]:
    """The longest interval, in seconds, of each device that is asked more often now."""
    return _pace((device, device.facts.get(RESPONSE_LEVEL)) for device in situation.devices)


def paced(site: SiteSettings, pace: Mapping[str, float]) -> SiteSettings:
    """The site with no interval of these devices longer than said; devices that are alike go on sharing points."""
    if not pace:
        return site
    return replace(site, devices=tuple(_quickened(site.devices, pace)))


def at_level(devices: Iterable[DeviceSettings], level: str) -> list[DeviceSettings]:
    """The devices as they are asked at a response level."""
    known = list(devices)
    return list(_quickened(known, _pace((device, level) for device in known)))


def _pace(levels: Iterable[tuple[DeviceSettings, Value | None]]) -> dict[str, float]:
    """The longest interval of those that their level asks more often."""
    found = ((device.id, longest_at(device, level)) for device, level in levels)
    return {device: seconds for device, seconds in found if seconds is not None}


def _quickened(devices: Iterable[DeviceSettings], pace: Mapping[str, float]) -> Iterable[DeviceSettings]:
    made: dict[tuple[int, float], tuple[Point, ...]] = {}
    for device in devices:
        longest_s = pace.get(device.id)
        if longest_s is None:
            yield device
            continue
        shared = id(device.points), longest_s
        if shared not in made:
            made[shared] = tuple(
                point if point.interval_s <= longest_s else replace(point, interval_s=longest_s)
                for point in device.points
            )
        yield replace(device, points=made[shared], interval_s=min(device.interval_s, longest_s))
