"""Every profile against a recording of the device: all points decoded and equal, and traps that would be noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.modbus import MODBUS, compile_device
from drivers.modbus.encoding import Encoding, Order
from gateway.model import Answer, Fault, FaultKind, Job
from gateway.polling.identification import identified
from gateway.ports import DevicePlan, Values
from gateway.settings import load_site
from gateway.settings.types import DeviceSettings, LineSettings
from tests.devices.recordings import (
    FOLDER,
    PROFILE_NAMES,
    PROFILES,
    RECORDINGS,
    Recording,
    Tables,
    differences,
    kind_of,
    page,
)
from tests.unit.drivers.modbus.build import answer

SITE = """
schema: 1
site: {id: depot-1, name: {zh: 库, en: Depot}, kind: warehouse, timezone: Asia/Shanghai}
lines: {lan: {tcp: "127.0.0.1:15999"}}
devices: [{id: it, kind: %s, profile: %s, line: lan, unit: %d, interval: 10s, timeout: 2s}]
"""
MAIN = [each for each in RECORDINGS if each.path.stem == "recording"]
ILLEGAL_ADDRESS = 2


def name_of(recording: Recording) -> str:
    return recording.name


def settled(recording: Recording, folder: Path) -> tuple[LineSettings, DeviceSettings]:
    path = folder / "site.yaml"
    path.write_text(SITE % (kind_of(recording.profile), recording.profile, recording.unit))
    site = load_site(path, {MODBUS.name: MODBUS})
    return site.lines[0], site.devices[0]


def poll(plan: DevicePlan, tables: Tables) -> Values:
    """One poll of a device that holds nothing but `tables`; what it refuses is asked in pieces."""
    outcomes: list[tuple[Job, Answer | Fault]] = []
    waiting = list(plan.together(plan.jobs()))
    while waiting:
        job = waiting.pop(0)
        try:
            outcomes.append((job, answer(job, tables)))
        except KeyError:
            pieces = plan.refused(job, ILLEGAL_ADDRESS, 0.0)
            waiting = [*pieces, *waiting]
            if not pieces:
                outcomes.append((job, Fault(FaultKind.REFUSED, 0.0, ILLEGAL_ADDRESS)))
    return plan.decode(outcomes, 0.0)


def read_all(line: LineSettings, device: DeviceSettings, tables: Tables) -> Values:
    """Like a device that has answered for a while: points set aside count as read."""
    plan = compile_device(line, device)
    poll(plan, tables)
    return poll(plan, tables)


def test_every_profile_has_a_recording_and_every_recording_a_profile() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {name.replace("/", "-") for name in PROFILE_NAMES} == folders
    for name in PROFILE_NAMES:
        assert (FOLDER / name.replace("/", "-") / "recording.yaml").is_file(), f"{name} has no recording"
    for recording in RECORDINGS:
        assert recording.path.parent.name == recording.profile.replace("/", "-")


@pytest.mark.parametrize("recording", RECORDINGS, ids=name_of)
def test_every_point_reads_as_recorded(recording: Recording, tmp_path: Path) -> None:
    line, device = settled(recording, tmp_path)
    assert {point.name for point in device.points} == set(recording.readings)
    assert differences(read_all(line, device, recording.tables), recording.readings) == {}


@pytest.mark.parametrize("recording", MAIN, ids=name_of)
@pytest.mark.parametrize("step", [-1, 1])
def test_a_table_counted_from_another_number_is_noticed(recording: Recording, step: int, tmp_path: Path) -> None:
    line, device = settled(recording, tmp_path)
    moved = {table: _moved(cells, step) for table, cells in recording.tables.items()}
    assert differences(read_all(line, device, moved), recording.readings)


def _moved(cells: Mapping[int, int], step: int) -> dict[int, int]:
    """The same table one address on; what it does not cover any more is 0."""
    return dict.fromkeys(cells, 0) | {address + step: word for address, word in cells.items() if address + step >= 0}


@pytest.mark.parametrize("recording", MAIN, ids=name_of)
def test_other_word_order_is_noticed(recording: Recording, tmp_path: Path) -> None:
    line, device = settled(recording, tmp_path)
    wide = {point.name for point in device.points if _encoding(point.options).count > 1}
    turned = replace(
        device,
        points=tuple(
            replace(point, options=_turned(_encoding(point.options))) if point.name in wide else point
            for point in device.points
        ),
    )
    noticed = set(differences(read_all(line, turned, recording.tables), recording.readings))
    idle = {name for name, (value, _) in recording.readings.items() if value == 0}
    assert noticed >= wide - idle
    assert not wide or noticed


def _encoding(options: object) -> Encoding:
    assert isinstance(options, Encoding)
    return options


def _turned(encoding: Encoding) -> Encoding:
    other = {"ABCD": "CDAB", "CDAB": "ABCD", "BADC": "DCBA", "DCBA": "BADC"}
    return replace(encoding, order=Order(other[encoding.order.value]))


@pytest.mark.parametrize("recording", RECORDINGS, ids=name_of)
def test_a_recording_is_taken_for_the_device_it_is(recording: Recording, tmp_path: Path) -> None:
    line, device = settled(recording, tmp_path)
    told: list[tuple[str, object]] = []
    plan = identified(compile_device, lambda name, found: told.append((name, found)))(line, device)
    poll(plan, recording.tables)
    assert differences(poll(plan, recording.tables), recording.readings) == {}
    assert told == []


def test_codes_for_no_sensor_are_recorded_wherever_a_maker_has_them() -> None:
    shown = {
        recording.profile
        for recording in RECORDINGS
        if any(status.name == "BadSensorFailure" for _, status in recording.readings.values())
    }
    with_codes = {
        name
        for name in PROFILE_NAMES
        if any("bad_when" in point for point in page(PROFILES / f"{name}.yaml").get("points", {}).values())
    }
    assert with_codes <= shown
