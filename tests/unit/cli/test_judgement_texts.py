"""Alarms and explanations as a person reads them, in both languages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.alarm_table import age_text, table
from gateway.cli.explanation_text import full, short
from gateway.model import Ack, AlarmCondition, AlarmState, Priority, Text
from gateway.orders.alarms import state_told
from gateway.rules.explain import explain
from gateway.rules.explanation import as_json
from gateway.store import open_store
from tests.in_process import Said, vigil
from tests.rules.plant_site import PlantSite, equipment, plant_site

AS_OF = "no gateway runs: this is how alarms stood when one last wrote them down\n"
NOW = 1_780_000_000_000
MINUTE = 60_000
ALARM = AlarmState(
    "gen-1",
    "battery_low",
    "generator",
    Priority.CRITICAL,
    Text("启动电池电压低", "Starting battery voltage low"),
    Text("检查充电器", "Check the charger"),
    "duty",
    condition=AlarmCondition.UNACK,
    since=NOW - 125 * MINUTE,
    occurrences=1,
)


def lines(*states: AlarmState, language: str = "en") -> list[str]:
    return table([state_told(each) for each in states], NOW, language)


def test_one_line_says_how_bad_since_when_and_what() -> None:
    head, line, _, total = lines(ALARM)
    assert head.split() == ["priority", "state", "for", "alarm", "what"]
    assert line.split(maxsplit=5)[:5] == ["critical", "UNACK", "2h", "5m", "gen-1/battery_low"]
    assert "Starting battery voltage low" in line
    assert total == "alarms: 1, unacknowledged: 1  critical 1"


@pytest.mark.parametrize(
    ("changes", "en", "zh"),
    [
        ({"is_first_out": True}, "FIRST", "首发"),
        ({"first_out": "fuel_low"}, "follows fuel_low", "随 fuel_low 而来"),
        ({"is_stale": True}, "STALE: cannot be told now", "数据中断，保持原状"),
        ({"work_order": "WO-12"}, "out of service by WO-12", "停用，工单 WO-12"),
        ({"is_suppressed": True, "suppressed_by": "parent ats-1"}, "suppressed by parent ats-1", "抑制 parent ats-1"),
        ({"acks": (Ack("li", NOW),), "acks_needed": 2}, "acks 1/2 li", "确认 1/2 li"),
        ({"shelf": (Ack("li", NOW),)}, "li asks to shelve it", "li 提出搁置"),
        ({"occurrences": 4}, "4 times", "4 次"),
    ],
)
def test_what_else_there_is_to_say(changes: dict[str, Any], en: str, zh: str) -> None:
    state = replace(ALARM, **changes)
    assert en in lines(state)[1]
    assert zh in lines(state, language="zh")[1]


def test_the_order_is_kept_and_priorities_are_counted() -> None:
    low = replace(ALARM, rule="fuel_old", priority=Priority.LOW, condition=AlarmCondition.ACKED)
    normal = replace(ALARM, rule="overspeed", condition=AlarmCondition.NORMAL, since=0)
    found = lines(ALARM, low, normal)
    assert [line.split("gen-1/")[1].split()[0] for line in found[1:4]] == ["battery_low", "fuel_old", "overspeed"]
    assert found[-1] == "alarms: 2, unacknowledged: 1  critical 1  low 1"
    assert lines() == ["no alarms"]


@pytest.mark.parametrize(
    ("milliseconds", "en", "zh"),
    [
        (-5, "0s", "0秒"),
        (59_900, "59s", "59秒"),
        (61_000, "1m", "1分"),
        (3_600_000, "1h", "1小时"),
        (90_061_000, "1d 1h", "1天1小时"),
    ],
)
def test_ages_have_two_units_at_most(milliseconds: int, en: str, zh: str) -> None:
    assert (age_text(milliseconds, "en"), age_text(milliseconds, "zh")) == (en, zh)


@pytest.fixture
def site() -> PlantSite:
    found = plant_site(equipment("it", "generator", {"battery_nominal_voltage": 24}))
    found.pass_s(20)
    found.do("it", mode="manual")
    found.pass_s(2)
    return found


def test_an_explanation_says_everything_once(site: PlantSite) -> None:
    told = as_json(explain(site.judge, site.snapshot, "it", "not_in_auto", site.now, site.ts))
    en, zh = "\n".join(full(told, "en")), "\n".join(full(told, "zh"))
    assert "[high]  holds: mode in" in en
    assert "delay of announcing 600 s: 599 s left" in en
    assert "to do: Make sure nobody works on it" in en
    assert "mode" in en
    assert "manual" in en
    assert "[橙]  成立：" in zh
    assert "告知延时" in zh
    (line,) = short([told], "en")
    assert line.split()[:2] == ["not_in_auto", "[high]"]


@pytest.mark.parametrize("words", [("alarms", "ack"), ("facts", "{}", "_site", "season"), ("rules", "explain", "{}")])
def test_wrong_words_are_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("schema: 1\nsite: {id: s, name: {zh: 库, en: S}, kind: warehouse}\nlines: {}\ndevices: []\n")
    said = vigil(*(word.format(file) for word in words))
    assert (said.code, bool(said.err)) == (2, True)


def test_a_gateway_that_runs_but_cannot_be_reached_is_not_taken_for_none(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("schema: 1\nsite: {id: s, name: {zh: 库, en: S}, kind: warehouse}\nlines: {}\ndevices: []\n")
    assert vigil("alarms", file) == Said(0, "no alarms\n", AS_OF)
    store = open_store(tmp_path / "state")
    try:
        said = vigil("alarms", file)
        assert (said.code, "cannot be reached" in said.err, AS_OF in said.err) == (1, True, False)
        said = vigil("alarms", "silence", file, "--by", "li")
        assert (said.code, "cannot be reached" in said.err) == (1, True)
    finally:
        store.close()
    said = vigil("alarms", "silence", file, "--by", "li")
    assert (said.code, "vigil run" in said.err) == (1, True)
