"""The order in which a notice tells its alarms: what followed under what came first, each of them once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.dispatch.group import Line, in_order
from gateway.dispatch.incident import What
from tests.unit.dispatch.alarms import WALL, alarm

RULES = ("a", "b", "c", "d", "e")


def line(rule: str, first_out: str | None = None, what: What = What.RAISED, began: int = WALL) -> Line:
    return Line(alarm(rule=rule, first_out=first_out), what, began)


def told(lines: list[Line]) -> list[tuple[str, bool]]:
    return [(each.alarm.rule, each.is_consequence) for each in in_order(lines)]


def test_a_consequence_of_a_consequence_stands_once_under_the_first() -> None:
    lines = [line("c", "b", began=WALL + 2), line("b", "a", began=WALL + 1), line("a")]
    assert told(lines) == [("a", False), ("b", True), ("c", True)]


def test_a_consequence_whose_cause_is_not_told_stands_for_itself() -> None:
    assert told([line("c", "b"), line("a")]) == [("a", False), ("c", False)]


def test_a_ring_is_told_as_equals() -> None:
    assert told([line("a", "b"), line("b", "a"), line("c", "a")]) == [("a", False), ("b", False), ("c", False)]


@given(
    st.dictionaries(
        st.sampled_from(RULES),
        st.tuples(st.none() | st.sampled_from(RULES), st.sampled_from(What), st.integers(WALL, WALL + 9)),
    )
)
def test_every_line_stands_there_once(found: dict[str, tuple[str | None, What, int]]) -> None:
    lines = [line(rule, *more) for rule, more in found.items()]
    assert sorted((each.alarm.key, each.what.name, each.began) for each in in_order(lines)) == sorted(
        (each.alarm.key, each.what.name, each.began) for each in lines
    )
