"""The table of transitions, and the page that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.alarms.table import ASIDE, STEPS, Guard, advance, diagram, with_diagram
from gateway.model import AlarmCondition, AlarmEvent

PAGE = Path(__file__).parents[3] / "docs" / "alarms.md"


def test_no_two_steps_say_different_things() -> None:
    seen: dict[tuple[AlarmCondition, AlarmEvent], list[Guard]] = {}
    for step in STEPS:
        guards = seen.setdefault((step.before, step.event), [])
        assert step.guard not in guards
        guards.append(step.guard)
    pairs = ([Guard.ALWAYS], [Guard.ENOUGH, Guard.MORE], [Guard.FREE, Guard.LATCHED])
    assert all(guards in pairs for guards in seen.values())


@pytest.mark.parametrize(
    ("before", "event"),
    [
        ("NORMAL", "ack"), ("NORMAL", "reset"), ("NORMAL", "return"), ("NORMAL", "worsen"), ("UNACK", "reset"),
        ("UNACK", "raise"), ("ACKED", "ack"), ("ACKED", "reset"), ("RTN_UNACK", "reset"), ("RTN_UNACK", "return"),
        ("LATCHED_UNACK", "reset"), ("LATCHED_ACKED", "ack"), ("LATCHED_ACKED", "return"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused(before: str, event: str) -> None:
    for latched in (False, True):
        for enough in (False, True):
            found = advance(AlarmCondition(before), AlarmEvent(event), is_latched=latched, has_enough=enough)
            assert found is None


def test_nothing_on_the_other_axis_moves_the_condition() -> None:
    for condition in AlarmCondition:
        assert {advance(condition, event) for event in ASIDE} == {condition}


def test_every_condition_can_be_left_and_reached() -> None:
    told = [step for step in STEPS if step.before is not step.after and step.event is not AlarmEvent.REMOVE]
    assert {step.before for step in told} == {step.after for step in told} == set(AlarmCondition)


def test_the_page_shows_the_table_of_today() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_diagram(page) == page
    assert "UNACK --> RTN_UNACK: return [not latched]" in diagram()
