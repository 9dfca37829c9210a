"""Folders of the dashboards in Grafana: one for each language and level."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model import Text

LEVELS = {"fleet": Text("全域", "fleet"), "site": Text("站点", "site"), "equipment": Text("装备", "equipment")}
"""From above: the whole fleet, one site, each kind of equipment."""
_PRODUCT = Text("守望", "Vigil")
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Folder:
    uid: str
    title: str
    lang: str
    level: str


FOLDERS = tuple(
    Folder(f"vigil-{lang}-{level}", f"{_PRODUCT[lang]} · {title[lang]}", lang, level)
    for lang in LANGUAGES
    for level, title in LEVELS.items()
)
