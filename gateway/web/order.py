"""Which points come first: the vocabulary lists them as an operator asks for them; the rest is folded away."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.model import Point, ValueType
from gateway.settings.types import DeviceSettings, Kind

TILE_POINTS = 6
#: Of the points of a tile, so many words and flags at most while there are numbers to show.
TILE_WORDS = 3
#: Points of a device's table that are not folded away.
FIRST_POINTS = 14
_NUMBERED = re.compile(r"(_l?\d+)+$")


def in_order(device: DeviceSettings, kind: Kind) -> tuple[Point, ...]:
    """The device's points in the vocabulary's order; those it does not know come last, as written."""
    places = {name: place for place, name in enumerate(kind.points)}
    return tuple(sorted(device.points, key=lambda point: places.get(point.name, len(places))))


def first(device: DeviceSettings, points: Sequence[Point]) -> frozenset[str]:
    """Names of the points that are not folded away: what readiness asks for, and the first of `points`."""
    return frozenset({point.name for point in points[:FIRST_POINTS]} | _mandatory(device))


def for_tile(device: DeviceSettings, points: Sequence[Point]) -> tuple[Point, ...]:
    """The few of `points` (in order) that a tile shows: what readiness asks for before others, one of each family,
    numbers and words mixed."""
    words: list[Point] = []
    numbers: list[Point] = []
    seen: set[str] = set()
    mandatory = _mandatory(device)
    for point in sorted(points, key=lambda point: point.name not in mandatory):
        family = _family(point)
        if family not in seen:
            seen.add(family)
            (numbers if point.type is ValueType.NUMBER else words).append(point)
    few = words[: max(TILE_WORDS, TILE_POINTS - len(numbers))]
    chosen = {point.name for point in (few + numbers)[:TILE_POINTS]}
    return tuple(point for point in points if point.name in chosen)


def _mandatory(device: DeviceSettings) -> set[str]:
    return {name for requirement in device.mandatory for name in requirement.points}


def _family(point: Point) -> str:
    """`mode` for `mode` and `mode_auto`, `temperature` for `temperature_2`: tiles show one of them."""
    if point.type is ValueType.NUMBER:
        return _NUMBERED.sub("", point.name)
    return point.name.partition("_")[0]
