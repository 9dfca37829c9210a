"""What a pump's controller, drive and level probe show, by point name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway.model import Value
from gateway.sim.plant.engine import Phase

if TYPE_CHECKING:
    from gateway.sim.plant.pump import Pump

_SQRT3 = 3**0.5


def show(pump: Pump) -> Mapping[str, Value]:
    """Instruments, states and warnings."""
    return {**_common(pump), **_electric(pump), **_diesel(pump)}


def _common(pump: Pump) -> dict[str, Value]:
    level = pump.sump.shown_m
    running = pump.is_running
    head_kpa = 180.0 * pump.speed_share**2 if running and not pump.is_dry else 0.0
    return {
        "mode": pump.mode,
        **{f"mode_{mode}": pump.mode == mode for mode in ("auto", "manual", "off", "test")},
        "running": running,
        "demand": pump.demand,
        "emergency_stop": pump.emergency_stopped,
        "well_level": level,
        "well_level_high": level > pump.high_m,
        "well_level_very_high": level > pump.very_high_m,
        "water_detected": pump.world.flooded,
        "flow": pump.flow_m3_h * (1 + pump.ripple.value),
        "suction_pressure": 9.8 * level - 4.0 * pump.speed_share**2,
        "discharge_pressure": head_kpa * (1 + pump.ripple.value),
        "low_discharge_pressure": running and head_kpa < 60,
        "dry_run": running and pump.is_dry,
        "room_temperature": pump.room_temperature,
        "heater_fault": not pump.heater_on,
        "run_time": pump.run_s / 3600.0,
        "start_count": pump.starts,
        "common_alarm": pump.drive_fault or pump.engine.failed_to_start or pump.emergency_stopped,
        "common_fault": pump.drive_fault or pump.engine.phase is Phase.FAILED,
        "test_running": pump.mode == "test" and running,
        **pump.world.place(),
    }


def _electric(pump: Pump) -> dict[str, Value]:
    world, share, power = pump.world, pump.speed_share, pump.power_kw
    voltage = world.supply_voltage
    supplied = world.is_supplied
    current = pump.rated_a * power / pump.rated_kw * (1 + pump.ripple.value)
    if not supplied:
        state = "power_off"
    elif pump.drive_fault:
        state = "fault"
    else:
        state = "running_forward" if pump.is_running else "stopped"
    values: dict[str, Value] = {
        "drive_state": state,
        "drive_fault": pump.drive_fault or pump.phase_lost,
        "drive_ready": supplied and not pump.drive_fault,
        "fault_code": 13 if pump.phase_lost else 4 if pump.drive_fault else 0,
        "mains_available": world.mains_present,
        "phase_loss": pump.phase_lost,
        "voltage": voltage * _SQRT3,
        "current": current,
        "output_current": current,
        "frequency": 50.0 if supplied else 0.0,
        "output_frequency": 50.0 * share,
        "frequency_setpoint": 50.0,
        "output_voltage": 380.0 * share,
        "bus_voltage": voltage * _SQRT3 * 1.41,
        "power": power,
        "power_factor": 0.86,
        "energy": pump.energy_kwh,
        "load": 100.0 * power / pump.rated_kw,
        "motor_temperature": pump.motor_temperature,
        "insulation_resistance": pump.insulation_mohm,
        "overload": current > 1.15 * pump.rated_a,
    }
    for phase, part in {"l1": 1.0, "l2": 0.0 if pump.phase_lost else 0.997, "l3": 1.002}.items():
        values[f"voltage_{phase}"] = voltage * part
        values[f"current_{phase}"] = current * part
    return values


def _diesel(pump: Pump) -> dict[str, Value]:
    engine = pump.engine
    first, second = pump.batteries
    low = 11.4 * first.strings
    faults = (first.voltage < low, second.voltage < low)
    chargers = (not pump.chargers_on[0], not pump.chargers_on[1])
    return {
        "fail_to_start": engine.failed_to_start,
        "engine_quit": pump.is_diesel and pump.wanted and engine.fuel_l <= 0 and not engine.is_turning,
        "overspeed": engine.overspeed and engine.phase is Phase.FAILED,
        "battery_voltage": first.voltage,
        "battery2_voltage": second.voltage,
        "battery_fault": any(faults),
        "battery1_fault": faults[0],
        "battery2_fault": faults[1],
        "low_battery_voltage": any(faults),
        "charger_failure": any(chargers),
        "charger1_failure": chargers[0],
        "charger2_failure": chargers[1],
        "speed": engine.shown_speed() if pump.is_diesel else 1480.0 * pump.speed_share,
        "oil_pressure": engine.oil_kpa,
        "oil_temperature": engine.coolant,
        "coolant_temperature": engine.shown_coolant(),
        "fuel_level": pump.fuel_percent,
        "fuel_volume": engine.fuel_l,
        "low_fuel_level": pump.fuel_percent < 40,
        "cranking": engine.phase is Phase.CRANKING,
        "engine_locked_out": engine.phase is Phase.FAILED,
    }
