"""Payloads nobody honest sends."""

from __future__ import annotations

import json

import pytest

from gateway.wire.decode import Malformed, decode, parse_id
from gateway.wire.topics import parse

GOOD = {
    "id": "9c41f07be2a3-000123",
    "ts": 1763764800123,
    "kind": "generator",
    "labels": {"city": "xining"},
    "clock": "synced",
    "v": {"a": 1.5},
}


def read(payload: bytes, topic: str = "gen-1/telemetry") -> None:
    found = parse(f"vigil/v1/depot-07/{topic}")
    assert found
    decode(found, payload)


def reason(payload: bytes, topic: str = "gen-1/telemetry") -> str:
    with pytest.raises(Malformed) as caught:
        read(payload, topic)
    return str(caught.value)


def changed(**members: object) -> bytes:
    return json.dumps(GOOD | members).encode()


def test_the_good_one_is_read() -> None:
    read(changed())


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "not JSON"),
        (b"[1]", "not an object"),
        (b"\xff\xfe{\x00}\x00", "not Unicode"),
        (json.dumps(GOOD).encode("utf-16"), "not Unicode"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"v":' * 5000, "nested too deeply"),
        (b" " * 300_000, "too many"),
        (b'{"id":"9c41f07be2a3-000123","id":"9c41f07be2a3-000124"}', "twice"),
        (changed(v={"a": float("nan")}), "NaN"),
        (changed(v={"a": float("inf")}), "Infinity"),
        (changed().replace(b"1.5", b"1e999"), "out of range"),
        (changed().replace(b"1.5", b"1" * 400), "out of range"),
        (changed().replace(b"1.5", b"1" * 5000), "not JSON"),
        (changed().replace(b"1.5", b'"\\ud800"'), "not Unicode"),
        (changed(v={"a": None}), "neither number"),
        (changed(v={"a": [1]}), "neither number"),
        (changed(v={"a b": 1}), "cannot be a point"),
        (changed(v={"time": 1}), "cannot be a point"),
        (changed(v={"city": 1}), "name of a point"),
        (changed(v=[]), "`v`"),
        (changed(bad={"a": "BadTimeout"}), "has a value"),
        (changed(bad={"b": "Good"}), "no Bad status"),
        (changed(bad={"b": 7}), "no Bad status"),
        (changed(uncertain={"b": "UncertainLastUsableValue"}), "no value"),
        (changed(recovered=["a", "a"]), "twice"),
        (changed(recovered=[1]), "cannot be a point"),
        (changed(q={"good": "1", "uncertain": 0, "bad": 0, "worst": "Good"}), "`good`"),
        (changed(q={"good": -1, "uncertain": 0, "bad": 0, "worst": "Good"}), "`good`"),
        (changed(ts="1763764800123"), "`ts`"),
        (changed(ts=1763764800123.0), "`ts`"),
        (changed(ts=True), "`ts`"),
        (changed(ts=-1), "`ts`"),
        (changed(ts=10**16), "`ts`"),
        (changed(id="9c41f07be2a3-123"), "`id`"),
        (changed(id="9C41F07BE2A3-000123"), "`id`"),
        (changed(id="9c41f07be2a3-00012３"), "`id`"),
        (changed(id=123), "`id`"),
        (changed(kind="alarm"), "`kind`"),
        (changed(kind="a,b=c"), "`kind`"),
        (changed(labels={"site": "x"}), "cannot be a label"),
        (changed(labels={"a": 1}), "no short text"),
        (changed(labels={"a": "x" * 70_000}), "no short text"),
        (changed(clock="wrong"), "`clock`"),
        (changed(backlog="yes"), "`backlog`"),
    ],
)
def test_is_malformed(payload: bytes, why: str) -> None:
    assert why in reason(payload)


def test_a_foreign_device_cannot_speak_for_the_gateway() -> None:
    assert "gateway" in reason(changed(), "_gateway/telemetry")


def test_an_alarm_must_be_that_of_its_topic() -> None:
    assert "topic" in reason(changed(alarm="gen-2/battery_low"), "gen-1/alarm/battery_low")


def test_deep_event_data_is_malformed() -> None:
    deep: object = 1
    for _ in range(40):
        deep = [deep]
    assert "deeply" in reason(changed(type="x", data={"a": deep}), "gen-1/event")


@pytest.mark.parametrize("done", [[[2, 1]], [[1]], [1], [["1", "2"]], [[True, 2]], [[-1, 2]], [[0, 10**19]], {}])
def test_ranges_that_are_none(done: object) -> None:
    assert "done" in reason(json.dumps({"outbox": "9c41f07be2a3", "done": done}).encode(), "_gateway/stored")


def test_unknown_members_are_passed_over() -> None:
    read(changed(future={"a": [1, 2]}))


@pytest.mark.parametrize(
    "topic",
    [
        "vigil/v2/a/b/telemetry",
        "vigil/v1/a/telemetry",
        "vigil/v1/A/b/telemetry",
        "vigil/v1/a/_other/event",
        "vigil/v1/a/_site/telemetry",
        "vigil/v1/a/_gateway/readiness",
        "vigil/v1/a/gen-1/status",
        "vigil/v1/a/gen-1/stored",
        "vigil/v1/a/b/alarm",
        "vigil/v1/a/b/alarm/x/y",
        "vigil/v1/a/b/alarm/",
        "vigil/v1/a/b/cmd/other",
        "vigil/v1/a/b/telemetry\n",
        "x/vigil/v1/a/b/telemetry",
        "vigil/v1/" + "a" * 33 + "/b/telemetry",
    ],
)
def test_foreign_topics(topic: str) -> None:
    assert parse(topic) is None


@pytest.mark.parametrize(
    "topic",
    [
        "vigil/v1/a/b/telemetry",
        "vigil/v1/a/_gateway/telemetry",
        "vigil/v1/a/_site/readiness",
        "vigil/v1/a/_gateway/alarm/site_silent",
        "vigil/v1/a/_site/event",
        "vigil/v1/a/_gateway/status",
        "vigil/v1/a/_gateway/stored",
        "vigil/v1/a/_site/cmd",
        "vigil/v1/a/b/cmd/reply",
    ],
)
def test_our_topics_read_back(topic: str) -> None:
    assert str(parse(topic)) == topic


def test_ids() -> None:
    assert parse_id("9c41f07be2a3-000123") == ("9c41f07be2a3", 123)
    assert str(parse_id("9c41f07be2a3-12345678")) == "9c41f07be2a3-12345678"
    assert parse_id("9c41f07be2a3_000123") is None
