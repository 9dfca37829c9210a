"""Simulated equipment under the shipped rules: from ready to not ready and back, with the right reasons."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.model import Priority
from tests.rules.plant_site import PlantSite, equipment, one_of_each, plant_site

DAY_S = timedelta(days=1).total_seconds()


def site_with(kind: str, **facts: object) -> PlantSite:
    site = plant_site(equipment("it", kind, facts))  # type: ignore[arg-type]
    site.pass_s(20)
    assert site.state("it") == ("ready", ())
    return site


def follow(site: PlantSite, device: str, *steps: tuple[dict[str, object], float, str, set[str]]) -> None:
    """Do, wait, and see the state with exactly these rules among its reasons."""
    for inputs, seconds, state, rules in steps:
        site.do(device, **inputs)  # type: ignore[arg-type]
        site.pass_s(seconds, max(1.0, seconds / 200))
        assert (site.state(device)[0], set(site.state(device)[1])) == (state, rules), inputs


Story = list[tuple[dict[str, object], float, str, set[str]]]
STORIES: dict[str, tuple[str, dict[str, object], Story]] = {
    "generator": (
        "generator",
        {"rated_power": 50, "tank_capacity": 200, "expected_load": 30},
        [
            ({"charger_breaker": "off"}, 4000, "degraded", {"charger_off"}),
            ({"mode": "manual"}, 2, "not_ready", {"not_in_auto", "charger_off"}),
            ({"mode": "auto"}, 2, "degraded", {"charger_off"}),
            (
                {"emergency_stop": "pushed"},
                2,
                "not_ready",
                {"emergency_stop_pushed", "controller_shutdown", "charger_off"},
            ),
            ({"emergency_stop": "released", "fault_reset": "on", "charger_breaker": "on"}, 3600, "ready", set()),
            ({"fuel": 12}, 2, "not_ready", {"fuel_low", "fuel_loss"}),
            ({"fuel": 90}, 2, "ready", set()),
        ],
    ),
    "ats": (
        "ats",
        {},
        [
            ({"mode": "manual"}, 2, "not_ready", {"switch_not_in_auto"}),
            ({"mode": "auto"}, 2, "ready", set()),
            ({"breaker_tripped": "source2"}, 2, "not_ready", {"transfer_failed"}),
            ({"breaker_tripped": "none", "fault_reset": "on"}, 2, "ready", set()),
        ],
    ),
    "diesel pump": (
        "pump",
        {"drive": "diesel", "tank_capacity": 150},
        [
            ({"fuel": 60}, 2, "degraded", {"pump_fuel_low"}),
            ({"mode": "off"}, 2, "not_ready", {"pump_not_in_auto", "pump_fuel_low"}),
            ({"mode": "auto", "fuel": 90}, 2, "ready", set()),
        ],
    ),
    "electric pump": (
        "pump",
        {"drive": "electric", "rated_current": 70},
        [
            ({"phase_loss": "on"}, 2, "degraded", {"pump_supply_fault"}),
            ({"mode": "manual"}, 2, "not_ready", {"pump_not_in_auto", "pump_supply_fault"}),
            ({"mode": "auto", "phase_loss": "off", "fault_reset": "on"}, 2, "ready", set()),
        ],
    ),
    "light_tower": (
        "light_tower",
        {"lamp_rated_current": 17},
        [
            ({"battery_charge": 45}, 2, "degraded", {"tower_battery_low"}),
            ({"emergency_stop": "pushed"}, 2, "not_ready", {"tower_emergency_stop", "tower_battery_low"}),
            ({"emergency_stop": "released", "battery_charge": 95}, 2, "ready", set()),
        ],
    ),
    "forklift": (
        "forklift",
        {},
        [
            ({"battery_charge": 35, "plug": "out"}, 2, "degraded", {"forklift_battery_low"}),
            ({"plug": "in", "ventilation": "off"}, 86400, "not_ready", {"charging_room_hydrogen"}),
            ({"ventilation": "on"}, 86400, "ready", set()),
        ],
    ),
    "field_kitchen": (
        "field_kitchen",
        {},
        [
            ({"gas_leak": 15}, 1800, "degraded", {"gas_leak"}),
            ({"gas_leak": 60}, 1800, "not_ready", {"gas_leak"}),
            ({"gas_leak": "off"}, 7200, "ready", set()),
        ],
    ),
    "scba_compressor": (
        "scba_compressor",
        {},
        [
            ({"bank": 85}, 2, "degraded", {"air_bank_low"}),
            ({"fumes": 8}, 900, "not_ready", {"air_carbon_monoxide"}),
            ({"fumes": "off", "bank": "full"}, 7200, "ready", set()),
        ],
    ),
    "warehouse": (
        "warehouse",
        {},
        [
            ({"leak": "on"}, 2, "degraded", {"water_on_floor"}),
            ({"leak_2": "on"}, 2, "not_ready", {"water_on_floor"}),
            ({"leak": "off", "leak_2": "off"}, 2, "ready", set()),
        ],
    ),
    "shelter": (
        "shelter",
        {"capacity": 400, "water_capacity": 20000},
        [
            ({"siren_fault": "on"}, 2, "degraded", {"shelter_self_test_failed"}),
            ({"fire": "on"}, 60, "not_ready", {"shelter_fire", "shelter_self_test_failed"}),
            ({"fire": "off", "siren_fault": "off"}, 600, "ready", set()),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_from_ready_to_not_ready_and_back(name: str) -> None:
    kind, facts, steps = STORIES[name]
    follow(site_with(kind, **facts), "it", *steps)


def test_readiness_is_unknown_where_a_mandatory_point_is_bad() -> None:
    site = site_with("generator", rated_power=50)
    site.bad.add(("it", "coolant_temperature"))
    site.pass_s(2)
    assert site.state("it") == ("unknown", ("no_data",))
    site.do("it", mode="manual")
    site.pass_s(2)
    assert site.state("it") == ("not_ready", ("not_in_auto", "no_data"))


def test_a_silent_device_is_unknown_at_once_and_announced_after_two_minutes() -> None:
    site = site_with("generator")
    site.silent.add("it")
    site.pass_s(5)
    assert site.state("it") == ("unknown", ("no_data",))
    site.pass_s(120)
    assert site.announced("it", "device_silent") is Priority.MEDIUM
    site.silent.clear()
    site.pass_s(10)
    assert site.state("it") == ("ready", ())


def test_a_flooded_pump_room_makes_its_pump_not_ready() -> None:
    pump = equipment("pump-1", "pump", {"drive": "electric", "rated_current": 70}, depends_on=("leak-1",))
    site = plant_site(equipment("leak-1", "sensor"), pump)
    site.pass_s(5)
    assert site.state("pump-1") == ("ready", ())
    site.do("leak-1", water_detected="on")
    site.pass_s(1)
    assert site.state("pump-1") == ("not_ready", ("depends_on",))
    site.silent.add("leak-1")
    site.pass_s(3)
    assert site.state("pump-1") == ("not_ready", ("depends_on",))
    site.silent.clear()
    site.do("leak-1", water_detected="off")
    site.pass_s(2)
    assert site.state("pump-1") == ("ready", ())


def test_a_generator_that_carries_a_power_cut_is_in_use_and_nothing_is_said() -> None:
    site = one_of_each()
    site.pass_s(30)
    site.verdicts.clear()
    site.plant.mains.inputs["power"].put("fail")
    site.pass_s(180)
    assert site.state("gen-1") == ("in_use", ())
    assert site.state("ats-1") == ("in_use", ())
    site.plant.mains.inputs["power"].put("return")
    site.pass_s(900, 2)
    assert site.state("gen-1") == ("ready", ())
    raised = {(each.device, each.rule) for each in site.verdicts if each.level and each.device in ("gen-1", "ats-1")}
    assert raised == set()
    assert {(each.device, each.rule) for each in site.verdicts if each.announced} == set()


def test_a_generator_that_does_not_start_in_a_power_cut() -> None:
    site = site_with("generator")
    site.do("it", will_not_fire="on")
    site.plant.mains.inputs["power"].put("fail")
    site.pass_s(120)
    state, rules = site.state("it")
    assert state == "not_ready"
    assert {"mains_lost_not_running", "fail_to_start"} <= set(rules)


def test_left_after_service() -> None:
    """Selector in manual, charger breaker off, emergency stop pushed: each within its delay and one poll."""
    site = site_with("generator", rated_power=50)
    site.do("it", mode="manual", emergency_stop="pushed")
    site.pass_s(6)
    assert site.announced("it", "emergency_stop_pushed") is Priority.HIGH
    site.pass_s(600 - 5)
    assert site.announced("it", "not_in_auto") is Priority.HIGH
    site.do("it", charger_breaker="off")
    site.pass_s(3 * 3600, 20)
    assert site.announced("it", "charger_off") is Priority.MEDIUM


def test_a_sulphated_battery_is_foretold_a_week_before_it_is_dead() -> None:
    site = site_with("generator", battery_nominal_voltage=24)
    site.pass_s(10 * DAY_S, 7200)
    site.do("it", battery_sulphating="on")
    passed = foretold = dead = 0.0
    while not dead:
        assert passed < 150 * DAY_S
        site.pass_s(DAY_S, 7200)
        passed += DAY_S
        if not foretold and site.held("it", "battery_fading"):
            foretold = passed
        if site.held("it", "battery_low") is Priority.CRITICAL:
            dead = passed
    assert foretold
    assert dead - foretold >= 7 * DAY_S


@pytest.mark.timeout(240)
def test_a_healthy_month_raises_nothing() -> None:
    site = one_of_each()
    for _ in range(5):
        site.do("tank-1", fill=90)
        site.pass_s(6 * DAY_S, 3600)
    raised = sorted({(each.device, each.rule, each.level) for each in site.verdicts if each.level is not None})
    assert len(raised) == 0, raised
    assert {site.state(each.id) for each in site.settings.devices} == {("ready", ())}
