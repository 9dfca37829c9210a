"""An uninterruptible supply: takes over without a gap, empties, charges again."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, clamp, fact_number, flag, number, to
from gateway.sim.plant.world import World

_CHARGE_H = 5.0


class Ups:
    """Facts used: battery_nominal_voltage, battery_capacity (Ah), rated_power (kW)."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:
        self._world = world
        self._nominal_v = fact_number(facts, "battery_nominal_voltage", 24.0)
        self._kwh = fact_number(facts, "battery_capacity", 100.0) * self._nominal_v / 1000.0
        self._rated_kw = fact_number(facts, "rated_power", 2.0)
        self.charge = 1.0
        self.load_percent = 32.0
        self.energy_kwh = 1480.0
        self.worn = False
        self.self_test_failed = False
        self._noise = Noise(random, 0.4)
        self._inputs = {
            "load": number(to(self, "load_percent"), 0, 150),
            "battery_charge": number(self._set_charge_percent, 0, 100, flat=0.0, full=100.0),
            "battery": flag(to(self, "worn"), "worn", "healthy"),
            "self_test": flag(to(self, "self_test_failed"), "failed", "passed"),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    @property
    def _power_kw(self) -> float:
        return self._rated_kw * self.load_percent / 100.0 if self._world.is_supplied or self.charge > 0 else 0.0

    @property
    def _usable_kwh(self) -> float:
        return self._kwh * (0.3 if self.worn else 1.0)

    def step(self, dt_s: float) -> None:
        hours = dt_s / 3600.0
        gain = hours / _CHARGE_H if self._world.is_supplied else -self._power_kw * hours / self._usable_kwh
        self.charge = clamp(self.charge + gain, 0.0, 1.0)
        self.energy_kwh += self._power_kw * hours
        self._noise.step(dt_s)

    def values(self) -> Mapping[str, Value]:
        world, power = self._world, self._power_kw
        supplied = world.is_supplied
        alive = supplied or self.charge > 0
        voltage = self._nominal_v * (0.95 + 0.1 * self.charge + (0.07 if supplied else 0.0))
        output = 230.0 + self._noise.value if alive else 0.0
        battery_kw = -power if not supplied else 0.0 if self.charge >= 1 else 0.2
        return {
            "mains_available": supplied,
            "on_battery": not supplied and alive,
            "on_bypass": False,
            "state": "float"
            if supplied and self.charge >= 1
            else "bulk"
            if supplied
            else "inverting"
            if alive
            else "off",
            "switch_position": "on",
            "input_voltage": world.supply_voltage,
            "input_frequency": 50.0 if supplied else 0.0,
            "mains_voltage_l1": world.supply_voltage,
            "mains_frequency": 50.0 if supplied else 0.0,
            "mains_power": power if supplied else 0.0,
            "mains_current": power * 1000 / 230.0 if supplied else 0.0,
            "output_voltage": output,
            "output_frequency": 50.0 if alive else 0.0,
            "output_power": power,
            "output_current": power * 1000 / 230.0,
            "load": self.load_percent if alive else 0.0,
            "load_power": power,
            "energy": self.energy_kwh,
            "state_of_charge": 100.0 * self.charge,
            "state_of_health": 45.0 if self.worn else 97.0,
            "battery_voltage": voltage,
            "battery_power": battery_kw,
            "battery_current": battery_kw * 1000 / voltage,
            "battery_temperature": 24.0,
            "battery_time_remaining": 60.0
            * self.charge
            * self._usable_kwh
            / max(0.05, self._rated_kw * self.load_percent / 100),
            "battery_consumed": (1 - self.charge) * self._kwh * 1000 / self._nominal_v,
            "starter_battery_voltage": 12.7,
            "low_battery_voltage": self.charge < 0.1,
            "battery_replacement_due": self.worn,
            "overload": self.load_percent > 100,
            "self_test_failed": self.self_test_failed,
            "transfer_reason": "acceptable_input" if supplied else "low_input_voltage",
            "charging": supplied and self.charge < 1,
            "common_alarm": self.worn or self.self_test_failed or self.load_percent > 100,
        }

    def _set_charge_percent(self, percent: float) -> None:
        self.charge = percent / 100.0
