"""A level raised and cleared by two conditions."""

from __future__ import annotations

from datetime import UTC

from gateway.model import Priority, Text
from gateway.rules.bind import bind
from gateway.rules.engine import DeviceRules
from gateway.rules.readiness import Effect
from gateway.rules.types import Formula, Level, Pack, Rule

NOTHING = Text("", "")


def levels_of(raise_: str, clear: str, *values: float | None) -> list[bool]:
    """Whether it holds after each of these values of `a`."""
    level = Level(Priority.HIGH, Formula((raise_,)), Formula((clear,)), Effect.DEGRADED)
    rule = Rule("r", "pump", (), NOTHING, NOTHING, "duty", None, (level,))
    rules = DeviceRules("d", bind([Pack("pump", "pump", NOTHING, {}, {}, None, (rule,))], None, ("a",), {}), {}, UTC)
    held = []
    for second, value in enumerate(values):
        rules.update(second * 1000, ("a",), (value,))
        held.append(bool(rules.holding()))
    return held


def test_between_raise_and_clear_it_stays_what_it_was() -> None:
    assert levels_of("a < 12.4", "a >= 12.6", 12.5, 12.3, 12.5, None, 12.6, 12.5) == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_limit_beyond_what_clears_it_makes_nothing_chatter() -> None:
    """As a site may set it: raise below 12.8, clear from 12.6."""
    assert levels_of("a < 12.8", "a >= 12.6", 12.7, 12.7, 12.7, 12.9, 12.7) == [True, True, True, False, True]
