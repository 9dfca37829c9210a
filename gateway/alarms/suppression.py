"""Why an alarm is kept from being announced by design (ISA-18.2): it follows from something that is told already."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.alarms.alarm import AlarmRule, Place
from gateway.model import AlarmState, Suppression

SILENT = "device_silent"
"""The rule that tells of a device that is lost (GW-01)."""
SAME_CAUSE_MS = 300_000
"""Devices of one line that fall silent within this time of each other fell silent together."""
BEFORE_PARENT_MS = 60_000
"""So long the silence of a device is kept back while what it depends on does not answer either and is not told of yet:
lost together, they are not noticed in order."""
WORK_ORDER = "work_order"


class Surroundings(Protocol):
    """What alarms ask of the running site."""

    def sampled_at(self, device: str) -> int:
        """UTC ms of the newest sample of `device`; 0 before the first."""
        ...

    def in_maintenance(self, device: str) -> bool:
        """A work order is open on it."""
        ...

    def is_silent(self, device: str) -> bool:
        """Nothing that was read of it last can be used."""
        ...

    def is_line_silent(self, line: str) -> bool:
        """No device of it answers."""
        ...


Find = Callable[[str, str], AlarmState | None]
"""The alarm of a device's rule."""


@dataclass(frozen=True, slots=True)
class Site:
    """What a cause is looked for in."""

    places: Mapping[str, Place]
    find: Find
    knows: Callable[[str, str], bool]
    """Whether a rule makes this alarm."""
    around: Surroundings
    lost: Container[str]
    """The devices whose silence holds now, whatever the delays of telling it and its end."""


def cause(state: AlarmState, rule: AlarmRule, site: Site, *, is_new: bool) -> str:
    """What keeps the alarm from being announced, empty where nothing. `is_new`: it is about to be announced; one that
    stands already is kept back by maintenance alone, so that a lost device hides nothing."""
    device = state.device
    if not rule.safety and site.around.in_maintenance(device):
        return WORK_ORDER
    if not is_new:
        return ""
    if state.rule == SILENT:
        return _lost_with(state, site)
    is_lost = device in site.lost and _is_active(site.find(device, SILENT))
    # its first answer is news, also where more are needed before its silence is over
    return SILENT if not rule.safety and is_lost and site.around.is_silent(device) else ""


def _lost_with(state: AlarmState, site: Site) -> str:
    """What a device that is silent was lost with."""
    place = site.places.get(state.device)
    if place is None:
        return ""
    for parent in place.depends_on:
        if _is_active(site.find(parent, SILENT)) or _will_be_told(parent, state, site):
            return f"parent {parent}"
    if place.line and _has_head(state, _others(state.device, place.line, site.places), site.find):
        return f"line {place.line}" if site.around.is_line_silent(place.line) else ""
    return ""


def _will_be_told(parent: str, state: AlarmState, site: Site) -> bool:
    """Whether `parent` went as well, a little later or asked less often."""
    waited_ms = site.around.sampled_at(state.device) - state.raised_at
    return abs(waited_ms) <= BEFORE_PARENT_MS and site.knows(parent, SILENT) and site.around.is_silent(parent)


def _others(device: str, line: str, places: Mapping[str, Place]) -> Iterable[str]:
    return (name for name, each in places.items() if each.line == line and name != device)


def _has_head(state: AlarmState, others: Iterable[str], find: Find) -> bool:
    """Whether one of the others fell silent at about the same time, and people were told of it."""
    for name in others:
        other = find(name, SILENT)
        if other is None or not _is_active(other) or other.suppression is not Suppression.NONE:
            continue
        if abs(other.since - state.since) <= SAME_CAUSE_MS:
            return True
    return False


def _is_active(state: AlarmState | None) -> bool:
    return state is not None and state.condition.is_active
