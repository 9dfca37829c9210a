"""Aligned text, with Chinese characters two columns wide as terminals show them."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Sequence
from typing import TextIO


def is_coloured(out: TextIO) -> bool:
    """A terminal whose reader has not asked for plain text (NO_COLOR)."""
    return out.isatty() and not os.environ.get("NO_COLOR")


def width(text: str) -> int:
    """Columns a terminal needs for `text`."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = (), indent: str = "  ") -> list[str]:
    """One line for each row, columns as wide as their widest cell; columns in `right` are flush right."""
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    lines = []
    for row in rows:
        cells = []
        for column, cell in enumerate(row):
            blanks = " " * (widths[column] - width(cell))
            cells.append(blanks + cell if column in right else cell + blanks)
        lines.append((indent + "  ".join(cells)).rstrip())
    return lines


def size(count: float) -> str:
    """Bytes in the unit one would say."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}" if count < 999.5 else f"1 {unit}"
        count /= 1000
    return f"{count:.3g} GB" if count < 1000 else f"{count:.0f} GB"
