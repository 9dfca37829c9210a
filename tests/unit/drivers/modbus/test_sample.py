"""The sample site file is sound and shows every key."""

from __future__ import annotations

from pathlib import Path

import pytest

import drivers.modbus
from drivers.modbus import MODBUS, compile_device
from gateway.settings import load_site

SAMPLE = Path(drivers.modbus.__file__).with_name("sample.yaml")


def test_the_sample_passes_the_check_and_can_be_read() -> None:
    site = load_site(SAMPLE, {MODBUS.name: MODBUS})
    lines = {line.id: line for line in site.lines}
    for device in site.devices:
        plan = compile_device(lines[device.line], device)
        named = {name for job in plan.jobs() for name in job.points}
        assert named == {point.name for point in device.points}
    assert all(MODBUS.plan(line, [d for d in site.devices if d.line == line.id]).load < 1 for line in site.lines)


@pytest.mark.parametrize("model", [MODBUS.line_options, MODBUS.device_options, MODBUS.point_options])
def test_the_sample_shows_every_key(model: type) -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    assert [key for key in model.model_fields if f"{key}:" not in text] == []


def test_the_page_names_every_module_of_the_package() -> None:
    page = SAMPLE.with_name("README.md").read_text(encoding="utf-8")
    modules = {path.stem for path in SAMPLE.parent.glob("*.py")} - {"__init__"}
    assert [module for module in sorted(modules) if f"`{module}`" not in page and "framing" not in module] == []
