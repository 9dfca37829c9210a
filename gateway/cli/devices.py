"""`python -m gateway.cli.devices` writes `docs/devices.md` from the profiles."""

from __future__ import annotations

from pathlib import Path

from gateway.app import PROTOCOLS
from gateway.commissioning.catalogue import catalogue
from gateway.commissioning.device_page import device_page
from gateway.settings.bundled import config_dir


def text() -> str:
    """What the page must hold."""
    return device_page(catalogue(PROTOCOLS))


def page() -> Path:
    """Where the page is, in a checkout."""
    return config_dir().parent / "docs" / "devices.md"


def main() -> None:
    """Write it."""
    page().write_text(text(), encoding="utf-8")
    print(page())


if __name__ == "__main__":
    main()
