"""The four priorities with response level and criticality as inputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model import Priority
from gateway.rules.readiness import WEIGHTS
from gateway.rules.severity import severity
from tests.rules.plant_site import PACKS

ANY = next(rule for pack in PACKS.packs for rule in pack.rules if rule.name == "battery_low")


@pytest.mark.parametrize(
    ("given", "raises", "safety", "level", "criticality", "expected"),
    [
        ("high", True, False, "none", "B", "high"),
        ("high", True, False, "IV", "A", "high"),
        ("high", True, False, "III", "B", "high"),
        ("high", True, False, "II", "B", "critical"),
        ("high", True, False, "I", "A", "critical"),
        ("critical", True, False, "I", "A", "critical"),
        ("high", False, False, "I", "A", "high"),
        ("high", False, False, "none", "C", "medium"),
        ("low", False, False, "none", "C", "low"),
        ("critical", False, True, "none", "C", "critical"),
        ("high", True, False, "II", "C", "high"),
        ("high", True, True, "II", "C", "critical"),
        ("critical", True, False, "II", "C", "critical"),
        ("low", True, False, "I", "C", "low"),
    ],
)
def test_severity(given: str, raises: bool, safety: bool, level: str, criticality: str, expected: str) -> None:
    rule = replace(ANY, raises=raises, safety=safety)
    assert severity(Priority(given), rule, level, criticality) is Priority(expected)


LADDER = ("low", "medium", "high", "critical")
#: Whether the rule rises and speaks of danger, response level, criticality: by how many steps.
SHIFTS = {
    (raises, safety, level, criticality): (raises and level in ("I", "II")) - (criticality == "C" and not safety)
    for raises in (False, True)
    for safety in (False, True)
    for level in ("none", "IV", "III", "II", "I", None)
    for criticality in ("A", "B", "C", None)
}


@pytest.mark.parametrize("given", LADDER)
def test_no_combination_is_more_than_a_step_off_and_none_leaves_the_ladder(given: str) -> None:
    for (raises, safety, level, criticality), shift in SHIFTS.items():
        rule = replace(ANY, raises=raises, safety=safety)
        expected = LADDER[min(max(LADDER.index(given) + shift, 0), 3)]
        found = severity(Priority(given), rule, level, criticality)
        assert found.value == expected, (raises, safety, level, criticality)
        if safety:
            assert found.level >= Priority(given).level


def test_the_page_gives_the_weights_there_are() -> None:
    page = (Path(__file__).parents[3] / "docs" / "writing-rules.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    told = {row[0]: int(row[-1]) for row in rows if row[0] in LADDER}
    assert told == {priority.value: weight for priority, weight in WEIGHTS.items()}
