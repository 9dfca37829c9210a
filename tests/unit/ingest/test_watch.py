"""Silent sites and devices: what is written, when, and that any worker writes the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest import watch as subject
from gateway.ingest.watch import LATE_ROWS, Watch
from gateway.ports import Fact

TS = 1_763_764_800_000
ROOT = "vigil/v1/depot-07"
OUTBOX = "9c41f07be2a3"


class Centre:
    """A watch and the centre's clock, in seconds after TS."""

    def __init__(self, grace_s: float = 90.0) -> None:
        self.watch = Watch(grace_s=grace_s)
        self.now = 0.0
        self.rows: list[Fact] = []
        self.watch.connected(self.now)

    def hear(self, topic: str, message: dict[str, Any] | bytes, *, retained: bool = False) -> list[Fact]:
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        wall_ms = TS + round(self.now * 1000)
        rows = self.watch.see(f"{ROOT}/{topic}", payload, retained=retained, now_s=self.now, wall_ms=wall_ms)
        self.rows += rows
        return rows

    def at(self, now: float) -> list[Fact]:
        """Rows that become due up to `now`."""
        self.now = now
        rows = self.watch.due(now)
        self.rows += rows
        return rows


def readiness(second: float, *, seq: int = 0, state: str = "ready", backlog: bool = False) -> dict[str, Any]:
    ts = TS + round(second * 1000)
    message = {
        "id": f"{OUTBOX}-{seq or int(second) + 1:06d}",
        "ts": ts,
        "kind": "generator",
        "labels": {"city": "xining"},
        "state": state,
        "since": TS,
        "valid_until": ts + 180_000,
        "score": 100,
        "reasons": [],
    }
    return message | ({"backlog": True} if backlog else {})


def roll_up(second: float) -> dict[str, Any]:
    count = {"ready": 2, "degraded": 1, "not_ready": 1, "unknown": 0, "in_use": 0, "out_of_service": 1}
    message = readiness(second) | {
        "kind": "warehouse",
        "name": {"zh": "库", "en": "depot"},
        "kinds": {"pump": count | {"usable": 3, "required": 2}},
    }
    del message["score"], message["reasons"], message["since"]
    return message


def status(state: str, since: float = -1000) -> dict[str, Any]:
    return {"state": state, "since": TS + round(since * 1000)}


def of(rows: list[Fact], measurement: str) -> list[Fact]:
    return [fact for fact in rows if fact.measurement == measurement]


def seconds(rows: list[Fact]) -> list[float]:
    return [(fact.ts - TS) / 1000 for fact in rows]


def reasons(fact: Fact) -> list[str]:
    return [reason["rule"] for reason in json.loads(str(fact.fields["reasons"]))]


def test_a_green_light_turns_unknown_when_its_time_has_passed() -> None:
    centre = Centre()
    centre.at(0)
    centre.hear("gen-1/readiness", readiness(0))
    assert centre.at(179) == []
    (row,) = of(centre.at(180), "readiness")
    assert row.tags == (("site", "depot-07"), ("device", "gen-1"), ("kind", "generator"), ("city", "xining"))
    assert row.fields["state"] == "unknown"
    assert row.fields["ready"] == row.fields["usable"] == 0.0
    assert "score" not in row.fields
    assert reasons(row) == ["site_silent"]
    assert seconds([row]) == [180]
    assert of(centre.at(239), "readiness") == []
    assert seconds(of(centre.at(300), "readiness")) == [240, 300]


def test_a_site_that_goes_on_speaking_gives_no_row() -> None:
    centre = Centre()
    for second in range(0, 3600, 60):
        centre.now = second
        centre.hear("gen-1/readiness", readiness(second))
        centre.at(second + 59)
    assert centre.rows == []


def test_the_alarm_comes_with_the_last_word_of_the_site_and_is_repeated() -> None:
    centre = Centre()
    centre.hear("gen-1/readiness", readiness(0))
    centre.now = 30
    centre.hear("_site/readiness", roll_up(30))
    centre.hear("_gateway/status", status("offline"))
    assert of(centre.at(209), "alarm") == []
    (row,) = of(centre.at(210), "alarm")
    assert dict(row.tags) | {"city": "xining"} == {
        "site": "depot-07",
        "device": "_gateway",
        "kind": "gateway",
        "rule": "site_silent",
        "city": "xining",
    }
    assert (row.fields["level"], row.fields["active"], row.fields["state"]) == (3.0, True, "UNACK")
    assert json.loads(str(row.fields["because"]))["connection"] == "lost"
    assert seconds([row]) == [210]
    assert seconds(of(centre.at(1420), "alarm")) == [810, 1410]


