"""A command vehicle: house battery, links, position."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, clamp, fact_number, flag, number, to
from gateway.sim.plant.world import World

_LOAD_KW = 0.9


class Vehicle:
    """Facts used: battery_nominal_voltage, battery_capacity (Ah), tank_capacity (L)."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:
        self._world = world
        self._nominal_v = fact_number(facts, "battery_nominal_voltage", 24.0)
        self._kwh = fact_number(facts, "battery_capacity", 300.0) * self._nominal_v / 1000.0
        self.charge = 0.99
        self.plugged = True
        self.generator_on = False
        self.fuel_percent = 84.0
        self.link_up = True
        self.satellite_up = True
        self.ignition_on = False
        self.speed_km_h = 0.0
        self.mast_up = False
        self.latitude, self.longitude = world.latitude, world.longitude
        self.odometer_km = 18234.0
        self.heading = 0.8
        self.run_s = 3600.0 * 640.0
        self._signal = Noise(random, 2.0, 30.0)
        self._inputs = self._list_inputs()

    def _list_inputs(self) -> dict[str, Input]:
        return {
            "plug": flag(to(self, "plugged"), "in", "out"),
            "generator": flag(to(self, "generator_on")),
            "battery_charge": number(self._set_charge_percent, 0, 100, flat=0.0, full=100.0),
            "fuel": number(to(self, "fuel_percent"), 0, 100, empty=0.0, full=95.0),
            "link": flag(to(self, "link_up"), "up", "down"),
            "satellite_link": flag(to(self, "satellite_up"), "up", "down"),
            "drive": number(self._set_speed, 0, 140, stop=0.0),
            "mast": flag(to(self, "mast_up"), "raised", "stowed"),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    @property
    def _is_fed(self) -> bool:
        return (self.plugged and self._world.is_supplied) or self.generator_on or self.ignition_on

    def step(self, dt_s: float) -> None:
        hours = dt_s / 3600.0
        self.charge = clamp(self.charge + (1.5 if self._is_fed else -_LOAD_KW) * hours / self._kwh, 0.0, 1.0)
        self.fuel_percent = clamp(
            self.fuel_percent - hours * ((3.0 if self.generator_on else 0.0) + 0.15 * self.speed_km_h), 0.0, 100.0
        )
        self.generator_on = self.generator_on and self.fuel_percent > 0
        way_km = self.speed_km_h * hours
        self.odometer_km += way_km
        self.heading += 0.0005 * self.speed_km_h * dt_s / 10
        self.latitude += way_km / 111.2 * math.cos(self.heading)
        self.longitude += way_km / (111.2 * math.cos(math.radians(self.latitude))) * math.sin(self.heading)
        if self.generator_on or self.ignition_on:
            self.run_s += dt_s
        self._signal.step(dt_s)

    def values(self) -> Mapping[str, Value]:
        fed = self._is_fed
        return {
            "state_of_charge": 100.0 * self.charge,
            "battery_voltage": self._nominal_v * (0.97 + 0.09 * self.charge + (0.06 if fed else 0.0)),
            "battery_current": 0.5 if fed else -1000.0 * _LOAD_KW / self._nominal_v,
            "battery_temperature": 23.0,
            "battery_time_remaining": 60.0 * self.charge * self._kwh / _LOAD_KW,
            "on_battery": not fed,
            "mains_available": self.plugged and self._world.is_supplied,
            "starter_battery_voltage": 13.4 if self.ignition_on else 12.7,
            "generator_running": self.generator_on,
            "fuel_level": self.fuel_percent,
            "load": 18.0,
            "output_power": _LOAD_KW,
            "link_up": self.link_up,
            "satellite_link_up": self.satellite_up,
            "signal_strength": -71.0 + self._signal.value if self.link_up else -120.0,
            "latitude": self.latitude,
            "longitude": self.longitude,
            "position_fixed": True,
            "ground_speed": self.speed_km_h,
            "odometer": self.odometer_km,
            "ignition_on": self.ignition_on,
            "location": "depot",
            "docked": self.plugged,
            "run_time": self.run_s / 3600.0,
            "temperature": 0.6 * self._world.outdoor_temperature + 9.0,
            "humidity": 48.0,
            "mast_raised": self.mast_up,
            "water_level": 76.0,
            "common_alarm": not self.link_up,
        }

    def _set_charge_percent(self, percent: float) -> None:
        self.charge = percent / 100.0

    def _set_speed(self, speed: float) -> None:
        self.speed_km_h = speed
        self.ignition_on = speed > 0
        if speed:
            self.plugged = False
