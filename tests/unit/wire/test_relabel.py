"""The times inside messages that were queued before the clock was known."""

from __future__ import annotations

import json

from gateway.wire.relabel import relabel

SINCE = 1_000_000


def moved(members: dict[str, object], *, synced: bool = True) -> dict[str, object]:
    body = json.dumps(members).encode()[1:]
    told = relabel(body, lambda ts: ts + 500 if ts >= SINCE else ts, synced=synced)
    found: dict[str, object] = json.loads(b"{" + told)
    return found


def test_telemetry_keeps_every_digit_and_says_what_its_clock_was_worth() -> None:
    body = b'"kind":"tank","labels":{"clock":"free"},"clock":"free","v":{"level":1.10,"since":1000001,"mode":"free"}}'
    told = relabel(body, lambda ts: ts + 500, synced=True)
    assert told == body.replace(b'},"clock":"free"', b'},"clock":"synced"')
    assert relabel(body, lambda ts: ts, synced=False) == body


def test_what_was_known_before_stays() -> None:
    assert moved({"state": "ready", "since": SINCE - 1, "valid_until": SINCE + 1}) == {
        "state": "ready",
        "since": SINCE - 1,
        "valid_until": SINCE + 501,
    }


def test_alarms_and_events_move_as_a_whole() -> None:
    alarm = {"since": SINCE, "acks": [{"by": "duty-1", "ts": SINCE + 2, "note": ""}], "because": {"since": SINCE}}
    assert moved(alarm) == {
        "since": SINCE + 500,
        "acks": [{"by": "duty-1", "ts": SINCE + 502, "note": ""}],
        "because": {"since": SINCE},
    }
    event = {"type": "gap", "data": {"from": SINCE, "to": None, "count": 2_000_000, "why": "quota"}}
    assert moved(event)["data"] == {"from": SINCE + 500, "to": None, "count": 2_000_000, "why": "quota"}


def test_a_cleared_topic_stays_cleared() -> None:
    assert relabel(b"", lambda ts: ts + 1, synced=True) == b""