def test_a_mute_gateway_is_told_from_a_lost_one() -> None:
    texts = set()
    for state in ("online", "offline"):
        centre = Centre()
        centre.hear("gen-1/readiness", readiness(0))
        centre.hear("_gateway/status", status(state))
        (row,) = of(centre.at(180), "alarm")
        texts.add((row.fields["text_zh"], row.fields["text_en"], row.fields["because"]))
    assert len(texts) == 2


def test_one_device_that_is_no_longer_reported_is_no_silent_site() -> None:
    centre = Centre()
    centre.hear("gen-1/readiness", readiness(0))
    for second in range(0, 400, 60):
        centre.now = second
        centre.hear("gen-2/readiness", readiness(second))
    rows = centre.at(400)
    assert of(rows, "alarm") == []
    assert seconds(of(rows, "readiness")) == [180, 240, 300, 360]
    assert {tuple(reasons(row)) for row in rows} == {("device_silent",)}
    assert {dict(row.tags)["device"] for row in rows} == {"gen-1"}


def test_the_roll_up_turns_unknown_too() -> None:
    centre = Centre()
    centre.hear("_site/readiness", roll_up(0))
    (row,) = of(centre.at(180), "site")
    assert row.fields["state"] == "unknown"
    assert row.fields["pump_unknown"] == 4.0
    assert row.fields["pump_out_of_service"] == 1.0
    assert row.fields["pump_ready"] == row.fields["pump_usable"] == 0.0
    assert row.fields["pump_required"] == 2.0
    assert row.fields["name_zh"] == "库"


def silent_site(centre: Centre) -> None:
    centre.hear("gen-1/readiness", readiness(0))
    centre.hear("gen-2/readiness", readiness(5))
    centre.hear("_gateway/status", status("offline"))
    centre.at(3600)
    assert of(centre.rows, "alarm")
    centre.rows.clear()


def test_the_alarm_ends_when_the_site_speaks_again() -> None:
    centre = Centre()
    silent_site(centre)
    (row,) = centre.hear("gen-1/readiness", readiness(3600))
    assert (row.measurement, row.fields["state"], row.fields["level"]) == ("alarm", "NORMAL", 0.0)
    assert row.fields["active"] is False
    assert seconds([row]) == [3600]
    assert of(centre.at(3610), "alarm") == []


def test_a_gateway_that_kept_running_was_cut_off() -> None:
    centre = Centre()
    silent_site(centre)
    centre.hear("_gateway/status", status("online", since=-1000))
    centre.hear("gen-1/readiness", readiness(3600))
    (event,) = of(centre.at(3601), "event")
    assert dict(event.tags)["type"] == "site_returned"
    assert event.fields == {
        "from": float(TS + 185_000),
        "to": float(TS + 3_600_000),
        "seconds": 3415.0,
        "cause": "cut_off",
    }
    assert seconds([event]) == [3600]
    assert of(centre.at(4000), "event") == []


def test_what_is_sent_late_shows_that_the_gateway_was_running_then() -> None:
    centre = Centre()
    silent_site(centre)
    centre.hear("_gateway/status", status("online", since=3000))
    centre.hear("gen-1/readiness", readiness(3600))
    assert of(centre.at(3610), "event") == []
    centre.hear("gen-1/readiness", readiness(1200, backlog=True))
    (event,) = of(centre.at(3611), "event")
    assert event.fields["cause"] == "cut_off"


def test_a_gateway_that_began_anew_and_has_nothing_to_tell_was_off() -> None:
    centre = Centre()
    silent_site(centre)
    centre.hear("_gateway/status", status("online", since=3590))
    centre.hear("gen-1/readiness", readiness(3600))
    centre.hear("gen-1/readiness", readiness(4, backlog=True))
    assert of(centre.at(3719), "event") == []
    (event,) = of(centre.at(3720), "event")
    assert event.fields["cause"] == "off"


def test_what_a_gateway_saw_while_it_was_starting_is_no_sign_that_it_was_running() -> None:
    centre = Centre()
    silent_site(centre)
    centre.hear("_gateway/status", status("online", since=3500))
    centre.hear("gen-1/readiness", readiness(3600))
    centre.hear("gen-2/readiness", readiness(3550, backlog=True))
    (event,) = of(centre.at(3720), "event")
    assert event.fields["cause"] == "off"


