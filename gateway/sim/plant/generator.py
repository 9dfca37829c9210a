"""A standby generator with its controller: starts by itself when the mains fails, carries the site, burns fuel."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.battery import StarterBattery
from gateway.sim.plant.engine import Engine, Phase
from gateway.sim.plant.generator_panel import show
from gateway.sim.plant.parts import Input, Noise, choice, clamp, fact_number, flag, number, relax, substeps, to
from gateway.sim.plant.world import World

_START_DELAY_S, _RETURN_DELAY_S = 3.0, 15.0
_LONGEST_STEP_S, _LONGEST_QUIET_STEP_S = 0.25, 300.0
#: Litres per kWh at full load.
_BURN_L_KWH = 0.27
_OIL_SHUTDOWN_KPA, _COOLANT_SHUTDOWN_C, _OVERSPEED = 100.0, 103.0, 1.15
_SERVICE_HOURS = 250.0


class Generator:
    """Facts used: battery_nominal_voltage, tank_capacity (l), rated_power (kW)."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:
        self.world = world
        self.battery = StarterBattery(random, fact_number(facts, "battery_nominal_voltage", 24.0))
        self.engine = Engine(random, self.battery)
        self.rated_kw = fact_number(facts, "rated_power", 50.0)
        self.engine.tank_l = fact_number(facts, "tank_capacity", 200.0)
        self.engine.fuel_l = 0.86 * self.engine.tank_l
        self.engine.full_burn_l_h = _BURN_L_KWH * self.rated_kw
        self.engine.run_s = 3600.0 * (120.0 + 2 * random.random())
        self.engine.starts = 61
        self.mode = "auto"
        self.charger_on = True
        self.heater_on = True
        self.emergency_stopped = False
        self.coolant_level = "normal"
        self.overheating = False
        self.oil_leak = False
        self.charge_alternator = "normal"
        self.leak_l_h = 0.0
        self.manual_run = False
        self.load_kw = 0.0
        self.energy_kwh = 15210.0
        self.exhaust = 20.0
        self.tripped_by = ""
        self._served_s = self.engine.run_s - 3600.0 * 60.0
        self._mains_away_s = 0.0
        self._mains_back_s = 1e9
        self._level = Noise(random, 0.08, 20.0)
        self._volts = Noise(random, 0.5)
        self._hertz = Noise(random, 0.03)
        self._watts = Noise(random, 0.01)
        self._inputs = self._list_inputs()

    def _list_inputs(self) -> dict[str, Input]:
        return {
            "mode": choice(to(self, "mode"), "auto", "manual", "off", "test"),
            "run": flag(to(self, "manual_run")),
            "fuel": number(self._set_fuel_percent, 0, 100, empty=0.0, full=95.0),
            "fuel_leak": number(to(self, "leak_l_h"), 0, 1000, off=0.0, theft=200.0),
            "battery_charge": number(self.battery.set_charge_percent, 0, 100, flat=0.0, full=100.0),
            "battery_health": number(self.battery.set_health_percent, 0, 100, new=100.0, scrap=5.0),
            "battery_sulphating": flag(to(self.battery, "sulphating")),
            "charger_breaker": flag(to(self, "charger_on")),
            "block_heater": flag(to(self, "heater_on")),
            "emergency_stop": flag(self._set_emergency_stop, "pushed", "released"),
            "will_not_fire": flag(to(self.engine, "will_not_fire")),
            "coolant_level": choice(to(self, "coolant_level"), "normal", "low"),
            "overheating": flag(to(self, "overheating")),
            "oil_leak": flag(to(self, "oil_leak")),
            "overspeed": flag(to(self.engine, "overspeed")),
            "charge_alternator": choice(to(self, "charge_alternator"), "normal", "failed"),
            "fault_reset": flag(self._reset),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    def values(self) -> Mapping[str, Value]:
        return show(self)

    def step(self, dt_s: float) -> None:
        remaining = dt_s
        while remaining > 1e-9:
            self._decide(0.0)
            longest = _LONGEST_STEP_S if self.engine.is_changing or self._is_about_to else _LONGEST_QUIET_STEP_S
            piece = substeps(remaining, longest)[1]
            self._decide(piece)
            self._live(piece)
            remaining -= piece
        world = self.world
        if self.engine.is_at_speed:
            world.generators_ready += 1
            world.generator_voltage = self.voltage

    @property
    def voltage(self) -> float:
        """Per phase."""
        excited = clamp((self.engine.speed / self.engine.rated_rpm - 0.5) / 0.45, 0.0, 1.0)
        return excited * (231.0 - 3.0 * self._load_share + self._volts.value) if excited else 0.0

    @property
    def frequency(self) -> float:
        return 0.0 if self.engine.speed < 300 else self.engine.speed / 30.0 + self._hertz.value

    @property
    def room_temperature(self) -> float:
        return self.world.outdoor_temperature * 0.6 + 9.0 + (6.0 if self.engine.is_turning else 0.0)

    @property
    def is_charger_fed(self) -> bool:
        return self.charger_on and self.world.is_supplied

    @property
    def is_alternator_charging(self) -> bool:
        return self.engine.is_turning and self.charge_alternator == "normal"

    @property
    def fuel_percent(self) -> float:
        return clamp(100.0 * self.engine.fuel_l / self.engine.tank_l + self._level.value, 0.0, 100.0)

    @property
    def service_h(self) -> float:
        """Hours left to the next service."""
        return _SERVICE_HOURS - (self.engine.run_s - self._served_s) / 3600.0

    @property
    def _exhaust_goal(self) -> float:
        return 180.0 + 260.0 * self._load_share if self.engine.is_turning else self.room_temperature

    @property
    def _load_share(self) -> float:
        return self.load_kw / self.rated_kw

    @property
    def _is_about_to(self) -> bool:
        """Waiting for a delay of seconds."""
        wants = self.mode == "auto" and not self.emergency_stopped
        return wants and self._must_run != self.engine.wanted and self.engine.phase is not Phase.FAILED

    @property
    def _must_run(self) -> bool:
        return not self.world.mains_present or self.world.start_requested

    def _decide(self, dt_s: float) -> None:
        engine = self.engine
        if self._must_run:
            self._mains_away_s, self._mains_back_s = self._mains_away_s + dt_s, 0.0
        else:
            self._mains_back_s, self._mains_away_s = self._mains_back_s + dt_s, 0.0
        if self.emergency_stopped:
            engine.emergency_stop()
            return
        match self.mode:
            case "auto":
                engine.wanted = self._mains_back_s < _RETURN_DELAY_S if engine.wanted else False
                engine.wanted |= self._mains_away_s >= _START_DELAY_S
            case "test":
                engine.wanted = True
            case "manual":
                engine.wanted = self.manual_run
            case _:
                engine.wanted = False
        if not engine.is_at_speed:
            return
        if engine.speed > _OVERSPEED * engine.rated_rpm:
            self._trip("overspeed")
        elif engine.coolant > _COOLANT_SHUTDOWN_C:
            self._trip("coolant")
        elif engine.oil_kpa < _OIL_SHUTDOWN_KPA:
            self._trip("oil")
        elif self.coolant_level == "low":
            self._trip("coolant_level")

    def _trip(self, cause: str) -> None:
        self.tripped_by = cause
        self.engine.trip()

    def _live(self, dt_s: float) -> None:
        world, engine = self.world, self.engine
        share = world.demand_kw / max(1, world.generators_ready) if world.source == "generator" else 0.0
        self.load_kw = share * (1.0 + self._watts.step(dt_s)) if engine.is_at_speed else 0.0
        engine.step(dt_s, load=self._load_share, ambient=self.room_temperature, heated=self._is_heated)
        if self.overheating and engine.is_turning:
            engine.coolant += 0.25 * dt_s
        if self.oil_leak:
            engine.oil_kpa = max(0.0, engine.oil_kpa - 320.0)
        engine.fuel_l = max(0.0, engine.fuel_l - self.leak_l_h * dt_s / 3600.0)
        self.energy_kwh += self.load_kw * dt_s / 3600.0
        self.exhaust = relax(self.exhaust, self._exhaust_goal, dt_s, 45.0)
        charging = self.is_alternator_charging or self.is_charger_fed
        self.battery.step(dt_s, charging=charging, drain_a=0.35, cranking=engine.phase is Phase.CRANKING)
        for noise in (self._level, self._volts, self._hertz):
            noise.step(dt_s)

    @property
    def _is_heated(self) -> bool:
        return self.heater_on and self.world.is_supplied

    def _set_fuel_percent(self, percent: float) -> None:
        self.engine.fuel_l = self.engine.tank_l * percent / 100.0

    def _set_emergency_stop(self, pushed: bool) -> None:
        self.emergency_stopped = pushed

    def _reset(self, wanted: bool) -> None:
        if wanted and not self.emergency_stopped:
            self.tripped_by = ""
            self.engine.reset()
