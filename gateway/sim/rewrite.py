"""A site file's text with its lines pointing somewhere else; nothing else in it changes, comments included."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateway.settings.document import parse
from gateway.settings.nodes import Scalar
from gateway.settings.problems import Problems

_QUOTES = "'\""


def rewrite(config: Path, endpoints: Mapping[str, str]) -> str:
    """The text of `config` with the address of every line in `endpoints` replaced; ConfigError where it is not YAML.

    Relative paths in it stay as they are, so the result belongs beside `config`.
    """
    data = config.read_bytes()
    problems = Problems()
    root = parse(data, str(config), problems)
    problems.raise_any()
    lines = data.decode("utf-8-sig").splitlines(keepends=True)
    edits: list[tuple[int, int, str, str]] = []
    listed = root.section("lines") if root is not None else None
    for name, endpoint in endpoints.items():
        medium, _, address = endpoint.partition(":")
        entry = listed.section(name) if listed is not None else None
        value = entry.get(medium) if entry is not None else None
        if isinstance(value, Scalar):
            edits.append((value.place.line - 1, value.place.column - 1, value.text, address))
    # From the back, so that the places before stay true.
    for row, column, old, new in sorted(edits, reverse=True):
        line = lines[row]
        length = len(old)
        if line[column] in _QUOTES:
            length = line.index(line[column], column + 1) + 1 - column
        lines[row] = f'{line[:column]}"{new}"{line[column + length :]}'
    return "".join(lines)
