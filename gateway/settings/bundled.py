"""Where the data that ships with the product is: beside the packages in a checkout, inside the wheel otherwise."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def config_dir() -> Path:
    """The folder that holds vocabulary, profiles, rules and schema."""
    return _find("config")


def dashboards_dir() -> Path:
    """The folder that holds dashboards and their provisioning."""
    return _find("dashboards")


def _find(name: str) -> Path:
    checkout = _PACKAGE.parent / name
    return checkout if (_PACKAGE.parent / "pyproject.toml").is_file() else _PACKAGE / "data" / name
