"""The CEL extension alone: its package would import a terminal tool (0.3 s and megabytes) that nothing here needs."""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder
from typing import Any, Protocol, cast


class Program(Protocol):
    """What the extension compiles a text to."""

    def variables(self) -> list[str]: ...

    def functions(self) -> list[str]: ...

    def execute(self, context: dict[str, Any]) -> Any: ...


class _Cel(Protocol):
    def compile(self, expression: str) -> Program: ...


@cache
def _cel() -> _Cel:
    package = importlib.util.find_spec("cel")
    for folder in package.submodule_search_locations or () if package is not None else ():
        spec = FileFinder(folder, (ExtensionFileLoader, EXTENSION_SUFFIXES)).find_spec("cel")
        if spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return cast("_Cel", module)
    raise ImportError("common-expression-language is not installed")


def compile_cel(source: str) -> Program:
    """The program of `source`; ValueError with the parser's words where it is none."""
    return _cel().compile(source)
