"""What can be said of the dashboards without a database and without Grafana."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.source import palette
from dashboards.source.instruments import INSTRUMENTS
from dashboards.source.vocabulary import GATEWAY, KINDS
from gateway.model import ReadinessState
from gateway.settings.bundled import config_dir
from gateway.settings.vocabulary import load_vocabulary
from tests.dashboards.files import LANGUAGES, ROOT, alerting, load, name_of, panels, paths
from tests.dashboards.grafana import variables_of

Json = dict[str, Any]

_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z_.]{2,}")
#: Units, proper names and fixed words of the contract, as they may stand in Chinese texts.
_KNOWN_WORDS = frozenset(
    "PM UPS CO EN XF ID LEL MPa kPa mm min Hz kWh kW ppm dBm All L1 JSON rpm PV SOC AB BC CA cut_off off "  # noqa: SIM905
    "vigil ingest replay dead letters".split()
)


def everything() -> Iterator[tuple[str, Json]]:
    for path in paths():
        yield name_of(path), load(path)


@cache
def all_uids() -> frozenset[str]:
    return frozenset(each["uid"] for _, each in everything())


@pytest.fixture(params=paths(), ids=name_of)
def dashboard(request: pytest.FixtureRequest) -> Json:
    return load(request.param)


def language(dashboard: Json) -> str:
    return "zh" if "vigil-zh" in dashboard["tags"] else "en"


def texts(dashboard: Json) -> Iterator[tuple[str, str]]:
    """Everything a reader sees, with its place."""
    yield "title", dashboard["title"]
    yield "description", dashboard["description"]
    for variable in dashboard["templating"]["list"]:
        yield f"{variable['name']} label", variable["label"]
        yield f"{variable['name']} description", variable["description"]
    for link in dashboard["links"]:
        yield "link", link["title"]
    for panel in dashboard["panels"]:
        yield "panel", panel["title"]
        if panel["type"] != "row":
            yield f"{panel['title']}: description", panel["description"]
            yield f"{panel['title']}: no data", panel["fieldConfig"]["defaults"]["noValue"]
            for override in panel["fieldConfig"]["overrides"]:
                for each in override["properties"]:
                    if each["id"] == "displayName":
                        yield f"{panel['title']}: column", re.sub(r"\$\{[^}]*\}", "", each["value"])
                    elif each["id"] == "mappings":
                        yield from _words(f"{panel['title']}: word", each["value"])
                    elif each["id"] == "links":
                        yield from ((f"{panel['title']}: link", link["title"]) for link in each["value"])
            yield from _words(f"{panel['title']}: word", panel["fieldConfig"]["defaults"].get("mappings") or [])


def _words(place: str, mappings: list[Json]) -> Iterator[tuple[str, str]]:
    for mapping in mappings:
        if mapping["type"] == "value":
            yield from ((place, each["text"]) for each in mapping["options"].values())
        elif mapping["type"] == "special":
            yield place, mapping["options"]["result"]["text"]


def test_uids_are_unique_and_short() -> None:
    uids = [dashboard["uid"] for _, dashboard in everything()]
    assert len(uids) == len(set(uids))
    assert all(re.fullmatch(r"[a-z0-9_-]{1,40}", uid) for uid in uids)
    rules = [rule["uid"] for rule in alerting()["group"]["rules"]]
    assert len(rules) == len(set(rules))
    assert all(len(uid) <= 40 for uid in rules)


def test_both_languages_have_the_same_dashboards_and_panels() -> None:
    shapes = {
        lang: {
            path.relative_to(ROOT / lang): [(panel["type"], panel["gridPos"]) for panel in load(path)["panels"]]
            for path in paths()
            if path.is_relative_to(ROOT / lang)
        }
        for lang in LANGUAGES
    }
    assert shapes["zh"] == shapes["en"]


def test_there_is_a_dashboard_for_each_level_and_kind() -> None:
    names = {path.stem for path in paths()}
    assert names == {"overview", "alarms", "site", GATEWAY, *KINDS}
    assert {*KINDS, GATEWAY} == set(load_vocabulary())


def test_every_link_leads_to_one_of_our_dashboards(dashboard: Json) -> None:
    uids = all_uids()
    found = re.findall(r'"/d/([^"?]+)', str(dashboard).replace("'", '"'))
    assert found
    for uid in found:
        if "${__data.fields.page}" in uid:
            kinds = [uid.replace("${__data.fields.page}", kind) for kind in (*KINDS, GATEWAY)]
            assert set(kinds) <= uids
        else:
            assert uid in uids
    others = {uid for uid in found if uid != dashboard["uid"]}
    assert others, "no way out"


def test_down_and_back(dashboard: Json) -> None:
    """From the overview to a site, from a site to a device, and from each back up."""
    links = {link["url"] for link in dashboard["links"] if link.get("url")}
    lang, uid = language(dashboard), dashboard["uid"]
    cells = str([panel["fieldConfig"]["overrides"] for panel in panels(dashboard)])
    if uid == f"vigil-overview-{lang}":
        assert f"/d/vigil-site-{lang}?var-site=${{__data.fields.site}}" in cells
    elif uid == f"vigil-site-{lang}":
        assert f"/d/vigil-${{__data.fields.page}}-{lang}?var-site=${{__data.fields.site}}&var-device=" in cells
        assert f"/d/vigil-overview-{lang}" in links
    else:
        assert f"/d/vigil-overview-{lang}" in links
        assert f"/d/vigil-site-{lang}" in links


def test_every_variable_used_is_defined_and_every_one_defined_is_used(dashboard: Json) -> None:
    defined = [variable["name"] for variable in dashboard["templating"]["list"]]
    used = {name for panel in panels(dashboard) for each in panel["targets"] for name in variables_of(each["query"])}
    for index, variable in enumerate(dashboard["templating"]["list"]):
        if variable["type"] == "query":
            before = variables_of(variable["query"])
            assert before <= set(defined[:index]), f"{variable['name']} asks for what comes later"
            used |= before
    assert used == set(defined)


def test_the_place_can_be_chosen_everywhere(dashboard: Json) -> None:
    names = [variable["name"] for variable in dashboard["templating"]["list"]]
    assert names[:4] == ["city", "county", "town", "site"]


def test_every_panel_says_what_it_is(dashboard: Json) -> None:
    for panel in panels(dashboard):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"], panel["id"]
        assert len(panel["description"]) >= 3, panel["title"]
        assert defaults["noValue"], panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["thresholds"]["steps"][0]["value"] is None, panel["title"]
        assert panel["targets"], panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert len(refs) == len(set(refs)), panel["title"]


def test_texts_are_in_the_dashboard_s_language(dashboard: Json) -> None:
    lang = language(dashboard)
    for place, text in texts(dashboard):
        if lang == "en":
            assert not _HAN.search(text), f"{place}: {text}"
        else:
            words = {word for word in _LATIN.findall(text) if not word.strip("._").isdigit()}
            strange = {word.strip(".") for word in words} - _KNOWN_WORDS - {""}
            assert not strange, f"{place}: {text}: {strange}"


def test_chinese_sentences_have_chinese_punctuation(dashboard: Json) -> None:
    if language(dashboard) == "zh":
        for place, text in texts(dashboard):
            assert not re.search(r"[\u4e00-\u9fff][,;:?!](?!\d)|[,;][\u4e00-\u9fff]", text), f"{place}: {text}"


def test_panels_do_not_overlap_and_fill_their_lines(dashboard: Json) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert 0 <= place["x"] < 24
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken.get((x, y))}"
                taken[x, y] = panel["title"]
    depth = max(y for _, y in taken) + 1
    gaps = [(x, y) for y in range(depth) for x in range(24) if (x, y) not in taken]
    assert not gaps, f"holes at {gaps[:5]}"
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


_ALLOWED = {
    palette.RED, palette.ORANGE, palette.YELLOW, palette.BLUE, palette.GREEN, palette.GREY, palette.PURPLE,
    palette.DARK, palette.LINE, "text", "transparent",
}  # fmt: skip


def test_no_colour_comes_from_outside_the_palette(dashboard: Json) -> None:
    def colours(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, each in value.items():
                if key in ("color", "fixedColor", "fixed") and isinstance(each, str) and not each.startswith("img/"):
                    yield each
                else:
                    yield from colours(each)
        elif isinstance(value, list):
            for each in value:
                yield from colours(each)

    found = {each for panel in panels(dashboard) for each in colours([panel["fieldConfig"], panel["options"]])}
    assert found - {"fixed"} <= _ALLOWED


def test_states_have_their_colour_wherever_they_are_named(dashboard: Json) -> None:
    for panel in panels(dashboard):
        lists = [panel["fieldConfig"]["defaults"].get("mappings") or []]
        lists += [
            each["value"]
            for o in panel["fieldConfig"]["overrides"]
            for each in o["properties"]
            if each["id"] == "mappings"
        ]
        for mapping in (each for one in lists for each in one if each["type"] == "value"):
            if "not_ready" in mapping["options"] and "degraded" in mapping["options"]:
                found = {word: each["color"] for word, each in mapping["options"].items()}
                assert found == {state.value: colour for state, colour in palette.STATE_COLOURS.items()}


def test_unknown_is_grey_and_nothing_else_is_ready() -> None:
    assert palette.STATE_COLOURS[ReadinessState.UNKNOWN] == palette.GREY
    assert [state for state, colour in palette.STATE_COLOURS.items() if colour == palette.GREEN] == [
        ReadinessState.READY
    ]


def _seen(colour: str, matrix: tuple[tuple[float, float, float], ...]) -> tuple[float, ...]:
    """Lightness and chroma (CIE Lab) of a colour after a colour-vision matrix on linear RGB."""

    def linear(part: int) -> float:
        value = part / 255
        return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

    rgb = [linear(int(colour[index : index + 2], 16)) for index in (1, 3, 5)]
    r, g, b = (min(max(sum(a * v for a, v in zip(row, rgb, strict=True)), 0), 1) for row in matrix)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return (116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz))


#: Machado, Oliveira, Fernandes (2009), severity 1.
_VISION = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


@pytest.mark.parametrize("vision", _VISION)
def test_colours_stay_apart_for_everybody(vision: str) -> None:
    colours = sorted(_ALLOWED - {"text", "transparent"})
    seen = {colour: _seen(colour, _VISION[vision]) for colour in colours}
    near = [
        (one, other, round(distance))
        for index, one in enumerate(colours)
        for other in colours[index + 1 :]
        if (distance := sum((a - b) ** 2 for a, b in zip(seen[one], seen[other], strict=True)) ** 0.5) < 18
    ]
    assert near == []


def test_every_field_asked_for_is_one_that_is_written(dashboard: Json) -> None:
    """Fields of a kind's measurement are points of its vocabulary; the other measurements are the contract's."""
    kinds = load_vocabulary()
    contract = {"readiness", "site", "alarm", "event", "quality", "point_quality"}
    for panel in panels(dashboard):
        for target in panel["targets"]:
            for measurement in re.findall(r'FROM "(\w+)"', target["query"]):
                assert measurement in contract or measurement in kinds, target["query"]
            for measurement in set(re.findall(r'FROM "(\w+)"', target["query"])) & set(kinds):
                for name in re.findall(r'(?:last|mean|max|min)\("(\w+)"\)', target["query"]):
                    assert name in kinds[measurement].points, f"{measurement} has no {name}"


def test_alert_rules_speak_both_languages() -> None:
    for rule in alerting()["group"]["rules"]:
        assert _HAN.search(rule["title"])
        assert re.search(r"[A-Za-z]{3}", rule["title"])
        assert _HAN.search(rule["annotations"]["summary_zh"])
        assert not _HAN.search(rule["annotations"]["summary_en"])
        # Provisioning files take a dollar sign for a variable of the environment.
        assert "$" not in str(rule)


def test_alert_rules_in_file_form_are_those_of_the_api() -> None:
    (group,) = yaml.safe_load((ROOT / "provisioning/alerting/vigil.yaml").read_text(encoding="utf-8"))["groups"]
    http = alerting()["group"]
    assert (group["orgId"], group["name"], group["interval"]) == (1, http["title"], "1m")
    assert group["folder"] == alerting()["folder"]["title"]
    assert [rule["uid"] for rule in group["rules"]] == [rule["uid"] for rule in http["rules"]]
    for file_rule, rule in zip(group["rules"], http["rules"], strict=True):
        assert set(rule) - set(file_rule) == {"folderUID", "ruleGroup", "orgID"}
        assert file_rule.items() <= rule.items()


def test_a_notification_is_templated_for_every_alert() -> None:
    path = Path(ROOT / "provisioning/templates/notifications.yaml")
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    (point,) = found["contactPoints"]
    (policy,) = found["policies"]
    (route,) = policy["routes"]
    assert point["name"] == policy["receiver"] == route["receiver"]
    assert route["object_matchers"] == [["product", "=", "vigil"]]
    assert all(rule["labels"]["product"] == "vigil" for rule in alerting()["group"]["rules"])
    assert {rule["labels"]["severity"] for rule in alerting()["group"]["rules"]} >= {"critical", "high", "medium"}


#: Limits that no rule names as a number, and why they are drawn.
_SUPPLY = (176, 198, 242)
"""80 % of 220 V, at which a rule takes mains for lost, and 220 V +/-10 %."""
_DERIVED: dict[tuple[str, str], tuple[float, ...]] = {
    ("generator", "mains_voltage_l1"): _SUPPLY,
    ("generator", "service_remaining"): (0.1,),  # due: not above 0
    ("ats", "source1_voltage_l1"): _SUPPLY,
    ("ats", "source2_voltage_l1"): _SUPPLY,
    ("ups", "input_voltage"): _SUPPLY,
    ("meter", "voltage_l1"): _SUPPLY,
    ("light_tower", "tilt"): (-5,),  # the rule compares both ways
    ("scba_compressor", "bank_pressure"): (21, 27),  # 70 and 90 % of 30 MPa
    ("scba_compressor", "filter_remaining"): (0.1,),  # used up: not above 0
    ("warehouse", "temperature"): (45,),  # 10 above the greatest allowed
    ("warehouse", "temperature_2"): (45,),
}


@pytest.mark.parametrize("kind", INSTRUMENTS)
def test_limits_are_those_of_the_rules(kind: str) -> None:
    rules = config_dir() / "rules" / f"{kind}.yaml"
    vocabulary = (config_dir() / "vocabulary" / f"{kind}.yaml").read_text(encoding="utf-8")
    known = (rules.read_text(encoding="utf-8") if rules.exists() else "") + vocabulary.partition("facts:")[2]
    numbers = {float(number) for number in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", known)}
    for gauge in INSTRUMENTS[kind].gauges:
        strange = {limit for limit, _ in gauge.steps if limit not in numbers}
        assert strange == set(_DERIVED.get((kind, gauge.point), ())) - numbers, gauge.point


def test_nothing_but_the_ground_of_the_map_comes_from_elsewhere(dashboard: Json) -> None:
    """A duty room may have no internet; the map takes the ground that Grafana is told to have."""
    addresses = {each for each in re.findall(r"https?://[^\s\"']+", json.dumps(dashboard)) if "schema" not in each}
    assert addresses == set()
    for panel in dashboard["panels"]:
        if panel["type"] == "geomap":
            assert (panel["options"]["basemap"]["type"], panel["options"]["basemap"]["config"]) == ("default", {})
            assert {layer["type"] for layer in panel["options"]["layers"]} == {"markers"}


def test_the_ground_of_the_map_can_be_given_to_the_compose_file() -> None:
    grafana = yaml.safe_load((ROOT.parent / "compose.yaml").read_text(encoding="utf-8"))["services"]["grafana"]
    assert grafana["environment"]["GF_GEOMAP_DEFAULT_BASELAYER_CONFIG"] == "${VIGIL_MAP_GROUND:-}"
    page = (ROOT.parent / "docs" / "dashboards.md").read_text(encoding="utf-8")
    grounds = re.findall(r"^VIGIL_MAP_GROUND=(.*)$", page, flags=re.MULTILINE)
    assert len(grounds) == 2
    for ground in grounds:
        assert "{z}/{x}/{y}" in json.loads(ground)["config"]["url"]
