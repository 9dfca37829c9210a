"""A single instrument, or a board of contacts: shows the air around it and whatever a scenario says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, clamp, flag, number, relax, to
from gateway.sim.plant.warehouse import dew_point
from gateway.sim.plant.world import World

_CONTACTS = 8
#: Gas and the most a scenario may let out: ppm, or % of the lower explosive limit.
_GASES = {
    "carbon_monoxide": 2000.0,
    "hydrogen": 100.0,
    "hydrogen_sulphide": 500.0,
    "combustible_gas": 100.0,
    "smoke": 5000.0,
}


class Sensor:
    """Contacts are open, gases absent, until a scenario says otherwise; outputs keep what a client writes."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:  # noqa: ARG002 - one shape for all
        self._world = world
        self._noise = Noise(random, 0.05, 30.0)
        self._damp = Noise(random, 0.4, 60.0)
        self._air = Noise(random, 8.0, 30.0)
        self.temperature = 18.0
        self.flags: dict[str, bool] = dict.fromkeys(
            (
                "water_detected",
                "door_open",
                "motion_detected",
                "fire_alarm",
                "input_alarm",
                *(f"input_{index + 1}" for index in range(_CONTACTS)),
                *(f"output_{index + 1}" for index in range(_CONTACTS)),
            ),
            False,
        )
        self.gases = dict.fromkeys(_GASES, 0.0)
        self.shown_gases = dict.fromkeys(_GASES, 0.0)
        self.heat_c = 0.0
        self.level_m = 1.4
        self._inputs: dict[str, Input] = {
            **{name: flag(partial(self.flags.__setitem__, name)) for name in self.flags},
            **{name: number(partial(self.gases.__setitem__, name), 0, most, off=0.0) for name, most in _GASES.items()},
            "heat": number(to(self, "heat_c"), -60, 60, off=0.0),
            "level": number(to(self, "level_m"), 0, 100),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    def step(self, dt_s: float) -> None:
        goal = 0.5 * self._world.outdoor_temperature + 10.0 + self.heat_c
        self.temperature = relax(self.temperature, goal, dt_s, 120.0 if self.heat_c else 3600.0)
        for name in _GASES:
            self.shown_gases[name] = relax(self.shown_gases[name], self.gases[name], dt_s, 15.0)
        for noise in (self._noise, self._damp, self._air):
            noise.step(dt_s)

    def values(self) -> Mapping[str, Value]:
        humidity = clamp(0.3 * self._world.outdoor_humidity + 34.0 + self._damp.value, 0.0, 100.0)
        temperature = self.temperature + self._noise.value
        return {
            **self.flags,
            **self.shown_gases,
            "water_detected": self.flags["water_detected"] or self._world.flooded,
            "temperature": temperature,
            "humidity": humidity,
            "dew_point": dew_point(temperature, humidity),
            "carbon_dioxide": self._world.indoor_co2_ppm + self._air.value,
            "oxygen": 20.9,
            "gas_detected": self.shown_gases["combustible_gas"] > 10,
            "smoke_detected": self.shown_gases["smoke"] > 300,
            "pm1": 8.0,
            "pm25": 16.0,
            "pm10": 27.0,
            "illuminance": 5.0 if self._world.is_night else 260.0,
            "noise": 41.0,
            "air_pressure": 1013.0,
            "wind_speed": self._world.wind_m_s,
            "tilt": 0.4,
            "pressure": 101.3,
            "level": self.level_m,
            "distance": max(0.0, 3.0 - self.level_m),
            "battery_voltage": 12.9 + 0.1 * self._noise.value,
            "battery_current": 0.1,
            "voltage": self._world.supply_voltage,
            "current": 1.2 if self._world.is_supplied else 0.0,
            "mains_available": self._world.mains_present,
            "occupancy": 0,
            "pulse_count": round(self._world.time_s / 10),
            "latitude": self._world.latitude,
            "longitude": self._world.longitude,
            "position_fixed": True,
            "sensor_state": "ok",
        }
