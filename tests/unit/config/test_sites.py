"""The site files that ship: they load, and the demo's shows every kind of line and every mandatory point."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from drivers.modbus import MODBUS
from gateway.settings import load_ingest, load_site
from gateway.settings.types import SiteSettings

FOLDER = Path(__file__).resolve().parents[3] / "config" / "sites"
PROTOCOLS = {"modbus": MODBUS}


@pytest.fixture(scope="module")
def demo() -> SiteSettings:
    return load_site(FOLDER / "demo.yaml", PROTOCOLS)


def test_the_starter_loads() -> None:
    site = load_site(FOLDER / "example.yaml", PROTOCOLS)
    assert {device.kind for device in site.devices} == {"generator", "meter", "tank"}


def test_the_centre_loads_once_its_secrets_are_there(tmp_path: Path) -> None:
    path = Path(shutil.copy(FOLDER / "ingest.yaml", tmp_path))
    for name in re.findall(r"[a-z]+\.(?:secret|token)", path.read_text(encoding="utf-8")):
        (tmp_path / name).write_text("secret\n", encoding="utf-8")
    ingest = load_ingest(path)
    assert ingest.influx.api == "v2"
    assert ingest.mqtt.share == "vigil"


def test_the_demo_has_the_equipment_it_is_to_show(demo: SiteSettings) -> None:
    kinds = [device.kind for device in demo.devices]
    assert kinds.count("generator") >= 2
    assert kinds.count("pump") >= 2
    assert {"ats", "warehouse", "shelter", "light_tower", "meter", "weather"} <= set(kinds)
    assert {kind for kind, number in demo.required.items() if kinds.count(kind) < number} == set()


def test_half_of_the_demo_hangs_on_two_serial_lines(demo: SiteSettings) -> None:
    serial = {line.id for line in demo.lines if line.endpoint.startswith("serial:")}
    on_serial = [device for device in demo.devices if device.line in serial]
    assert len(serial) == 2
    assert 2 * len(on_serial) == len(demo.devices)


def test_tcp_lines_of_the_demo_stay_on_this_machine(demo: SiteSettings) -> None:
    endpoints = [line.endpoint for line in demo.lines if not line.endpoint.startswith("serial:")]
    assert len(endpoints) == len(set(endpoints))
    for endpoint in endpoints:
        assert (match := re.fullmatch(r"tcp:127\.0\.0\.1:(\d+)", endpoint)), endpoint
        assert int(match[1]) >= 15020


def test_every_mandatory_point_of_the_demo_is_measured(demo: SiteSettings) -> None:
    for device in demo.devices:
        measured = {point.name for point in device.points}
        for each in device.mandatory:
            if all(device.facts.get(name) == value for name, value in each.when.items()):
                assert measured & set(each.points), f"{device.id}: {each.points}"


def test_the_demo_is_named_in_both_languages_and_has_no_word_outside_the_vocabulary(demo: SiteSettings) -> None:
    for device in demo.devices:
        assert device.name is not None, device.id
        assert device.name.zh != device.name.en
        known = demo.kinds[device.kind].points
        assert {point.name for point in device.points} <= set(known), device.id
