"""The priority a rule has at this site, for this asset, now."""

from __future__ import annotations

from gateway.model import Priority, Value
from gateway.rules.types import Rule

_UP = {
    Priority.LOW: Priority.MEDIUM,
    Priority.MEDIUM: Priority.HIGH,
    Priority.HIGH: Priority.CRITICAL,
    Priority.CRITICAL: Priority.CRITICAL,
}
_DOWN = {
    Priority.CRITICAL: Priority.HIGH,
    Priority.HIGH: Priority.MEDIUM,
    Priority.MEDIUM: Priority.LOW,
    Priority.LOW: Priority.LOW,
}


def severity(priority: Priority, rule: Rule, response_level: Value | None, criticality: Value | None) -> Priority:
    """Raised one step at response level II or I where the rule says so; lowered one for a spare (criticality C), but
    never where people are in danger. Both together cancel."""
    if rule.raises and response_level in ("I", "II"):
        priority = _UP[priority]
    if criticality == "C" and not rule.safety:
        priority = _DOWN[priority]
    return priority
