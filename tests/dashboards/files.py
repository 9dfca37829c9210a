"""The generated files, as tests look at them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2] / "dashboards"
LANGUAGES = ("zh", "en")

Json = dict[str, Any]


def paths() -> list[Path]:
    """Every dashboard."""
    return sorted(path for lang in LANGUAGES for path in (ROOT / lang).rglob("*.json"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def load(path: Path | str) -> Json:
    found: Json = json.loads((ROOT / path).read_text(encoding="utf-8"))
    return found


def panels(dashboard: Json) -> Iterator[Json]:
    """Every panel that shows something."""
    yield from (panel for panel in dashboard["panels"] if panel["type"] != "row")


def panel(dashboard: Json, title: str) -> Json:
    (found,) = [each for each in panels(dashboard) if each["title"] == title]
    return found


def alerting() -> Json:
    return load("alerting/alerting.json")
