"""Chinese texts have Chinese punctuation; what is to be typed keeps its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_HAN = "\u4e00-\u9fff"
#: `{point: 点名, power: 10}` is something to be typed: a blank follows its comma.
_HALF_WIDTH = re.compile(rf"[{_HAN}][,;](?! )|[,;][{_HAN}]|[{_HAN}]:$")
_TYPED = ("string:字节数",)


def strings(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def half_width(text: str) -> bool:
    for typed in _TYPED:
        text = text.replace(typed, "")
    return _HALF_WIDTH.search(text) is not None


def test_half_width_marks_are_found() -> None:
    assert all(half_width(text) for text in ("不是数,不能换算", "从 0 起;手册", "请写 8,或", "可用:"))
    typed = ("{point: 点名, power: 10}", 'tcp: "主机:502"', "a, b", "string:字节数", "不是数，不能换算")
    assert not any(half_width(text) for text in typed)


@pytest.mark.parametrize("package", ["drivers", "gateway"])
def test_no_chinese_text_has_half_width_marks(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in files
        for line, text in strings(path.read_text(encoding="utf-8"))
        if half_width(text)
    ]
    assert files
    assert found == []
