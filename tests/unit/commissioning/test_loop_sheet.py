"""What the loop-check sheet says of points and of who answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.app import load
from gateway.commissioning.loop_sheet import (
    Result,
    Sheet,
    Who,
    device_sheet,
    event_data,
    html,
    identity_of,
    markdown,
    meant,
    said,
)
from gateway.model import MaybeValue, Point, ReportPolicy, Status, Text, ValueType
from gateway.settings.types import DeviceSettings

SITE = """
schema: 1
site: {id: depot-1, name: {zh: 库, en: Depot}, kind: warehouse, timezone: Asia/Shanghai}
lines: {lan: {tcp: "127.0.0.1:502"}}
devices:
  - {id: gen-1, kind: generator, profile: dse/gencomm, line: lan, unit: 10}
  - {id: climate-1, kind: sensor, profile: generic/xy-md02, line: lan, unit: 2}
  - {id: inputs-1, kind: sensor, profile: eletechsup/r4dif08, line: lan, unit: 3}
"""


@pytest.fixture
def devices(tmp_path: Path) -> dict[str, DeviceSettings]:
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    return {device.id: device for device in load(path).devices}


def all_of(device: DeviceSettings, status: Status, value: MaybeValue = None) -> dict[str, tuple[MaybeValue, Status]]:
    return {point.name: (value, status) for point in device.points}


@pytest.mark.parametrize(
    ("expected", "result"),
    [
        (21.4, Result.FITS),
        (21.8, Result.FITS),
        (22.1, Result.DIFFERS),
        (21, Result.FITS),
        (22, Result.DIFFERS),
        ("21.4", Result.DIFFERS),
        (None, Result.NOT_COMPARED),
    ],
)
def test_numbers_fit_within_a_share_or_half_of_the_last_digit(
    devices: dict[str, DeviceSettings], expected: float | str | None, result: Result
) -> None:
    seen = {"temperature": (21.4, Status.Good), "humidity": (None, Status.BadTimeout)}
    wanted = {} if expected is None else {"temperature": expected}
    rows = {row.name: row.result for row in device_sheet(devices["climate-1"], seen, wanted, 0.02).rows}
    assert rows == {"temperature": result, "humidity": Result.BAD}


def test_words_and_flags_must_be_equal(devices: dict[str, DeviceSettings]) -> None:
    seen = {
        "mode": ("auto", Status.Good),
        "engine_state": ("standby", Status.Good),
        "fuel_level": (104, Status(0x40940000)),
    }
    wanted = {"mode": "auto", "engine_state": "running"}
    rows = {row.name: row.result for row in device_sheet(devices["gen-1"], seen, wanted, 0.02).rows}
    assert (rows["mode"], rows["engine_state"], rows["fuel_level"]) == (Result.FITS, Result.DIFFERS, Result.DOUBTFUL)


def test_identity_is_told_as_far_as_it_can_be(devices: dict[str, DeviceSettings]) -> None:
    gen, climate, inputs = devices["gen-1"], devices["climate-1"], devices["inputs-1"]
    assert identity_of(gen, all_of(gen, Status.Good, 1)) is Who.VERIFIED
    assert identity_of(gen, all_of(gen, Status.BadConfigurationError)) is Who.WRONG
    assert identity_of(gen, all_of(gen, Status.BadTimeout)) is Who.SILENT
    assert identity_of(climate, all_of(climate, Status.Good, 20)) is Who.PLAUSIBLE
    odd = {"temperature": (900, Status.UncertainEngineeringUnitsExceeded), "humidity": (50, Status.Good)}
    assert identity_of(climate, odd) is Who.DOUBTFUL
    assert identity_of(inputs, all_of(inputs, Status.Good, True)) is Who.UNVERIFIABLE
    refused = all_of(inputs, Status.Good, True) | {"input_8": (None, Status.BadConfigurationError)}
    assert identity_of(inputs, refused) is Who.DOUBTFUL


def test_the_sheet_prints_in_both_languages_and_is_kept(devices: dict[str, DeviceSettings]) -> None:
    climate = replace(devices["climate-1"], name=Text("库区 <A>", "Zone <A>"))
    sheet_of = device_sheet(climate, all_of(climate, Status.Good, 20), {"temperature": 25}, 0.02)
    sheet = Sheet("depot-1", Text("库", "Depot"), "crew-1", "2026-11-22 09:00", (sheet_of,))
    assert not sheet.is_passed
    for language, words in (
        ("zh", ("回路核对表", "不符", "签名")),
        ("en", ("Loop-check sheet", "differs", "signature")),
    ):
        for text in (markdown(sheet, language), html(sheet, language)):
            assert all(word in text for word in (*words, "crew-1", "2026-11-22 09:00"))
        assert "<A>" not in html(sheet, language)
    data = event_data(sheet_of, "crew-1", "first run")
    assert data["differs"] == 1
    assert data["identity"] == "plausible"
    assert data["points"]["temperature"] == {"seen": 20, "status": "Good", "expected": 25, "result": "differs"}  # type: ignore[index]


def test_what_a_person_says_is_taken_in_either_language() -> None:
    words = {"auto": Text("自动", "Auto"), "off": Text("停机", "Off")}
    mode = Point("mode", ValueType.STRING, "", 1.0, ReportPolicy(), None, words=words)
    running = Point("running", ValueType.BOOLEAN, "", 1.0, ReportPolicy(), None)
    level = Point("level", ValueType.NUMBER, "m", 1.0, ReportPolicy(), None)
    assert [meant(mode, each) for each in ("自动", "auto", "Auto", "OFF")] == ["auto", "auto", "auto", "off"]
    assert [meant(running, each) for each in ("是", "no", "1", "关")] == [True, False, True, False]
    assert [meant(level, each) for each in ("1.5", "2", "", ".nan")] == [1.5, 2, None, ".nan"]
    assert (said(mode, "auto", "zh"), said(mode, "auto", "en")) == ("自动", "Auto")
    assert (said(running, True, "zh"), said(level, 121.4497222319382, "en")) == ("是", "121.4497")
