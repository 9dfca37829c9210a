"""The sky over the site: day and night, rain, wind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, clamp, number, relax, to
from gateway.sim.plant.world import World


class Sky:
    """Temperature swings by 6 C around a mean, humidity against it; `rain` falls until it is set to 0."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self.mean_temperature = 18.0
        self.rain = 0.0
        self.wind = 2.5
        self._air = Noise(random, 0.4, 1800.0)
        self._gust = Noise(random, 0.35, 8.0)
        self._humid = Noise(random, 2.0, 1800.0)
        self._shower = Noise(random, 0.15, 30.0)
        self._inputs = {
            "temperature": number(to(self, "mean_temperature"), -40, 50),
            "rain": number(to(self, "rain"), 0, 300, off=0.0, drizzle=2.0, heavy=40.0, cloudburst=120.0),
            "wind": number(to(self, "wind"), 0, 50, calm=1.0, storm=22.0),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    def step(self, dt_s: float) -> None:
        world = self._world
        swing = 6.0 * math.sin((world.hour - 9.0) / 24.0 * 2 * math.pi)
        goal = self.mean_temperature + swing + self._air.step(dt_s) - (2.0 if self.rain else 0.0)
        world.outdoor_temperature = relax(world.outdoor_temperature, goal, dt_s, 1800.0)
        humid = 96.0 if self.rain else 62.0 - 2.5 * swing + self._humid.step(dt_s)
        world.outdoor_humidity = clamp(relax(world.outdoor_humidity, humid, dt_s, 1200.0), 5, 100)
        world.rain_mm_h = self.rain * max(0.0, 1 + self._shower.step(dt_s)) if self.rain else 0.0
        world.rain_mm += world.rain_mm_h * dt_s / 3600.0
        world.wind_m_s = max(0.0, self.wind * (1 + self._gust.step(dt_s)))

    def values(self) -> Mapping[str, Value]:
        return {}
