"""A shelter is activated: from then on living in it is judged, and keeping it closed and in order no more."""

from __future__ import annotations

from gateway.model import AlarmCondition, Priority
from tests.rules.plant_site import PACKS, PlantSite, equipment, plant_site

FACTS = {
    "capacity": 400,
    "water_capacity": 20000,
    "toilets": 20,
    "taps": 12,
    "last_flush": "2026-01-01",
    "last_drill": "2026-05-01",
    "signs_checked": "2026-05-01",
}
OF_NORMAL = {"shelter_door_left_open", "shelter_people_inside", "shelter_upkeep_due"}
OF_ACTIVATED = {"shelter_carbon_dioxide", "shelter_temperature", "shelter_too_few_toilets", "shelter_dust"}


def a_shelter() -> PlantSite:
    site = plant_site(equipment("it", "shelter", FACTS))
    site.pass_s(20)
    return site


def held(site: PlantSite) -> set[str]:
    return {each.rule for each in site.judge.rules("it").verdicts() if each.level is not None}


def test_the_rules_of_one_mode_are_disarmed_in_the_other() -> None:
    site = a_shelter()
    site.do("it", people=300, ventilation="off", door="open")
    site.pass_s(7200, 10)
    assert held(site) >= OF_NORMAL
    assert not held(site) & OF_ACTIVATED
    assert site.state("it")[0] == "ready", "that somebody is in it and a door is open makes it no less usable"

    site.give_fact("it", "mode", "activated")
    assert not held(site) & OF_NORMAL
    site.pass_s(7200, 10)
    assert {"shelter_carbon_dioxide"} <= held(site)
    assert not held(site) & OF_NORMAL
    assert site.state("it")[0] == "in_use"
    for rule in OF_NORMAL:
        alarm = site.alarms.find("it", rule)
        assert alarm is not None
        assert alarm.condition is AlarmCondition.RTN_UNACK, rule

    site.give_fact("it", "mode", "normal")
    site.pass_s(60, 10)
    assert not held(site) & OF_ACTIVATED
    site.pass_s(3600, 10)
    assert held(site) >= OF_NORMAL


def test_every_rule_that_asks_for_a_mode_is_one_of_these() -> None:
    shelter = next(pack for pack in PACKS.packs if pack.kind == "shelter")
    masks = {rule.name: rule.when.parts[0] for rule in shelter.rules if rule.when is not None}
    assert {name for name, mask in masks.items() if mask == "activated"} == OF_ACTIVATED
    assert {name for name, mask in masks.items() if "closed" in mask or "mode" in mask} == OF_NORMAL


def test_a_shelter_in_order_says_nothing_in_either_mode() -> None:
    site = plant_site(equipment("it", "shelter", FACTS | {"last_flush": "2026-05-20"}))
    site.pass_s(3600, 10)
    assert held(site) == set()
    site.give_fact("it", "mode", "activated")
    site.do("it", people=120)
    site.pass_s(7200, 10)
    assert held(site) <= {"shelter_water_short"}


def test_warnings_of_air_announce_while_it_is_activated() -> None:
    site = a_shelter()
    site.give_fact("it", "mode", "activated")
    site.do("it", people=390, ventilation="off")
    site.pass_s(6 * 3600, 10)
    raised = [each.after.priority for each in site.raised("it", "shelter_carbon_dioxide")]
    assert raised[:2] == [Priority.LOW, Priority.MEDIUM]
