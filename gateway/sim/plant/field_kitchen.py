"""A field kitchen: gas, water, a cold store and a hot hold."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, clamp, fact_number, flag, number, relax, to
from gateway.sim.plant.world import World

_WATER_L_H, _GAS_KG_H = 120.0, 2.5


class FieldKitchen:
    """Facts used: battery_nominal_voltage, water_capacity (L)."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:
        self._world = world
        self._strings = fact_number(facts, "battery_nominal_voltage", 12.0) / 12.0
        self._tank_l = fact_number(facts, "water_capacity", 1000.0)
        self.water_percent = 94.0
        self.cooking = False
        self.gas_leak_lel = 0.0
        self.gas_lel = 0.0
        self.fumes_ppm = 0.0
        self.co_ppm = 0.5
        self.gas_kg = 42.0
        self.cooler_failed = False
        self.cold_c = 4.0
        self.hot_c = 68.0
        self.hot_hold_on = True
        self.charge = 0.98
        self.charger_on = True
        self.fire = False
        self.is_open = False
        self._noise = Noise(random, 0.05, 20.0)
        self._inputs = self._list_inputs()

    def _list_inputs(self) -> dict[str, Input]:
        return {
            "cooking": flag(to(self, "cooking")),
            "gas_leak": number(to(self, "gas_leak_lel"), 0, 100, off=0.0),
            "fumes": number(to(self, "fumes_ppm"), 0, 2000, off=0.0),
            "gas": number(to(self, "gas_kg"), 0, 100, empty=0.0),
            "water": number(to(self, "water_percent"), 0, 100, empty=0.0, full=100.0),
            "cooler": flag(self._set_cooler, "normal", "failed"),
            "hot_hold": flag(to(self, "hot_hold_on")),
            "battery_charge": number(self._set_charge_percent, 0, 100, flat=0.0, full=100.0),
            "charger_breaker": flag(to(self, "charger_on")),
            "fire": flag(to(self, "fire")),
            "door": flag(to(self, "is_open"), "open", "closed"),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    @property
    def is_charging(self) -> bool:
        return self.charger_on and self._world.is_supplied

    def step(self, dt_s: float) -> None:
        hours = dt_s / 3600.0
        self.gas_lel = relax(self.gas_lel, self.gas_leak_lel, dt_s, 20.0)
        self.co_ppm = relax(self.co_ppm, 0.5 + self.fumes_ppm + (4.0 if self.cooking else 0.0), dt_s, 60.0)
        cold_goal = self._world.outdoor_temperature if self.cooler_failed or self.charge <= 0 else 4.0
        self.cold_c = relax(self.cold_c, cold_goal, dt_s, 1500.0)
        self.hot_c = relax(self.hot_c, 68.0 if self.hot_hold_on else self._world.outdoor_temperature, dt_s, 2400.0)
        if self.cooking:
            self.water_percent = max(0.0, self.water_percent - 100.0 * _WATER_L_H * hours / self._tank_l)
            self.gas_kg = max(0.0, self.gas_kg - _GAS_KG_H * hours)
        self.charge = clamp(self.charge + hours * (0.15 if self.is_charging else -0.05), 0.0, 1.0)
        self._noise.step(dt_s)

    def values(self) -> Mapping[str, Value]:
        world = self._world
        return {
            "combustible_gas": clamp(self.gas_lel + 0.2 * abs(self._noise.value), 0.0, 100.0),
            "gas_detected": self.gas_lel > 10,
            "carbon_monoxide": self.co_ppm,
            "water_level": self.water_percent,
            "water_volume": self.water_percent / 100.0 * self._tank_l,
            "cold_store_temperature": self.cold_c + self._noise.value,
            "hot_hold_temperature": self.hot_c + self._noise.value,
            "battery_voltage": self._strings * (11.6 + 1.15 * self.charge + (0.85 if self.is_charging else 0.0)),
            "state_of_charge": 100.0 * self.charge,
            "charging": self.is_charging,
            "mains_available": world.mains_present,
            "gas_weight": self.gas_kg,
            "exhaust_fan_on": self.cooking,
            "temperature": world.outdoor_temperature + (7.0 if self.cooking else 2.0),
            "humidity": 70.0 if self.cooking else 50.0,
            "smoke_detected": self.fire,
            "fire_alarm": self.fire,
            "door_open": self.is_open,
            "power": 3.5 if self.cooking else 0.4,
            **world.place(),
        }

    def _set_cooler(self, normal: bool) -> None:
        self.cooler_failed = not normal

    def _set_charge_percent(self, percent: float) -> None:
        self.charge = percent / 100.0
