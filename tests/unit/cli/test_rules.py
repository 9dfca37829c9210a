"""`vigil rules`: a pack is tested by its cases; the rules of a site are listed, also those that cannot hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.in_process import vigil

PACK = """\
schema: 1
kind: generator
name: {zh: 自定规则, en: Own rules}
rules:
  our_fuel_low:
    text: {zh: 油少, en: Little fuel}
    action: {zh: 加油, en: Refuel}
    role: logistics
    limits: {low: 30}
    levels: [{priority: high, raise: fuel_level < low, clear: fuel_level >= low + 5}]
    cases:
      - steps:
          - {set: {fuel_level: bad}, expect: cannot_tell}
          - {set: {fuel_level: 29}, expect: high}
          - {set: {fuel_level: 36}, expect: none}
"""
SITE = """\
schema: 1
site: {id: depot-07, name: {zh: 库, en: Depot}, kind: warehouse}
lines: {lan: {tcp: "10.0.0.5:502"}}
devices:
  - id: gen-1
    kind: generator
    line: lan
    unit: 1
    points: {fuel_level: {at: "holding:1"}, battery_voltage: {at: "holding:2"}, phase_angle: {at: "holding:3"}}
  - {id: van-1, kind: vehicle, line: lan, unit: 2, points: {speed: {at: "holding:1"}}}
rules: [builtin/generator, own.yaml]
rule_overrides: {battery_low: {limits: {low: 11.9}}, our_fuel_low: {limits: {low: 20}}}
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(PACK, encoding="utf-8")
    return path


@pytest.fixture
def site(own: Path) -> Path:
    path = own.parent / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return path


def test_a_good_pack(own: Path) -> None:
    told = vigil("rules", "test", own)
    assert (told.code, told.out, told.err) == (0, "rules: 1, cases: 1, wrong: 0\n", "")
    assert vigil("rules", "test", own, language="zh").out == "规则 1 条，用例 1 个，不符 0 处\n"


def test_a_case_that_comes_out_wrong_is_named_with_its_step(own: Path) -> None:
    own.write_text(PACK.replace("fuel_level: 36}", "fuel_level: 34}"), encoding="utf-8")
    told = vigil("rules", "test", own)
    assert told.code == 1
    assert told.out.splitlines()[0] == f"{own}: our_fuel_low: case 1, step 3: expected none, found high"
    zh = vigil("rules", "test", own, language="zh")
    assert "用例 1 第 3 步: 应为 none，实为 high" in zh.out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{set: {fuel_level: bad}, expect: cannot_tell}", "no case gives it bad data"),
        ("{set: {fuel_level: 36}, expect: none}", "no case clears it"),
    ],
)
def test_a_case_that_is_missing_is_asked_for(own: Path, line: str, said: str) -> None:
    own.write_text(PACK.replace(f"          - {line}\n", ""), encoding="utf-8")
    told = vigil("rules", "test", own)
    assert (told.code, told.out.splitlines()[0]) == (1, f"{own}: our_fuel_low: -: {said}")


def test_a_pack_that_cannot_be_read_is_told_with_its_place(own: Path) -> None:
    own.write_text(PACK.replace("fuel_level < low,", "fuel_levl < low,"), encoding="utf-8")
    told = vigil("rules", "test", own)
    assert told.code == 2
    assert f"{own}:10:" in told.out + told.err
    assert "fuel_level" in told.out + told.err


def test_the_numbers_of_a_site_make_no_case_wrong(site: Path) -> None:
    told = vigil("rules", "test", site)
    assert (told.code, told.out.rpartition(", ")[2]) == (0, "wrong: 0\n")


def test_a_site_lists_what_holds_for_each_device_and_what_does_not(site: Path) -> None:
    told = vigil("rules", "list", site)
    assert (told.code, told.err) == (0, "")
    generator, van = told.out.split("\n\n")
    assert "our_fuel_low" in generator.partition("not held")[0]
    assert "battery_low          GEN-04, GEN-05, GEN-06  medium/high/critical" in generator
    idle = generator.partition("not held, points are missing: ")[2].splitlines()[0].split(", ")
    assert {"not_in_auto", "engine_hot"} <= set(idle)
    waiting = generator.partition("not held, facts are missing: ")[2].splitlines()[0]
    assert "exercise_not_qualified (last_exercise_duration, last_exercise_load)" in waiting
    assert "battery_old (battery_fitted)" in waiting
    assert generator.splitlines()[-1].strip() == "points no rule looks at: phase_angle"
    assert [line.strip() for line in van.splitlines()] == [
        "van-1  (vehicle)",
        "no rules",
        "points no rule looks at: speed",
    ]


def test_the_shipped_rules_are_listed_in_both_languages() -> None:
    assert "Heavy rain" in vigil("rules", "list").out
    told = vigil("rules", "list", language="zh").out
    assert "双电源切换装置规则" in told
    assert "黄/橙/红" in told
    assert "critical" not in told


def test_the_plan_names_equipment_that_is_not_covered(site: Path) -> None:
    lines = vigil("check", "--plan", site).out.partition("equipment that is not covered\n")[2].splitlines()
    assert lines[0].split()[:5] == ["gen-1", "mandatory", "points", "missing:", "mode"]
    assert lines[1].startswith("  van-1")
    assert lines[1].endswith("; no rules of its kind")
