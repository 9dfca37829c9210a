"""Every query of every panel, variable and alert rule, on a real InfluxDB 1.x filled the way the chain fills it."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.dashboards import grafana, plant
from tests.dashboards.files import LANGUAGES, alerting, load, name_of, panel, panels, paths
from tests.dashboards.grafana import TIME, Frame
from tests.integration.influx_rows import ask
from tests.servers import Influxd

Json = dict[str, Any]

_RANGES_MS = {"now-1h": 3_600_000, "now-6h": 21_600_000, "now-24h": 86_400_000}


@dataclass
class Fleet:
    """A filled database. Both languages ask mostly the same, so answers are kept."""

    influxd: Influxd
    now_ms: int
    _answers: dict[str, list[Json]] = field(default_factory=dict)

    def ask(self, query: str) -> list[Json]:
        if query not in self._answers:
            self._answers[query] = ask(self.influxd, query, "vigil")
        return copy.deepcopy(self._answers[query])


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Influxd(tmp_path_factory.mktemp("influxd")) as influxd:
        now_ms = int(time.time() * 1000)
        plant.build(now_ms).write(influxd)
        yield Fleet(influxd, now_ms)


def show(fleet: Fleet, dashboard: Json, found: Json, variables: dict[str, str | list[str]]) -> list[Frame]:
    """What a panel shows: every target asked, its frames transformed."""
    now = fleet.now_ms
    since = now - _RANGES_MS[dashboard["time"]["from"]]
    frames = []
    for target in found["targets"]:
        query = grafana.interpolate(target["query"], variables, since, now, found.get("interval", "1m"))
        answered = grafana.frames(fleet.ask, target, query)
        assert answered, f"{found['title']} {target['refId']}: no rows: {query}"
        frames += answered
    return grafana.transform(frames, found.get("transformations", []))


@pytest.mark.parametrize("path", paths(), ids=name_of)
def test_every_panel_shows_something(fleet: Fleet, path: Path) -> None:
    dashboard = load(path)
    variables = opened(fleet, dashboard)
    for found in panels(dashboard):
        frames = show(fleet, dashboard, found, variables)
        assert any(len(frame) for frame in frames), f"{found['title']}: nothing after its transformations"
        columns = {name: values for frame in frames for name, values in frame.columns.items()}
        for name, values in columns.items():
            assert any(value is not None for value in values), f"{found['title']}: nothing in column {name}"
        _check_overrides(found, frames)


@pytest.mark.parametrize("path", [path for path in paths() if "/zh/" in path.as_posix()], ids=name_of)
def test_every_panel_shows_one_chosen_device(fleet: Fleet, path: Path) -> None:
    """With values that need escaping chosen in every variable, no query fails; nothing of another site is shown."""
    dashboard = load(path)
    own = plant.LABELS[plant.FULL]
    device = plant.device_of(path.stem) if path.stem in plant.KINDS else plant.device_of("generator")
    chosen = {**{name: [own[name]] for name in ("city", "county", "town")}, "site": [plant.FULL], "device": [device]}
    variables = {name: chosen.get(name, value) for name, value in opened(fleet, dashboard).items()}
    for found in panels(dashboard):
        now = fleet.now_ms
        for target in found["targets"]:
            query = grafana.interpolate(target["query"], variables, now - 86_400_000, now, "2m")
            for frame in grafana.frames(fleet.ask, target, query):
                assert set(frame.columns.get("site", [])) <= {plant.FULL}, found["title"]


def opened(fleet: Fleet, dashboard: Json) -> dict[str, str | list[str]]:
    """The variables of a dashboard that was just opened; where one site is to be chosen, it is the full one."""
    found = grafana.opened(fleet.ask, dashboard)
    return {name: [plant.FULL] if name == "site" and value != ".*" else value for name, value in found.items()}


def _check_overrides(found: Json, frames: list[Frame]) -> None:
    """Everything a panel names is there, and every word of a mapped column has a mapping."""
    columns = {name: values for frame in frames for name, values in frame.columns.items()}
    refs = {target["refId"] for target in found["targets"]}
    hidden = _excluded(found)
    for override in found["fieldConfig"]["overrides"]:
        matcher, name = override["matcher"]["id"], override["matcher"]["options"]
        if matcher == "byFrameRefID":
            assert name in refs, f"{found['title']}: no query {name}"
        elif matcher == "byName":
            assert name in columns or name in hidden, f"{found['title']}: no column {name} in {list(columns)}"
            mappings = [each["value"] for each in override["properties"] if each["id"] == "mappings"]
            if mappings:
                _check_words(f"{found['title']} {name}", mappings[0], columns[name])
    mappings = found["fieldConfig"]["defaults"].get("mappings") or []
    overridden = {each["matcher"]["options"] for each in found["fieldConfig"]["overrides"]}
    if mappings:
        for name, values in columns.items():
            if name not in {TIME, *overridden}:
                _check_words(f"{found['title']} {name}", mappings, values)


def _excluded(found: Json) -> set[str]:
    steps = [step["options"] for step in found.get("transformations", []) if step["id"] == "organize"]
    return {name for step in steps for name, is_hidden in step["excludeByName"].items() if is_hidden}


def _check_words(where: str, mappings: list[Json], values: list[Any]) -> None:
    words = {word for each in mappings if each["type"] == "value" for word in each["options"]}
    if len(words) < 2:
        return  # a word for what is missing, beside free text
    for value in values:
        if value is not None and not (
            isinstance(value, float | int) and not isinstance(value, bool) and "0" not in words
        ):
            assert _as_text(value) in words, f"{where}: no word for {value!r}"


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("path", paths(), ids=name_of)
def test_every_variable_lists_something(fleet: Fleet, path: Path) -> None:
    dashboard = load(path)
    variables = opened(fleet, dashboard)
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            values = grafana.listed(fleet.ask, variable["query"], variables)
            assert values, variable["name"]
            if variable["name"] == "site":
                assert set(values) == set(plant.LABELS), "a site without a label is not offered"


@pytest.mark.parametrize("rule", alerting()["group"]["rules"], ids=lambda rule: rule["uid"])
def test_every_alert_rule_has_rows_to_judge(fleet: Fleet, rule: Json) -> None:
    asked = [each["model"] for each in rule["data"] if each["datasourceUid"] == "vigil"]
    for model in asked:
        series = fleet.ask(model["query"])
        assert series, model["query"]
        for each in series:
            assert set(each["tags"]) & {"site"}, "an alert that names no site"
            assert all(
                isinstance(value, int | float) for row in each["values"] for value in row[1:] if value is not None
            )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_nobody_speaks_of_is_never_ready(fleet: Fleet, lang: str) -> None:
    """A site that stopped without anybody noticing, and one that ingest calls silent."""
    overview = load(f"{lang}/fleet/overview.json")
    variables = opened(fleet, overview)
    drawn = panel(overview, {"zh": "站点分布", "en": "Map of the sites"}[lang])
    by_ref = {target["refId"]: target for target in drawn["targets"]}
    layers = {}
    for layer in drawn["options"]["layers"]:
        target = by_ref[layer["filterData"]["options"]]
        query = grafana.interpolate(target["query"], variables, 0, 0, "1m")
        (frame,) = grafana.frames(fleet.ask, target, query)
        layers[layer["config"]["style"]["color"]["fixed"]] = set(frame.columns["site"])
    grey, green, yellow, red = layers.values()
    assert grey == set(plant.LABELS)
    assert (green, yellow, red) == ({plant.READY}, {plant.SECOND}, {plant.FULL})

    listed = panel(overview, {"zh": "站点清单", "en": "Sites"}[lang])
    (frame,) = show(fleet, overview, listed, variables)
    states = {row["site"]: row["state"] for row in frame.rows()}
    assert states == {
        plant.FULL: "not_ready",
        plant.SECOND: "degraded",
        plant.READY: "ready",
        plant.SILENT: "unknown",
        plant.FORGOTTEN: None,
    }
    (state,) = [each for each in listed["fieldConfig"]["overrides"] if each["matcher"]["options"] == "state"]
    mappings = next(each["value"] for each in state["properties"] if each["id"] == "mappings")
    (nothing,) = [each["options"]["result"] for each in mappings if each["type"] == "special"]
    unknown = next(each["options"]["unknown"] for each in mappings if each["type"] == "value")
    assert nothing["color"] == unknown["color"] == next(iter(layers))

    site = load(f"{lang}/site/site.json")
    devices = panel(site, {"zh": "设备可用状态与原因", "en": "Readiness of the devices, and why"}[lang])
    everywhere = {**opened(fleet, site), "site": ".*"}
    (frame,) = show(fleet, site, devices, everywhere)
    told = {(row["site"], row["device"]): row for row in frame.rows()}
    assert not any(name == plant.FORGOTTEN for name, _ in told)
    assert told[plant.SILENT, "generator-1"]["state"] == "unknown"
    assert told[plant.SILENT, "generator-1"]["reason_1"].startswith(
        {"zh": "站点失联", "en": "the site is silent"}[lang]
    )
    assert told[plant.SILENT, "generator-1"]["reason_2"] == grafana.NOT_FOUND


def test_the_list_of_alarms_holds_what_stands_and_nothing_else(fleet: Fleet) -> None:
    alarms = load("zh/fleet/alarms.json")
    variables = opened(fleet, alarms)
    (frame,) = show(fleet, alarms, panel(alarms, "未恢复告警（设备告警）"), variables)
    found = {(row["site"], row["device"], row["rule"]): row for row in frame.rows()}
    assert len(found) == len(frame)
    rules = {rule for _, _, rule in found}
    assert rules == {"battery_low", "exercise_overdue", "site_silent", "disk_full", "short_of_pumps"}
    acked = found[plant.FULL, "generator-1", "exercise_overdue"]
    assert (acked["level"], acked["state"], acked["page"]) == (2, "ACKED", "generator")
    assert found[plant.SILENT, "_gateway", "site_silent"]["page"] == "gateway"

    (aside,) = show(fleet, alarms, panel(alarms, "已搁置、抑制、停用的告警"), variables)
    assert sorted(aside.columns["suppression"]) == ["OUT_OF_SERVICE", "SHELVED", "SUPPRESSED"]


def test_the_figures_of_the_alarms_are_right(fleet: Fleet) -> None:
    alarms = load("zh/fleet/alarms.json")
    variables = {**opened(fleet, alarms), "site": [plant.SECOND]}
    (waited,) = show(fleet, alarms, panel(alarms, "等待确认最久的告警"), variables)
    minutes = {(row["device"], row["rule"]): row["minutes"] for row in waited.rows()}
    assert 11 <= minutes["generator-1", "mains_lost"] <= 13
    assert ("generator-1", "site_silent") not in minutes

    (chatter,) = show(fleet, alarms, panel(alarms, "抖动的告警"), variables)
    assert [(row["rule"], row["times"]) for row in chatter.rows()] == [("pressure_low", 4)]

    everything = opened(fleet, alarms)
    (periods,) = show(fleet, alarms, panel(alarms, "每 10 分钟新告警数"), everything)
    assert max(periods.columns["raised (sum)"]) > 10
    (floods,) = show(fleet, alarms, panel(alarms, "泛滥的时段数"), everything)
    assert len(floods) == 1
    (stale,) = show(fleet, alarms, panel(alarms, "超过一天未恢复"), everything)
    assert stale.columns["alarm.alarms"] == [1]


def test_old_data_are_seen_minute_by_minute(fleet: Fleet) -> None:
    """The rule for old data judges the last value: zero where five minutes brought nothing."""
    (rule,) = [each for each in alerting()["group"]["rules"] if each["uid"] == "vigil-data-old"]
    series = fleet.ask(rule["data"][0]["model"]["query"])
    last = {each["tags"]["site"]: each["values"][-1][1] for each in series}
    assert last[plant.FULL] > 0
    shifted = rule["data"][0]["model"]["query"].replace("now() - 3h", "now() - 3h AND time < now() + 8m")
    later = {each["tags"]["site"]: each["values"][-1][1] for each in fleet.ask(shifted)}
    assert later[plant.FULL] == 0


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_line_has_its_load_beside_what_was_planned(fleet: Fleet, lang: str) -> None:
    gateway = load(f"{lang}/fleet/gateway.json")
    drawn = panel(gateway, {"zh": "线路负荷", "en": "Load of the lines"}[lang])
    shown: dict[str, set[float]] = {}
    for frame in show(fleet, gateway, drawn, opened(fleet, gateway)):
        for name, values in frame.columns.items():
            shown.setdefault(name, set()).update(value for value in values if value is not None)
    planned = {"zh": "计划", "en": "planned"}[lang]
    for line in ("bus", "lan_2"):
        assert shown[f"{plant.FULL} {line} {planned}"] == {23.5}
        assert shown[f"{plant.FULL} {line}"] <= {step / 2 for step in range(40, 54)}
