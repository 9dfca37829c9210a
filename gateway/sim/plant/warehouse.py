"""A relief store: four zones that breathe with the day, doors, leaks, a fire panel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, clamp, flag, number, relax, to
from gateway.sim.plant.world import World

ZONES = 4
_THERMAL_S = 6 * 3600.0
_OPEN_S = 900.0
_STANDING_KW, _LIGHT_KW, _FAN_KW = 0.6, 1.8, 1.1


class Warehouse:
    """Inside follows outside slowly, quicker through an open door; damp comes in with rain."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:
        self.world = world
        self._powers_building = facts.get("covers", "whole") in ("whole", "power")
        self._temperature = [19.0 + 0.6 * random.random() for _ in range(ZONES)]
        self._humidity = [55.0 + 3.0 * random.random() for _ in range(ZONES)]
        self._noise = [Noise(random, 0.04, 30.0) for _ in range(ZONES)]
        self._damp_noise = [Noise(random, 0.25, 60.0) for _ in range(ZONES)]
        self.doors = [False] * ZONES
        self.wet = [False] * ZONES
        self.fire = False
        self.panel_fault = False
        self.smoke_ppm = 0.0
        self.heat_c = 0.0
        self.damp_percent = 0.0
        self.gas_lel = 0.0
        self.motion = False
        self.fan_on = False
        self._seen_smoke = 4.0
        self._battery = 1.0
        self.power_kw = _STANDING_KW
        self._inputs = self._list_inputs()

    def _list_inputs(self) -> dict[str, Input]:
        inputs = {
            "fire": flag(to(self, "fire")),
            "fire_panel_fault": flag(to(self, "panel_fault")),
            "smoke": number(to(self, "smoke_ppm"), 0, 5000, off=0.0),
            "heat": number(to(self, "heat_c"), -40, 60, off=0.0),
            "damp": number(to(self, "damp_percent"), -60, 60, off=0.0),
            "gas": number(to(self, "gas_lel"), 0, 100, off=0.0),
            "motion": flag(to(self, "motion")),
            "ventilation": flag(to(self, "fan_on")),
        }
        for zone in range(ZONES):
            ending = f"_{zone + 1}" if zone else ""
            inputs[f"door{ending}"] = flag(partial(self.doors.__setitem__, zone), "open", "closed")
            inputs[f"leak{ending}"] = flag(partial(self.wet.__setitem__, zone))
        return inputs

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    def step(self, dt_s: float) -> None:
        world = self.world
        open_doors = sum(self.doors)
        for zone in range(ZONES):
            near = self.doors[zone]
            tau_s = _OPEN_S if near else _THERMAL_S / (1 + open_doors)
            goal = world.outdoor_temperature + (1.5 if world.is_night else 0.5) + self.heat_c
            self._temperature[zone] = relax(self._temperature[zone], goal, dt_s, tau_s if not self.heat_c else 600.0)
            outside = world.outdoor_humidity if near else 0.35 * world.outdoor_humidity + 35.0
            damp = outside - (8.0 if self.fan_on else 0.0) + self.damp_percent + (12.0 if self.wet[zone] else 0.0)
            damp_tau_s = 600.0 if near or self.damp_percent else 2 * 3600.0
            self._humidity[zone] = relax(self._humidity[zone], clamp(damp, 5.0, 100.0), dt_s, damp_tau_s)
            self._noise[zone].step(dt_s)
            self._damp_noise[zone].step(dt_s)
        self._seen_smoke = relax(self._seen_smoke, 4.0 + self.smoke_ppm + (900.0 if self.fire else 0.0), dt_s, 8.0)
        self._battery = clamp(self._battery + dt_s / 3600.0 * (0.2 if world.is_supplied else -0.08), 0.0, 1.0)
        lit = not world.is_night or any(self.doors)
        self.power_kw = _STANDING_KW + _LIGHT_KW * lit + _FAN_KW * self.fan_on
        if self._powers_building:
            world.consume(self.power_kw)

    def values(self) -> Mapping[str, Value]:
        world = self.world
        values: dict[str, Value] = {
            "mains_available": world.mains_present,
            "mains_voltage": world.mains_voltage,
            "power": self.power_kw if world.is_supplied else 0.0,
            "battery_voltage": 24.0 + 3.2 * self._battery,
            "fire_alarm": self.fire,
            "fire_panel_fault": self.panel_fault,
            "smoke": self._seen_smoke,
            "smoke_detected": self._seen_smoke > 300,
            "combustible_gas": self.gas_lel,
            "gas_detected": self.gas_lel > 10,
            "carbon_dioxide": 460.0 + (600.0 if self.fire else 0.0),
            "carbon_monoxide": 0.4 + (80.0 if self.fire else 0.0),
            "pm1": 9.0,
            "pm25": 18.0 + 0.3 * self._seen_smoke,
            "pm10": 31.0 + 0.4 * self._seen_smoke,
            "motion_detected": self.motion or any(self.doors),
            "illuminance": 5.0 if world.is_night and not any(self.doors) else 240.0,
            "ventilation_on": self.fan_on and world.is_supplied,
            "water_level": 92.0,
        }
        for zone in range(ZONES):
            ending = f"_{zone + 1}" if zone else ""
            temperature = self._temperature[zone] + self._noise[zone].value
            humidity = clamp(self._humidity[zone] + self._damp_noise[zone].value, 0.0, 100.0)
            values[f"temperature{ending}"] = temperature
            values[f"humidity{ending}"] = humidity
            values[f"door_open{ending}"] = self.doors[zone]
            values[f"water_detected{ending}"] = self.wet[zone] or (zone == 0 and world.flooded)
            if not zone:
                values["dew_point"] = dew_point(temperature, humidity)
        return values


def dew_point(temperature: float, humidity: float) -> float:
    """Magnus formula over water, C."""
    gamma = math.log(max(humidity, 1.0) / 100.0) + 17.62 * temperature / (243.12 + temperature)
    return 243.12 * gamma / (17.62 - gamma)
