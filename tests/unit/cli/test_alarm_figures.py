"""How well alarms serve, as people read it: every figure with its name and target, and what is behind it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.alarms.metrics import AlarmMetrics
from gateway.cli.alarm_figures import TARGETS, figures_text
from gateway.model import AlarmCondition, AlarmEvent, Priority
from tests.rules.plant_site import VOCABULARY
from tests.unit.alarms.test_metrics import T0, raised, step

POINTS = VOCABULARY["gateway"].points


def told() -> dict[str, Any]:
    metrics = AlarmMetrics()
    raised(metrics, [T0 + 1000 * each for each in range(25)], "fuel_low", Priority.LOW)
    metrics.note(step(AlarmEvent.RETURN, T0 + 9_000, AlarmCondition.RTN_UNACK))
    metrics.note(step(AlarmEvent.ACK, T0 + 30_000, AlarmCondition.ACKED))
    now = T0 + 60_000
    return {
        "figures": metrics.figures([], now),
        "frequent": [{"alarm": key, "times": times} for key, times in metrics.worst(now)],
        "chattering": [{"alarm": key, "off_s": off_s} for key, off_s in metrics.chattering(now)],
        "fleeting": [{"alarm": key, "times": times} for key, times in metrics.fleeting(now)],
    }


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_figure_has_a_name_in_both_languages(language: str) -> None:
    found = told()
    lines = figures_text(found, POINTS, language)
    assert not [name for name in found["figures"] if any(name in line for line in lines)]
    assert found["figures"].keys() <= POINTS.keys()
    assert TARGETS.keys() <= POINTS.keys()


def test_what_is_behind_them_is_named_with_what_to_do() -> None:
    lines = [" ".join(line.split()) for line in figures_text(told(), POINTS, "en")]
    assert "Alarm flood yes under 1 % of the time" in lines
    assert "Time to acknowledge, median 30 s falling" in lines
    behind = [line for line in lines if line.startswith("gen-1/")]
    assert behind == ["gen-1/fuel_low off: 5s", "gen-1/fuel_low 25×", "gen-1/fuel_low 1×"]


def test_where_nothing_happened_nothing_is_listed() -> None:
    quiet = {"figures": {"alarm_rate": 0}, "frequent": [], "chattering": [], "fleeting": []}
    assert [line.split() for line in figures_text(quiet, POINTS, "en")] == [
        ["figure", "now", "target"],
        ["Alarms", "announced", "in", "10", "min", "0", "about", "1", "for", "each", "operator"],
    ]
