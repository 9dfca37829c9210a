"""Devices of one model share their points, and with them what is made of these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from gateway.model import Point

Made = TypeVar("Made")

_MOST_MODELS = 64


class PerModel(Generic[Made]):
    """What `make` makes of points, once for each object they are in."""

    def __init__(self, make: Callable[[Sequence[Point]], Made]) -> None:
        self._make = make
        self._made: dict[int, tuple[Sequence[Point], Made]] = {}

    def of(self, points: Sequence[Point]) -> Made:
        known = self._made.get(id(points))
        if known is not None and known[0] is points:
            return known[1]
        made = self._make(points)
        if len(self._made) >= _MOST_MODELS:
            self._made.clear()
        self._made[id(points)] = points, made
        return made
