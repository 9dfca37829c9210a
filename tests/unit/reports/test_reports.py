"""Reports say what the journal says, in both languages, and nothing else."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.model import AlarmCondition, AlarmEvent, Priority, Text
from gateway.reports import (
    Journal,
    Names,
    NoSuchIncident,
    Stage,
    as_html,
    as_markdown,
    handover,
    handover_document,
    incident,
    incident_document,
    read_journal,
)
from gateway.reports.as_json import handover_json, incident_json
from gateway.reports.shift import moment, shift
from gateway.rules.given_facts import fact_data
from gateway.settings.protocol import Wrong
from tests.unit.reports.stories import LOW, ZONE, Story, at, names, night, state

GOLDEN = Path(__file__).parent / "golden"
SINCE, UNTIL = at("20:00"), at("08:00", 22)

Make = Callable[[Journal, Names], str]
REPORTS: dict[str, Make] = {
    "handover": lambda journal, called: as_markdown(handover_document(handover(journal, SINCE, UNTIL), called)),
    "incident": lambda journal, called: as_markdown(
        incident_document(incident(journal, "gen-1/battery_low", UNTIL), called)
    ),
    "incident-open": lambda journal, called: as_markdown(
        incident_document(incident(journal, "gen-1/fail_to_start", UNTIL), called)
    ),
}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("report", REPORTS)
def test_a_night_reads_as_it_was(report: str, language: str, tmp_path: Path) -> None:
    """Compared with a page that a person has read; VIGIL_WRITE_GOLDEN=1 writes it anew, to be read again."""
    journal = read_journal(night())
    text = REPORTS[report](journal, names(tmp_path, language))
    assert text == REPORTS[report](read_journal(night()), names(tmp_path, language))
    assert journal.head[:16] in text
    text = text.replace(journal.head[:16], "0123456789abcdef")
    path = GOLDEN / f"{report}.{language}.md"
    if os.environ.get("VIGIL_WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_the_sheet_stands_as_the_alarms_do_at_its_end() -> None:
    journal = read_journal(night())
    found = handover(journal, SINCE, UNTIL)
    assert [each.key for each in found.standing] == ["gen-1/fail_to_start", "gen-2/device_silent"]
    assert [each.key for each in found.shelved] == ["gen-2/device_silent"]
    assert [each.device for each in found.silent] == ["gen-2"]
    assert [each.event for each in found.happenings] == ["notice", "write", "gap"]
    of_one = incident(journal, "gen-1/battery_low", UNTIL)
    assert [each.event for each in of_one.happenings] == ["notice", "write"]
    of_another = incident(journal, "gen-2/device_silent", UNTIL)
    assert of_another.happenings == ()
    assert found.starts == ()
    assert found.is_whole
    early = handover(journal, at("07:00"), at("21:05"))
    assert [each.key for each in early.standing] == ["gen-1/fail_to_start", "gen-1/battery_low"]
    assert len(early.starts) == 1
    assert handover(Journal(), SINCE, UNTIL).standing == ()


def test_a_journal_that_was_let_go_of_is_said_to_be_incomplete(tmp_path: Path) -> None:
    later = night().entries[4:]
    found = handover(read_journal(later), SINCE, UNTIL)
    assert not found.is_whole
    assert "不完整" in as_markdown(handover_document(found, names(tmp_path, "zh")))


def test_events_that_were_not_kept_are_counted(tmp_path: Path) -> None:
    story = night()
    data = {"device": "gen-1", "before": "ready", "state": "unknown", "reasons": [], "skipped": 317}
    story.other(at("23:50"), "readiness", **data)
    called, journal = names(tmp_path, "zh"), read_journal(story)
    sheet = as_markdown(handover_document(handover(journal, SINCE, UNTIL), called))
    assert "| 2026-11-21 23:50:00 | 网关 | 过于频繁，未逐条记录 | 317 |" in sheet
    bulletin = as_markdown(incident_document(incident(journal, "gen-1/fail_to_start", UNTIL), called))
    assert "2026-11-21 23:50:00 之前有 317 项事件过于频繁" in bulletin
    assert "317" not in as_markdown(incident_document(incident(journal, "gen-1/battery_low", UNTIL), called))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_notice_is_told_once_and_in_words(language: str, tmp_path: Path) -> None:
    story = night()
    told = {"channel": "duty", "result": "sent", "what": "escalated", "priority": "critical", "role": "duty"}
    story.event(at("21:20"), "gen-1", "notice", notice="n-2", count=1, alarms=["gen-1/fail_to_start"], **told)
    story.event(at("21:20"), "gen-1", "message", notice="n-2", title="title of it", text="text of it", count=1)
    called, journal = names(tmp_path, language), read_journal(story)
    for page in (
        as_markdown(handover_document(handover(journal, SINCE, UNTIL), called)),
        as_markdown(incident_document(incident(journal, "gen-1/fail_to_start", UNTIL), called)),
    ):
        (row,) = (line for line in page.splitlines() if line.startswith("| 2026-11-21 21:20:00"))
        words = {"zh": ("已送出", "无人确认", "红色", "值班人员"), "en": ("sent", "nobody acknowledged it", "(red)")}
        assert [word for word in words[language] if word not in row] == []
        raw = {"zh": ("sent", "escalated", "critical"), "en": ("escalated;",)}
        assert [word for word in raw[language] if word in row] == []
        assert "of it" not in page


def rows_at(clock: str, page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith(f"| 2026-11-21 {clock}")]


@pytest.mark.parametrize(
    ("device", "event", "data", "zh", "en"),
    [
        (
            "_site",
            "fact",
            fact_data("response_level", "IV", "II", by="duty-1", via="mqtt", order="c-17", note="汛情"),
            "| 参数变更 | 参数：应急响应级别；原值：四级响应；值：二级响应；途径：消息命令；备注：汛情 |",
            "| fact: Response level; before: Level IV; value: Level II; via: command by MQTT; note: 汛情 |",
        ),
        (
            "gen-1",
            "fact",
            fact_data("rated_power", None, 120.5, by="", via="file"),
            "| 参数变更 | 参数：额定功率；原值：未设定；值：120.5 kW；途径：配置文件 |",
            "| fact changed | fact: Rated power; before: not set; value: 120.5 kW; via: configuration file |",
        ),
        (
            "gen-1",
            "fact",
            fact_data("retired", False, True, by="duty-1", via="local"),
            "原值：否；值：是；途径：现场操作 |",
            "before: false; value: true; via: at the machine |",
        ),
        (
            "gen-1",
            "write",
            {
                "order": "c-2",
                "by": "duty-1",
                "via": "local",
                "point": "mode",
                "before": '"manual"',
                "value": '"auto"',
                "result": "not_confirmed",
                "after": '"manual"',
            },
            "途径：现场操作；测点：控制方式；原值：手动；值：自动；结果：读回的值不符；现值：手动 |",
            "point: Control mode; before: Manual; value: Automatic; result: reads back otherwise; after: Manual |",
        ),
        (
            "_site",
            "notice",
            {"channel": "sms", "result": "sent", "alarms": ["gen-1/fail_to_start", "gen-9/gone"]},
            "渠道：sms；结果：已送出；告警：东侧发电机（gen-1）启动失败、gen-9/gone |",
            "channel: sms; result: sent; alarms: East generator (gen-1) Failed to start, gen-9/gone |",
        ),
        (
            "_gateway",
            "config_applied",
            {"config": "sha256:00", "added": ["gen-1"], "removed": ["gen-9"], "changed": []},
            "| 配置变更 | 新增：东侧发电机（gen-1）；移除：gen-9 |",
            "| configuration changed | added: East generator (gen-1); removed: gen-9 |",
        ),
        (
            "_gateway",
            "login",
            {"by": "duty-1", "via": "page", "client": "10.0.0.8", "role": "maintainer"},
            "途径：本地页面；来自：10.0.0.8；岗位：检修人员 |",
            "via: local page; from: 10.0.0.8; role: maintainer |",
        ),
        (
            "gen-1",
            "loop_check",
            {"by": "duty-1", "identity": "unverifiable", "fits": 4, "points": {"mode": {"seen": "auto"}}},
            "| 逐点核对 | 身份：无法核实；相符：4 |",
            "| loop check | identity: cannot be verified; fits: 4 |",
        ),
    ],
)
def test_events_are_told_in_the_words_of_the_vocabulary(
    device: str, event: str, data: dict[str, Any], zh: str, en: str, tmp_path: Path
) -> None:
    story = night()
    story.event(at("21:20"), device, event, **data)
    for language, words in (("zh", zh), ("en", en)):
        called, journal = names(tmp_path, language), read_journal(story)
        sheet = as_markdown(handover_document(handover(journal, SINCE, UNTIL), called))
        (row,) = rows_at("21:20:00", sheet)
        assert words in row
        assert [raw for raw in ("c-17", "c-2", "sha256", "{", "[", '"') if raw in row] == []


@pytest.mark.parametrize(
    ("cause", "zh", "en"),
    [
        ("work_order", "设备停用检修", "its device is out of service"),
        ("device_silent", "设备没有应答", "its device does not answer"),
        ("line lan", "线路中断：lan", "its line is down: lan"),
        ("parent gen-1", "所依赖的设备失去应答：东侧发电机（gen-1）", "does not answer: East generator (gen-1)"),
        ("", "不明", "unknown"),
    ],
)
def test_why_an_alarm_is_suppressed_is_told_in_words(cause: str, zh: str, en: str, tmp_path: Path) -> None:
    story = night()
    kept = state("gen-2", "fuel_low", LOW, since=at("22:10"), is_suppressed=True, suppressed_by=cause)
    story.step(at("22:10"), AlarmEvent.SUPPRESS, kept)
    for language, words in (("zh", zh), ("en", en)):
        called = names(tmp_path, language)
        sheet = as_markdown(handover_document(handover(read_journal(story), SINCE, UNTIL), called))
        title = {"zh": "## 四、被抑制", "en": "## 4. Suppressed"}[language]
        (row,) = [line for line in sheet.split(title)[1].split("##")[0].splitlines() if "22:10:00" in line]
        assert row.rstrip(" |").endswith(words) or words in row
        assert "_" not in row.replace("gen-2", "")


@pytest.mark.parametrize(
    ("device", "because", "zh", "en"),
    [
        ("gen-1", {"silent_for": 120.023, "poll_interval": 0.5}, "无应答时长 120 s，轮询周期 0.5 s", "for 120 s"),
        ("gen-1", {"battery_voltage": 11.898000001}, "启动电池电压 11.898 V", "11.898 V"),
        ("gen-1", {"out_of_range_samples": 3.0}, "连续超出范围次数 3", "readings out of range in a row 3"),
        ("gen-1", {"battery_drop": 2.0, "battery_voltage": 11.9}, "启动电池电压 11.9 V", "11.9 V"),
        ("gen-1", {"battery_drop": 2.0}, "", ""),
        ("_gateway", {"disk_usage": 91.0}, "磁盘", "isk"),
        ("gen-1", {"battery_voltage": 11.9, "rated_power": 50.0}, "额定功率 50 kW", "Rated power 50 kW"),
        ("_site", {"response_level": "II"}, "应急响应级别 二级响应", "Response level Level II"),
        ("gone-3", {"battery_voltage": 11.9}, "battery_voltage 11.9", "battery_voltage 11.9"),
    ],
)
def test_values_have_names_and_sensible_digits(
    device: str, because: dict[str, float], zh: str, en: str, tmp_path: Path
) -> None:
    for language, part in (("zh", zh), ("en", en)):
        told = names(tmp_path, language).values(device, because)
        assert part in told
        assert bool(told) is bool(part)
        assert "battery_drop" not in told
        assert "023" not in told
        assert "disk_usage" not in told
        assert "response_level" not in told


def test_provisional_times_are_put_right() -> None:
    story = night()
    story.other(at("23:59"), "clock", since=at("22:00"), shift_ms=60_000)
    journal = read_journal(story)
    assert next(each for each in journal.steps if each.after.rule == "device_silent").ts == at("22:01")
    assert next(each for each in journal.steps if each.after.rule == "battery_low").ts == at("21:03:11")


@pytest.mark.parametrize(
    ("name", "until", "stage"),
    [
        ("gen-1/battery_low", UNTIL, Stage.FINAL),
        ("gen-1/battery_low", at("21:05"), Stage.FIRST),
        ("gen-1/battery_low", at("21:15"), Stage.FOLLOW_UP),
        ("gen-1/fail_to_start", at("21:05"), Stage.FIRST),
    ],
)
def test_first_follow_up_or_final_by_how_it_stands(name: str, until: int, stage: Stage) -> None:
    journal = read_journal([each for each in night() if each.ts <= until])
    found = incident(journal, name, until)
    assert found.stage is stage
    assert incident(journal, name, until, Stage.FIRST).stage is Stage.FIRST
    assert (found.ended is not None) is (stage is Stage.FINAL)


def test_an_incident_is_found_by_any_of_its_entries_and_ends_with_it() -> None:
    story = night()
    again = state("gen-1", "battery_low", LOW, since=at("06:00", 22), because={"battery_voltage": 11.5}, occurrences=1)
    story.step(at("06:00", 22), AlarmEvent.RAISE, again)
    journal = read_journal(story)
    latest = incident(journal, "gen-1/battery_low", UNTIL)
    assert (latest.began, latest.ended) == (at("06:00", 22), None)
    acked = next(step for step in journal.steps if step.event is AlarmEvent.ACK)
    earlier = incident(journal, str(acked.number), UNTIL)
    assert (earlier.began, earlier.ended) == (at("21:03:11"), at("23:30:30"))
    assert [step.event for step in earlier.steps] == [AlarmEvent.RAISE, AlarmEvent.ACK, AlarmEvent.RETURN]
    for unknown in ("gen-9/battery_low", "1", "999"):
        with pytest.raises(NoSuchIncident):
            incident(journal, unknown, UNTIL)


def test_what_came_first_is_named_or_unknown(tmp_path: Path) -> None:
    journal = read_journal(night())
    found = incident(journal, "gen-1/fail_to_start", UNTIL)
    assert found.first_out is not None
    assert found.first_out.after.rule == "battery_low"
    assert "首发告警：启动电池电压低（2026-11-21 21:03:11）" in as_markdown(
        incident_document(found, names(tmp_path, "zh"))
    )
    alone = incident(journal, "gen-2/device_silent", UNTIL)
    assert alone.first_out is None
    assert "首发告警：不明（无记录）" in as_markdown(incident_document(alone, names(tmp_path, "zh")))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_names_and_notes_are_no_markup(language: str, tmp_path: Path) -> None:
    journal, called = read_journal(night()), names(tmp_path, language)
    documents = [
        handover_document(handover(journal, SINCE, UNTIL), called),
        incident_document(incident(journal, "gen-1/battery_low", UNTIL), called),
        incident_document(incident(journal, "gen-2/device_silent", UNTIL), called),
    ]
    for document in documents:
        page, text = as_html(document), as_markdown(document)
        for markup in ("<script", "<b>", "<i>"):
            assert markup not in page.partition("</head>")[2]
            assert markup not in text
        assert "http" not in page  # nothing comes from elsewhere
        assert html.unescape(page).count("发电机" if language == "zh" else "generator") >= 1
        rows = [line for line in text.splitlines() if line.startswith("| ")]
        width = {}
        for line in rows:
            width.setdefault(len(re.findall(r"(?<!\\)\|", line)), []).append(line)
        assert sum(map(len, width.values())) == len(rows)
        assert all(len(re.findall(r"(?<!\\)\|", line)) >= 4 for line in rows)


# every number in a report stands in the journal

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_VALUES = st.dictionaries(
    st.sampled_from(["battery_voltage", "fuel_level", "engine_state"]),
    st.one_of(
        st.integers(0, 10**9), st.floats(0, 1e6, allow_nan=False).map(lambda each: round(each, 3)), st.booleans()
    ),
    max_size=3,
)
_MOMENTS = st.integers(at("00:00", 20), at("12:00", 22))
_RULES = st.sampled_from(["battery_low", "fail_to_start", "device_silent"])


@st.composite
def _stories(draw: st.DrawFn) -> Story:
    story = Story()
    for ts in sorted(draw(st.lists(_MOMENTS, min_size=1, max_size=12))):
        device, rule = draw(st.sampled_from(["gen-1", "gen-2", "_gateway", "gone-3"])), draw(_RULES)
        match draw(st.integers(0, 5)):
            case 0:
                story.event(
                    ts, device, draw(st.sampled_from(["gap", "write", "odd_event"])), count=draw(st.integers(0, 9999))
                )
            case 1:
                story.turn(
                    ts, device, draw(st.sampled_from([None, "ready"])), "unknown", Text("油位 33 %", "fuel 33 %")
                )
            case 2:
                story.start(ts)
            case _:
                after = state(
                    device, rule, LOW, draw(st.sampled_from(list(AlarmCondition))),
                    since=ts, because=draw(_VALUES), priority=draw(st.sampled_from(list(Priority))),
                    occurrences=draw(st.integers(1, 40)), is_first_out=draw(st.booleans()),
                    first_out=draw(st.sampled_from([None, "battery_low"])),
                )  # fmt: skip
                story.step(ts, draw(st.sampled_from(list(AlarmEvent))), after, draw(st.sampled_from(["", "u7"])), "n4")
    return story


def _numbers_of(texts: list[str]) -> set[str]:
    return {number for text in texts for number in _NUMBER.findall(text)}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=_stories(), language=st.sampled_from(["zh", "en"]))
def test_every_number_in_a_report_stands_in_the_journal(story: Story, language: str, tmp_path: Path) -> None:
    called, journal = names(tmp_path, language), read_journal(story)
    shown = handover(journal, SINCE, UNTIL)
    documents = [handover_document(shown, called)]
    facts = [json.dumps(handover_json(shown, "depot-07"), ensure_ascii=False)]
    for key in {step.after.key for step in journal.steps}:
        try:
            found = incident(journal, key, UNTIL)
        except NoSuchIncident:
            continue
        documents.append(incident_document(found, called))
        facts.append(json.dumps(incident_json(found, "depot-07"), ensure_ascii=False))
    bodies = [entry.body.decode() for entry in story]
    stamps = {SINCE, UNTIL, *(int(number) for number in _numbers_of(bodies) if len(number) == 13)}
    times = {called.when(ts) for ts in stamps}
    known = _numbers_of([*bodies, journal.head[:16], "depot-07", "gen-1", "gen-2", "alert(1)"])
    known |= {number.removesuffix(".0") for number in known}
    for document in documents:
        document = replace(document, sections=tuple(replace(each, title="") for each in document.sections))
        text = as_markdown(document)
        for time in times:
            text = text.replace(time, "")
        assert _numbers_of([text]) <= known
    for fact in facts:
        known_too = known | {str(SINCE), str(UNTIL)} | _numbers_of([journal.head])
        assert _numbers_of([fact]) <= known_too


def test_shifts_and_moments_are_local() -> None:
    now = at("07:30", 22)
    assert moment("8h", now, ZONE) == now - 8 * 3_600_000
    assert moment("08:00", now, ZONE) == at("08:00")
    assert moment("07:00", now, ZONE) == at("07:00", 22)
    assert moment("2026-11-21T20:00", now, ZONE) == at("20:00")
    assert moment("2026-11-21T12:00+00:00", now, ZONE) == at("20:00")
    assert shift("20:00-08:00", now, ZONE) == (at("20:00"), now)
    assert shift("08:00-20:00", now, ZONE) == (at("08:00"), at("20:00"))
    for wrong in ("soon", "8", "25:00", ""):
        with pytest.raises(Wrong):
            moment(wrong, now, ZONE)
    for wrong in ("08:00", "8-20", "a-b"):
        with pytest.raises(Wrong):
            shift(wrong, now, ZONE)
