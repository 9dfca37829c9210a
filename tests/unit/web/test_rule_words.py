"""The why page says in words what the names in conditions stand for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gateway import app
from gateway.model import Reading, Status
from gateway.rules.facts import BUILT_IN
from gateway.settings.bundled import config_dir
from gateway.settings.vocabulary import load_vocabulary
from gateway.store import open_store
from gateway.web.rule_words import RULE_WORDS, rule_word
from gateway.web.showing import Showing
from gateway.web.why import explanation_of, why_shown

SITE = """
schema: 1
site: {id: depot-1, name: {zh: 库, en: Depot}, kind: warehouse, facts: {response_level: II}}
lines: {lan: {tcp: "127.0.0.1:1502"}}
devices:
  - id: gen-1
    kind: generator
    line: lan
    unit: 1
    interval: 1s
    facts: {battery_nominal_voltage: 24, battery_fitted: "2024-01-01"}
    points:
      battery_voltage: {at: "holding:0", unit: V}
      running: {at: "coil:0"}
rules: [builtin/generator]
state_dir: state
"""


def names_of_the_library() -> set[str]:
    names = set(BUILT_IN)
    for path in (config_dir() / "rules").glob("*.yaml"):
        pack = yaml.safe_load(path.read_text(encoding="utf-8"))
        names |= {*(pack.get("define") or {}), *(pack.get("windows") or {})}
    return names


def test_every_name_the_library_makes_has_words_and_no_other() -> None:
    assert set(RULE_WORDS) == names_of_the_library()


def test_what_is_made_of_facts_is_called_after_them() -> None:
    facts = load_vocabulary()["warehouse"].facts
    word = rule_word("closed_from_minute", facts)
    assert word is not None
    assert (word.zh, word.en) == ("闭库时刻（零点起的分钟数）", "Closed from, minutes since midnight")
    word = rule_word("battery_fitted_age", load_vocabulary()["generator"].facts)
    assert word is not None
    assert "距今天数" in word.zh
    assert rule_word("ours", facts) is None
    assert rule_word("ours_age", facts) is None


@pytest.mark.parametrize(("language", "at_rest"), [("zh", "静置状态"), ("en", "At rest")])
async def test_why_names_everything_it_asks_for(tmp_path: Path, language: str, at_rest: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    site = app.load(path)
    store = open_store(site.state_dir)
    try:
        gateway = app.Gateway(site, store)
        read = Reading(
            "gen-1", gateway.clock.wall_ms(), ("battery_voltage", "running"), (23, False), (Status.Good,) * 2
        )
        gateway.pipeline.deliver(read)
        showing = Showing(gateway.view)
        told = explanation_of(showing, "gen-1", "battery_low")
        assert told is not None
        shown = why_shown(showing, told, language)
    finally:
        store.close()
    asked = {each["name"]: each for each in shown["asked"]}
    assert asked["at_rest"]["label"] == at_rest
    assert {name for name, each in asked.items() if each["label"] == name} == set()
    if language == "zh":
        assert all(re.search("[\u4e00-\u9fff]", each["label"]) for each in asked.values())
