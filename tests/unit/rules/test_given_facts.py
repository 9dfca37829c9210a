"""Facts given while the gateway runs: over those of the file, kept, until the file says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from gateway.model import Value
from gateway.rules.given_facts import GivenFact, GivenFacts, filed, is_in_force, laid_over
from gateway.settings.types import SiteSettings
from tests.rules.plant_site import VOCABULARY, equipment
from tests.unit.sim.sites import site


def depot(**facts: Value) -> SiteSettings:
    """A shelter with a generator and an air sensor; `facts` are those of the site in its file."""
    devices = (equipment("gen-1", "generator"), equipment("air-1", "shelter"))
    bare = replace(site(*devices), kinds=VOCABULARY, kind="shelter")
    followed = tuple(
        replace(device, facts=MappingProxyType({**device.facts, **situation(facts, device.kind)})) for device in devices
    )
    return replace(bare, facts=MappingProxyType(facts), devices=followed)


def situation(facts: Mapping[str, Value], kind: str) -> dict[str, Value]:
    return {name: value for name, value in facts.items() if name in VOCABULARY[kind].facts}


def given(settings: SiteSettings, device: str, name: str, value: Value) -> GivenFact:
    return GivenFact(device, name, value, "duty-1", 1, filed(settings, device, name))


def facts_of(settings: SiteSettings, device: str) -> Mapping[str, Value]:
    return next(each.facts for each in settings.devices if each.id == device)


def test_the_situation_of_the_site_is_that_of_its_devices() -> None:
    settings = depot(response_level="IV")
    now = laid_over(settings, [given(settings, "_site", "response_level", "II")])
    assert now.facts["response_level"] == "II"
    assert {facts_of(now, each)["response_level"] for each in ("gen-1", "air-1")} == {"II"}
    assert facts_of(settings, "gen-1")["response_level"] == "IV"


def test_a_mode_reaches_only_kinds_that_know_it() -> None:
    settings = depot()
    now = laid_over(settings, [given(settings, "_site", "mode", "activated")])
    assert facts_of(now, "air-1")["mode"] == "activated"
    assert "mode" not in facts_of(now, "gen-1")


def test_what_a_device_states_of_itself_stays() -> None:
    settings = depot(response_level="IV")
    own = tuple(
        replace(each, facts=MappingProxyType({**each.facts, "response_level": "I"})) for each in settings.devices
    )
    settings = replace(settings, devices=own)
    now = laid_over(settings, [given(settings, "_site", "response_level", "II")])
    assert facts_of(now, "gen-1")["response_level"] == "I"
    now = laid_over(settings, [given(settings, "gen-1", "response_level", "III")])
    assert (facts_of(now, "gen-1")["response_level"], facts_of(now, "air-1")["response_level"]) == ("III", "I")


def test_the_later_word_holds_whoever_said_it() -> None:
    settings = depot(response_level="IV")
    fact = given(settings, "_site", "response_level", "II")
    assert is_in_force(fact, settings)
    assert not is_in_force(fact, depot(response_level="III"))
    assert not is_in_force(given(settings, "gen-1", "work_order", True), replace(settings, devices=()))


def test_they_survive_a_restart_until_the_file_was_changed() -> None:
    settings = depot(response_level="IV")
    facts = (given(settings, "_site", "response_level", "II"), given(settings, "gen-1", "work_order", True))
    kept = {fact.key: fact.document() for fact in facts}
    again = GivenFacts(kept, settings)
    assert again.over(settings).facts["response_level"] == "II"
    assert facts_of(again.over(settings), "gen-1")["work_order"] is True
    changed = depot(response_level="none")
    after = GivenFacts(kept, changed)
    assert after.over(changed).facts["response_level"] == "none"
    assert after.overtaken == ("fact/_site/response_level",)


@pytest.mark.parametrize("device", ["_site", "_gateway", "gen-1"])
def test_one_that_is_taken_back_is_gone(device: str) -> None:
    settings = depot()
    facts = GivenFacts({}, settings)
    fact = given(settings, device, "response_level", "I")
    facts.note(fact)
    assert facts.in_force(settings) == (fact,)
    facts.take_back(device, "response_level")
    assert facts.in_force(settings) == ()
    assert facts.over(settings) is settings
