"""YAML 1.2 as a tree with places; whatever the bytes are, problems and never an exception."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigError, Problem
from gateway.settings import document
from gateway.settings.document import parse
from gateway.settings.nodes import Section, find, plain
from gateway.settings.problems import Problems


def read_text(text: str) -> Any:
    problems = Problems()
    root = parse(text.encode(), "f.yaml", problems)
    problems.raise_any()
    assert root is not None
    return plain(root)


def problems_of(data: bytes) -> tuple[Problem, ...]:
    problems = Problems()
    parse(data, "f.yaml", problems)
    with pytest.raises(ConfigError) as caught:
        problems.raise_any()
    return caught.value.problems


def only_problem(text: str) -> tuple[int, int, str]:
    (problem,) = problems_of(text.encode())
    return problem.line, problem.column, problem.text


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None), ("~", None), ("null", None), ("NULL", None),
        ("true", True), ("False", False),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("20:00", "20:00"), ("1:2:3", "1:2:3"), ("2026-11-21", "2026-11-21"), ("2026-11-21T10:00:00Z",) * 2,
        ("7", 7), ("-7", -7), ("+7", 7), ("007", 7), ("0o17", 15), ("0xFf", 255), ("0b1", "0b1"), ("1_000", "1_000"),
        ("18446744073709551615", 18446744073709551615),
        ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-1.5E-3", -0.0015), ("1.2.3", "1.2.3"),
        ('"7"', "7"), ("'true'", "true"), ('""', ""), ("|\n  a\n  b\n", "a\nb\n"), (">\n  a\n  b\n", "a b\n"),
        ("holding:40.3:2", "holding:40.3:2"), ("10.0.0.5:502", "10.0.0.5:502"), ("°C", "°C"), ("城东", "城东"),
    ],
)  # fmt: skip
def test_scalars_of_the_core_schema(written: str, value: object) -> None:
    got = read_text(f"a: {written}\n")["a"]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    "written", [".inf", "-.INF", ".nan", "18446744073709551616", "1e999", "9" * 5000, "0x" + "f" * 99]
)
def test_numbers_nobody_can_use(written: str) -> None:
    assert only_problem(f"a: {written}\n") == (1, 4, "this number cannot be used")


def test_keys_are_words_or_whole_numbers() -> None:
    assert read_text("{1: a, 0x10: b, true: c, 1.5: d, null: e, '2': f}") == {
        1: "a", 16: "b", "true": "c", "1.5": "d", "null": "e", "2": "f",
    }  # fmt: skip


def test_places_of_keys_and_values() -> None:
    root = parse("城: {a: 1}\nlist:\n  - x: [1, 二, 3]\n".encode(), "f.yaml", Problems())
    assert isinstance(root, Section)
    first = root.entries["城"].value
    assert isinstance(first, Section)
    assert (first.entries["a"].key.line, first.entries["a"].key.column) == (1, 5)
    assert (first.place_of("a").column, first.place_of("a").path) == (8, "城.a")
    node, place, complete = find(root, ["list", 0, "x", 2])
    assert (plain(node), place.line, place.column, place.path, complete) == (3, 3, 15, "list[0].x[2]", True)


def test_aliases_repeat_what_they_name() -> None:
    assert read_text("a: &p {x: 1}\nb: *p\nc: [*p, *p]\n") == {"a": {"x": 1}, "b": {"x": 1}, "c": [{"x": 1}] * 2}


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    line, _, text = only_problem("\n".join(lines))
    assert text == "there is too much in this file"
    assert line <= 7


def test_an_alias_within_its_own_anchor_is_refused() -> None:
    assert only_problem("a: &a [1, *a]\n") == (1, 11, "there is no anchor &a before this")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused(opening: str) -> None:
    problems = problems_of((opening * 3000).encode())
    assert any("nested too deeply" in problem.text for problem in problems)


def test_a_file_too_large_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"a" * (document.LARGEST_FILE + 1))
    problems = Problems()
    assert document.read(path, problems)[0] is None
    with pytest.raises(ConfigError, match="larger than 4 MB"):
        problems.raise_any()


def test_problems_before_a_syntax_error_are_told_too() -> None:
    found = problems_of(b"a: 1\na: 2\nb: [1\n")
    assert [(each.line, each.column) for each in found] == [(2, 1), (3, 4)]


def test_a_byte_order_mark_is_no_problem() -> None:
    root = parse(b"\xef\xbb\xbfa: 1\n", "f.yaml", Problems())
    assert root is not None
    assert plain(root) == {"a": 1}


@pytest.mark.parametrize("loader", [yaml.SafeLoader, document.PARSER], ids=["pure", "fastest"])
@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a:\n\t- 1\n", 2, 1),
        ("a: b: c\n", 1, 5),
        ("a: 1\nb: [1, 2\n", 2, 4),
        ("a: 1\nb: {x: 1\n", 2, 4),
        ("a: 1\nb: 'x\n", 2, 4),
        ("a: 1\nb\nc: 1\n", 2, 1),
        ("a: @x\n", 1, 4),
        ("a:\n  b: 1\n c: 2\n", 3, 2),
        ("a: [}\n", 1, 5),
        ("a: | x\n  b\n", 1, 6),
    ],
)
def test_both_parsers_point_at_the_same_place(
    monkeypatch: pytest.MonkeyPatch, loader: object, text: str, line: int, column: int
) -> None:
    monkeypatch.setattr(document, "PARSER", loader)
    (problem,) = problems_of(text.encode())
    assert (problem.line, problem.column) == (line, column)
    assert problem.text != "this is not YAML"


@given(st.binary(max_size=300))
def test_any_bytes_give_a_tree_or_problems(data: bytes) -> None:
    problems = Problems()
    root = parse(data, "f.yaml", problems)
    assert (root is None) <= bool(len(problems))


@given(st.text(alphabet="ab0:,-?|>'\"[]{}&*!%@#~ \n\t\\.<=é城", max_size=120))
def test_any_text_gives_a_tree_or_problems(text: str) -> None:
    problems = Problems()
    root = parse(text.encode(), "f.yaml", problems)
    assert (root is None) <= bool(len(problems))
    lines = text.splitlines() or [""]
    if len(problems):
        with pytest.raises(ConfigError) as caught:
            problems.raise_any()
        assert all(1 <= each.line <= len(lines) + 1 and each.column >= 1 for each in caught.value.problems)
