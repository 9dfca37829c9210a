"""Why a rule says what it says, on a simulated site."""

from __future__ import annotations

import json

import pytest

from gateway.model import Priority, Reading, Status
from gateway.rules.explain import explain, rules_of
from gateway.rules.explanation import Explanation, Says, Sort, as_json
from gateway.rules.judge import GATEWAY
from tests.rules.plant_site import PlantSite, equipment, one_of_each, plant_site


def site_with(kind: str, **facts: object) -> PlantSite:
    site = plant_site(equipment("it", kind, facts))  # type: ignore[arg-type]
    site.pass_s(20)
    return site


def why(site: PlantSite, rule: str, device: str = "it") -> Explanation:
    return explain(site.judge, site.snapshot, device, rule, site.now, site.ts)


def test_what_holds_names_the_parts_that_decided_and_the_delay_that_runs() -> None:
    site = site_with("generator")
    site.do("it", mode="manual")
    site.pass_s(2)
    told = why(site, "not_in_auto")
    assert (told.says, told.level, told.announced) == (Says.TRUE, Priority.HIGH, None)
    decider = told.levels[0].deciders[0]
    assert (decider.says, decider.names) == (Says.FALSE, ("mode",))
    delay = told.levels[0].delays[0]
    assert (delay.what, delay.lasts_s) == ("on", 600)
    assert delay.ends == told.since + 600_000  # type: ignore[operator]
    assert told.why.en.startswith("holds: mode in ['auto', 'auto_manual_restore'] is false (Control mode = Manual)")
    assert told.why.zh.startswith("成立：mode in ['auto', 'auto_manual_restore'] 为假（控制方式 = 手动）")
    assert "Running (running) is false" in told.why.en


def test_a_bad_point_is_named_and_what_was_held_stays() -> None:
    site = site_with("generator", battery_nominal_voltage=24)
    site.bad.add(("it", "battery_voltage"))
    site.pass_s(2)
    told = why(site, "battery_low")
    assert (told.says, told.missing, told.level) == (Says.CANNOT_TELL, ("battery_voltage",), None)
    point = next(each for each in told.names if each.name == "battery_voltage")
    assert (point.sort, point.value, point.status) == (Sort.POINT, None, "BadTimeout")


def test_the_band_of_the_hysteresis_says_what_would_clear_it() -> None:
    site = site_with("light_tower")
    site.do("it", battery_charge=45)
    site.pass_s(2)
    site.do("it", battery_charge=55)
    site.pass_s(2)
    told = why(site, "tower_battery_low")
    held = next(each for each in told.levels if each.is_held)
    assert (told.says, held.says, held.is_over) == (Says.TRUE, Says.FALSE, Says.FALSE)
    assert "still holds" in told.why.en


def test_numbers_stand_in_their_shortest_form() -> None:
    told = why(site_with("generator"), "device_silent")
    assert "silent_for >= 120 is false" in told.why.en
    assert told.levels[-1].condition == "silent_for >= 120 && silent_for >= 3 * poll_interval"


def test_values_outside_their_range_are_told_in_words() -> None:
    site = site_with("generator")
    told = why(site, "value_out_of_range").why
    assert told.en.startswith("does not hold: no point is outside its physical range")
    assert told.zh.startswith("不成立：没有测点超出物理范围")
    outside = Status.UncertainEngineeringUnitsExceeded
    for second in (1, 2, 3):
        reading = Reading("it", site.ts + second * 1000, ("fuel_level",), (900.0,), (outside,))
        site.judge.update(reading, site.now + second)
    told = why(site, "value_out_of_range").why
    assert told.en.startswith("holds: points outside their physical range: fuel_level; ")
    assert told.zh.startswith("成立：超出物理范围的测点：fuel_level；")


def test_a_mask_that_is_false_is_the_reason() -> None:
    told = why(site_with("generator"), "oil_pressure_low")
    assert told.mask is not None
    assert (told.says, told.mask.says, told.mask.is_armed) == (Says.FALSE, Says.FALSE, False)
    assert told.why.en.startswith("not judged now")


def test_what_the_device_lacks_is_named_for_a_rule_that_does_not_hold_for_it() -> None:
    told = why(site_with("generator"), "exercise_overdue")
    assert (told.says, told.missing) == (Says.NOT_JUDGED, ("last_exercise_age",))


def test_the_gateways_own_rules_are_explained_too() -> None:
    told = why(site_with("generator"), "disk_filling", GATEWAY)
    assert (told.says, told.missing) == (Says.NOT_JUDGED, ("disk_usage",))


def test_unknown_names_are_told_apart() -> None:
    site = site_with("generator")
    with pytest.raises(KeyError):
        why(site, "no_such_rule")
    with pytest.raises(KeyError):
        why(site, "battery_low", "nobody")


def test_every_rule_of_every_kind_explains_itself_in_both_languages_and_as_json(whole_site: PlantSite) -> None:
    for device in (*(each.id for each in whole_site.settings.devices), GATEWAY):
        for rule in (*rules_of(whole_site.judge, device), *idle(whole_site, device)):
            told = why(whole_site, rule, device)
            assert told.why.zh != told.why.en
            assert json.loads(json.dumps(as_json(told)))["says"] == told.says.value
            assert (told.says is Says.CANNOT_TELL) <= bool(told.missing)


def idle(site: PlantSite, device: str) -> list[str]:
    return [rule.name for rule in site.judge.rules(device).binding.idle]


@pytest.fixture
def whole_site() -> PlantSite:
    site = one_of_each()
    site.pass_s(5)
    return site
