"""The well that gathers a site's rain; one for all its pumps."""

from __future__ import annotations

from random import Random

from gateway.sim.plant.parts import Noise, clamp
from gateway.sim.plant.world import World

CATCHMENT_M2 = 3000.0
AREA_M2 = 4.0
#: Above this the pump room stands under water.
BRIM_M = 2.5
_SEEPAGE_M3_H = 0.4


class Sump:
    """Rain of the catchment runs in, pumps take out; full means that the pump room floods."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._waves = Noise(random, 0.004, 3.0)
        self.level_m = 0.85
        self.extra_m3_h = 0.0
        """Water from elsewhere: a burst pipe, a river over its bank."""
        self._taken_m3_h = 0.0

    def take(self, flow_m3_h: float) -> None:
        """A pump moves this much in the present step."""
        self._taken_m3_h += flow_m3_h

    def step(self, dt_s: float) -> None:
        inflow = self._world.rain_mm_h / 1000.0 * CATCHMENT_M2 + _SEEPAGE_M3_H + self.extra_m3_h
        change = (inflow - self._taken_m3_h) * dt_s / 3600.0 / AREA_M2
        self.level_m = clamp(self.level_m + change, 0.0, BRIM_M + 0.3)
        self._taken_m3_h = 0.0
        self._waves.step(dt_s)
        self._world.flooded = self.level_m > BRIM_M

    @property
    def shown_m(self) -> float:
        return max(0.0, self.level_m + self._waves.value)
