"""Writes every dashboard in both languages and the alert rules: `python -m dashboards.source [FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path

from dashboards.source.generate import generate

if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    for path in generate(target):
        print(path.relative_to(target))
