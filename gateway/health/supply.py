"""What the gateway runs on: the UPS of the site that says `supplies_gateway: true` among its facts."""

from __future__ import annotations

from collections.abc import Callable

from gateway.flow.snapshot import Snapshot
from gateway.health.itself import Source
from gateway.model import MaybeValue
from gateway.settings.types import DeviceSettings, SiteSettings

FACT = "supplies_gateway"
#: Points of a UPS that are those of the gateway too.
POINTS = ("on_battery", "mains_available", "state_of_charge", "battery_voltage")
NO_INPUT = 80.0
"""Volts at the input of a UPS that does not say so itself below which it runs on its battery, as in its rules."""


def supply(site: Callable[[], SiteSettings], snapshot: Snapshot, monotonic: Callable[[], float]) -> Source:
    """The points of that UPS as far as it has them; a site without one has none of these."""

    def ask() -> dict[str, MaybeValue]:
        device = next((each for each in site().devices if _supplies(each)), None)
        if device is None:
            return {}
        known, now = {point.name for point in device.points}, monotonic()
        latest = {name: snapshot.point(device.id, name, now) for name in (*POINTS, "input_voltage") if name in known}
        return _told({name: each.value if each.is_usable else None for name, each in latest.items()})

    return ask


def _told(found: dict[str, MaybeValue]) -> dict[str, MaybeValue]:
    """With `on_battery` from what else tells it."""
    told = {name: value for name, value in found.items() if name in POINTS}
    if "on_battery" in found:
        return told
    if "mains_available" in found:
        mains = found["mains_available"]
        return {**told, "on_battery": None if mains is None else not mains}
    if "input_voltage" in found:
        voltage = found["input_voltage"]
        return {**told, "on_battery": None if voltage is None else float(voltage) < NO_INPUT}
    return told


def _supplies(device: DeviceSettings) -> bool:
    return device.kind == "ups" and device.facts.get(FACT) is True
