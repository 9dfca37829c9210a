"""What must be seen of a device before it can be called ready."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gateway.model import Value
from gateway.settings.types import DeviceSettings

_NUMBERED = re.compile(r"(.+)_[2-9]")


def groups_of(device: DeviceSettings, facts: Mapping[str, Value]) -> tuple[tuple[str, ...], ...]:
    """The requirements that hold with these facts, each as the points of which one must be usable.

    A point that must be seen is one of several like it where the device has more of them (`temperature_2`): each must.
    """
    asked = tuple(
        requirement.points
        for requirement in device.mandatory
        if all(facts.get(name) == value for name, value in requirement.when.items())
    )
    alone = {group[0] for group in asked if len(group) == 1}
    more = (
        (name,) for name in (point.name for point in device.points) if _stem(name) in alone and (name,) not in asked
    )
    return (*asked, *more)


def watched_by(device: DeviceSettings, groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The points of a device that readiness depends on; all where none must be seen."""
    names = tuple(point.name for point in device.points)
    asked = {name for group in groups for name in group}
    return tuple(name for name in names if name in asked) if asked else names


def _stem(name: str) -> str:
    found = _NUMBERED.fullmatch(name)
    return found[1] if found else ""
