"""A number of a shipped rule that is altered is noticed by a case beside the rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

import pytest

from gateway.rules.cases import failures
from gateway.rules.types import Level, Pack, Rule
from tests.rules.plant_site import PACKS, VOCABULARY

#: Alterations that alter nothing a case can see, and why.
ALIKE = {
    ("device_silent", "limits.polls"),  # a case asks every second; tests/unit/rules/test_judge.py asks more rarely
    ("device_silent", "limits.good x 0.8"),  # readings are counted whole
    ("value_out_of_range", "limits.samples x 0.8"),  # the same
    ("air_carbon_monoxide", "high.off_s x 0.5"),  # both levels clear together
}


def altered(rule: Rule) -> Iterator[tuple[str, Rule]]:
    for name, value in rule.limits.items():
        for factor in (0.8, 1.25) if value else ():
            limits = MappingProxyType({**rule.limits, name: value * factor})
            yield f"limits.{name} x {factor}", replace(rule, limits=limits)
    if rule.when is not None:
        yield "when left out", replace(rule, when=None, when_for_s=0.0)
    for index, level in enumerate(rule.levels):
        for key in ("for_s", "on_s", "off_s"):
            if seconds := getattr(level, key):
                yield f"{level.priority.value}.{key} x 0.5", _with(rule, index, replace(level, **{key: seconds / 2}))


def _with(rule: Rule, index: int, level: Level) -> Rule:
    return replace(rule, levels=(*rule.levels[:index], level, *rule.levels[index + 1 :]))


@pytest.mark.parametrize("pack", PACKS.packs, ids=lambda pack: pack.name)
def test_no_number_can_be_altered_unnoticed(pack: Pack) -> None:
    unnoticed = [
        (rule.name, change)
        for rule in pack.rules
        for change, other in altered(rule)
        if next(failures(replace(pack, rules=(other,)), VOCABULARY), None) is None
        and not {(rule.name, change), (rule.name, change.partition(" ")[0])} & ALIKE
    ]
    assert unnoticed == []
