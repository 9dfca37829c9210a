"""A flood pump over the sump: electric behind a drive, or diesel with two batteries."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.battery import StarterBattery
from gateway.sim.plant.engine import Engine, Phase
from gateway.sim.plant.parts import Input, Noise, choice, clamp, fact_number, flag, number, relax, substeps, to
from gateway.sim.plant.pump_panel import show
from gateway.sim.plant.sump import Sump
from gateway.sim.plant.world import World

_RAMP_S = 3.0
_DRY_M = 0.15
_LONGEST_STEP_S = 1.0


class Pump:
    """Facts used: drive, rated_power (kW), rated_flow (m3/h), rated_current (A), start_level, stop_level (m),
    battery_nominal_voltage, tank_capacity (L)."""

    def __init__(self, world: World, sump: Sump, random: Random, facts: Mapping[str, Value]) -> None:
        self.world = world
        self.sump = sump
        self.is_diesel = facts.get("drive") == "diesel"
        self.rated_kw = fact_number(facts, "rated_power", 30.0)
        self.rated_a = fact_number(facts, "rated_current", self.rated_kw * 1.9)
        self.rated_m3_h = fact_number(facts, "rated_flow", 240.0)
        self.start_m = fact_number(facts, "start_level", 1.2)
        self.stop_m = fact_number(facts, "stop_level", 0.6)
        self.high_m = fact_number(facts, "high_level_limit", 1.8)
        self.very_high_m = fact_number(facts, "very_high_level_limit", 2.2)
        nominal = fact_number(facts, "battery_nominal_voltage", 24.0)
        self.batteries = (StarterBattery(random, nominal), StarterBattery(random, nominal))
        self.engine = Engine(random, self.batteries[0])
        self.engine.tank_l = fact_number(facts, "tank_capacity", 150.0)
        self.engine.fuel_l = 0.92 * self.engine.tank_l
        self.engine.full_burn_l_h = 0.27 * self.rated_kw
        self.mode = "auto"
        self.manual_run = False
        self.demand = False
        self.drive_fault = False
        self.phase_lost = False
        self.emergency_stopped = False
        self.blocked = False
        self.chargers_on = [True, True]
        self.heater_on = True
        self.speed_share = 0.0
        self.run_s = 3600.0 * (310.0 + random.random())
        self.starts = 412
        self.energy_kwh = 5210.0
        self.motor_temperature = 22.0
        self.insulation_mohm = 85.0
        self.ripple = Noise(random, 0.01)
        self._inputs = self._list_inputs()

    def _list_inputs(self) -> dict[str, Input]:
        first, second = self.batteries
        return {
            "mode": choice(to(self, "mode"), "auto", "manual", "off", "test"),
            "run": flag(to(self, "manual_run")),
            "drive_fault": flag(to(self, "drive_fault")),
            "phase_loss": flag(to(self, "phase_lost")),
            "emergency_stop": flag(self._set_emergency_stop, "pushed", "released"),
            "intake": flag(to(self, "blocked"), "blocked", "free"),
            "fuel": number(self._set_fuel_percent, 0, 100, empty=0.0, full=95.0),
            "battery_charge": number(first.set_charge_percent, 0, 100, flat=0.0, full=100.0),
            "battery2_charge": number(second.set_charge_percent, 0, 100, flat=0.0, full=100.0),
            "charger_breaker": flag(lambda on: self._set_charger(0, on)),
            "charger2_breaker": flag(lambda on: self._set_charger(1, on)),
            "room_heater": flag(to(self, "heater_on")),
            "will_not_fire": flag(to(self.engine, "will_not_fire")),
            "overspeed": flag(to(self.engine, "overspeed")),
            "insulation": number(to(self, "insulation_mohm"), 0, 1000),
            "inflow": number(to(self.sump, "extra_m3_h"), 0, 5000, off=0.0),
            "well_level": number(to(self.sump, "level_m"), 0, 2.7),
            "fault_reset": flag(self._reset),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    def values(self) -> Mapping[str, Value]:
        return show(self)

    def step(self, dt_s: float) -> None:
        # While water moves, seconds count; a resting pump may be stepped over in one go.
        longest = _LONGEST_STEP_S if self.is_running or self.wanted else 60.0
        if self.is_diesel and self.engine.is_changing:
            longest = 0.25
        pieces, piece = substeps(dt_s, longest)
        moved = 0.0
        for _ in range(pieces):
            self._decide()
            self._live(piece)
            moved += self.flow_m3_h * piece
        self.sump.take(moved / dt_s)
        self.world.consume(self.power_kw)

    @property
    def wanted(self) -> bool:
        """The selector and the level ask for it to run."""
        if self.emergency_stopped or self.mode == "off":
            return False
        return {"auto": self.demand, "manual": self.manual_run, "test": True}[self.mode]

    @property
    def is_running(self) -> bool:
        return self.speed_share > 0.1

    @property
    def is_dry(self) -> bool:
        return self.sump.level_m < _DRY_M or self.blocked

    @property
    def flow_m3_h(self) -> float:
        return 0.0 if self.is_dry or self.speed_share < 0.5 else self.rated_m3_h * self.speed_share

    @property
    def power_kw(self) -> float:
        """Electric power drawn."""
        if self.is_diesel or not self.is_running:
            return 0.0
        return self.rated_kw * self.speed_share**3 * (0.45 if self.is_dry else 0.9)

    @property
    def room_temperature(self) -> float:
        warm = 10.0 if self.heater_on and self.world.is_supplied else 0.0
        return max(self.world.outdoor_temperature, self.world.outdoor_temperature * 0.7 + warm)

    @property
    def fuel_percent(self) -> float:
        return 100.0 * self.engine.fuel_l / self.engine.tank_l

    def is_charging(self, battery: int) -> bool:
        return self.chargers_on[battery] and self.world.is_supplied

    def _decide(self) -> None:
        level = self.sump.level_m
        self.demand = level > self.stop_m if self.demand else level >= self.start_m
        if not self.is_diesel:
            return
        if self.emergency_stopped:
            self.engine.emergency_stop()
        else:
            self.engine.wanted = self.wanted
        if self.engine.is_at_speed and self.engine.speed > 1.15 * self.engine.rated_rpm:
            self.engine.trip()

    def _live(self, dt_s: float) -> None:
        was_running = self.is_running
        if self.is_diesel:
            load = 0.85 if self.engine.is_at_speed else 0.0
            self.engine.step(dt_s, load=load, ambient=self.room_temperature, heated=self.heater_on)
            self.speed_share = clamp(self.engine.speed / self.engine.rated_rpm, 0.0, 1.2)
            if not self.engine.is_turning:
                self.speed_share = 0.0
            for index, battery in enumerate(self.batteries):
                cranking = index == 0 and self.engine.phase is Phase.CRANKING
                charging = self.engine.is_turning or self.is_charging(index)
                battery.step(dt_s, charging=charging, drain_a=0.15, cranking=cranking)
        else:
            powered = self.world.is_supplied and not self.phase_lost and not self.drive_fault
            goal = 1.0 if self.wanted and powered else 0.0
            self.speed_share = relax(self.speed_share, goal, dt_s, _RAMP_S) if powered else 0.0
        if self.is_running:
            self.run_s += dt_s
            self.starts += not was_running
            self.energy_kwh += self.power_kw * dt_s / 3600.0
        goal = self.room_temperature + (45.0 if self.is_running else 0.0)
        self.motor_temperature = relax(self.motor_temperature, goal, dt_s, 900.0)
        self.ripple.step(dt_s)

    def _set_fuel_percent(self, percent: float) -> None:
        self.engine.fuel_l = self.engine.tank_l * percent / 100.0

    def _set_emergency_stop(self, pushed: bool) -> None:
        self.emergency_stopped = pushed

    def _set_charger(self, index: int, on: bool) -> None:
        self.chargers_on[index] = on

    def _reset(self, wanted: bool) -> None:
        if wanted:
            self.drive_fault = False
            self.engine.reset()
