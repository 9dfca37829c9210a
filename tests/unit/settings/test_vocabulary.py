"""Vocabulary files: what ships can be read, and a wrong one is told at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.model import ValueType
from gateway.settings.types import Mandatory
from gateway.settings.vocabulary import load_vocabulary, read_vocabulary

PUMP = """\
schema: 1
kind: pump
name: {zh: 泵, en: Pump}
points:
  mode: {type: string, name: {zh: 方式, en: Mode}, words: {auto: {zh: 自动, en: Auto}}}
  flow: {type: number, unit: m³/h, name: {zh: 流量, en: Flow}}
facts:
  drive: {type: string, name: {zh: 驱动, en: Drive}, words: {diesel: {zh: 柴油, en: Diesel}}, default: diesel}
  fitted: {type: date, name: {zh: 日期, en: Date}}
mandatory:
  - flow
  - {any: [mode, flow]}
  - {point: mode, when: {drive: diesel}}
"""


def problems_of(folder: Path, text: str) -> list[str]:
    (folder / "pump.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_vocabulary(folder)
    return [f"{each.line}:{each.column}: {each.path}: {each.text}" for each in caught.value.problems]


def test_a_kind(tmp_path: Path) -> None:
    (tmp_path / "pump.yaml").write_text(PUMP, encoding="utf-8")
    kind = read_vocabulary(tmp_path)["pump"]
    assert (kind.points["flow"].unit, kind.points["mode"].words["auto"].zh) == ("m³/h", "自动")
    assert (kind.facts["drive"].default, kind.facts["fitted"].is_date) == ("diesel", True)
    assert kind.facts["fitted"].type is ValueType.STRING
    assert kind.mandatory == (
        Mandatory(("flow",), {}),
        Mandatory(("mode", "flow"), {}),
        Mandatory(("mode",), {"drive": "diesel"}),
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("kind: pump", "kind: pmup", "2:7: kind: differs from the name of the file"),
        ("type: number", "type: float", "6:16: points.flow.type: this is none of the possible values"),
        ("unit: m³/h", "units: m³/h", "6:24: points.flow.units: there is no key units here"),
        ("  flow: {", "  time: {", "6:3: points.time: no point is called time"),
        ("en: Pump}", "}", "3:1: name.en: this key is missing"),
        ("default: diesel", "default: gas", "8:100: facts.drive.default: gas is none of the possible words"),
        ("  - flow\n", "  - folw\n", "11:5: mandatory[0]: there is no point folw"),
        ("when: {drive", "when: {drvie", "13:5: mandatory[2]: there is no fact drvie"),
        ("{any: [mode, flow]}", "{when: {drive: diesel}}", "12:5: mandatory[1]: either point or any is needed here"),
    ],
)
def test_a_wrong_kind(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in PUMP
    assert problem in problems_of(tmp_path, PUMP.replace(old, new))


def test_what_ships_can_be_read() -> None:
    kinds = load_vocabulary()
    assert {"generator", "pump", "warehouse", "shelter", "gateway"} <= set(kinds)
