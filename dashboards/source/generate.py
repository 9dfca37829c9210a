"""Every file that is made from this package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dashboards.source import alarms, alerting, equipment, fleet, overview, site
from dashboards.source.page import EQUIPMENT, FLEET, SITE, Page
from dashboards.source.texts import LANGUAGES

#: Folders whose JSON is all generated: what is no longer made is removed.
LEVELS = (FLEET, SITE, EQUIPMENT)


def pages(lang: str) -> Iterator[Page]:
    """Every dashboard of one language."""
    yield overview.page(lang)
    yield alarms.page(lang)
    yield fleet.page(lang)
    yield site.page(lang)
    yield from equipment.pages(lang)


def files() -> dict[str, str]:
    """Path below `dashboards/` -> text."""
    found = {f"{lang}/{page.level}/{page.name}.json": page.json() for lang in LANGUAGES for page in pages(lang)}
    return found | alerting.files()


def generate(target: Path) -> list[Path]:
    """Write them all below `target`; gives the paths."""
    wanted = files()
    for lang in LANGUAGES:
        for path in (target / lang).rglob("*.json"):
            if path.relative_to(target).as_posix() not in wanted:
                path.unlink()
    for name, text in wanted.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [target / name for name in sorted(wanted)]