def test_without_a_status_only_what_is_clearly_older_counts() -> None:
    for second, cause in ((3550, "off"), (3000, "cut_off")):
        centre = Centre()
        silent_site(centre)
        centre.hear("gen-1/readiness", readiness(3600))
        centre.hear("gen-2/readiness", readiness(second, backlog=True))
        (event,) = of(centre.at(3720), "event")
        assert event.fields["cause"] == cause


def test_a_site_that_falls_silent_again_before_the_verdict() -> None:
    centre = Centre()
    centre.watch = Watch(verdict_s=10_000)
    centre.watch.connected(0)
    silent_site(centre)
    centre.hear("gen-1/readiness", readiness(3600))
    rows = centre.at(3781)
    assert [row.fields["cause"] for row in of(rows, "event")] == ["off"]
    assert [row.fields["state"] for row in of(rows, "alarm")] == ["UNACK"]


def test_after_connecting_sites_have_time_to_speak() -> None:
    centre = Centre()
    centre.now = 1000
    centre.watch.connected(1000)
    centre.hear("gen-1/readiness", readiness(0), retained=True)
    assert centre.at(1089) == []
    rows = centre.at(1090)
    assert seconds(of(rows, "readiness"))[:2] == [180, 240]
    assert seconds(of(rows, "readiness"))[-1] == 1080
    assert seconds(of(rows, "alarm"))[0] == 180


def test_a_restart_of_the_centre_does_not_blame_a_living_site() -> None:
    centre = Centre()
    centre.now = 1000
    centre.watch.connected(1000)
    centre.hear("gen-1/readiness", readiness(0), retained=True)
    centre.now = 1059
    assert centre.hear("gen-1/readiness", readiness(1059)) == []
    assert centre.at(1100) == []


def test_a_site_met_alive_ends_an_alarm_nobody_saw_ending() -> None:
    centre = Centre()
    centre.now = 60
    (row,) = centre.hear("gen-1/readiness", readiness(40), retained=True)
    assert (row.measurement, row.fields["state"]) == ("alarm", "NORMAL")
    assert seconds([row]) == [40]
    assert centre.hear("gen-2/readiness", readiness(41), retained=True) == []


def test_months_of_silence_cost_few_rows() -> None:
    centre = Centre()
    centre.now = 90 * 86_400
    centre.watch.connected(centre.now)
    centre.hear("gen-1/readiness", readiness(0), retained=True)
    rows = of(centre.at(centre.now + 90), "readiness")
    assert len(rows) == LATE_ROWS + 1
    assert seconds(rows)[0] == 180
    assert seconds(rows)[-1] > 90 * 86_400


def test_without_the_broker_all_is_unknown_and_nobody_is_blamed() -> None:
    centre = Centre()
    centre.hear("gen-1/readiness", readiness(0))
    centre.at(100)
    centre.watch.disconnected()
    (row,) = centre.at(181)
    assert row.measurement == "readiness"
    assert reasons(row) == ["centre_cut_off"]
    centre.now = 200
    centre.watch.connected(200)
    assert centre.at(250) == []
    centre.hear("gen-1/readiness", readiness(255))
    assert centre.at(300) == []


def test_a_wrong_clock_at_the_site_is_no_silence_and_no_endless_green_light() -> None:
    for offset in (-7200, 7200):
        centre = Centre()
        for second in range(0, 600, 60):
            centre.now = second
            centre.hear("gen-1/readiness", readiness(second + offset, seq=second + 1))
            centre.at(second + 59)
        assert centre.rows == []
        assert seconds(of(centre.at(540 + 180), "readiness")) == [540 + offset + 180]


def test_a_retained_message_from_the_future_is_no_endless_green_light() -> None:
    centre = Centre()
    centre.hear("gen-1/readiness", readiness(7200), retained=True)
    assert of(centre.at(179), "readiness") == []
    assert seconds(of(centre.at(180), "readiness")) == [7380]


def test_a_last_word_that_comes_late_moves_the_silence() -> None:
    centre = Centre()
    centre.hear("gen-1/readiness", readiness(0))
    assert seconds(of(centre.at(400), "alarm")) == [180]
    assert centre.hear("gen-1/readiness", readiness(60, backlog=True)) == []
    rows = centre.at(401)
    assert seconds(of(rows, "readiness")) == [240, 300, 360]
    assert seconds(of(rows, "alarm")) == [240]


