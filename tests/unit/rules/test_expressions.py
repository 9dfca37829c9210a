"""CEL with three answers."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.expressions import compile_expression, filled, number_text, substitute


@pytest.mark.parametrize(
    ("source", "known", "answer"),
    [
        ("a > 12", {"a": 12.5}, True),
        ("a == 12", {"a": 12.0}, True),
        ("a > 1e1", {"a": 12.5}, True),
        ("a > 12 * 2", {"a": 23.9}, False),
        ("m == 'x12'", {"m": "x12"}, True),
        ("m in ['auto', 'test']", {"m": "auto"}, True),
        ("a > 1 && b", {"a": 0.0}, False),
        ("b && a > 1", {"a": 0.0}, False),
        ("a > 1 || b", {"a": 2.0}, True),
        ("b || a > 1", {"a": 2.0}, True),
        ("a > 1 && b", {"a": 2.0}, None),
        ("a > 1 || b", {"a": 0.0}, None),
        ("!b", {}, None),
        ("b", {}, None),
        ("m != 'auto'", {}, None),
        ("a / b > 1", {"a": 0.0, "b": 0.0}, None),
        ("a", {"a": 1.0}, None),
    ],
)
def test_truth(source: str, known: dict[str, bool | float | str], answer: bool | None) -> None:
    assert compile_expression(source).truth(known) is answer


@pytest.mark.parametrize("source", ["a / b", "-a / b", "0 / 0"])
def test_what_is_no_number_cannot_be_told(source: str) -> None:
    assert compile_expression(source).value({"a": 1.0, "b": 0.0}) is None


def test_names_alone_are_replaced() -> None:
    assert substitute("low < low_level && m == 'low'", {"low": "3.0"}) == "3.0 < low_level && m == 'low'"
    assert filled("a < low", {"low": -2}) == "a < (-2)"
    assert filled("a < low", {"low": 120.0}) == "a < 120"
    assert filled("a < low", {"low": 11.9}) == "a < 11.9"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_limit_is_put_in_exactly(value: float) -> None:
    assert compile_expression(f"a == {number_text(value)}").truth({"a": value}) is True


@given(st.text(alphabet="ab1.&|!()<>='\" \n$é[]", max_size=12))
def test_no_text_brings_it_down(source: str) -> None:
    try:
        expression = compile_expression(source)
    except ValueError:
        return
    assert expression.value({"a": 1.0, "b": True}) is None or True


def test_the_terminal_tool_of_the_cel_package_is_not_loaded() -> None:
    code = "import sys, gateway.rules.expressions as e; e.compile_expression('a'); print('typer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
