"""Payloads in, from whoever may publish: everything is checked, nothing is guessed, unknown members are passed over."""

from __future__ import annotations

from gateway.model import Ack, Reason
from gateway.wire import members
from gateway.wire.json_text import NotJson, loads
from gateway.wire.members import LAST_TS, Malformed, parse_id
from gateway.wire.messages import (
    ALARM_STATES,
    SUPPRESSIONS,
    Alarm,
    Command,
    DeviceReadiness,
    Event,
    GatewayStatus,
    KindCount,
    Message,
    Reply,
    SiteReadiness,
    Stored,
    Telemetry,
)
from gateway.wire.topics import GATEWAY, SITE, Channel, Topic

__all__ = ["LAST_TS", "MAX_RANGES", "Malformed", "decode", "parse_id"]

MAX_RANGES = 10_000


def decode(topic: Topic, payload: bytes) -> Message:
    """The message `payload` carries on `topic`; Malformed for anything else (empty ones too)."""
    try:
        found = members.mapping(loads(payload), "the payload")
    except NotJson as error:
        raise Malformed(str(error)) from error
    match topic.channel:
        case Channel.TELEMETRY:
            return _telemetry(topic, found)
        case Channel.READINESS:
            return _site(found) if topic.device == SITE else _readiness(found)
        case Channel.ALARM:
            return _alarm(topic, found)
        case Channel.EVENT:
            return _event(found)
        case Channel.STATUS:
            return _status(found)
        case Channel.STORED:
            return _stored(found)
        case Channel.COMMAND:
            return _command(found)
        case Channel.REPLY:
            return _reply(found)


def _telemetry(topic: Topic, found: dict[str, object]) -> Telemetry:
    kind, labels = members.kind(found), members.labels(found)
    if topic.device == GATEWAY and kind != "gateway":
        members.fail("the gateway's own telemetry is of kind `gateway`")
    values = members.get(found, "v", dict)
    members.points(values)
    uncertain = members.statuses(found, "uncertain", "Uncertain")
    bad = members.statuses(found, "bad", "Bad")
    if not uncertain.keys() <= values.keys():
        members.fail("a point under `uncertain` has no value")
    if bad and not bad.keys().isdisjoint(values):
        members.fail("a point under `bad` has a value")
    if labels and not labels.keys().isdisjoint(values):
        members.fail("a label has the name of a point")
    return Telemetry(
        kind,
        labels,
        members.one_of(found, "clock", ("synced", "free")) == "synced",
        values,
        uncertain,
        bad,
        members.names(found, "recovered"),
        members.quality(found),
        members.message_id(found),
        members.time(found, "ts"),
        members.backlog(found),
    )


def _reason(value: object) -> Reason:
    item = members.mapping(value, "a reason")
    return Reason(members.get(item, "rule", str), members.priority(item), members.text(item, "text"))


def _readiness(found: dict[str, object]) -> DeviceReadiness:
    score = found.get("score")
    if "score" not in found or (score is not None and (type(score) is not int or not 0 <= score <= 100)):
        members.fail("`score` is neither 0 to 100 nor null")
    return DeviceReadiness(
        members.kind(found),
        members.labels(found),
        members.state(found),
        members.time(found, "since"),
        members.time(found, "valid_until"),
        score,
        tuple([_reason(item) for item in members.get(found, "reasons", list)]),
        members.message_id(found),
        members.time(found, "ts"),
        members.backlog(found),
        members.word(found, "category") if "category" in found else "",
    )


_COUNTS = tuple(KindCount.__dataclass_fields__)


def _site(found: dict[str, object]) -> SiteReadiness:
    kinds: dict[str, KindCount] = {}
    for kind, value in members.get(found, "kinds", dict).items():
        if not members.is_kind(kind):
            members.fail(f"{kind[:40]!r} cannot be a kind")
        counts = members.mapping(value, f"`{kind}`")
        kinds[kind] = KindCount(**{name: members.count(counts, name) for name in _COUNTS})
    return SiteReadiness(
        members.kind(found),
        members.labels(found),
        members.state(found),
        members.time(found, "valid_until"),
        members.text(found, "name"),
        members.location(found),
        kinds,
        members.message_id(found),
        members.time(found, "ts"),
        members.backlog(found),
    )


def _ack(value: object) -> Ack:
    item = members.mapping(value, "an acknowledgement")
    return Ack(
        members.get(item, "by", str), members.time(item, "ts"), members.get(item, "note", str) if "note" in item else ""
    )


def _alarm(topic: Topic, found: dict[str, object]) -> Alarm:
    if topic.rule is None or members.get(found, "alarm", str) != f"{topic.device}/{topic.rule}":
        members.fail("`alarm` is not the one of the topic")
    return Alarm(
        topic.device,
        topic.rule,
        members.kind(found),
        members.labels(found),
        members.one_of(found, "state", ALARM_STATES),
        members.get(found, "active", bool),
        members.get(found, "acked", bool),
        tuple([_ack(item) for item in members.get(found, "acks", list)]),
        members.count(found, "acks_needed"),
        members.one_of(found, "suppression", SUPPRESSIONS),
        members.priority(found),
        members.time(found, "since"),
        members.nested(found, "because"),
        members.text(found, "text"),
        members.text(found, "action"),
        members.message_id(found),
        members.time(found, "ts"),
        members.backlog(found),
    )


def _event(found: dict[str, object]) -> Event:
    type_ = members.get(found, "type", str)
    if not members.NAME.fullmatch(type_):
        members.fail(f"`type` is {type_[:40]!r}")
    data = members.nested(found, "data")
    for key in data:
        if not members.NAME.fullmatch(key):
            members.fail(f"{key[:40]!r} cannot be a key of `data`")
    return Event(
        members.kind(found),
        members.labels(found),
        type_,
        data,
        members.message_id(found),
        members.time(found, "ts"),
        members.backlog(found),
    )


def _status(found: dict[str, object]) -> GatewayStatus:
    outbox = members.optional(found, "outbox")
    if outbox is not None and not members.OUTBOX.fullmatch(outbox):
        members.fail("`outbox` is no outbox id")
    return GatewayStatus(
        members.one_of(found, "state", ("online", "offline")) == "online",
        members.time(found, "since") if "since" in found else None,
        members.optional(found, "version"),
        outbox,
        members.optional(found, "config"),
    )


def _stored(found: dict[str, object]) -> Stored:
    outbox = members.get(found, "outbox", str)
    if not members.OUTBOX.fullmatch(outbox):
        members.fail("`outbox` is no outbox id")
    ranges = members.get(found, "done", list)
    if len(ranges) > MAX_RANGES:
        members.fail("too many ranges")
    done: list[tuple[int, int]] = []
    for pair in ranges:
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not int or type(pair[1]) is not int:
            members.fail("`done` holds what is no range")
        if not 0 <= pair[0] <= pair[1] < 10**18:
            members.fail("`done` holds a range that runs backwards or too far")
        done.append((pair[0], pair[1]))
    return Stored(outbox, tuple(done))


def _command(found: dict[str, object]) -> Command:
    args = members.nested(found, "args") if "args" in found else {}
    auth = members.get(found, "auth", str) if "auth" in found else ""
    return Command(members.word(found, "id"), members.word(found, "cmd"), args, members.word(found, "by"), auth)


def _reply(found: dict[str, object]) -> Reply:
    text = members.text(found, "text") if "text" in found else None
    error, data = members.optional(found, "error"), members.nested(found, "data") if "data" in found else None
    return Reply(members.word(found, "id"), members.get(found, "ok", bool), error, text, data)
