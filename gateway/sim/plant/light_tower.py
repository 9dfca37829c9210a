"""A lifting light tower: mast, lamps, batteries, wind."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, choice, clamp, fact_number, flag, number, to
from gateway.sim.plant.world import World

_HEIGHT_M, _LIFT_S, _LAMP_KW = 9.0, 25.0, 1.2


class LightTower:
    """Facts used: battery_nominal_voltage, tank_capacity (L), lamp_rated_current (A)."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:
        self._world = world
        self._strings = fact_number(facts, "battery_nominal_voltage", 24.0) / 12.0
        self._tank_l = fact_number(facts, "tank_capacity", 120.0)
        self._lamp_a = fact_number(facts, "lamp_rated_current", 50.0)
        self.charge = 0.96
        self.fuel_percent = 82.0
        self.mode = "auto"
        self.mast = "stowed"
        self.mast_m = 0.0
        self.lamp_on = False
        self.lamp_share = 1.0
        self.lean_deg = 0.4
        self.charger_on = True
        self.emergency_stopped = False
        self.failed_to_start = False
        self.run_s = 3600.0 * (85.0 + random.random())
        self._sway = Noise(random, 0.05, 4.0)
        self._inputs = self._list_inputs()

    def _list_inputs(self) -> dict[str, Input]:
        return {
            "mode": choice(to(self, "mode"), "auto", "manual", "off"),
            "mast": choice(to(self, "mast"), "raised", "stowed"),
            "lamp": flag(to(self, "lamp_on")),
            "lamps_working": number(self._set_lamp_percent, 0, 100),
            "battery_charge": number(self._set_charge_percent, 0, 100, flat=0.0, full=100.0),
            "fuel": number(to(self, "fuel_percent"), 0, 100, empty=0.0, full=95.0),
            "lean": number(to(self, "lean_deg"), 0, 45),
            "charger_breaker": flag(to(self, "charger_on")),
            "emergency_stop": flag(to(self, "emergency_stopped"), "pushed", "released"),
            "fail_to_start": flag(to(self, "failed_to_start")),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    @property
    def is_charging(self) -> bool:
        return self.charger_on and self._world.is_supplied

    @property
    def is_lit(self) -> bool:
        return self.lamp_on and self.charge > 0.02 and not self.emergency_stopped

    def step(self, dt_s: float) -> None:
        goal = _HEIGHT_M if self.mast == "raised" else 0.0
        reach = _HEIGHT_M * dt_s / _LIFT_S
        self.mast_m += clamp(goal - self.mast_m, -reach, reach)
        drain = (0.35 if self.is_lit else 0.0) + 0.003
        gain = 0.2 if self.is_charging else 0.0
        self.charge = clamp(self.charge + (gain - drain) * dt_s / 3600.0, 0.0, 1.0)
        if self.is_lit:
            self.run_s += dt_s
        self._sway.step(dt_s)

    def values(self) -> Mapping[str, Value]:
        moving = 0.01 < self.mast_m < _HEIGHT_M - 0.01
        current = self._lamp_a * self.lamp_share if self.is_lit else 0.0
        voltage = self._strings * (11.6 + 1.15 * self.charge + (0.9 if self.is_charging else 0.0))
        wind = self._world.wind_m_s
        return {
            "mode": self.mode,
            **{f"mode_{mode}": self.mode == mode for mode in ("auto", "manual", "off", "test")},
            "running": False,
            "engine_state": "locked_out" if self.failed_to_start else "standby",
            "emergency_stop": self.emergency_stopped,
            "fail_to_start": self.failed_to_start,
            "battery_voltage": voltage,
            "battery_current": (6.0 if self.is_charging and self.charge < 1 else 0.1) - current,
            "state_of_charge": 100.0 * self.charge,
            "battery_temperature": self._world.outdoor_temperature + 2.0,
            "charging": self.is_charging,
            "charger_failure": not self.charger_on,
            "low_battery_voltage": self.charge < 0.1,
            "fuel_level": self.fuel_percent,
            "fuel_volume": self.fuel_percent / 100.0 * self._tank_l,
            "run_time": self.run_s / 3600.0,
            "start_count": 57,
            "coolant_temperature": self._world.outdoor_temperature + 12.0,
            "mains_available": self._world.mains_present,
            "mast_raised": self.mast_m > 0.5,
            "mast_position": "moving" if moving else "raised" if self.mast_m > 1 else "stowed",
            "mast_height": 2.2 + self.mast_m,
            "lamp_on": self.lamp_on,
            "lamp_current": current,
            "load_current": current,
            "load_voltage": voltage,
            "load_power": current * voltage / 1000.0,
            "power": _LAMP_KW * self.lamp_share if self.is_lit else 0.0,
            "wind_speed": wind,
            "wind_gust": wind * 1.25,
            "tilt": abs(self.lean_deg + self._sway.value * (1 + self.mast_m / 4)),
            "pv_voltage": 0.0 if self._world.is_night else 36.0,
            "pv_power": 0.0 if self._world.is_night else 0.35,
            "pv_current": 0.0 if self._world.is_night else 9.7,
            "temperature": self._world.outdoor_temperature,
            "common_alarm": self.failed_to_start or self.emergency_stopped,
            "common_shutdown": self.failed_to_start,
            "water_detected": self._world.flooded,
            **self._world.place(),
        }

    def _set_lamp_percent(self, percent: float) -> None:
        self.lamp_share = percent / 100.0

    def _set_charge_percent(self, percent: float) -> None:
        self.charge = percent / 100.0
