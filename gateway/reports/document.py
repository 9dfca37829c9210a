"""A report as sections of sentences and tables, whatever it is printed as."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    """Shares of the width, in percent."""


@dataclass(frozen=True, slots=True)
class Section:
    """Sentences, then a table. A table without rows says `nothing` instead."""

    title: str
    lines: tuple[str, ...] = ()
    table: Table | None = None
    nothing: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """`marks` stand above the title, `facts` below it; `blanks` are lines to be filled in by hand; `foot` says where
    everything comes from."""

    language: str
    title: str
    marks: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    blanks: tuple[str, ...]
    foot: str
