"""One thing is the matter with one device: it alone is told of, and what cannot be seen of it is never ready."""

from __future__ import annotations

import pytest

from gateway.model import Priority
from tests.rules.plant_site import DEPOT, VOCABULARY, PlantSite, equipment, one_of_each, plant_site

MANDATORY = [
    (name, group.points)
    for name, (kind, facts) in DEPOT.items()
    for group in equipment(name, kind, facts).mandatory
    if all(equipment(name, kind, facts).facts.get(fact) == value for fact, value in group.when.items())
]


def states(site: PlantSite) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {name: site.state(name) for name in DEPOT}


@pytest.mark.parametrize(("name", "points"), MANDATORY, ids=[f"{name}-{points[0]}" for name, points in MANDATORY])
def test_a_device_of_which_something_mandatory_is_not_seen_is_unknown(name: str, points: tuple[str, ...]) -> None:
    kind, facts = DEPOT[name]
    site = plant_site(equipment(name, kind, facts))
    site.pass_s(20)
    assert site.state(name)[0] == "ready"
    site.bad |= {(name, point) for point in points}
    site.pass_s(2)
    assert site.state(name) == ("unknown", ("no_data",))
    site.bad.clear()
    site.pass_s(2)
    assert site.state(name)[0] == "ready"


@pytest.mark.parametrize("point", ["humidity_3", "temperature_2", "water_detected_4", "door_open_2"])
def test_each_zone_a_store_has_must_be_seen(point: str) -> None:
    site = plant_site(equipment("it", "warehouse"))
    site.pass_s(20)
    assert site.state("it") == ("ready", ())
    site.bad.add(("it", point))
    site.pass_s(2)
    assert site.state("it") == ("unknown", ("no_data",))


def test_a_set_whose_tank_nobody_described_is_judged_by_its_level() -> None:
    site = plant_site(equipment("it", "generator"))
    site.pass_s(20)
    assert site.state("it") == ("ready", ())
    site.do("it", fuel=18)
    site.pass_s(2)
    assert site.state("it")[0] == "not_ready"
    assert "fuel_low" in site.state("it")[1]


def test_every_kind_that_can_fail_people_has_something_mandatory() -> None:
    assert {VOCABULARY[kind].name for kind, _ in DEPOT.values()} - {DEPOT[name][0] for name, _ in MANDATORY} == {
        "sensor",
        "weather",
    }


def test_a_forklift_at_35_percent_is_a_yellow_alarm_and_touches_nothing_else() -> None:
    site = one_of_each()
    site.pass_s(30)
    before = states(site)
    site.verdicts.clear()
    site.do("truck-1", battery_charge=35, plug="out")
    site.pass_s(660, 5)
    raised = {(each.device, each.rule, each.level) for each in site.verdicts if each.level is not None}
    assert raised == {("truck-1", "forklift_battery_low", Priority.MEDIUM)}
    assert [each.after.key for each in site.transitions if each.is_announcement] == ["truck-1/forklift_battery_low"]
    assert states(site) == before | {"truck-1": ("degraded", ("forklift_battery_low",))}
