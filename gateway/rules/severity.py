"""The priority a rule has at this site, for this asset, now."""

from __future__ import annotations

from gateway.model import Priority, Value
from gateway.rules.types import Rule

_STEPS = sorted(Priority, key=lambda each: each.level)


def severity(priority: Priority, rule: Rule, response_level: Value | None, criticality: Value | None) -> Priority:
    """Raised one step at response level II or I where the rule says so; lowered one for a spare (criticality C), but
    never where people are in danger. Both together cancel."""
    up = rule.raises and response_level in ("I", "II")
    down = criticality == "C" and not rule.safety
    step = _STEPS.index(priority) + up - down
    return _STEPS[min(max(step, 0), len(_STEPS) - 1)]
