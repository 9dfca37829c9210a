"""The four priorities with response level and criticality as inputs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.model import Priority
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
    ],
)
def test_severity(given: str, raises: bool, safety: bool, level: str, criticality: str, expected: str) -> None:
    rule = replace(ANY, raises=raises, safety=safety)
    assert severity(Priority(given), rule, level, criticality) is Priority(expected)
