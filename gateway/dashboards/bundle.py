"""What ships with the product for Grafana: dashboards, alert rules, and templates for who is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from gateway.dashboards.folders import FOLDERS, Folder
from gateway.settings.bundled import dashboards_dir

Json: TypeAlias = Mapping[str, Any]
"""An object as Grafana's HTTP API takes and gives it."""

_PARTS = ("zh", "en", "alerting", "provisioning")


@dataclass(frozen=True, slots=True)
class Placed:
    """A dashboard and the folder it belongs into."""

    folder: Folder
    dashboard: Json

    @property
    def uid(self) -> str:
        return str(self.dashboard["uid"])


@dataclass(frozen=True, slots=True)
class Alerting:
    """Alert rules with their folder; the contact point still lacks its address."""

    folder_uid: str
    folder_title: str
    rules: Sequence[Json]
    contact_point: Json
    route: Json


@dataclass(frozen=True, slots=True)
class Bundle:
    folders: Sequence[Folder]
    dashboards: Sequence[Placed]
    alerting: Alerting


def load_bundle(languages: Sequence[str], root: Path | None = None) -> Bundle:
    """Everything of `languages`, in the order it is to be sent."""
    root = root or dashboards_dir()
    folders = tuple(folder for folder in FOLDERS if folder.lang in languages)
    placed = tuple(
        Placed(folder, _read(path))
        for folder in folders
        for path in sorted((root / folder.lang / folder.level).glob("*.json"))
    )
    found = _read(root / "alerting" / "alerting.json")
    alerting = Alerting(
        found["folder"]["uid"],
        found["folder"]["title"],
        tuple(found["group"]["rules"]),
        found["contact_point"],
        found["route"],
    )
    return Bundle(folders, placed, alerting)


def export(target: Path, root: Path | None = None) -> list[Path]:
    """Write all files for provisioning below `target`, over what is there; gives the paths. OSError where it cannot."""
    root = root or dashboards_dir()
    written = []
    for part in _PARTS:
        for path in sorted((root / part).rglob("*")):
            if path.is_file():
                copy = target / path.relative_to(root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
                written.append(copy)
    return written


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