def test_an_older_message_changes_nothing() -> None:
    centre = Centre()
    centre.now = 60
    centre.hear("gen-1/readiness", readiness(60))
    centre.hear("gen-1/readiness", readiness(0))
    centre.hear("gen-1/readiness", readiness(60))
    assert centre.at(239) == []
    assert seconds(of(centre.at(240), "readiness")) == [240]


def test_a_device_that_was_removed_is_forgotten() -> None:
    centre = Centre()
    centre.hear("gen-1/readiness", readiness(0))
    centre.hear("gen-2/readiness", readiness(0))
    centre.hear("gen-1/readiness", b"")
    assert {dict(row.tags)["device"] for row in of(centre.at(180), "readiness")} == {"gen-2"}
    (over,) = centre.hear("gen-2/readiness", b"")
    assert over.fields["state"] == "NORMAL"
    assert centre.at(1000) == []
    assert centre.watch.watched == 0
    assert centre.watch.silent_sites == 0


def test_a_person_s_word_outranks_not_knowing() -> None:
    centre = Centre()
    centre.hear("gen-1/readiness", readiness(0, state="out_of_service"))
    centre.hear("gen-2/readiness", readiness(0, state="retired"))
    centre.hear("gen-3/readiness", readiness(0, state="in_use"))
    rows = of(centre.at(180), "readiness")
    assert [row.fields["state"] for row in rows] == ["out_of_service", "retired", "unknown"]
    assert {row.fields["usable"] for row in rows} == {0.0}


def test_news_name_each_site_once() -> None:
    centre = Centre()
    silent_site(centre)
    centre.hear("gen-1/readiness", readiness(3600))
    centre.at(3800)
    assert centre.watch.news == [("depot-07", "silent"), ("depot-07", "off"), ("depot-07", "silent")]


def test_memory_is_bounded_and_what_is_not_watched_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MAX_ENTRIES", 3)
    monkeypatch.setattr(subject, "MAX_SITES", 2)
    watch = Watch()
    watch.connected(0)
    for site in ("a", "b", "c"):
        for device in ("x", "y"):
            payload = json.dumps(readiness(0)).encode()
            watch.see(f"vigil/v1/{site}/{device}/readiness", payload, retained=False, now_s=0, wall_ms=TS)
    assert watch.watched == 3
    assert watch.refused == 3


def test_what_is_no_message_is_passed_over() -> None:
    centre = Centre()
    assert centre.hear("gen-1/readiness", b"{") == []
    assert centre.hear("gen-1/telemetry", {"a": 1}) == []
    assert centre.watch.see("other/topic", b"x", retained=False, now_s=0, wall_ms=TS) == []
    assert centre.at(1000) == []


@given(
    st.lists(st.tuples(st.sampled_from(["gen-1", "gen-2", "_site"]), st.integers(0, 600)), min_size=1, max_size=12),
    st.lists(st.integers(700, 5000), max_size=6),
    st.integers(800, 5000),
)
def test_workers_that_look_at_different_times_write_the_same_rows(
    said: list[tuple[str, int]], looks: list[int], started: int
) -> None:
    """One worker was there all the time, one came later and saw only what is retained."""
    end = 6000.0
    early = Centre()
    for device, second in sorted(said, key=lambda item: item[1]):
        early.now = max(early.now, second)
        early.hear(f"{device}/readiness", roll_up(second) if device == "_site" else readiness(second))
    late = Centre(grace_s=0.0)
    late.now = started
    late.watch.connected(started)
    for device in {device for device, _ in said}:
        second = max(second for other, second in said if other == device)
        message = roll_up(second) if device == "_site" else readiness(second)
        late.hear(f"{device}/readiness", message, retained=True)
    for look in sorted(looks):
        early.at(look)
        if look >= started:
            late.at(look)
    early.at(end)
    late.at(end)
    rows = {(fact.measurement, fact.tags, fact.ts): dict(fact.fields) for fact in early.rows}
    others = {(fact.measurement, fact.tags, fact.ts): dict(fact.fields) for fact in late.rows}
    shared = rows.keys() & others.keys()
    assert {key: rows[key] for key in shared} == {key: others[key] for key in shared}
    assert others.keys() <= rows.keys()
