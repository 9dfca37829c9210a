"""What readiness asks for is also judged: a point that must be seen and that no rule looks at may say anything."""

from __future__ import annotations

import pytest

from gateway.model import ValueType
from gateway.rules.bind import bind
from gateway.rules.coverage import watched_names
from gateway.rules.facts import BUILT_IN
from gateway.settings.types import Kind
from tests.rules.plant_site import PACKS, VOCABULARY

#: Seen so that a device is known to be there and to be used; nothing they say alone makes it of no use.
ONLY_SEEN = {
    "run_time",
    "source1_available",  # its loss is what the switch is for
    "source2_available",  # a set that stands still gives no voltage
    "source1_connected",
    "lamp_current",  # tells something only of lamps known to be switched on
    "load_current",
    "discharge_pressure",  # falls in a fire as well
    "low_discharge_pressure",
    "charging",  # a full battery is not charged
    "battery_current",
    "generator_running",
    "location",
    "latitude",
    "docked",
    "position_fixed",
}


def examples(kind: Kind) -> dict[str, object]:
    """Every fact of a kind."""
    found: dict[str, object] = {}
    for name, fact in kind.facts.items():
        text = "2026-01-01" if fact.is_date else "08:00"
        found[name] = fact.default if fact.default is not None else text if fact.type is ValueType.STRING else 1.0
    return found


@pytest.mark.parametrize("name", VOCABULARY)
def test_each_mandatory_point_alone_is_looked_at_by_a_rule(name: str) -> None:
    kind = VOCABULARY[name]
    packs = [pack for pack in PACKS.packs if pack.kind == name]
    unjudged = set()
    for requirement in kind.mandatory:
        for point in requirement.points:
            others = {each for other in kind.mandatory if point not in other.points for each in other.points}
            facts = examples(kind) | dict(requirement.when)
            binding = bind(packs, kind, [*others, point], facts)  # type: ignore[arg-type]
            if point not in watched_names(binding) and point not in ONLY_SEEN:
                unjudged.add(point)
    assert not unjudged


def test_no_point_or_fact_is_called_like_what_rules_know_by_themselves() -> None:
    for kind in VOCABULARY.values():
        assert not BUILT_IN.keys() & {*kind.points, *kind.facts}, kind.name
