"""Whatever is done to a good file, loading it gives settings or problems, never another exception."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.modbus import MODBUS
from gateway.errors import ConfigError, Problem
from gateway.settings import load_ingest, load_site
from gateway.settings.problems import CORRECT_IT
from tests.unit.settings.sample import GOOD, write_site

PROTOCOLS = {"modbus": MODBUS}
LINES = GOOD.splitlines(keepends=True)

_JUNK = st.sampled_from(
    [
        "", "{}", "[]", "~", "-1", "1e300", "true", "'x'", "[[1]]", "{a: 1}", "*a", "&a b", "!x y", "_x", "0x10",
        ".nan", "城", "18446744073709551615", '"\\0"', "|", "- 1", "{0: 1}", "[1, 2]", "500ms", "0s", "2026-01-01",
        '"holding:1"',
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site")
    write_site(path)
    return path


def load(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    problems: Sequence[Problem] = ()
    try:
        load_site(path, PROTOCOLS, "zh")
    except ConfigError as error:
        problems = error.problems or pytest.fail("a ConfigError without problems")
    for problem in problems:
        assert re.search("[\u4e00-\u9fff]", problem.text), problem  # a text of ours, not a library's
        assert problem.hint not in ("", CORRECT_IT.zh), f"does not say what to write instead: {problem}"
        assert problem.line >= 1
        assert problem.column >= 1


_MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_MANY
@given(data=st.data())
def test_values_replaced(folder: Path, data: st.DataObject) -> None:
    """Some values anywhere in the tree become something else."""
    tree = yaml.safe_load(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        spots = list(_spots(tree))
        if not spots:
            break
        container, key = data.draw(st.sampled_from(spots))
        container[key] = yaml.safe_load(
            data.draw(st.sampled_from(["1", "-1", "{}", "[]", "~", "x", "[[]]", "{a: 1}", "1.5", "true"]))
        )
    load(folder / "tree.yaml", yaml.safe_dump(tree, allow_unicode=True))


def _spots(node: object) -> list[tuple[object, object]]:
    pairs = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [spot for key, value in pairs for spot in [(node, key), *_spots(value)]]


@_MANY
@given(line=st.integers(0, len(LINES) - 1), junk=_JUNK)
def test_a_value_in_the_text_replaced(folder: Path, line: int, junk: str) -> None:
    """What follows the first colon of a line becomes something else."""
    key, colon, _ = LINES[line].partition(":")
    text = "".join([*LINES[:line], f"{key}{colon} {junk}\n", *LINES[line + 1 :]])
    load(folder / "value.yaml", text)


@_MANY
@given(start=st.integers(0, len(GOOD)), length=st.integers(0, 30), insert=st.text(max_size=5) | _JUNK)
def test_text_cut_and_pasted(folder: Path, start: int, length: int, insert: str) -> None:
    load(folder / "cut.yaml", GOOD[:start] + insert + GOOD[start + length :])


@_MANY
@given(lines=st.lists(st.sampled_from(LINES), max_size=20))
def test_lines_shuffled(folder: Path, lines: list[str]) -> None:
    load(folder / "lines.yaml", "".join(lines))


@_MANY
@given(text=st.text(max_size=60) | st.lists(_JUNK, max_size=4).map(lambda junk: "mqtt: " + "\ninflux: ".join(junk)))
def test_any_ingest_file(folder: Path, text: str) -> None:
    path = folder / "ingest.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ConfigError):
        load_ingest(path)
