"""A comparison done here says what the CEL program of the same text says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.expressions import Plain, compile_expression, number_text

finite = st.floats(allow_nan=False, allow_infinity=False)
known = st.one_of(st.none(), st.booleans(), st.text(max_size=3), finite, st.sampled_from([0.0, -0.0, 1.5]))


@given(st.sampled_from(["<", "<=", ">", ">="]), st.one_of(finite, st.sampled_from([0.0, 1.5])), known)
def test_as_the_program_says(sign: str, bound: float, value: Plain | None) -> None:
    there = {} if value is None else {"level": value}
    quick = compile_expression(f"level {sign} {number_text(bound)}")
    program = compile_expression(f"(level) {sign} {number_text(bound)}")
    assert quick.comparison is not None
    assert program.comparison is None
    assert quick.value(there) is program.value(there)


@pytest.mark.parametrize(
    "source", ["a == 1", "a > b", "a > 1 && b", "1 < a", "a > -1 + 2", "true > 1", "a > (1)", "-a > 1"]
)
def test_all_else_is_left_to_the_program(source: str) -> None:
    assert compile_expression(source).comparison is None


def test_numbers_as_they_are_written() -> None:
    assert compile_expression("a>=30").value({"a": 30.0}) is True
    assert compile_expression("a < -1e3").value({"a": -1001.0}) is True
    assert compile_expression("a < (-40.0)").value({"a": -39.5}) is False
