"""A forklift on its charger, or at work."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, clamp, fact_number, flag, number, relax, to
from gateway.sim.plant.world import World

_CELL_V = 2.0
_WORK_H, _CHARGE_H = 6.0, 8.0


class Forklift:
    """Facts used: battery_nominal_voltage, battery_capacity (Ah)."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:
        self._world = world
        self._nominal_v = fact_number(facts, "battery_nominal_voltage", 48.0)
        self._capacity_ah = fact_number(facts, "battery_capacity", 400.0)
        self.charge = 0.94
        self.fuel_percent = 78.0
        self.at_work = False
        self.plugged = True
        self.charger_failed = False
        self.vented = True
        self.hydrogen_lel = 0.2
        self.fault_code = 0.0
        self.run_s = 3600.0 * (1420.0 + random.random())
        self._noise = Noise(random, 0.02)
        self._inputs = {
            "work": flag(to(self, "at_work")),
            "plug": flag(to(self, "plugged"), "in", "out"),
            "charger": flag(self._set_charger, "normal", "failed"),
            "battery_charge": number(self._set_charge_percent, 0, 100, flat=0.0, full=100.0),
            "fuel": number(to(self, "fuel_percent"), 0, 100, empty=0.0, full=95.0),
            "ventilation": flag(to(self, "vented")),
            "fault_code": number(to(self, "fault_code"), 0, 255, none=0.0),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    @property
    def is_charging(self) -> bool:
        return self.plugged and not self.at_work and not self.charger_failed and self._world.is_supplied

    def step(self, dt_s: float) -> None:
        hours = dt_s / 3600.0
        change = hours / _CHARGE_H if self.is_charging else -hours / (_WORK_H if self.at_work else 700.0)
        self.charge = clamp(self.charge + change, 0.0, 1.0)
        if self.at_work:
            self.run_s += dt_s
            self.fuel_percent = max(0.0, self.fuel_percent - 8.0 * hours)
        gassing = self.is_charging and not self.vented
        self.hydrogen_lel = relax(self.hydrogen_lel, 30.0 if gassing else 0.2, dt_s, 1200.0)
        self._noise.step(dt_s)

    def values(self) -> Mapping[str, Value]:
        world = self._world
        current = 45.0 * (1.1 - self.charge) if self.is_charging else -95.0 if self.at_work else -0.4
        cell = 1.9 + 0.23 * self.charge + (0.12 if self.is_charging else -0.06 if self.at_work else 0.0)
        return {
            "state_of_charge": 100.0 * self.charge,
            "battery_voltage": self._nominal_v / _CELL_V * cell + self._noise.value,
            "battery_current": current,
            "battery_temperature": world.outdoor_temperature * 0.5 + 12.0 + (6.0 if self.at_work else 0.0),
            "battery_energy": self.charge * self._capacity_ah * self._nominal_v / 1000.0,
            "charging": self.is_charging,
            "charger_failure": self.charger_failed,
            "low_battery_voltage": self.charge < 0.2,
            "run_time": self.run_s / 3600.0,
            "running": self.at_work,
            "fuel_level": self.fuel_percent,
            "fuel_volume": self.fuel_percent * 0.6,
            "coolant_temperature": 78.0 if self.at_work else 24.0,
            "oil_pressure": 320.0 if self.at_work else 0.0,
            "hydrogen": self.hydrogen_lel,
            "common_fault": self.fault_code > 0,
            "fault_code": round(self.fault_code),
            **world.place(),
            "docked": self.plugged,
        }

    def _set_charger(self, normal: bool) -> None:
        self.charger_failed = not normal

    def _set_charge_percent(self, percent: float) -> None:
        self.charge = percent / 100.0
