"""Questions answered at the keyboard and by a file."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gateway.app import load
from gateway.commissioning.interview import AnswerFile, CannotAnswer, Keyboard, Question
from gateway.commissioning.site_file import Draft, DraftDevice, DraftLine, site_text
from gateway.model import Text

NAME = Question("site.id", Text("编号", "id"))
KIND = Question("site.kind", Text("类型", "kind"), "warehouse", ("warehouse", "shelter"))


def keyboard(typed: str, language: str = "zh") -> tuple[Keyboard, io.StringIO]:
    out = io.StringIO()
    return Keyboard(out, io.StringIO(typed).readline, language), out


def test_the_keyboard_is_asked_until_the_answer_will_do() -> None:
    asked, out = keyboard("\ndepot\n")
    assert asked.ask(NAME) == "depot"
    assert "必须填写" in out.getvalue()
    asked, out = keyboard("castle\nshelter\n", "en")
    assert asked.ask(KIND) == "shelter"
    assert "castle is none of: warehouse, shelter" in out.getvalue()
    asked, _ = keyboard("\n")
    assert asked.ask(KIND) == "warehouse"
    asked, _ = keyboard("")
    with pytest.raises(CannotAnswer):
        asked.ask(NAME)


def test_a_file_takes_defaults_and_names_what_is_open_or_not_asked() -> None:
    file = AnswerFile({"site.kind": None, "lines": ["a", "b"], "scan": False, "site.idd": "x"})
    assert file.ask(KIND) == "warehouse"
    assert file.ask(Question("lines", Text("线", "lines"))) == "a b"
    assert file.ask(Question("scan", Text("搜", "scan"), "yes", ("yes", "no"))) == "no"
    with pytest.raises(CannotAnswer, match=r"site\.id: this must be answered") as open_one:
        file.ask(NAME)
    assert open_one.value.text.zh
    assert file.unused == ["site.idd"]


def test_the_file_passes_the_check_whatever_its_names(tmp_path: Path) -> None:
    draft = Draft("depot-1", Text('库 "一"', "Depot: #1"), "warehouse", "Asia/Shanghai", "zh")
    draft.lines.append(DraftLine("bus-1", {"serial": "/dev/serial/by-id/usb: x", "baudrate": 9600, "parity": "N"}))
    caveats = (Text("注意", "mind"),)
    draft.devices.append(
        DraftDevice("ats-1", Text("切换", "Switch"), "ats", "eaton/atc300", "bus-1", 1, ["mode/mode_auto"], caveats)
    )
    draft.rules.append("builtin/ats")
    draft.required["ats"] = 1
    draft.mqtt |= {"url": "mqtts://broker:8883", "username": "depot-1", "password_file": "mqtt.secret"}
    draft.web = "127.0.0.1:8321"
    (tmp_path / "mqtt.secret").write_text("word")
    text = site_text(draft)
    assert "mode/mode_auto" in text
    assert "注意" in text
    path = tmp_path / "site.yaml"
    path.write_text(text)
    site = load(path)
    assert (site.name.en, site.required, site.devices[0].name) == ("Depot: #1", {"ats": 1}, Text("切换", "Switch"))
    assert site.lines[0].endpoint == "serial:/dev/serial/by-id/usb: x"
