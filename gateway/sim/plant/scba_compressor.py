"""A breathing-air compressor: fills the bank, its filter wears, its intake may draw fumes."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, clamp, fact_number, flag, number, relax, to
from gateway.sim.plant.world import World

_FILL_MPA_H, _POWER_KW = 18.0, 7.5
#: Starts below this share of nominal, stops at the nominal pressure.
_START_SHARE = 0.93


class ScbaCompressor:
    """Facts used: bank_nominal_pressure (MPa)."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:
        self._world = world
        self._nominal_mpa = fact_number(facts, "bank_nominal_pressure", 30.0)
        self.bank_mpa = 0.98 * self._nominal_mpa
        self.leak_mpa_h = 0.02
        self.filter_h = 38.0
        self.fumes_ppm = 0.0
        self.co_ppm = 0.6
        self.stale_ppm = 0.0
        self.co2_ppm = 410.0
        self.oxygen = 20.9
        self.moisture_c = 0.0
        self.dew_c = -46.0
        self.oil_mg = 0.05
        self.heat_c = 0.0
        self.discharge_c = 24.0
        self.stopped = False
        self.running = False
        self.run_s = 3600.0 * (260.0 + random.random())
        self._noise = Noise(random, 0.05, 15.0)
        self._inputs = self._list_inputs()

    def _list_inputs(self) -> dict[str, Input]:
        return {
            "fumes": number(to(self, "fumes_ppm"), 0, 500, off=0.0),
            "stale_air": number(to(self, "stale_ppm"), 0, 5000, off=0.0),
            "oxygen": number(to(self, "oxygen"), 10, 30),
            "moisture": number(to(self, "moisture_c"), 0, 80, off=0.0),
            "oil_carry_over": number(to(self, "oil_mg"), 0, 20, off=0.05),
            "filter_hours": number(to(self, "filter_h"), 0, 1000, spent=0.0, new=50.0),
            "bank": number(self._set_bank_percent, 0, 110, empty=0.0, full=100.0),
            "bank_leak": number(to(self, "leak_mpa_h"), 0, 1000, off=0.02),
            "overheating": number(to(self, "heat_c"), 0, 200, off=0.0),
            "emergency_stop": flag(to(self, "stopped"), "pushed", "released"),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    def step(self, dt_s: float) -> None:
        hours = dt_s / 3600.0
        wanted = self.bank_mpa < self._nominal_mpa * (1.0 if self.running else _START_SHARE)
        self.running = wanted and self._world.is_supplied and not self.stopped and self.filter_h > 0
        fill = _FILL_MPA_H * hours if self.running else 0.0
        self.bank_mpa = clamp(self.bank_mpa + fill - self.leak_mpa_h * hours, 0.0, self._nominal_mpa * 1.1)
        if self.running:
            self.run_s += dt_s
            self.filter_h = max(0.0, self.filter_h - hours)
            self._world.consume(_POWER_KW)
        spent = 25.0 if self.filter_h <= 0 else 0.0
        self.co_ppm = relax(self.co_ppm, 0.6 + self.fumes_ppm, dt_s, 25.0)
        self.co2_ppm = relax(self.co2_ppm, 410.0 + self.stale_ppm, dt_s, 60.0)
        self.dew_c = relax(self.dew_c, -46.0 + self.moisture_c + spent, dt_s, 120.0)
        goal = self._world.outdoor_temperature + 5.0 + (75.0 if self.running else 0.0) + self.heat_c
        self.discharge_c = relax(self.discharge_c, goal, dt_s, 180.0)
        self._noise.step(dt_s)

    def values(self) -> Mapping[str, Value]:
        noise = self._noise.value
        return {
            "carbon_monoxide": max(0.0, self.co_ppm + noise),
            "carbon_dioxide": self.co2_ppm + 20 * noise,
            "oxygen": self.oxygen + 0.2 * noise,
            "dew_point": self.dew_c + noise,
            "oil_mist": self.oil_mg,
            "water_content": max(1.0, 12.0 + 0.8 * (self.dew_c + 46.0)),
            "bank_pressure": self.bank_mpa,
            "discharge_temperature": self.discharge_c,
            "filter_remaining": self.filter_h,
            "filter_expired": self.filter_h <= 0,
            "running": self.running,
            "filling": self.running,
            "run_time": self.run_s / 3600.0,
            "emergency_stop": self.stopped,
            "oil_pressure": 410.0 if self.running else 0.0,
            "oil_temperature": self.discharge_c * 0.6,
            "oil_level": 88.0,
            "current": 14.5 if self.running else 0.1,
            "voltage": self._world.supply_voltage * 3**0.5,
            "mains_available": self._world.mains_present,
            "high_temperature": self.discharge_c > 160,
            "temperature": self._world.outdoor_temperature + 4.0,
        }

    def _set_bank_percent(self, percent: float) -> None:
        self.bank_mpa = self._nominal_mpa * percent / 100.0
