"""What `read`, `write` and `scan` share: the device that is meant, and whether a gateway runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from gateway.model import Text
from gateway.settings.problems import suggest
from gateway.settings.types import DeviceSettings, SiteSettings


class WrongWords(Exception):
    """The command line names what is not there; exit 2."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def add_device(parser: argparse.ArgumentParser) -> None:
    """CONFIG and DEVICE."""
    language = parser.get_default("lang")
    parser.add_argument("config", type=Path, metavar="CONFIG", help=Text("站点配置文件", "site file")[language])
    parser.add_argument("device", metavar="DEVICE", help=Text("设备编号", "id of the device")[language])


def find_device(site: SiteSettings, name: str) -> DeviceSettings:
    """The device; WrongWords where there is none."""
    devices = {device.id: device for device in site.devices}
    if name not in devices:
        raise WrongWords(_missing(Text(f"没有设备 {name}", f"there is no device {name}"), name, devices))
    return devices[name]


def check_points(device: DeviceSettings, names: Iterable[str]) -> None:
    """WrongWords where the device has no such point."""
    known = [point.name for point in device.points]
    for name in names:
        if name not in known:
            raise WrongWords(
                _missing(Text(f"{device.id} 没有测点 {name}", f"{device.id} has no point {name}"), name, known)
            )


def _missing(text: Text, name: str, known: Iterable[str]) -> Text:
    hint = suggest(name, known)
    return text if hint is None else Text(f"{text.zh}（{hint.zh}）", f"{text.en} ({hint.en})")


def complain(command: str, text: Text, language: str) -> None:
    """The last line of a command that failed."""
    print(f"vigil {command}: {text[language]}", file=sys.stderr)


def is_running(site: SiteSettings) -> bool:
    """Whether a gateway works with the state of this site, whoever's it is; StoreError where that cannot be told."""
    from gateway.store import StateInUse, hold_state

    try:
        with hold_state(site.state_dir):
            return False
    except StateInUse:
        return True
