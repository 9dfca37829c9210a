"""Whatever is encoded is decoded as the same message; whatever comes is a message or Malformed."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Priority, QualityCount, ReadinessState, Reason, Report, Text
from gateway.ports import Row
from gateway.wire import encode
from gateway.wire.decode import LAST_TS, Malformed, decode
from gateway.wire.messages import (
    ALARM_STATES,
    SUPPRESSIONS,
    Ack,
    Alarm,
    Command,
    DeviceReadiness,
    Event,
    GatewayStatus,
    KindCount,
    Message,
    MessageId,
    Reply,
    SiteReadiness,
    Stored,
    Telemetry,
)
from gateway.wire.topics import Channel, Topic, parse

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.from_regex(r"[a-z][a-z0-9_]{0,11}", fullmatch=True).filter(
    lambda name: name not in ("time", "site", "device", "point", "kind", "rule", "type")
)
labels = st.dictionaries(names.map(lambda name: f"l_{name}"), text, max_size=3)
kinds = names.map(lambda name: f"k_{name}")
numbers = st.one_of(st.integers(-(2**64), 2**64), st.floats(allow_nan=False, allow_infinity=False))
values = st.one_of(st.booleans(), numbers, text)
times = st.integers(0, LAST_TS)
counts = st.integers(0, 1000)
words = st.builds(Text, text, text)
data = st.recursive(
    st.one_of(st.none(), values),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=3)),
    max_leaves=8,
)
members = st.dictionaries(names, data, max_size=4)
bad = st.sampled_from(["BadTimeout", "BadNoCommunication"])
head = {
    "id": st.builds(MessageId, st.from_regex(r"[0-9a-f]{12}", fullmatch=True), st.integers(0, 10**12)),
    "ts": times,
    "backlog": st.booleans(),
}


quality = st.builds(QualityCount, counts, counts, counts, st.sampled_from(["Good", "BadTimeout"]))
some_text = st.none() | text
status = st.builds(GatewayStatus, st.booleans(), st.none() | times, some_text, st.just("9c41f07be2a3"), some_text)


@st.composite
def telemetry(draw: st.DrawFn) -> Telemetry:
    points = draw(st.dictionaries(names, values, max_size=8))
    uncertain = draw(st.sets(st.sampled_from(sorted(points)))) if points else set()
    faulty = draw(st.dictionaries(names, bad, max_size=3))
    return Telemetry(
        kind=draw(kinds),
        labels=draw(labels),
        synced=draw(st.booleans()),
        values=points,
        uncertain=dict.fromkeys(sorted(uncertain), "UncertainEngineeringUnitsExceeded"),
        bad={name: status for name, status in faulty.items() if name not in points},
        recovered=tuple(draw(st.lists(names, max_size=3, unique=True))),
        quality=draw(
            st.none() | st.builds(QualityCount, counts, counts, counts, st.sampled_from(["Good", "BadTimeout"]))
        ),
        **{key: draw(strategy) for key, strategy in head.items()},
    )


reason = st.builds(Reason, text, st.sampled_from(Priority), words)
readiness = st.builds(
    DeviceReadiness,
    kind=kinds,
    labels=labels,
    state=st.sampled_from(ReadinessState),
    since=times,
    valid_until=times,
    score=st.none() | st.integers(0, 100),
    reasons=st.lists(reason, max_size=3).map(tuple),
    **head,
)
site = st.builds(
    SiteReadiness,
    kind=kinds,
    labels=labels,
    state=st.sampled_from(ReadinessState),
    valid_until=times,
    name=words,
    location=st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    kinds=st.dictionaries(kinds, st.builds(KindCount, *[counts] * 8), max_size=3),
    **head,
)
alarm = st.builds(
    Alarm,
    device=st.just("gen-1"),
    rule=st.just("battery_low"),
    kind=kinds,
    labels=labels,
    state=st.sampled_from(ALARM_STATES),
    active=st.booleans(),
    acked=st.booleans(),
    acks=st.lists(st.builds(Ack, text, times, text), max_size=2).map(tuple),
    acks_needed=counts,
    suppression=st.sampled_from(SUPPRESSIONS),
    priority=st.sampled_from(Priority),
    since=times,
    because=members,
    text=words,
    action=words,
    **head,
)
event = st.builds(Event, kind=kinds, labels=labels, type=names, data=members, **head)


def round_trip(topic: str, message: Telemetry | DeviceReadiness | SiteReadiness | Alarm | Event) -> Message:
    found = parse(f"vigil/v1/depot-07/{topic}")
    assert found
    row = Row(message.id.seq, message.ts, str(found), encode.body(message), False, 2)
    return decode(found, encode.frame(message.id.outbox, row, backlog=message.backlog))


@given(telemetry())
def test_telemetry(message: Telemetry) -> None:
    assert round_trip("gen-1/telemetry", message) == message


@given(readiness)
def test_readiness(message: DeviceReadiness) -> None:
    assert round_trip("gen-1/readiness", message) == message


@given(site)
def test_site(message: SiteReadiness) -> None:
    assert round_trip("_site/readiness", message) == message


@given(alarm)
def test_alarm(message: Alarm) -> None:
    assert round_trip("gen-1/alarm/battery_low", message) == message


@given(event)
def test_event(message: Event) -> None:
    assert round_trip("_gateway/event", message) == message


def topic(channel: Channel, device: str = "gen-1") -> Topic:
    return Topic("depot-07", device, channel, "r" if channel is Channel.ALARM else None)


@given(
    st.builds(
        GatewayStatus, st.booleans(), st.none() | times, st.none() | text, st.just("9c41f07be2a3"), st.none() | text
    )
)
def test_status(message: GatewayStatus) -> None:
    assert decode(topic(Channel.STATUS, "_gateway"), encode.status_payload(message)) == message


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(100, 200)), max_size=5).map(tuple))
def test_stored(done: tuple[tuple[int, int], ...]) -> None:
    message = Stored("9c41f07be2a3", done)
    assert decode(topic(Channel.STORED, "_gateway"), encode.stored_payload(message)) == message


word = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(st.builds(Command, word, word, members, word, text))
def test_command(message: Command) -> None:
    assert decode(topic(Channel.COMMAND), encode.command_payload(message)) == message


@given(st.builds(Reply, word, st.booleans(), st.none() | text, st.none() | words, st.none() | members))
def test_reply(message: Reply) -> None:
    assert decode(topic(Channel.REPLY), encode.reply_payload(message)) == message


@given(st.sampled_from(Channel), st.binary(max_size=60))
def test_noise_is_malformed(channel: Channel, noise: bytes) -> None:
    with pytest.raises(Malformed):
        decode(topic(channel), noise)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["telemetry", "readiness", "alarm", "event"]), st.data())
def test_one_wrong_member_never_raises_anything_but_malformed(name: str, draw: st.DataObject) -> None:
    message = draw.draw({"telemetry": telemetry(), "readiness": readiness, "alarm": alarm, "event": event}[name])
    row = Row(message.id.seq, message.ts, "", encode.body(message), False, 2)
    payload = json.loads(encode.frame(message.id.outbox, row))
    payload[draw.draw(st.sampled_from(sorted(payload)))] = draw.draw(junk)
    found = parse("vigil/v1/depot-07/gen-1/" + ("alarm/battery_low" if name == "alarm" else name))
    assert found
    with suppress(Malformed):
        decode(found, json.dumps(payload).encode("utf-8", "surrogatepass"))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20))
def test_decimals_keep_all_their_digits(value: Decimal) -> None:
    body = encode.telemetry_body(Report("m", 1, {"energy": value}, {}, {}), "meter", {}, synced=True)
    assert json.loads(b"{" + body, parse_float=Decimal, parse_int=Decimal)["v"]["energy"] == value


@given(st.integers(-(2**64), 2**64))
def test_integers_are_exact(value: int) -> None:
    body = encode.telemetry_body(Report("m", 1, {"energy": value}, {}, {}), "meter", {}, synced=True)
    assert json.loads(b"{" + body)["v"]["energy"] == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), Decimal("NaN"), Decimal("Infinity")])
def test_nan_never_appears(value: float) -> None:
    with pytest.raises(ValueError, match="not a number"):
        encode.telemetry_body(Report("m", 1, {"energy": value}, {}, {}), "meter", {}, synced=True)
