"""Command-line help and usage errors in the language of the reader."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from typing import Any, NoReturn

_HELP = (
    ("usage: ", "用法："),
    ("positional arguments:", "参数："),
    ("options:", "选项："),
    ("show this help message and exit", "显示帮助"),
    ("show program's version number and exit", "显示版本"),
)

_ERRORS: Sequence[tuple[str, str]] = (
    (r"the following arguments are required: (.+)", r"缺少参数：\1"),
    (r"unrecognized arguments: (.+)", r"不认识的参数：\1"),
    (r"argument (\S+): invalid choice: (.+) \(choose from (.+)\)", r"参数 \1 不能是 \2（可选：\3）"),
    (r"argument (\S+): invalid (\S+) value: (.+)", r"参数 \1 的值 \3 无效"),
    (r"argument (\S+): expected one argument", r"参数 \1 后面缺少值"),
    (r"argument (\S+): expected at least one argument", r"参数 \1 后面至少要有一个值"),
    (r"ambiguous option: (.+) could match (.+)", r"\1 可能是 \2，请写全"),
)


class Parser(argparse.ArgumentParser):
    """argparse with Chinese where it is asked for; usage errors exit with 2."""

    def __init__(self, *, language: str = "en", **options: Any) -> None:
        self.language = language
        super().__init__(**options)

    def format_help(self) -> str:
        return self._say(super().format_help())

    def format_usage(self) -> str:
        return self._say(super().format_usage())

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, then exit with 2."""
        if self.language == "zh":
            for pattern, words in _ERRORS:
                if re.fullmatch(pattern, message, re.DOTALL):
                    message = re.sub(pattern, words, message, flags=re.DOTALL)
                    break
        self.exit(2, f"{self.format_usage()}{self.prog}: {message}\n")

    def _say(self, text: str) -> str:
        if self.language == "zh":
            for english, chinese in _HELP:
                text = text.replace(english, chinese)
        return text


def seconds(text: str) -> float:
    """A length of time, as the type of an argument."""
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(text)
    return value


def speed(text: str) -> float:
    """Times faster than real time, as the type of an argument."""
    value = seconds(text)
    if value > 100_000:
        raise ValueError(text)
    return value
