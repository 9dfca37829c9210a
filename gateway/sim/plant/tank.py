"""A tank that is filled, drawn from, or leaks."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, clamp, fact_number, number, to
from gateway.sim.plant.world import World


class Tank:
    """Facts used: tank_capacity (L), tank_height (m), sensor_height (m)."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:
        self._world = world
        self._capacity_l = fact_number(facts, "tank_capacity", 10_000.0)
        self._height_m = fact_number(facts, "tank_height", 2.5)
        self._sensor_m = fact_number(facts, "sensor_height", self._height_m + 0.3)
        self.volume_l = 0.87 * self._capacity_l
        self.flow_l_h = -4.0
        self._ripple = Noise(random, 0.003, 4.0)
        self._inputs = {
            "fill": number(self._set_percent, 0, 100, empty=0.0, full=100.0),
            "flow": number(to(self, "flow_l_h"), -1e6, 1e6, off=0.0),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    def step(self, dt_s: float) -> None:
        self.volume_l = clamp(self.volume_l + self.flow_l_h * dt_s / 3600.0, 0.0, self._capacity_l)
        self._ripple.step(dt_s)

    def values(self) -> Mapping[str, Value]:
        share = self.volume_l / self._capacity_l
        level = max(0.0, share * self._height_m + self._ripple.value)
        return {
            "level": level,
            "fill_level": 100.0 * share,
            "volume": self.volume_l,
            "capacity_measured": self._capacity_l,
            "distance": self._sensor_m - level,
            "pressure": 9.8 * level,
            "temperature": 0.5 * self._world.outdoor_temperature + 8.0,
            "low_level": share < 0.2,
            "high_level": share > 0.97,
            "leak_detected": self.flow_l_h < -500,
            "contents": "fresh_water",
            "sensor_state": "ok",
            "water_detected": self._world.flooded,
        }

    def _set_percent(self, percent: float) -> None:
        self.volume_l = self._capacity_l * percent / 100.0
