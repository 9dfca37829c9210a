"""What of a site nobody watches is named."""

from __future__ import annotations

from dataclasses import replace

from gateway.model import ValueType
from gateway.rules.coverage import cover
from gateway.rules.types import RuleBook
from tests.rules.plant_site import DEPOT, PACKS, VOCABULARY, equipment
from tests.unit.sim.sites import device, point, site


def test_a_depot_with_everything_has_no_gap() -> None:
    devices = [equipment(name, kind, facts) for name, (kind, facts) in DEPOT.items()]
    found = cover(replace(site(*devices), kinds=VOCABULARY), PACKS)
    assert [each.device for each in found if each.is_blind] == []
    assert [each.device for each in found if not each.rules] == []


def test_the_one_asset_that_is_not_covered_is_named() -> None:
    whole = equipment("gen-1", "generator")
    bare = replace(whole, id="gen-2", points=tuple(each for each in whole.points if each.name != "coolant_temperature"))
    settings = replace(site(whole, bare), kinds=VOCABULARY)
    found = {each.device: each for each in cover(settings, PACKS)}
    assert [name for name, each in found.items() if each.is_blind] == ["gen-2"]
    assert found["gen-2"].unseen == (("coolant_temperature",),)


def test_without_a_pack_of_its_kind_there_are_no_rules() -> None:
    settings = replace(site(equipment("gen-1", "generator")), kinds=VOCABULARY)
    (found,) = cover(settings, RuleBook(tuple(pack for pack in PACKS.packs if pack.kind == "any")))
    assert (found.rules, found.is_blind) == (0, False)


def test_points_no_rule_looks_at_are_named_and_those_behind_a_definition_are_not() -> None:
    points = [point(name, ValueType.NUMBER) for name in ("fuel_level", "phase_angle")]
    settings = replace(
        site(device("gen-1", "generator", {"tank_capacity": 200, "expected_load": 30}, points)), kinds=VOCABULARY
    )
    (found,) = cover(settings, PACKS)
    assert found.unwatched == ("phase_angle",)
