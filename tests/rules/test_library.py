"""The shipped rules: every row of the library is there, tells its cases right and does to readiness what it should."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gateway.model import Priority
from gateway.rules.cases import run_cases
from gateway.rules.readiness import Effect
from gateway.rules.types import Pack, Rule
from tests.rules.plant_site import PACKS, VOCABULARY

ROWS = yaml.safe_load((Path(__file__).parents[1] / "unit" / "config" / "rule_inputs.yaml").read_text(encoding="utf-8"))
RULES = {rule.name: rule for pack in PACKS.packs for rule in pack.rules}
NOT_READY_AT_HIGH = {
    "GEN-01", "GEN-02", "GEN-05", "ATS-01", "PMP-01", "PMP-05", "SCB-01", "SCB-02", "GEN-15",
}  # fmt: skip
DEGRADED_AT_MEDIUM = {
    "GEN-04", "GEN-08", "GEN-19", "GEN-26", "PMP-04", "PMP-06", "LGT-01", "FLT-02", "SCB-05", "WHS-08",
    "SHE-03", "SHE-04", "SHE-05", "SHE-07", "SHE-08",
}  # fmt: skip
ROOMS = {"plant_room_water", "pump_room_water", "switch_room_water"}


@pytest.mark.parametrize("pack", PACKS.packs, ids=lambda pack: pack.name)
def test_cases(pack: Pack) -> None:
    assert run_cases(pack, VOCABULARY) == []


def test_every_row_of_the_library_is_a_rule() -> None:
    covered = {code for rule in RULES.values() for code in rule.codes}
    covered |= {waiting.code for pack in PACKS.packs for waiting in pack.waiting}
    assert covered == set(ROWS)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_effects_are_those_of_the_library(rule: Rule) -> None:
    codes = set(rule.codes)
    if not codes or rule.kind in ("gateway", "any", "weather", "hydrology", "sensor") or rule.name in ROOMS:
        return
    for level in rule.levels:
        if level.priority is Priority.CRITICAL:
            assert level.effect is Effect.NOT_READY
        elif level.priority is Priority.HIGH:
            assert level.effect is (Effect.NOT_READY if codes & NOT_READY_AT_HIGH else Effect.DEGRADED)
        elif level.priority is Priority.MEDIUM:
            assert level.effect is (Effect.DEGRADED if codes & DEGRADED_AT_MEDIUM else Effect.NONE)
        else:
            assert level.effect is Effect.NONE


def test_what_rises_with_the_response_level_is_what_the_library_marks() -> None:
    raising = {code for rule in RULES.values() if rule.raises for code in rule.codes}
    assert raising == {"GEN-01", "GEN-02", "ATS-01", "PMP-01", "SHE-08"}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_rule_says_what_to_do_in_both_languages(rule: Rule) -> None:
    for text in (rule.text, rule.action, *(level.text for level in rule.levels if level.text)):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh)
        assert text.en.isprintable()
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in text.en)
    assert rule.role


def test_gas_fire_flood_and_emergency_stop_stay_armed() -> None:
    codes = {
        "GEN-02",
        "WHS-04",
        "WHS-05",
        "WHS-06",
        "KIT-01",
        "KIT-02",
        "FLT-03",
        "SHE-01",
        "SHE-02",
        "SCB-01",
        "SCB-02",
    }
    assert [rule.name for rule in RULES.values() if set(rule.codes) & codes and not rule.safety] == [
        "shelter_fire_panel_fault",
        "fire_panel_fault",
    ]
