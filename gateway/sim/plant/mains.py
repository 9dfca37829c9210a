"""The public supply: noisy, and sometimes gone."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, choice, number, relax, to
from gateway.sim.plant.world import World

NOMINAL_V = 230.0


class Mains:
    """Phase voltage about 230 V, sagging a little with the hour; `power` fails and returns."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._noise = Noise(random, 0.9)
        self._wander = Noise(random, 1.5, 900.0)
        self._frequency = Noise(random, 0.012, 20.0)
        self.power = "on"
        self.voltage_percent = 100.0
        self._level = 1.0
        self._inputs = {
            "power": choice(to(self, "power"), "on", "fail", "off", "return"),
            "voltage": number(to(self, "voltage_percent"), 50, 130),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    @property
    def is_on(self) -> bool:
        return self.power in ("on", "return")

    def step(self, dt_s: float) -> None:
        world = self._world
        self._level = relax(self._level, 1.0 if self.is_on else 0.0, dt_s, 0.05)
        evening = -3.0 if 18 <= world.hour < 22 else 0.0
        noise = self._noise.step(dt_s) + self._wander.step(dt_s)
        voltage = (NOMINAL_V * self.voltage_percent / 100 + evening + noise) * self._level
        world.mains_voltage = max(0.0, voltage)
        world.mains_present = 0.85 * NOMINAL_V <= voltage <= 1.15 * NOMINAL_V
        world.mains_frequency = 50.0 + self._frequency.step(dt_s) if self.is_on else 0.0

    def values(self) -> Mapping[str, Value]:
        return {}
