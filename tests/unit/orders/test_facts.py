"""What may be said of a device: of the vocabulary's type, in its words, and nothing else, whoever sends what."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.model import ValueType
from gateway.orders.arguments import length_of, note_of, rule_of
from gateway.orders.facts import checked, find_fact
from gateway.ports import Refused
from tests.rules.plant_site import VOCABULARY, equipment
from tests.unit.sim.sites import site

FACTS = {(kind, name): fact for kind, found in VOCABULARY.items() for name, fact in found.facts.items()}
SITE = replace(site(equipment("gen-1", "generator")), kinds=VOCABULARY, kind="shelter")
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def of_or_refused(read: Callable[[], Any], error: str) -> Any:
    """What it gives; None where it refuses with this error. Anything else falls."""
    try:
        return read()
    except Refused as refused:
        if refused.error != error:
            raise
        return None


@example(("generator", "tank_capacity"), float("nan"))
@example(("generator", "tank_capacity"), float("inf"))
@example(("generator", "tank_capacity"), 10**400)
@given(st.sampled_from(sorted(FACTS)), ANYTHING)
def test_what_passes_is_a_value_of_the_facts_type_and_can_be_kept(key: tuple[str, str], value: Any) -> None:
    fact = FACTS[key]
    found = of_or_refused(lambda: checked(fact, value), "bad_value")
    if found is None:
        return
    wanted = {ValueType.NUMBER: (int, float), ValueType.BOOLEAN: bool, ValueType.STRING: str}[fact.type]
    assert isinstance(found, wanted)
    assert not fact.words or found in fact.words
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("kind", "name", "given", "expected"),
    [
        ("generator", "tank_capacity", 200, 200),
        ("generator", "tank_capacity", 200.5, 200.5),
        ("generator", "tank_capacity", 200.0, 200),
        ("generator", "work_order", True, True),
        ("generator", "fuel_tested", "2026-02-28", "2026-02-28"),
        ("shelter", "mode", "activated", "activated"),
        ("warehouse", "closed_from", "20:00", "20:00"),
    ],
)
def test_what_is_right_is_taken(kind: str, name: str, given: Any, expected: Any) -> None:
    found = checked(FACTS[kind, name], given)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("device", "name", "error"),
    [
        ("nobody", "work_order", "no_such_device"),
        ("gen-1", "mode", "no_such_fact"),
        ("_site", "work_orders", "no_such_fact"),
        ("_gateway", "tank_capacity", "no_such_fact"),
    ],
)
def test_what_there_is_not_is_named(device: str, name: str, error: str) -> None:
    with pytest.raises(Refused) as refused:
        find_fact(SITE, device, name)
    assert refused.value.error == error


@given(st.dictionaries(st.sampled_from(("rule", "note", "for", "order")), ANYTHING))
def test_arguments_are_right_or_refused(args: dict[str, Any]) -> None:
    for read in (rule_of, note_of, length_of):
        found = of_or_refused(partial(read, args), "bad_request")
        assert found is None or (isinstance(found, str) and found.isprintable()) or found > 0
