"""What is said of a rule pack or an override that cannot be, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.app import load
from gateway.errors import ConfigError
from gateway.model import Priority
from gateway.rules.book import load_rules, read_packs
from gateway.rules.readiness import Effect

PACK = """\
schema: 1
kind: generator
name: {{zh: 规则, en: Rules}}
define: {{turning: {{first: [running, "engine_state == 'running'"]}}}}
rules:
  our_rule:
    text: {{zh: 油少, en: Little fuel}}
    action: {{zh: 加油, en: Refuel}}
    role: logistics
    limits: {{low: 30}}
    levels:
      - {{priority: high, raise: {condition}}}
"""
SITE = """\
schema: 1
site: {id: depot, name: {zh: 库, en: Depot}, kind: warehouse}
lines: {lan: {tcp: "10.0.0.5:502"}}
devices:
  - id: gen-1
    kind: generator
    line: lan
    unit: 1
    points: {fuel_level: {at: "holding:1"}, our_valve: {at: "coil:1"}}
"""


def problems(tmp_path: Path, condition: str) -> list[str]:
    path = tmp_path / "own.yaml"
    path.write_text(PACK.format(condition=condition), encoding="utf-8")
    try:
        read_packs([(str(path), path)])
    except ConfigError as error:
        return [str(problem).removeprefix(f"{path}:") for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "condition",
    [
        "fuel_level < low",
        "fuel_level < low && !turning",
        "mode == 'auto'",
        "battery_fitted_age > 30",
        "{any: [fuel_level < low, low_fuel_level]}",
        "fuel_level / tank_capacity > 1",
        "silent_for > 10 && time_of_day < 60",
    ],
)
def test_a_good_condition(tmp_path: Path, condition: str) -> None:
    assert problems(tmp_path, condition) == []


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("fuel_leve < low", "there is no point, fact or definition fuel_leve (did you mean fuel_level?)"),
        ("fuel_level < lower", "there is no point, fact or definition lower"),
        ("fuel_level <", "this is no expression"),
        ("fuel_level", "this must give true or false"),
        ("fuel_level + low", "this must give true or false"),
        ("running > 3", "the types in this expression do not fit"),
        ("fuel_level && running", "the types in this expression do not fit"),
        ("running == 1", "running cannot be compared with 1"),
        ("mode == 'atuo'", "mode is never atuo (did you mean auto?)"),
        ("mode in ['auto', 'manul']", "mode is never manul (did you mean manual?)"),
        ("max(fuel_level) > 3", "there is no function max"),
        ("{any: [running], all: [running]}", "write one of first, any and all"),
        ("{any: [running, nothing]}", "there is no point, fact or definition nothing"),
    ],
)
def test_a_bad_condition_is_said_with_its_place(tmp_path: Path, condition: str, said: str) -> None:
    written = condition if condition.startswith("{") else f'"{condition}"'
    found = problems(tmp_path, written)
    assert len(found) == 1, found
    assert found[0].startswith("12:33: rules.our_rule.levels[0].raise: "), found
    assert said in found[0]


def test_unknown_keys_and_missing_words(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    text = (
        PACK.format(condition="running").replace("    action:", "    actoin:").replace("limits: {low", "limits: {mode")
    )
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_packs([(str(path), path)])
    said = "\n".join(map(str, caught.value.problems))
    assert f"{path}:8:5: rules.our_rule.actoin: there is no key actoin here (did you mean action?)" in said
    assert f"{path}:6:3: rules.our_rule.action: this key is missing" in said


def site_file(tmp_path: Path, more: str, define: str = "turning") -> Path:
    pack = PACK.format(condition='"our_valve && fuel_level < low"').replace("turning", define)
    (tmp_path / "own.yaml").write_text(pack, encoding="utf-8")
    path = tmp_path / "site.yaml"
    path.write_text(SITE + more, encoding="utf-8")
    return path


def test_a_pack_of_the_site_may_use_points_of_its_devices(tmp_path: Path) -> None:
    path = site_file(tmp_path, "rules: [builtin/generator, own.yaml]\n", define="burning")
    book = load_rules(load(path))
    assert [pack.name for pack in book.packs] == ["builtin/generator", "own.yaml"]
    assert book.overrides == ()


def test_single_values_are_overridden_and_shown(tmp_path: Path) -> None:
    more = """\
rules: [builtin/generator]
rule_overrides:
  battery_low: {limits: {low: 11.9}, levels: {medium: {on: 20m, effect: none}, high: {enabled: false}}}
  fuel_overfull: {role: duty, levels: {high: {raise: fuel_level > full + 1}}}
  fuel_old: {enabled: false}
"""
    book = load_rules(load(site_file(tmp_path, more)))
    rules = {rule.name: rule for pack in book.packs for rule in pack.rules}
    battery = rules["battery_low"]
    assert battery.limits["low"] == 11.9
    assert [level.priority for level in battery.levels] == [Priority.CRITICAL, Priority.MEDIUM]
    assert (battery.levels[1].on_s, battery.levels[1].effect) == (1200, Effect.NONE)
    assert rules["fuel_overfull"].role == "duty"
    assert "fuel_old" not in rules
    assert [(each.rule, each.key, each.before, each.after) for each in book.overrides] == [
        ("battery_low", "limits.low", "12", "11.9"),
        ("battery_low", "levels.high.enabled", "true", "false"),
        ("battery_low", "levels.medium.on", "10m", "20m"),
        ("battery_low", "levels.medium.effect", "degraded", "none"),
        ("fuel_overfull", "role", "logistics", "duty"),
        ("fuel_overfull", "levels.high.raise", "fuel_level > full | high_fuel_level", "fuel_level > full + 1"),
        ("fuel_old", "enabled", "true", "false"),
    ]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("batery_low: {enabled: false}", "12:3: rule_overrides.batery_low: there is no rule batery_low"),
        (
            "battery_low: {limits: {lowest: 3}}",
            "12:34: rule_overrides.battery_low.limits.lowest: rule battery_low has no",
        ),
        ("battery_low: {levels: {low: {on: 3m}}}", "rule battery_low has no level low"),
        ("battery_low: {levels: {high: {raise: fuel < 3}}}", "there is no point, fact or definition fuel"),
        ("battery_low: {on: 3m}", "12:17: rule_overrides.battery_low.on: there is no key on here"),
        ("battery_low: {levels: {high: {on: 3}}}", "'3' is not a duration"),
    ],
)
def test_an_override_that_cannot_be(tmp_path: Path, override: str, said: str) -> None:
    path = site_file(tmp_path, f"rules: [builtin/generator]\nrule_overrides:\n  {override}\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert said.replace("'3'", "3") in "\n".join(map(str, caught.value.problems)).replace("'3'", "3")


def test_one_name_in_two_packs(tmp_path: Path) -> None:
    path = site_file(tmp_path, "rules: [own.yaml, again.yaml, own.yaml]\n")
    (tmp_path / "again.yaml").write_text((tmp_path / "own.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    said = [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]
    assert "10:19: rules[1]: our_rule is already in own.yaml (give it another name)" in said
    assert "10:31: rules[2]: this rule pack stands twice (remove one)" in said


def test_a_site_without_rules_has_none(tmp_path: Path) -> None:
    book = load_rules(load(site_file(tmp_path, "")))
    assert (book.packs, book.overrides) == ((), ())
