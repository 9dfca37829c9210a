"""The desk over time: storms, old data, a disk that does not keep up, reloads, clocks, the journal and its chain."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.alarms import desk as desk_module
from gateway.alarms.chain import verify
from gateway.app import load
from gateway.model import Point, Reading, ReportPolicy, Status, ValueType
from gateway.ports import Refused
from gateway.rules.book import load_rules
from gateway.store import outbox as outbox_module
from gateway.store.store import JOURNAL
from gateway.store.trail import Entry, highest, walk
from tests.unit.alarms.small_site import FINE, NAMES, SITE, START_MS, SmallSite, write_site


def journal(site: SmallSite) -> Path:
    return site.settings.state_dir / "journal.db"


async def test_a_storm_of_a_thousand_alarms_loses_nothing_and_shows_what_came_first(tmp_path: Path) -> None:
    text = SITE.partition("  - {id: gen-2")[0].replace("lines:\n", "lines:\n  bus-2: {tcp: '127.0.0.1:5022'}\n")
    points = text.partition("&points ")[2]
    more = "".join(
        f"  - {{id: g-{number}, kind: generator, line: {'bus' if number % 2 else 'bus-2'}, unit: {number // 2 + 2},"
        f" interval: 60s, points: {points}"
        for number in range(249)
    )
    write_site(tmp_path, site=f"{text}{more}rules: [alarms.yaml, builtin/communication]\n")
    storm = SmallSite(tmp_path)
    for device in storm.values:
        storm.poll(device)
    for number, device in enumerate(storm.values):
        storm.clock.up_s += 0.016
        storm.poll(device, fuel_level=5.0)
        storm.poll(device, fail_to_start=True, emergency_stop=True, battery_voltage=11.0)
        if number % 60 == 0:
            storm.pipeline.tick()
    await storm.settled()
    heard = storm.announcer.heard
    assert len(heard) == 1000
    assert [each.number for each in heard] == list(range(1, 1001))
    assert len({each.after.key for each in heard}) == 1000
    assert [each.ts for each in heard] == sorted(each.ts for each in heard)
    assert len(storm.sent()) == 1000
    first = [each.after for each in heard if each.after.is_first_out]
    assert sorted(each.device for each in first) == sorted(storm.values)
    assert {each.rule for each in first} == {"fuel_low"}
    assert {each.after.first_out for each in heard if not each.after.is_first_out} == {"fuel_low"}
    listed = storm.desk.alarms()
    assert len(listed) == 1000
    assert [each.priority.level for each in listed] == sorted((each.priority.level for each in listed), reverse=True)
    high = [each for each in listed if each.priority == "high"]
    assert all(each.is_first_out for each in high[:250])
    assert storm.desk.figures()["alarm_flood"] is True
    assert verify(walk(journal(storm))).flaw is None
    storm.close()


async def test_first_out_is_of_ten_seconds_and_of_one_device(site: SmallSite) -> None:
    site.poll(fuel_level=5.0)
    site.poll("gen-2", fail_to_start=True)
    site.pass_s(10)
    site.poll(fail_to_start=True)
    site.pass_s(1)
    site.poll(emergency_stop=True)
    assert site.state("fail_to_start").first_out == "fuel_low"
    assert site.state("emergency_stop").is_first_out
    assert site.state("fail_to_start", "gen-2").is_first_out


async def test_old_data_are_recorded_and_announce_only_what_present_data_show(site: SmallSite) -> None:
    old = site.clock.wall_ms() - 16 * 60_000
    values = {**FINE, "fuel_level": 5.0, "fail_to_start": True}
    given = tuple(values[name] for name in NAMES)
    site.pipeline.deliver(Reading("gen-2", old, NAMES, given, (Status.Good,) * len(NAMES)))
    site.pipeline.tick()
    await site.settled()
    assert site.condition("fuel_low", "gen-2") == "UNACK"
    assert [each.is_historical for each in site.announcer.heard] == [True, True]
    assert site.announcer.announced == []
    site.values["gen-2"]["fuel_level"] = 5.0
    site.pass_s(2, "gen-2")
    await site.settled()
    assert site.announcer.announced == ["gen-2/fuel_low"]
    assert site.condition("fail_to_start", "gen-2") == "LATCHED_UNACK"


async def test_an_alarm_that_still_stands_is_told_again_every_ten_minutes(site: SmallSite) -> None:
    site.poll(fuel_level=5.0)
    await site.settled()
    site.pass_s(1900, step_s=5.0)
    await site.settled()
    times = [each.ts for each in site.sent("fuel_low")]
    assert [round((later - earlier) / 60_000) for earlier, later in pairwise(times)] == [10, 10, 10]
    assert len(site.announcer.heard) == 1
    site.poll(fuel_level=80.0)
    await site.order("ack", "fuel_low")
    site.pass_s(1000, step_s=5.0)
    await site.settled()
    assert len(site.sent("fuel_low")) == len(times) + 2, "NORMAL is told once"


async def test_alarms_wait_in_order_for_a_disk_that_is_behind(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    site.poll(fuel_level=5.0)
    await site.settled()
    with monkeypatch.context() as full:
        full.setattr(outbox_module, "MAX_WAITING_ROWS", 0)
        site.poll(fuel_level=80.0)
        site.poll(fail_to_start=True)
        site.poll(fail_to_start=False)
        site.pass_s(3)
        assert site.condition("fuel_low") == "UNACK"
        assert site.condition("fail_to_start") == "NORMAL"
        assert site.desk.figures()["alarms_waiting"] == 3
        with pytest.raises(Refused) as refused:
            await site.order("ack", "fuel_low")
        assert refused.value.error == "busy"
        assert "alarms_wait_for_disk" in caplog.text
    site.pass_s(1)
    await site.settled()
    told = [(each.after.rule, str(each.after.condition)) for each in site.announcer.heard]
    assert told == [
        ("fuel_low", "UNACK"),
        ("fuel_low", "RTN_UNACK"),
        ("fail_to_start", "UNACK"),
        ("fail_to_start", "LATCHED_UNACK"),
    ]
    assert site.desk.figures()["alarms_waiting"] == 0


async def test_what_comes_while_others_wait_for_the_disk_comes_after_them(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(outbox_module, "MAX_WAITING_ROWS", 0)
        site.poll(fuel_level=5.0)
    site.poll(fail_to_start=True)
    await site.settled()
    assert site.announcer.heard == [], "the disk is free, but one is before it"
    site.pass_s(1)
    await site.settled()
    assert site.announcer.announced == ["gen-1/fuel_low", "gen-1/fail_to_start"]
    assert site.state("fail_to_start").first_out == "fuel_low"


async def test_the_figures_go_on_after_a_restart(site: SmallSite) -> None:
    for _ in range(3):
        site.poll(fuel_level=5.0)
        site.poll(fuel_level=80.0)
        site.clock.up_s += 5
    await site.order("ack", "fuel_low")
    await site.settled()
    before = site.desk.figures()
    assert (before["alarm_rate"], before["alarms_chattering"], before["alarms_fleeting"]) == (3, 1, 3)
    site.store.close()
    again = SmallSite(site.path.parent, site.clock)
    assert again.desk.figures() == before
    site.store, site.pipeline = again.store, again.pipeline


async def test_a_silence_that_lasts_is_announced_again_and_has_to_be_acknowledged_again(site: SmallSite) -> None:
    site.lose("gen-1")
    site.pass_s(130, "gen-1")
    site.pass_s(900, "gen-1", step_s=10.0)
    await site.order("ack", "device_silent", note="on the way")
    site.clock.up_s += 85_500
    site.pass_s(300, "gen-1", step_s=10.0)
    assert site.condition("device_silent") == "ACKED"
    site.pass_s(900, "gen-1", step_s=10.0)
    assert site.condition("device_silent") == "UNACK"
    assert site.state("device_silent").acks == ()
    assert (await site.order("ack", "device_silent", note="still")).condition == "ACKED"
    await site.settled()
    assert site.announcer.announced.count("gen-1/device_silent") == 3, "silent, silent for long, and a day later"


async def test_of_too_many_that_wait_the_latest_of_each_alarm_is_kept(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "MOST_WAITING", 10)
    with monkeypatch.context() as full:
        full.setattr(outbox_module, "MAX_WAITING_ROWS", 0)
        for number in range(41):
            site.poll(fuel_level=5.0 if number % 2 == 0 else 80.0)
        assert site.desk.figures()["alarms_waiting"] <= 10
    site.pass_s(1)
    assert site.condition("fuel_low") == "UNACK"
    assert site.desk.dropped > 0


async def test_a_rule_or_device_that_is_taken_out_ends_its_alarm(site: SmallSite) -> None:
    site.poll(fuel_level=5.0, fail_to_start=True)
    site.poll("gen-2", fuel_level=5.0)
    await site.settled()
    text = site.path.read_text("utf-8")
    begin, end = text.index("  - {id: gen-2"), text.index("  - {id: gen-3")
    site.path.write_text(text[:begin] + text[end:] + "rule_overrides: {fuel_low: {enabled: false}}\n", "utf-8")
    changed = load(site.path)
    site.pipeline.replace(changed, load_rules(changed))
    await site.settled()
    assert [(each.key, str(each.condition)) for each in site.desk.alarms()] == [("gen-1/fail_to_start", "UNACK")]
    gone = [(each.device, each.rule) for each in site.sent() if each.body is None]
    assert gone == [("gen-1", "fuel_low"), ("gen-2", "fuel_low")]
    assert site.announcer.heard[-1].event == "remove"
    assert verify(walk(journal(site))).flaw is None
    site.poll(fail_to_start=False)
    assert site.condition("fail_to_start") == "LATCHED_UNACK", "the rules went on where they were"


async def test_an_alarm_that_the_disk_does_not_take_back_is_taken_back_later(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.poll(fuel_level=5.0)
    await site.settled()
    with site.path.open("a", encoding="utf-8") as file:
        file.write("rule_overrides: {fuel_low: {enabled: false}}\n")
    changed = load(site.path)
    with monkeypatch.context() as full:
        full.setattr(outbox_module, "MAX_WAITING_ROWS", 0)
        site.pipeline.replace(changed, load_rules(changed))
        assert [each.key for each in site.desk.alarms()] == ["gen-1/fuel_low"]
    site.pass_s(1)
    await site.settled()
    assert site.desk.alarms() == []
    assert site.sent("fuel_low")[-1].body is None


async def test_a_rule_that_was_taken_out_while_the_gateway_was_off_ends_its_alarm_at_the_start(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    site.poll(fuel_level=5.0, fail_to_start=True)
    await site.settled()
    site.close()
    with site.path.open("a", encoding="utf-8") as file:
        file.write("rule_overrides: {fuel_low: {enabled: false}}\n")
    again = SmallSite(tmp_path, site.clock)
    await again.settled()
    assert [each.key for each in again.desk.alarms()] == ["gen-1/fail_to_start"]
    assert [(each.rule, each.body) for each in again.sent()] == [("fuel_low", None)]
    again.close()


async def test_the_gateway_has_alarms_of_its_own(site: SmallSite) -> None:
    for _ in range(40):
        site.clock.up_s += 10
        site.health(disk_usage=85.0)
    await site.settled()
    assert [each.key for each in site.desk.alarms()] == ["_gateway/disk_filling"]
    (sent,) = site.sent("disk_filling")
    assert sent.body is not None
    assert (sent.device, sent.body["kind"]) == ("_gateway", "gateway")
    site.pipeline.watch_health([Point("uptime", ValueType.NUMBER, "s", 10.0, ReportPolicy(), None)])
    assert [each.key for each in site.desk.alarms()] == ["_gateway/disk_filling"], "its points come and go"


async def test_provisional_times_move_with_the_clock(site: SmallSite) -> None:
    site.poll(fuel_level=5.0)
    await site.order("ack", "fuel_low")
    await site.order("shelve", "fuel_low", for_s=600, note="x")
    before = site.state("fuel_low")
    site.desk.moved(START_MS, 5_000_000)
    site.clock.set(site.clock.wall_ms() + 5_000_000, synced=True)
    await site.settled()
    after = site.state("fuel_low")
    assert after.since == before.since + 5_000_000
    assert after.acks[0].ts == before.acks[0].ts + 5_000_000
    assert after.shelved_until == (before.shelved_until or 0) + 5_000_000
    site.pass_s(590, "gen-1", step_s=5.0)
    assert str(site.state("fuel_low").suppression) == "SHELVED"
    site.pass_s(15, "gen-1", step_s=5.0)
    assert str(site.state("fuel_low").suppression) == "NONE"
    site.store.close()
    again = SmallSite(site.path.parent, site.clock)
    assert again.state("fuel_low").since == after.since
    assert verify(walk(journal(again))).flaw is None
    site.store, site.pipeline = again.store, again.pipeline


async def test_setting_the_clock_neither_ends_nor_prolongs_a_shelf(site: SmallSite) -> None:
    await site.order("shelve", "fuel_low", for_s=600, note="x")
    site.clock.set(site.clock.wall_ms() + 3_600_000, synced=True)
    site.pass_s(590, step_s=10.0)
    assert [each.rule for each in site.desk.alarms()] == ["fuel_low"]
    site.clock.set(site.clock.wall_ms() - 7_200_000, synced=True)
    site.pass_s(20, step_s=10.0)
    assert site.desk.alarms() == []


async def test_setting_the_clock_announces_nothing_again_and_a_restart_does_not_put_it_off(site: SmallSite) -> None:
    site.lose("gen-1")
    site.pass_s(130, "gen-1")
    site.pass_s(900, "gen-1", step_s=10.0)
    await site.order("ack", "device_silent", note="on the way")
    site.clock.set(site.clock.wall_ms() + 25 * 3_600_000, synced=True)
    site.pass_s(60, "gen-1", step_s=10.0)
    assert site.condition("device_silent") == "ACKED"
    site.clock.set(site.clock.wall_ms() - 25 * 3_600_000, synced=True)
    site.clock.up_s += 80_000
    site.pass_s(60, "gen-1", step_s=10.0)
    await site.settled()
    site.store.close()
    again = SmallSite(site.path.parent, site.clock)
    site.store, site.pipeline = again.store, again.pipeline
    again.lose("gen-1")
    again.pass_s(600, "gen-1", step_s=10.0)
    assert again.condition("device_silent") == "ACKED"
    again.clock.up_s += 5_400
    again.pass_s(900, "gen-1", step_s=10.0)
    assert again.condition("device_silent") == "UNACK"


# the chain


async def lives(site: SmallSite, count: int = 3) -> None:
    for _ in range(count):
        site.poll(fuel_level=5.0)
        await site.order("ack", "fuel_low", note="seen")
        site.poll(fuel_level=80.0)
        site.clock.up_s += 60
    await site.settled()


async def test_the_event_of_an_action_names_its_entry_in_the_journal(site: SmallSite) -> None:
    await lives(site)
    entries = {entry.number: entry for entry in walk(journal(site))}
    actions = site.events("alarm_action")
    assert len(actions) == 3
    for action in actions:
        entry = entries[action["number"]]
        assert entry.hash.hex() == action["hash"]
        assert json.loads(entry.body)["by"] == action["by"]


@pytest.mark.parametrize(
    ("harm", "number"),
    [
        ("UPDATE trail SET body=replace(body, 'seen', 'late') WHERE number=5", 5),
        ("UPDATE trail SET ts=ts+1 WHERE number=4", 4),
        ("DELETE FROM trail WHERE number=6", 6),
        ("DELETE FROM trail WHERE number=1", 1),
        ("UPDATE trail SET (body, hash)=(SELECT body, hash FROM trail WHERE number=2) WHERE number=8", 8),
    ],
)  # fmt: skip
async def test_the_first_entry_that_is_not_what_it_was_is_named(site: SmallSite, harm: str, number: int) -> None:
    await lives(site)
    whole = verify(walk(journal(site)))
    assert (whole.first, whole.last, whole.flaw) == (1, 9, None)
    with sqlite3.connect(journal(site)) as db:
        db.execute(harm.replace("replace(body", "replace(CAST(body AS TEXT)"))
        db.execute("UPDATE trail SET body=CAST(body AS BLOB)")
    db.close()
    flaw = verify(walk(journal(site))).flaw
    assert flaw is not None
    assert flaw.number == number


async def test_entries_taken_off_the_end_are_missed_and_their_numbers_not_given_again(site: SmallSite) -> None:
    await lives(site)
    site.close()
    with sqlite3.connect(journal(site)) as db:
        db.execute("DELETE FROM trail WHERE number>6")
    db.close()
    found = verify(walk(journal(site)), highest(journal(site)))
    assert found.flaw is not None
    assert found.flaw.number == 7
    again = SmallSite(site.path.parent, site.clock)
    await lives(again, 1)
    assert [entry.number for entry in walk(journal(again))] == [1, 2, 3, 4, 5, 6, 10, 11, 12]
    flaw = verify(walk(journal(again)), highest(journal(again))).flaw
    assert flaw is not None
    assert flaw.number == 7
    site.store, site.pipeline = again.store, again.pipeline


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"number":2,"ts":3}'])
def test_what_is_no_entry_is_named(body: bytes) -> None:
    flaw = verify([Entry(2, 3, body, hashlib.sha256(body).digest())]).flaw
    assert flaw is not None
    assert flaw.number == 2


async def test_an_entry_made_anew_breaks_the_one_behind_it(site: SmallSite) -> None:
    await lives(site)
    entries = list(walk(journal(site)))
    body = entries[4].body.replace(b"seen", b"late")
    forged = [*entries[:4], replace(entries[4], body=body, hash=hashlib.sha256(body).digest()), *entries[5:]]
    flaw = verify(forged).flaw
    assert flaw is not None
    assert flaw.number == 5


async def test_old_entries_go_and_the_rest_can_still_be_verified(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "LEAST_KEPT", 4)
    await lives(site)
    site.clock.up_s += 300 * 86_400
    await lives(site)
    site.clock.up_s += 101 * 86_400
    site.clock.synced = False
    await site.desk.let_go()
    await site.settled()
    assert verify(walk(journal(site))).first == 1, "not by a clock that may be wrong"
    site.clock.synced = True
    await site.desk.let_go()
    await site.settled()
    found = verify(walk(journal(site)))
    assert (found.first, found.last, found.flaw) == (10, 19, None)
    await lives(site)
    with sqlite3.connect(journal(site)) as db:
        db.execute("DELETE FROM trail WHERE number=10")
    db.close()
    flaw = verify(walk(journal(site))).flaw
    assert flaw is not None
    assert flaw.number == 10


async def test_too_many_entries_go_too(site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "LEAST_KEPT", 2)
    monkeypatch.setattr(desk_module, "MOST_KEPT", 5)
    await lives(site)
    await site.desk.let_go()
    await site.settled()
    found = verify(walk(journal(site)))
    assert (found.first, found.last, found.flaw) == (5, 10, None)
    number = found.last
    site.close()
    again = SmallSite(site.path.parent, site.clock)
    await lives(again, 1)
    assert verify(walk(journal(again))).last == number + 3
    site.store, site.pipeline = again.store, again.pipeline


async def test_notes_drive_out_no_alarms(site: SmallSite) -> None:
    for number in range(2_500):
        site.desk.note(START_MS + number, "readiness", {"device": "gen-1"})
    site.clock.up_s += 3600
    site.desk.note(START_MS, "readiness", {"device": "gen-1"})
    await site.settled()
    told = [json.loads(entry.body) for entry in walk(journal(site))]
    assert len(told) == 2_001
    assert told[-1]["skipped"] == 500
    assert verify(walk(journal(site))).flaw is None


async def test_a_journal_of_an_earlier_schema_gets_its_trail(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with sqlite3.connect(state / "journal.db", isolation_level=None) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript(f"BEGIN; {JOURNAL.steps[0]}; {JOURNAL.steps[1]}; PRAGMA user_version=2; COMMIT;")
        db.execute("INSERT INTO document VALUES('rules/gen-1', '{}')")
    db.close()
    site = SmallSite(tmp_path)
    await lives(site, 1)
    assert verify(walk(journal(site))).last == 3
    site.close()
