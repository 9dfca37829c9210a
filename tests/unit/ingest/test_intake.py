"""What one message gives: rows, an id to confirm, or a reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest.intake import EMPTY, FILTERS, take
from gateway.wire.messages import NO_ID, MessageId

TOPIC = "vigil/v1/depot-07/gen-1/telemetry"
MESSAGE = {
    "id": "9c41f07be2a3-000123",
    "ts": 1763764800123,
    "kind": "generator",
    "labels": {"city": "xining"},
    "clock": "synced",
    "v": {"battery_voltage": 12.61},
    "bad": {"coolant_temperature": "BadTimeout"},
}


def test_a_message_gives_its_rows_its_site_and_its_id() -> None:
    taken = take(TOPIC, json.dumps(MESSAGE).encode())
    assert [fact.measurement for fact in taken.facts] == ["generator", "point_quality"]
    assert (taken.site, taken.id, taken.fault) == ("depot-07", MessageId("9c41f07be2a3", 123), "")


def test_an_empty_payload_is_passed_over() -> None:
    assert take(TOPIC, b"") is EMPTY


@pytest.mark.parametrize("topic", ["vigil/v1/Depot 7/gen-1/telemetry", "vigil/v1/depot-07/_site/telemetry", "other"])
def test_a_foreign_topic_is_malformed(topic: str) -> None:
    assert take(topic, b"{}").fault


def test_a_message_that_cannot_be_read_is_still_confirmed_by_its_id() -> None:
    taken = take(TOPIC, json.dumps(MESSAGE | {"ts": "yesterday"}).encode())
    assert taken.fault
    assert taken.facts == ()
    assert (taken.site, taken.id) == ("depot-07", MessageId("9c41f07be2a3", 123))


@pytest.mark.parametrize("payload", [b"\xff", b"[1]", b'{"id": 7}', b'{"id": "x-1"}', b"{", b"[" * 5000])
def test_garbage_has_a_reason_and_no_id(payload: bytes) -> None:
    taken = take(TOPIC, payload)
    assert taken.fault
    assert taken.id == NO_ID


@given(st.text(max_size=60), st.binary(min_size=1, max_size=200))
def test_nothing_that_comes_raises(topic: str, payload: bytes) -> None:
    assert take(topic, payload).fault
    assert take(TOPIC, payload).fault


def test_only_what_becomes_rows_is_subscribed() -> None:
    assert FILTERS == (
        "vigil/v1/+/+/telemetry",
        "vigil/v1/+/+/readiness",
        "vigil/v1/+/+/alarm/+",
        "vigil/v1/+/+/event",
    )
