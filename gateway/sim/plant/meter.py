"""A meter: what the site draws, with the voltage that is there."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, flag, number, to
from gateway.sim.plant.world import World

_SQRT3 = 3**0.5
_POWER_FACTOR = 0.94
_SHARES = {"l1": 0.36, "l2": 0.31, "l3": 0.33}


class Meter:
    """Counts the whole site; `base_load` (kW) stands for consumers that are not simulated."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:  # noqa: ARG002 - one shape for all
        self._world = world
        self.base_kw = 4.5
        self.phase_lost = False
        self.energy_kwh = 15230.0
        self.water_m3 = 812.4
        self.flow_m3_h = 0.35
        self._wobble = Noise(random, 0.03, 20.0)
        self._inputs = {
            "base_load": number(to(self, "base_kw"), 0, 10_000),
            "phase_loss": flag(to(self, "phase_lost")),
            "flow": number(to(self, "flow_m3_h"), 0, 1000, off=0.0),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    @property
    def _power_kw(self) -> float:
        supplied = self._world.is_supplied
        return (self.base_kw + self._world.demand_kw) * (1 + self._wobble.value) if supplied else 0.0

    def step(self, dt_s: float) -> None:
        self._wobble.step(dt_s)
        self.energy_kwh += max(0.0, self._power_kw) * dt_s / 3600.0
        self.water_m3 += self.flow_m3_h * dt_s / 3600.0

    def values(self) -> Mapping[str, Value]:
        world, power = self._world, self._power_kw
        voltage = world.supply_voltage
        current = power * 1000 / (voltage * _POWER_FACTOR) if voltage > 10 else 0.0
        values: dict[str, Value] = {
            "voltage": voltage,
            "current": current,
            "power": power,
            "reactive_power": power * 0.36,
            "apparent_power": power / _POWER_FACTOR,
            "power_factor": _POWER_FACTOR,
            "frequency": 50.0 if world.is_supplied else 0.0,
            "energy": self.energy_kwh,
            "energy_import": self.energy_kwh,
            "energy_export": 0.0,
            "mains_available": world.mains_present,
            "phase_loss": self.phase_lost,
            "water_total": self.water_m3,
            "water_reverse_total": 0.0,
            "flow": self.flow_m3_h,
            "heat_total": 4100.0,
            "temperature": 21.0,
        }
        for phase, share in _SHARES.items():
            alive = not (self.phase_lost and phase == "l2")
            values[f"voltage_{phase}"] = voltage * (1 + (share - 0.33) * 0.05) * alive
            values[f"current_{phase}"] = current * share * alive
            values[f"power_{phase}"] = power * share * alive
        values.update(dict.fromkeys(("voltage_l12", "voltage_l23", "voltage_l31"), voltage * _SQRT3))
        return values
