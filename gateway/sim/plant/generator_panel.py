"""What a generator's controller shows of it, by point name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway.model import Value
from gateway.sim.plant.engine import Phase

if TYPE_CHECKING:
    from gateway.sim.plant.generator import Generator

_SQRT3 = 3**0.5
_POWER_FACTOR = 0.92
_WORDS = {
    Phase.STOPPED: "standby",
    Phase.CRANKING: "cranking",
    Phase.RESTING: "crank_rest",
    Phase.STARTING: "starting",
    Phase.RUNNING: "running",
    Phase.COOLING_DOWN: "cooling_down",
    Phase.STOPPING: "stopping",
    Phase.FAILED: "locked_out",
}


def show(generator: Generator) -> Mapping[str, Value]:
    """Instruments, states and warnings of the controller."""
    return {**_states(generator), **_engine(generator), **_electrics(generator), **_warnings(generator)}


def _states(generator: Generator) -> dict[str, Value]:
    engine, world = generator.engine, generator.world
    on_load = engine.is_at_speed and world.source == "generator"
    state = "on_load" if on_load else _WORDS[engine.phase]
    return {
        "mode": generator.mode,
        **{f"mode_{mode}": generator.mode == mode for mode in ("auto", "manual", "off", "test")},
        "engine_state": state,
        "running": engine.is_turning,
        "emergency_stop": generator.emergency_stopped,
        "emergency_stop_alarm": generator.emergency_stopped,
        "fail_to_start": engine.failed_to_start,
        "mains_available": world.mains_present,
        "mains_on_load": world.source == "mains",
        "generator_on_load": on_load,
        "remote_start_enabled": generator.mode == "auto",
        "position": {"mains": "source1", "generator": "source2"}.get(world.source, "open"),
        "water_detected": world.flooded,
        **world.place(),
    }


def _engine(generator: Generator) -> dict[str, Value]:
    engine, battery = generator.engine, generator.battery
    values: dict[str, Value] = {
        "battery_voltage": battery.voltage,
        "cranking_voltage_minimum": battery.dip if battery.dip is not None else battery.cranking_voltage,
        "charger_voltage": 13.6 * battery.strings if generator.is_charger_fed else 0.0,
        "charge_alternator_voltage": 14.0 * battery.strings if generator.is_alternator_charging else 0.0,
        "fuel_level": generator.fuel_percent,
        "fuel_volume": engine.fuel_l,
        "fuel_rate": engine.burn_l_h,
        "coolant_temperature": engine.shown_coolant(),
        "coolant_level": 35.0 if generator.coolant_level == "low" else 96.0,
        "oil_pressure": engine.oil_kpa,
        "oil_temperature": engine.coolant + (6.0 if engine.is_turning else -2.0),
        "oil_level": 40.0 if generator.oil_leak else 90.0,
        "speed": engine.shown_speed(),
        "exhaust_temperature": generator.exhaust,
        "ambient_temperature": generator.room_temperature,
        "controller_temperature": generator.room_temperature + 5.0,
        "run_time": engine.run_s / 3600.0,
        "last_run_time": engine.latest_run_s / 3600.0,
        "start_count": engine.starts,
        "start_to_rated_time": engine.start_to_rated_s if engine.start_to_rated_s is not None else 11.5,
        "service_remaining": generator.service_h,
        "service2_remaining": generator.service_h + 250.0,
    }
    return values


def _electrics(generator: Generator) -> dict[str, Value]:
    world, power, voltage = generator.world, generator.load_kw, generator.voltage
    phases = {"l1": 1.0, "l2": 0.997, "l3": 1.002}
    current = power * 1000 / (3 * voltage * _POWER_FACTOR) if voltage > 10 else 0.0
    values: dict[str, Value] = {
        "voltage": voltage * _SQRT3,
        "frequency": generator.frequency,
        "power": power,
        "reactive_power": power * 0.426,
        "apparent_power": power / _POWER_FACTOR,
        "power_factor": _POWER_FACTOR if power > 0.1 else 1.0,
        "load": 100.0 * power / generator.rated_kw,
        "energy": generator.energy_kwh,
        "mains_voltage": world.mains_voltage * _SQRT3,
        "mains_frequency": world.mains_frequency,
    }
    for phase, part in phases.items():
        values[f"voltage_{phase}"] = voltage * part
        values[f"mains_voltage_{phase}"] = world.mains_voltage * part
        values[f"current_{phase}"] = current * part
        values[f"power_{phase}"] = power * part / 3
    values.update(dict.fromkeys(("voltage_l12", "voltage_l23", "voltage_l31"), voltage * _SQRT3))
    return values


def _warnings(generator: Generator) -> dict[str, Value]:
    engine, battery = generator.engine, generator.battery
    running = engine.is_at_speed
    shutdowns = {
        "overspeed": generator.tripped_by == "overspeed",
        "high_coolant_temperature": generator.tripped_by == "coolant",
        "low_oil_pressure": generator.tripped_by == "oil",
        "low_coolant_level": generator.coolant_level == "low",
    }
    warnings = {
        "low_fuel_level": generator.fuel_percent < 10,
        "low_fuel_level_warning": generator.fuel_percent < 20,
        "high_fuel_level": generator.fuel_percent > 95,
        "fuel_leak": generator.leak_l_h > 0,
        "low_battery_voltage": battery.voltage < 11.4 * battery.strings,
        "high_battery_voltage": battery.voltage > 14.8 * battery.strings,
        "charger_failure": not generator.charger_on and generator.world.is_supplied,
        "charge_alternator_failure": engine.is_turning and generator.charge_alternator == "failed",
        "heater_fault": not generator.heater_on,
        "high_coolant_temperature_warning": engine.coolant > 98,
        "low_coolant_temperature": not running and engine.coolant < 15,
        "low_oil_pressure_warning": running and engine.oil_kpa < 150,
        "maintenance_due": generator.service_h <= 0,
        "overload": generator.load_kw > 1.1 * generator.rated_kw,
    }
    stopped = any(shutdowns.values()) or engine.failed_to_start or generator.emergency_stopped
    count = sum(shutdowns.values()) + sum(warnings.values()) + engine.failed_to_start + generator.emergency_stopped
    return {
        **shutdowns,
        **warnings,
        "common_shutdown": stopped,
        "common_fault": stopped,
        "common_warning": any(warnings.values()),
        "common_alarm": count > 0,
        "active_alarms": count,
        "unacknowledged_alarms": count,
    }
