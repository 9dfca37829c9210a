"""Simulated equipment under the shipped rules: from ready to not ready and back, with the right reasons."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.model import AlarmCondition, AlarmEvent, Priority
from tests.rules.plant_site import START_MS, PlantSite, equipment, one_of_each, plant_site

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
            ({"fuel": 12}, 2, "not_ready", {"fuel_low", "fuel_loss", "controller_low_fuel"}),
            ({"fuel": 90}, 2, "ready", set()),
        ],
    ),
    "ats": (
        "ats",
        {},
        [
            ({"mode": "manual"}, 2, "not_ready", {"switch_not_in_auto"}),
            ({"mode": "auto"}, 2, "ready", set()),
            ({"breaker_tripped": "source2"}, 2, "not_ready", {"transfer_failed", "switch_faulty"}),
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
            ({"phase_loss": "on"}, 2, "degraded", {"pump_supply_fault", "pump_without_supply"}),
            (
                {"mode": "manual"},
                2,
                "not_ready",
                {"pump_not_in_auto", "pump_supply_fault", "pump_without_supply"},
            ),
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
            ({"fire": "on"}, 60, "not_ready", {"shelter_fire", "shelter_smoke", "shelter_self_test_failed"}),
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
    assert site.state("it") == ("unknown", ("device_down",))
    site.pass_s(120)
    assert site.announced("it", "device_silent") is Priority.MEDIUM
    site.silent.clear()
    site.pass_s(10)
    assert site.state("it") == ("ready", ())


def test_a_device_that_is_silent_for_a_day_asks_for_somebody_again() -> None:
    site = site_with("generator")
    site.silent.add("it")
    site.pass_s(1000, 5)
    assert [each.after.priority for each in site.raised("it", "device_silent")] == [Priority.MEDIUM, Priority.HIGH]
    site.order("ack", "it", "device_silent")
    site.pass_s(DAY_S, 60)
    again = site.raised("it", "device_silent")[2:]
    assert [(each.event, each.after.priority) for each in again] == [(AlarmEvent.AGAIN, Priority.HIGH)]
    assert abs(again[0].ts - site.raised("it", "device_silent")[1].ts - DAY_S * 1000) <= 60_000
    site.pass_s(2 * DAY_S, 60)
    assert len(site.raised("it", "device_silent")) == 3, "not before it is acknowledged again"


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


def in_time(site: PlantSite, rule: str, priority: Priority, poll_s: float, device: str = "it") -> float:
    """The alarm was announced within its on-delay and one poll of the condition; how long after the condition, in
    seconds."""
    bound = site.judge.rules(device).now(rule).bound
    level = next(each.level for each in bound.levels if each.level.priority is priority)
    told = next(each for each in site.verdicts if (each.device, each.rule, each.level) == (device, rule, priority))
    alarm = next(each for each in site.raised(device, rule) if each.after.priority is priority)
    waited_s = (alarm.ts - told.since) / 1000
    assert waited_s <= level.on_s + poll_s, (rule, waited_s)
    return waited_s


def test_left_after_service() -> None:
    """The selector left in manual and the emergency stop pushed: announced within their delays and one poll."""
    site = site_with("generator", rated_power=50)
    left_at = site.ts
    site.do("it", mode="manual", emergency_stop="pushed")
    site.pass_s(2)
    assert site.state("it")[0] == "not_ready"
    site.pass_s(650)
    assert in_time(site, "emergency_stop_pushed", Priority.HIGH, 1) == 5
    assert in_time(site, "not_in_auto", Priority.HIGH, 1) == 600
    assert site.raised("it", "not_in_auto")[0].ts - left_at <= 601_000
    assert [each.after.role for each in site.raised("it", "not_in_auto")] == ["duty"]


def test_a_charger_breaker_left_off_after_maintenance() -> None:
    """Below 13.0 V, or the charger's own fault, for an hour with the mains there: told of within one poll of that hour,
    orange after a day."""
    site = site_with("generator", rated_power=50)
    site.do("it", charger_breaker="off")
    off_since = 0
    while not site.raised("it", "charger_off"):
        assert site.ts - START_MS < DAY_S * 1000
        site.pass_s(10, 10)
        shown = {
            name: site.snapshot.point("it", name, site.now).value for name in ("battery_voltage", "charger_failure")
        }
        is_off = shown["charger_failure"] is True or float(str(shown["battery_voltage"])) < 26
        off_since = (off_since or site.ts) if is_off else 0
    (alarm,) = site.raised("it", "charger_off")
    assert alarm.after.priority is Priority.MEDIUM
    assert off_since
    assert 3_600_000 <= alarm.ts - off_since <= 3_610_000
    assert in_time(site, "charger_off", Priority.MEDIUM, 10) <= 10
    site.pass_s(DAY_S, 60)
    assert [each.after.priority for each in site.raised("it", "charger_off")] == [Priority.MEDIUM, Priority.HIGH]
    site.do("it", charger_breaker="on")
    site.pass_s(4 * 3600, 60)
    alarm_now = site.alarms.find("it", "charger_off")
    assert alarm_now is not None
    assert alarm_now.condition is AlarmCondition.RTN_UNACK


def test_a_basement_fuel_pump_is_flooded() -> None:
    """Water in the pump room: the pump that feeds the generators is not ready at once, and people are told in time."""
    pump = equipment("fuel-pump", "pump", {"drive": "electric", "rated_current": 8}, depends_on=("room",))
    site = plant_site(equipment("room", "sensor"), pump)
    site.pass_s(20)
    assert site.state("fuel-pump") == ("ready", ())
    flooded_at = site.ts
    site.do("room", water_detected="on")
    site.pass_s(1)
    assert site.state("fuel-pump") == ("not_ready", ("depends_on",))
    site.pass_s(60)
    (rule,) = [each.rule for each in site.verdicts if each.device == "room" and each.level is not None][:1]
    alarm = site.raised("room", rule)[0]
    in_time(site, rule, alarm.after.priority, 1, "room")
    assert alarm.after.priority.level >= Priority.HIGH.level
    assert alarm.ts - flooded_at <= 31_000
    site.do("room", water_detected="off")
    site.pass_s(2)
    assert site.state("fuel-pump") == ("ready", ())


def test_a_sulphated_battery_is_foretold_a_week_before_it_is_dead() -> None:
    site = site_with("generator", battery_nominal_voltage=24)
    site.pass_s(10 * DAY_S, 7200)
    site.do("it", battery_sulphating="on")
    passed = 0.0
    while not any(each.after.priority is Priority.CRITICAL for each in site.raised("it", "battery_low")):
        assert passed < 150 * DAY_S
        site.pass_s(DAY_S, 7200)
        passed += DAY_S
    foretold = site.raised("it", "battery_fading")[0]
    dead = next(each for each in site.raised("it", "battery_low") if each.after.priority is Priority.CRITICAL)
    assert dead.ts - foretold.ts >= 7 * DAY_S * 1000
    assert in_time(site, "battery_low", Priority.CRITICAL, 7200) <= 7200
    order = [each.after.priority for each in site.raised("it", "battery_low")]
    assert order == sorted(order, key=lambda each: each.level)


@pytest.mark.timeout(240)
def test_a_healthy_month_raises_nothing() -> None:
    site = one_of_each()
    for _ in range(5):
        site.do("tank-1", fill=90)
        site.pass_s(6 * DAY_S, 3600)
    raised = sorted({(each.device, each.rule, each.level) for each in site.verdicts if each.level is not None})
    false_alarms = [(each.after.key, each.after.priority.value) for each in site.transitions if each.is_announcement]
    assert (len(false_alarms), len(raised)) == (0, 0), (false_alarms, raised)
    assert site.alarms.listed() == []
    assert {site.state(each.id) for each in site.settings.devices} == {("ready", ())}
