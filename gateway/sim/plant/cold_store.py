"""A cold store with thermostat, door and defrost."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, choice, fact_number, flag, relax, substeps, to
from gateway.sim.plant.world import World

_BAND_C = 1.5


class ColdStore:
    """Facts used: temperature_minimum, temperature_maximum (C)."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:
        self._world = world
        self._low_c = fact_number(facts, "temperature_minimum", 2.0)
        self._high_c = fact_number(facts, "temperature_maximum", 8.0)
        self._aim_c = (self._low_c + self._high_c) / 2
        self.temperature = self._aim_c
        self.is_open = False
        self.compressor = "normal"
        self.cooling = False
        self._noise = Noise(random, 0.05, 20.0)
        self._inputs = {
            "door": flag(to(self, "is_open"), "open", "closed"),
            "compressor": choice(to(self, "compressor"), "normal", "failed", "stuck_on"),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    def step(self, dt_s: float) -> None:
        pieces, piece = substeps(dt_s, 60.0)
        for _ in range(pieces):
            self._live(piece)
        self._noise.step(dt_s)
        if self.cooling:
            self._world.consume(1.4)

    def _live(self, dt_s: float) -> None:
        above = self.temperature > self._aim_c + (_BAND_C if not self.cooling else -_BAND_C)
        wanted = above or self.compressor == "stuck_on"
        self.cooling = wanted and self.compressor != "failed" and self._world.is_supplied
        goal = self._aim_c - 12.0 if self.cooling else self._world.outdoor_temperature + 3.0
        tau_s = 1200.0 if self.is_open else 3600.0
        self.temperature = relax(self.temperature, goal, dt_s, tau_s)

    def values(self) -> Mapping[str, Value]:
        shown = self.temperature + self._noise.value
        return {
            "temperature": shown,
            "temperature_2": shown + 0.3,
            "temperature_3": shown - 0.2,
            "temperature_4": shown + 0.5,
            "humidity": 72.0,
            "door_open": self.is_open,
            "compressor_running": self.cooling,
            "defrosting": False,
            "evaporator_temperature": shown - (9.0 if self.cooling else 1.0),
            "high_temperature": shown > self._high_c,
            "low_temperature": shown < self._low_c,
            "mains_available": self._world.mains_present,
            "battery_voltage": 12.9,
            "power": 1.4 if self.cooling else 0.1,
            "common_alarm": not self._low_c <= shown <= self._high_c,
        }
