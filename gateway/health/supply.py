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


def supply(site: Callable[[], SiteSettings], snapshot: Snapshot, monotonic: Callable[[], float]) -> Source:
    """The points of that UPS as far as it has them; a site without one has none of these."""

    def ask() -> dict[str, MaybeValue]:
        device = next((each for each in site().devices if _supplies(each)), None)
        if device is None:
            return {}
        known, now = {point.name for point in device.points}, monotonic()
        latest = {name: snapshot.point(device.id, name, now) for name in POINTS if name in known}
        return {name: each.value if each.is_usable else None for name, each in latest.items()}

    return ask


def _supplies(device: DeviceSettings) -> bool:
    return device.kind == "ups" and device.facts.get(FACT) is True
