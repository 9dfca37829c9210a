"""The parts of an expression, and which of them decide."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.expressions import compile_expression
from gateway.rules.parts import deciding, split

NAMES = ("a", "b", "c")


def said(source: str, **known: bool | float | str) -> list[str]:
    return [part.source for part in deciding(split(source), known)]


def test_of_an_or_that_is_true_those_that_are_true_decide() -> None:
    assert said("a || b > 3 || c", a=False, b=4.0, c=True) == ["b > 3", "c"]


def test_of_an_and_that_is_false_those_that_are_false_decide() -> None:
    assert said("a && !(b || c)", a=True, b=True, c=False) == ["b"]


def test_what_cannot_be_told_decides_that_it_cannot() -> None:
    assert said("a && b && c", a=True, c=True) == ["b"]


def test_a_part_that_cannot_be_told_decides_nothing_where_the_rest_does() -> None:
    assert said("a && b", a=False) == ["a"]


def test_a_choice_is_decided_by_its_condition_and_the_side_taken() -> None:
    assert said("a ? b > 1 : c", a=True, b=2.0, c=False) == ["a", "b > 1"]
    assert said("a ? b > 1 : (c ? true : false)", a=False, c=True) == ["a", "c", "true"]


@pytest.mark.parametrize("source", ["x in ['a || b', \"(\"]", "!a == b", "size('?:') > 2", "(1 + 2) * (3) > 4", "!!a"])
def test_texts_and_calls_are_not_taken_apart(source: str) -> None:
    assert split(f"({source})").source == source


def expressions() -> st.SearchStrategy[str]:
    def wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        pair = st.tuples(inner, st.sampled_from(("||", "&&")), inner)
        return st.one_of(
            inner.map(lambda each: f"!({each})"),
            pair.map(lambda each: f"({each[0]}) {each[1]} ({each[2]})"),
            pair.map(lambda each: f"{each[0]} {each[1]} {each[2]}"),
            st.tuples(inner, inner, inner).map(lambda each: f"({each[0]}) ? ({each[1]}) : ({each[2]})"),
        )

    return st.recursive(st.sampled_from(NAMES), wider, max_leaves=6)


@given(expressions())
def test_the_deciding_parts_alone_make_it_say_the_same(source: str) -> None:
    """Whatever the other names become, what decides keeps the answer (for true and false)."""
    for values in product((True, False, None), repeat=len(NAMES)):
        known = {name: value for name, value in zip(NAMES, values, strict=True) if value is not None}
        truth = compile_expression(source).truth(known)
        names = {name for part in deciding(split(source), known) for name in part.names}
        if truth is None:
            assert any(name not in known for name in names)
        else:
            assert compile_expression(source).truth({name: known[name] for name in names if name in known}) is truth
