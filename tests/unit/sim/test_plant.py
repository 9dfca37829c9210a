"""Laws of the plant: what must hold whatever happens to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import Value
from gateway.settings.vocabulary import load_vocabulary
from gateway.sim.plant.parts import Input
from gateway.sim.plant.site import Plant
from tests.unit.sim.sites import device, site

KINDS = (
    "ats",
    "cold_store",
    "field_kitchen",
    "forklift",
    "generator",
    "hydrology",
    "light_tower",
    "meter",
    "pump",
    "scba_compressor",
    "sensor",
    "shelter",
    "tank",
    "ups",
    "vehicle",
    "warehouse",
    "weather",
)
EVERYTHING = site(*(device(kind, kind) for kind in KINDS), device("diesel", "pump", {"drive": "diesel"}))


@dataclass
class Watch:
    """One plant, and short words for what tests do with it."""

    plant: Plant

    def pass_s(self, seconds: float, step_s: float = 0.5) -> None:
        for _ in range(round(seconds / step_s)):
            self.plant.advance(step_s)

    def until(self, holds: Callable[[], bool], within_s: float, step_s: float = 0.5) -> float:
        """Seconds until it holds."""
        passed = 0.0
        while not holds():
            assert passed < within_s, f"not within {within_s} s"
            self.plant.advance(step_s)
            passed += step_s
        return passed

    def see(self, device_id: str, point: str) -> Value:
        return self.plant.parts[device_id].values()[point]

    def number(self, device_id: str, point: str) -> float:
        value = self.see(device_id, point)
        assert not isinstance(value, str)
        return float(value)

    def do(self, target: str, name: str, value: Value) -> None:
        inputs = self.plant.surroundings(target) or self.plant.parts[target].inputs
        assert inputs[name].accepts(value)
        inputs[name].put(value)


def watch(*devices: str, seed: int = 1, facts: Mapping[str, Value] | None = None) -> Watch:
    return Watch(Plant(site(*(device(name, name.split("-")[0], facts) for name in devices)), seed))


def test_generator_carries_the_site_while_the_mains_is_away() -> None:
    it = watch("generator", "shelter")
    it.do("shelter", "people", 100)
    it.pass_s(60)
    assert it.see("generator", "engine_state") == "standby"
    it.do("mains", "power", "fail")
    taken_s = it.until(lambda: it.see("generator", "generator_on_load") is True, 30)
    assert taken_s > 3
    it.pass_s(30)
    assert it.number("generator", "power") > 3
    assert 49 < it.number("generator", "frequency") < 52
    assert 225 < it.number("generator", "voltage_l1") < 236
    assert it.number("generator", "oil_pressure") > 250
    assert it.number("generator", "fuel_rate") > 0
    it.do("mains", "power", "return")
    it.until(lambda: it.see("generator", "engine_state") == "standby", 120)
    assert it.see("shelter", "mains_available") is True


def test_a_transfer_switch_asks_transfers_and_returns() -> None:
    it = watch("generator", "ats", "warehouse")
    it.pass_s(5)
    assert it.see("ats", "position") == "source1"
    it.do("mains", "power", "fail")
    it.pass_s(1)
    assert it.see("ats", "generator_start_requested") is True
    assert it.see("ats", "load_unpowered") is True
    it.until(lambda: it.see("ats", "source2_connected") is True, 40)
    it.pass_s(2)
    assert it.see("ats", "load_unpowered") is False
    it.do("mains", "power", "return")
    it.until(lambda: it.see("ats", "source1_connected") is True, 30)
    it.until(lambda: it.see("generator", "running") is False, 120)


def test_a_stuck_transfer_switch_says_so() -> None:
    it = watch("generator", "ats")
    it.do("ats", "mechanism", "stuck")
    it.do("mains", "power", "fail")
    it.until(lambda: it.see("ats", "transfer_failed") is True, 40)
    assert it.see("ats", "source2_connected") is False


def test_a_generator_not_in_automatic_stays_still() -> None:
    it = watch("generator")
    it.do("generator", "mode", "manual")
    it.do("mains", "power", "fail")
    it.pass_s(60)
    assert it.see("generator", "running") is False
    it.do("generator", "run", "on")
    it.until(lambda: it.see("generator", "running") is True, 20)


@pytest.mark.parametrize(("name", "value"), [("battery_charge", "flat"), ("fuel", "empty"), ("will_not_fire", "on")])
def test_three_attempts_and_a_latched_failure(name: str, value: Value) -> None:
    it = watch("generator")
    it.do("generator", "charger_breaker", "off")
    it.do("generator", name, value)
    it.do("mains", "power", "fail")
    taken_s = it.until(lambda: it.see("generator", "fail_to_start") is True, 120)
    assert taken_s > 30
    it.do("mains", "power", "return")
    it.pass_s(60)
    assert it.see("generator", "fail_to_start") is True
    assert it.see("generator", "engine_state") == "locked_out"
    it.do("generator", "fault_reset", "on")
    assert it.see("generator", "fail_to_start") is False


def test_cranking_dips_the_battery_and_running_charges_it() -> None:
    it = watch("generator")
    it.pass_s(120)
    floating = it.number("generator", "battery_voltage")
    it.do("mains", "power", "fail")
    it.until(lambda: it.see("generator", "engine_state") == "cranking", 10, 0.1)
    it.plant.advance(0.1)
    assert it.number("generator", "battery_voltage") < floating - 3
    it.pass_s(300)
    assert it.number("generator", "cranking_voltage_minimum") < floating - 3
    assert it.number("generator", "battery_voltage") > floating - 1


def test_a_charger_left_off_empties_the_battery_in_two_weeks() -> None:
    it = watch("generator")
    it.do("generator", "charger_breaker", "off")
    it.pass_s(3600, 60)
    assert 25 < it.number("generator", "battery_voltage") < 26
    assert it.see("generator", "charger_failure") is True
    it.pass_s(14 * 86400, 3600)
    assert it.number("generator", "battery_voltage") < 22.8
    it.do("mains", "power", "fail")
    it.until(lambda: it.see("generator", "fail_to_start") is True, 120)


def test_sulphation_shows_in_the_trend_weeks_before_the_battery_is_dead() -> None:
    it = watch("generator")
    it.do("generator", "battery_sulphating", "on")
    days = []
    for _ in range(125):
        it.pass_s(86400, 4 * 3600)
        days.append(it.number("generator", "battery_voltage"))
    falling = next(day for day in range(30, 125) if days[day - 30] - days[day] > 0.6)
    dead = next(day for day in range(125) if days[day] < 22.8)
    assert falling + 7 < dead


def test_a_healthy_month_changes_nothing() -> None:
    it = watch("generator")
    it.pass_s(30 * 86400, 3600)
    assert it.number("generator", "battery_voltage") > 26
    assert it.number("generator", "cranking_voltage_minimum") > 20
    assert 32 < it.number("generator", "coolant_temperature") < 45
    assert it.see("generator", "common_alarm") is False


def test_emergency_stop_stops_and_holds() -> None:
    it = watch("generator")
    it.do("mains", "power", "fail")
    it.until(lambda: it.see("generator", "running") is True, 30)
    it.do("generator", "emergency_stop", "pushed")
    it.until(lambda: it.number("generator", "speed") < 30, 30)
    it.pass_s(30)
    assert it.see("generator", "running") is False
    assert it.see("generator", "emergency_stop") is True


@pytest.mark.parametrize(
    ("name", "value", "point"),
    [
        ("overheating", "on", "high_coolant_temperature"),
        ("oil_leak", "on", "low_oil_pressure"),
        ("overspeed", "on", "overspeed"),
    ],
)
def test_protections_shut_down_and_latch(name: str, value: Value, point: str) -> None:
    it = watch("generator")
    it.do("mains", "power", "fail")
    it.until(lambda: it.see("generator", "engine_state") in ("running", "on_load"), 30)
    it.do("generator", name, value)
    it.until(lambda: it.see("generator", point) is True, 600)
    it.pass_s(5)
    assert it.see("generator", "engine_state") == "locked_out"
    assert it.see("generator", "common_shutdown") is True


def test_the_generator_stops_when_its_fuel_is_gone() -> None:
    it = watch("generator")
    it.do("generator", "fuel", 0.02)
    it.do("mains", "power", "fail")
    it.until(lambda: it.see("generator", "running") is True, 30)
    it.until(lambda: it.number("generator", "speed") < 20, 3600)
    assert it.number("generator", "fuel_volume") == 0


def test_rain_fills_the_sump_and_the_pump_empties_it() -> None:
    it = watch("pump")
    it.do("weather", "rain", "heavy")
    it.until(lambda: it.see("pump", "running") is True, 180)
    level = it.number("pump", "well_level")
    it.pass_s(60)
    assert it.number("pump", "well_level") < level
    assert it.number("pump", "current") > 20
    assert it.number("pump", "flow") > 150
    it.do("weather", "rain", "off")
    it.until(lambda: it.see("pump", "running") is False, 300)
    assert it.number("pump", "well_level") < 0.7


@pytest.mark.parametrize(
    ("name", "value"), [("mode", "manual"), ("drive_fault", "on"), ("phase_loss", "on"), ("intake", "blocked")]
)
def test_a_pump_that_does_not_pump_lets_the_room_flood(name: str, value: Value) -> None:
    it = watch("pump", "generator")
    it.do("pump", name, value)
    it.do("weather", "rain", "cloudburst")
    it.until(lambda: it.see("pump", "well_level_very_high") is True, 600)
    assert it.see("pump", "demand") is True
    it.until(lambda: it.see("generator", "water_detected") is True, 600)
    if name == "intake":
        assert it.see("pump", "dry_run") is True
        assert it.number("pump", "current") < 0.6 * 57


def test_a_diesel_pump_runs_without_any_supply() -> None:
    it = watch("pump", facts={"drive": "diesel"})
    it.do("mains", "power", "fail")
    it.do("weather", "rain", "heavy")
    it.until(lambda: it.see("pump", "running") is True, 180)
    it.until(lambda: it.number("pump", "flow") > 100, 30)
    fuel = it.number("pump", "fuel_volume")
    it.pass_s(60)
    assert it.number("pump", "fuel_volume") < fuel


def test_people_breathe_drink_and_use_power() -> None:
    it = watch("shelter", facts={"capacity": 200, "water_capacity": 10_000})
    it.pass_s(600, 5)
    before = {
        name: it.number("shelter", name) for name in ("carbon_dioxide", "water_volume", "power", "waste_water_level")
    }
    it.do("shelter", "people", 200)
    it.pass_s(4 * 3600, 5)
    assert it.number("shelter", "occupancy") == 200
    assert it.number("shelter", "carbon_dioxide") > before["carbon_dioxide"] + 200
    assert before["water_volume"] - it.number("shelter", "water_volume") == pytest.approx(200 * 15 * 4 / 24, rel=0.05)
    assert it.number("shelter", "power") > before["power"] + 5
    assert it.number("shelter", "waste_water_level") > before["waste_water_level"]
    aired = it.number("shelter", "carbon_dioxide")
    it.do("shelter", "ventilation", "off")
    it.pass_s(6 * 3600, 30)
    assert it.number("shelter", "carbon_dioxide") > aired + 1000
    it.do("shelter", "people", "none")
    it.do("shelter", "ventilation", "on")
    it.pass_s(6 * 3600, 30)
    assert it.number("shelter", "carbon_dioxide") < 600


def test_shelter_battery_lasts_hours_without_supply() -> None:
    it = watch("shelter")
    it.do("mains", "power", "fail")
    it.pass_s(3 * 3600, 30)
    assert 5 < it.number("shelter", "state_of_charge") < 95
    remaining = it.number("shelter", "battery_time_remaining")
    it.pass_s(3600, 30)
    assert it.number("shelter", "battery_time_remaining") < remaining


def test_a_warehouse_has_day_and_night_and_gets_damp() -> None:
    it = watch("warehouse")
    it.pass_s(86400, 300)
    seen = []
    for _ in range(24):
        it.pass_s(3600, 300)
        seen.append(it.number("warehouse", "temperature"))
    assert max(seen) - min(seen) > 1
    dry = it.number("warehouse", "humidity")
    it.do("weather", "rain", 10)
    it.do("warehouse", "door", "open")
    it.pass_s(3600, 10)
    assert it.see("warehouse", "door_open") is True
    assert it.see("warehouse", "door_open_2") is False
    assert it.number("warehouse", "humidity") > dry + 10
    it.do("warehouse", "leak_2", "on")
    assert it.see("warehouse", "water_detected_2") is True


def test_a_ups_carries_on_and_recovers() -> None:
    it = watch("ups")
    it.do("mains", "power", "fail")
    it.pass_s(600, 5)
    assert it.see("ups", "on_battery") is True
    assert it.number("ups", "output_voltage") > 200
    left = it.number("ups", "state_of_charge")
    assert left < 100
    it.do("mains", "power", "return")
    it.pass_s(600, 5)
    assert it.number("ups", "state_of_charge") > left


@pytest.mark.parametrize(
    ("kind", "name", "value", "point", "holds"),
    [
        ("forklift", "work", "on", "state_of_charge", lambda v: v < 40),
        ("forklift", "ventilation", "off", "hydrogen", lambda v: v > 25),
        ("field_kitchen", "gas_leak", 40, "combustible_gas", lambda v: v > 25),
        ("field_kitchen", "fumes", 150, "carbon_monoxide", lambda v: v > 100),
        ("field_kitchen", "cooler", "failed", "cold_store_temperature", lambda v: v > 8),
        ("scba_compressor", "fumes", 12, "carbon_monoxide", lambda v: v > 10),
        ("scba_compressor", "moisture", 50, "dew_point", lambda v: v > -11),
        ("scba_compressor", "bank", 60, "running", lambda v: v is True),
        ("light_tower", "mast", "raised", "mast_position", lambda v: v == "raised"),
        ("light_tower", "lean", 8, "tilt", lambda v: v > 5),
        ("light_tower", "lamp", "on", "lamp_current", lambda v: v > 25),
        ("tank", "flow", -2000, "fill_level", lambda v: v < 20),
        ("cold_store", "compressor", "failed", "temperature", lambda v: v > 8),
        ("vehicle", "link", "down", "link_up", lambda v: v is False),
        ("vehicle", "plug", "out", "on_battery", lambda v: v is True),
        ("meter", "phase_loss", "on", "voltage_l2", lambda v: v == 0),
        ("sensor", "water_detected", True, "water_detected", lambda v: v is True),
        ("sensor", "carbon_monoxide", 60, "carbon_monoxide", lambda v: v > 50),
        ("hydrology", "rise", 2, "level", lambda v: v > 3.5),
    ],
)
def test_what_is_done_shows(kind: str, name: str, value: Value, point: str, holds: Callable[[Value], bool]) -> None:
    it = watch(kind)
    it.pass_s(30)
    assert not holds(it.see(kind, point))
    it.do(kind, name, value)
    it.until(lambda: holds(it.see(kind, point)), 8 * 3600, 10)


def test_rain_gauges_count_hours_and_days() -> None:
    it = watch("weather")
    it.do("weather", "rain", 30)
    it.pass_s(2 * 3600, 10)
    hour, total = it.number("weather", "rainfall_1h"), it.number("weather", "rainfall")
    assert hour == pytest.approx(30, rel=0.1)
    assert total == pytest.approx(60, rel=0.1)
    assert it.number("weather", "rainfall_3h") == pytest.approx(total)
    it.do("weather", "rain", "off")
    it.pass_s(2 * 3600, 10)
    assert it.number("weather", "rainfall_1h") == 0
    assert it.number("weather", "rainfall") == pytest.approx(total)
    it.pass_s(24 * 3600, 60)
    assert it.number("weather", "rainfall_today") == 0


def trace(seed: int, steps: int = 60) -> list[dict[str, dict[str, Value]]]:
    plant = Plant(EVERYTHING, seed)
    seen = []
    for step in range(steps):
        if step == 20:
            plant.mains.inputs["power"].put("fail")
            plant.sky.inputs["rain"].put("heavy")
        plant.advance(1.0)
        seen.append({name: dict(part.values()) for name, part in plant.parts.items()})
    return seen


def test_same_seed_same_course_of_events() -> None:
    assert trace(7) == trace(7)
    assert trace(7) != trace(8)


def storm_and_power_cut(step_s: float) -> dict[str, float]:
    it = watch("generator", "pump", "shelter")
    it.do("shelter", "people", 150)
    it.do("weather", "rain", 30)
    it.pass_s(60, step_s)
    it.do("mains", "power", "fail")
    it.pass_s(600, step_s)
    assert it.see("generator", "generator_on_load") is True
    assert 0.4 < it.number("pump", "well_level") < 1.5
    fuel, ppm = it.number("generator", "fuel_volume"), it.number("shelter", "carbon_dioxide")
    return {"burnt": 172.0 - fuel, "breathed": ppm - 420.0}


@pytest.mark.parametrize("step_s", [0.2, 5.0])
def test_the_length_of_a_step_hardly_matters(step_s: float) -> None:
    assert storm_and_power_cut(step_s) == pytest.approx(storm_and_power_cut(1.0), rel=0.2)


def test_every_value_is_one_of_the_vocabulary() -> None:
    kinds = load_vocabulary()
    plant = Plant(EVERYTHING)
    plant.advance(1.0)
    for name, part in plant.parts.items():
        kind = kinds["pump" if name == "diesel" else name]
        for point, value in part.values().items():
            known = kind.points.get(point)
            assert known is not None, f"{kind.name}.{point}"
            expected = bool if known.type == "boolean" else str if known.type == "string" else (int, float)
            assert isinstance(value, expected), f"{kind.name}.{point} {value!r}"
            assert isinstance(value, bool) == (known.type == "boolean"), f"{kind.name}.{point} {value!r}"
            if known.words:
                assert value in known.words, f"{kind.name}.{point} {value!r}"


def test_every_mandatory_point_is_simulated() -> None:
    kinds = load_vocabulary()
    plant = Plant(EVERYTHING)
    plant.advance(1.0)
    for name in KINDS:
        values = plant.parts[name].values()
        for mandatory in kinds[name].mandatory:
            assert set(mandatory.points) <= set(values), f"{name}: {set(mandatory.points) - set(values)}"


def inputs_of(part_inputs: Mapping[str, Input]) -> list[tuple[str, Value]]:
    settings_: list[tuple[str, Value]] = []
    for name, given_ in part_inputs.items():
        settings_ += [(name, word) for word in given_.words]
        if given_.takes_number:
            settings_ += [(name, given_.low), (name, given_.high)]
    return settings_


POSSIBLE = [
    (target, name, value)
    for target, inputs in (
        *((name, part.inputs) for name, part in Plant(EVERYTHING).parts.items()),
        ("mains", Plant(EVERYTHING).mains.inputs),
        ("weather", Plant(EVERYTHING).sky.inputs),
    )
    for name, value in inputs_of(inputs)
]
SHARES = {"%", "%LEL"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(POSSIBLE), st.sampled_from([0.1, 1.0, 20.0, 600.0])), max_size=30))
def test_whatever_is_done_values_stay_possible(course: list[tuple[tuple[str, str, Value], float]]) -> None:
    kinds = load_vocabulary()
    it = Watch(Plant(EVERYTHING))
    for (target, name, value), seconds in course:
        inputs = it.plant.surroundings(target) or it.plant.parts[target].inputs
        (inputs if name in inputs else it.plant.parts[target].inputs)[name].put(value)
        it.plant.advance(seconds)
    for device_id, part in it.plant.parts.items():
        kind = kinds["pump" if device_id == "diesel" else device_id]
        for point, value in part.values().items():
            if isinstance(value, bool | str):
                continue
            assert -1e9 < value < 1e9, f"{device_id}.{point} {value}"
            unit = kind.points[point].unit
            if unit in SHARES and point != "load":
                assert 0 <= value <= 100, f"{device_id}.{point} {value}"
            if unit in ("L", "h", "rpm", "kWh", "ppm", "Hz") and point != "service_remaining":
                assert value >= 0 or "remaining" in point, f"{device_id}.{point} {value}"
