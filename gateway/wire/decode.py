"""Payloads in, from whoever may publish: everything is checked, nothing is guessed, unknown members are passed over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import NoReturn, TypeVar

from gateway.model import Priority, QualityCount, ReadinessState, Reason, Text, Value
from gateway.wire.json_text import LARGEST_INTEGER_BITS, NotJson, check, loads
from gateway.wire.messages import (
    ALARM_STATES,
    SUPPRESSIONS,
    Ack,
    Alarm,
    Command,
    DeviceReadiness,
    Event,
    GatewayStatus,
    Json,
    KindCount,
    Message,
    MessageId,
    Reply,
    SiteReadiness,
    Stored,
    Telemetry,
)
from gateway.wire.topics import GATEWAY, SITE, Channel, Topic

LAST_TS = 9_223_372_036_853
"""The last millisecond a database that counts nanoseconds in 64 bits can hold (year 2262)."""
RESERVED_LABELS = frozenset({"site", "device", "point", "kind", "rule", "type", "time"})
RESERVED_POINTS = frozenset({"time", "site", "device"})
RESERVED_KINDS = frozenset({"point_quality", "quality", "readiness", "site", "alarm", "event"})
MAX_RANGES = 10_000

_T = TypeVar("_T")


class Malformed(ValueError):
    """A payload that is not a message of its topic; the text says why."""


def decode(topic: Topic, payload: bytes) -> Message:
    """The message `payload` carries on `topic`; Malformed for anything else (empty ones too)."""
    try:
        found = _members(loads(payload), "the payload")
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


def parse_id(text: str) -> MessageId | None:
    """Outbox id and sequence number, or None where `text` is no message id."""
    found = _ID.fullmatch(text)
    return MessageId(found[1], int(found[2])) if found else None


_ID = re.compile(r"([0-9a-f]{12})-([0-9]{6,18})", re.ASCII)
_OUTBOX = re.compile(r"[0-9a-f]{12}", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_STATUS = re.compile(r"(Good|Uncertain|Bad)[A-Za-z]{0,64}", re.ASCII)


def _fail(reason: str) -> NoReturn:
    raise Malformed(reason)


def _get(found: Mapping[str, object], key: str, type_: type[_T]) -> _T:
    value = found.get(key)
    if type(value) is not type_:
        _fail(f"`{key}` is {'missing' if value is None else 'of the wrong type'}")
    return value


def _members(value: object, what: str) -> dict[str, object]:
    if type(value) is not dict:
        _fail(f"{what} is not an object")
    return value


def _time(found: Mapping[str, object], key: str) -> int:
    value = _get(found, key, int)
    if not 0 <= value <= LAST_TS:
        _fail(f"`{key}` is no time")
    return value


def _count(found: Mapping[str, object], key: str) -> int:
    value = _get(found, key, int)
    if not 0 <= value <= 1_000_000_000:
        _fail(f"`{key}` is no count")
    return value


def _one_of(found: Mapping[str, object], key: str, words: tuple[str, ...]) -> str:
    value = _get(found, key, str)
    if value not in words:
        _fail(f"`{key}` is {value[:40]!r}")
    return value


def _text(found: Mapping[str, object], key: str) -> Text:
    inner = _get(found, key, dict)
    return Text(_get(inner, "zh", str), _get(inner, "en", str))


def _id(found: Mapping[str, object]) -> MessageId:
    return parse_id(_get(found, "id", str)) or _fail("`id` is no message id")


def _backlog(found: Mapping[str, object]) -> bool:
    return "backlog" in found and _get(found, "backlog", bool)


def _kind(found: Mapping[str, object]) -> str:
    kind = _get(found, "kind", str)
    if not _is_kind(kind):
        _fail(f"`kind` is {kind[:40]!r}")
    return kind


@lru_cache(maxsize=1024)
def _is_kind(text: str) -> bool:
    return bool(_KIND.fullmatch(text)) and text not in RESERVED_KINDS


@lru_cache(maxsize=65_536)
def _is_point(text: str) -> bool:
    return bool(_NAME.fullmatch(text)) and text not in RESERVED_POINTS


@lru_cache(maxsize=1024)
def _is_label(text: str) -> bool:
    return bool(_NAME.fullmatch(text)) and text not in RESERVED_LABELS


@lru_cache(maxsize=1024)
def _is_status(text: str) -> bool:
    return bool(_STATUS.fullmatch(text))


def _labels(found: Mapping[str, object]) -> dict[str, str]:
    labels = _get(found, "labels", dict)
    if len(labels) > 64:
        _fail("too many `labels`")
    for name, value in labels.items():
        if not _is_label(name):
            _fail(f"{name[:40]!r} cannot be a label")
        if type(value) is not str or len(value) > 1024:
            _fail(f"label `{name}` is no short text")
    return labels


def _points(values: dict[str, Value]) -> None:
    for name, value in values.items():
        if not _is_point(name):
            _fail(f"{name[:40]!r} cannot be a point")
        type_ = type(value)
        if type_ is float:
            if not isfinite(value):  # type: ignore[arg-type]
                _fail(f"`{name}` is out of range")
        elif type_ is int:
            if value.bit_length() > LARGEST_INTEGER_BITS:  # type: ignore[union-attr]
                _fail(f"`{name}` is out of range")
        elif type_ is not bool and type_ is not str:
            _fail(f"`{name}` is neither number, boolean nor text")


def _statuses(found: Mapping[str, object], key: str, severity: str) -> dict[str, str]:
    if key not in found:
        return {}
    statuses = _get(found, key, dict)
    for name, status in statuses.items():
        if not _is_point(name):
            _fail(f"{name[:40]!r} cannot be a point")
        if type(status) is not str or not status.startswith(severity) or not _is_status(status):
            _fail(f"`{key}` of `{name}` is no {severity} status")
    return statuses


def _names(found: Mapping[str, object], key: str) -> tuple[str, ...]:
    if key not in found:
        return ()
    names = _get(found, key, list)
    if len(set(map(str, names))) != len(names):
        _fail(f"a name stands twice in `{key}`")
    for name in names:
        if type(name) is not str or not _is_point(name):
            _fail(f"`{key}` holds what cannot be a point")
    return tuple(names)


def _quality(found: Mapping[str, object]) -> QualityCount | None:
    if "q" not in found:
        return None
    q = _get(found, "q", dict)
    worst = _get(q, "worst", str)
    if not _is_status(worst):
        _fail("`worst` is no status")
    return QualityCount(_count(q, "good"), _count(q, "uncertain"), _count(q, "bad"), worst)


def _telemetry(topic: Topic, found: dict[str, object]) -> Telemetry:
    kind, labels = _kind(found), _labels(found)
    if topic.device == GATEWAY and kind != "gateway":
        _fail("the gateway's own telemetry is of kind `gateway`")
    values = _get(found, "v", dict)
    _points(values)
    uncertain = _statuses(found, "uncertain", "Uncertain")
    bad = _statuses(found, "bad", "Bad")
    if not uncertain.keys() <= values.keys():
        _fail("a point under `uncertain` has no value")
    if bad and not bad.keys().isdisjoint(values):
        _fail("a point under `bad` has a value")
    if labels and not labels.keys().isdisjoint(values):
        _fail("a label has the name of a point")
    return Telemetry(
        kind,
        labels,
        _one_of(found, "clock", ("synced", "free")) == "synced",
        values,
        uncertain,
        bad,
        _names(found, "recovered"),
        _quality(found),
        _id(found),
        _time(found, "ts"),
        _backlog(found),
    )


def _reason(value: object) -> Reason:
    item = _members(value, "a reason")
    return Reason(_get(item, "rule", str), _priority(item), _text(item, "text"))


def _priority(found: Mapping[str, object]) -> Priority:
    return Priority(_one_of(found, "priority", tuple(Priority)))


def _state(found: Mapping[str, object]) -> ReadinessState:
    return ReadinessState(_one_of(found, "state", tuple(ReadinessState)))


def _readiness(found: dict[str, object]) -> DeviceReadiness:
    score = found.get("score")
    if "score" not in found or (score is not None and (type(score) is not int or not 0 <= score <= 100)):
        _fail("`score` is neither 0 to 100 nor null")
    return DeviceReadiness(
        _kind(found),
        _labels(found),
        _state(found),
        _time(found, "since"),
        _time(found, "valid_until"),
        score,
        tuple([_reason(item) for item in _get(found, "reasons", list)]),
        _id(found),
        _time(found, "ts"),
        _backlog(found),
    )


def _location(found: dict[str, object]) -> tuple[float, float] | None:
    if "location" not in found:
        return None
    place = _get(found, "location", dict)
    return _degrees(place, "lat", 90), _degrees(place, "lon", 180)


def _degrees(found: Mapping[str, object], key: str, most: int) -> float:
    value = found.get(key)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not -most <= value <= most:
        _fail(f"`{key}` is no place")
    return float(value)


_COUNTS = tuple(KindCount.__dataclass_fields__)


def _site(found: dict[str, object]) -> SiteReadiness:
    kinds: dict[str, KindCount] = {}
    for kind, value in _get(found, "kinds", dict).items():
        if not _is_kind(kind):
            _fail(f"{kind[:40]!r} cannot be a kind")
        counts = _members(value, f"`{kind}`")
        kinds[kind] = KindCount(**{name: _count(counts, name) for name in _COUNTS})
    return SiteReadiness(
        _kind(found),
        _labels(found),
        _state(found),
        _time(found, "valid_until"),
        _text(found, "name"),
        _location(found),
        kinds,
        _id(found),
        _time(found, "ts"),
        _backlog(found),
    )


def _ack(value: object) -> Ack:
    item = _members(value, "an acknowledgement")
    return Ack(_get(item, "by", str), _time(item, "ts"), _get(item, "note", str) if "note" in item else "")


def _json(found: Mapping[str, object], key: str) -> dict[str, Json]:
    value = _get(found, key, dict)
    try:
        check(value)
    except NotJson as error:
        raise Malformed(f"`{key}`: {error}") from error
    return value


def _alarm(topic: Topic, found: dict[str, object]) -> Alarm:
    if topic.rule is None or _get(found, "alarm", str) != f"{topic.device}/{topic.rule}":
        _fail("`alarm` is not the one of the topic")
    return Alarm(
        topic.device,
        topic.rule,
        _kind(found),
        _labels(found),
        _one_of(found, "state", ALARM_STATES),
        _get(found, "active", bool),
        _get(found, "acked", bool),
        tuple([_ack(item) for item in _get(found, "acks", list)]),
        _count(found, "acks_needed"),
        _one_of(found, "suppression", SUPPRESSIONS),
        _priority(found),
        _time(found, "since"),
        _json(found, "because"),
        _text(found, "text"),
        _text(found, "action"),
        _id(found),
        _time(found, "ts"),
        _backlog(found),
    )


def _event(found: dict[str, object]) -> Event:
    type_ = _get(found, "type", str)
    if not _NAME.fullmatch(type_):
        _fail(f"`type` is {type_[:40]!r}")
    data = _json(found, "data")
    for key in data:
        if not _NAME.fullmatch(key):
            _fail(f"{key[:40]!r} cannot be a key of `data`")
    return Event(_kind(found), _labels(found), type_, data, _id(found), _time(found, "ts"), _backlog(found))


def _optional(found: Mapping[str, object], key: str) -> str | None:
    return _get(found, key, str) if key in found else None


def _status(found: dict[str, object]) -> GatewayStatus:
    outbox = _optional(found, "outbox")
    if outbox is not None and not _OUTBOX.fullmatch(outbox):
        _fail("`outbox` is no outbox id")
    return GatewayStatus(
        _one_of(found, "state", ("online", "offline")) == "online",
        _time(found, "since") if "since" in found else None,
        _optional(found, "version"),
        outbox,
        _optional(found, "config"),
    )


def _stored(found: dict[str, object]) -> Stored:
    outbox = _get(found, "outbox", str)
    if not _OUTBOX.fullmatch(outbox):
        _fail("`outbox` is no outbox id")
    ranges = _get(found, "done", list)
    if len(ranges) > MAX_RANGES:
        _fail("too many ranges")
    done: list[tuple[int, int]] = []
    for pair in ranges:
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not int or type(pair[1]) is not int:
            _fail("`done` holds what is no range")
        if not 0 <= pair[0] <= pair[1] < 10**18:
            _fail("`done` holds a range that runs backwards or too far")
        done.append((pair[0], pair[1]))
    return Stored(outbox, tuple(done))


def _word(found: Mapping[str, object], key: str) -> str:
    value = _get(found, key, str)
    if not 0 < len(value) <= 128:
        _fail(f"`{key}` is empty or too long")
    return value


def _command(found: dict[str, object]) -> Command:
    args = _json(found, "args") if "args" in found else {}
    auth = _get(found, "auth", str) if "auth" in found else ""
    return Command(_word(found, "id"), _word(found, "cmd"), args, _word(found, "by"), auth)


def _reply(found: dict[str, object]) -> Reply:
    text = _text(found, "text") if "text" in found else None
    return Reply(_word(found, "id"), _get(found, "ok", bool), _optional(found, "error"), text)
