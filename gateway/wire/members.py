"""Members of a payload, taken out one by one and checked: the vocabulary `gateway.wire.decode` is written in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import NoReturn, TypeVar

from gateway.model import Priority, QualityCount, ReadinessState, Text, Value
from gateway.wire.json_text import LARGEST_INTEGER_BITS, NotJson, check
from gateway.wire.messages import Json, MessageId

LAST_TS = 9_223_372_036_853
"""The last millisecond a database that counts nanoseconds in 64 bits can hold (year 2262)."""
RESERVED_LABELS = frozenset({"site", "device", "point", "kind", "rule", "type", "time"})
RESERVED_POINTS = frozenset({"time", "site", "device"})
RESERVED_KINDS = frozenset({"point_quality", "quality", "readiness", "site", "alarm", "event"})

_T = TypeVar("_T")


class Malformed(ValueError):
    """A payload that is not a message of its topic; the text says why."""


def parse_id(text: str) -> MessageId | None:
    """Outbox id and sequence number, or None where `text` is no message id."""
    found = _ID.fullmatch(text)
    return MessageId(found[1], int(found[2])) if found else None


_ID = re.compile(r"([0-9a-f]{12})-([0-9]{6,18})", re.ASCII)
OUTBOX = re.compile(r"[0-9a-f]{12}", re.ASCII)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_STATUS = re.compile(r"(Good|Uncertain|Bad)[A-Za-z]{0,64}", re.ASCII)


def fail(reason: str) -> NoReturn:
    raise Malformed(reason)


def get(found: Mapping[str, object], key: str, type_: type[_T]) -> _T:
    value = found.get(key)
    if type(value) is not type_:
        fail(f"`{key}` is {'missing' if value is None else 'of the wrong type'}")
    return value


def mapping(value: object, what: str) -> dict[str, object]:
    if type(value) is not dict:
        fail(f"{what} is not an object")
    return value


def time(found: Mapping[str, object], key: str) -> int:
    value = get(found, key, int)
    if not 0 <= value <= LAST_TS:
        fail(f"`{key}` is no time")
    return value


def count(found: Mapping[str, object], key: str) -> int:
    value = get(found, key, int)
    if not 0 <= value <= 1_000_000_000:
        fail(f"`{key}` is no count")
    return value


def one_of(found: Mapping[str, object], key: str, words: tuple[str, ...]) -> str:
    value = get(found, key, str)
    if value not in words:
        fail(f"`{key}` is {value[:40]!r}")
    return value


def text(found: Mapping[str, object], key: str) -> Text:
    inner = get(found, key, dict)
    return Text(get(inner, "zh", str), get(inner, "en", str))


def message_id(found: Mapping[str, object]) -> MessageId:
    return parse_id(get(found, "id", str)) or fail("`id` is no message id")


def backlog(found: Mapping[str, object]) -> bool:
    return "backlog" in found and get(found, "backlog", bool)


def kind(found: Mapping[str, object]) -> str:
    kind = get(found, "kind", str)
    if not is_kind(kind):
        fail(f"`kind` is {kind[:40]!r}")
    return kind


@lru_cache(maxsize=1024)
def is_kind(text: str) -> bool:
    return bool(_KIND.fullmatch(text)) and text not in RESERVED_KINDS


@lru_cache(maxsize=65_536)
def is_point(text: str) -> bool:
    return bool(NAME.fullmatch(text)) and text not in RESERVED_POINTS


@lru_cache(maxsize=1024)
def is_label(text: str) -> bool:
    return bool(NAME.fullmatch(text)) and text not in RESERVED_LABELS


@lru_cache(maxsize=1024)
def is_status(text: str) -> bool:
    return bool(_STATUS.fullmatch(text))


def labels(found: Mapping[str, object]) -> dict[str, str]:
    labels = get(found, "labels", dict)
    if len(labels) > 64:
        fail("too many `labels`")
    for name, value in labels.items():
        if not is_label(name):
            fail(f"{name[:40]!r} cannot be a label")
        if type(value) is not str or len(value) > 1024:
            fail(f"label `{name}` is no short text")
    return labels


def points(values: dict[str, Value]) -> None:
    for name, value in values.items():
        if not is_point(name):
            fail(f"{name[:40]!r} cannot be a point")
        type_ = type(value)
        if type_ is float:
            if not isfinite(value):  # type: ignore[arg-type]
                fail(f"`{name}` is out of range")
        elif type_ is int:
            if value.bit_length() > LARGEST_INTEGER_BITS:  # type: ignore[union-attr]
                fail(f"`{name}` is out of range")
        elif type_ is not bool and type_ is not str:
            fail(f"`{name}` is neither number, boolean nor text")


def statuses(found: Mapping[str, object], key: str, severity: str) -> dict[str, str]:
    if key not in found:
        return {}
    statuses = get(found, key, dict)
    for name, status in statuses.items():
        if not is_point(name):
            fail(f"{name[:40]!r} cannot be a point")
        if type(status) is not str or not status.startswith(severity) or not is_status(status):
            fail(f"`{key}` of `{name}` is no {severity} status")
    return statuses


def names(found: Mapping[str, object], key: str) -> tuple[str, ...]:
    if key not in found:
        return ()
    names = get(found, key, list)
    if len(set(map(str, names))) != len(names):
        fail(f"a name stands twice in `{key}`")
    for name in names:
        if type(name) is not str or not is_point(name):
            fail(f"`{key}` holds what cannot be a point")
    return tuple(names)


def quality(found: Mapping[str, object]) -> QualityCount | None:
    if "q" not in found:
        return None
    q = get(found, "q", dict)
    worst = get(q, "worst", str)
    if not is_status(worst):
        fail("`worst` is no status")
    return QualityCount(count(q, "good"), count(q, "uncertain"), count(q, "bad"), worst)


def nested(found: Mapping[str, object], key: str) -> dict[str, Json]:
    value = get(found, key, dict)
    try:
        check(value)
    except NotJson as error:
        raise Malformed(f"`{key}`: {error}") from error
    return value


def optional(found: Mapping[str, object], key: str) -> str | None:
    return get(found, key, str) if key in found else None


def word(found: Mapping[str, object], key: str) -> str:
    value = get(found, key, str)
    if not 0 < len(value) <= 128:
        fail(f"`{key}` is empty or too long")
    return value


def priority(found: Mapping[str, object]) -> Priority:
    return Priority(one_of(found, "priority", tuple(Priority)))


def state(found: Mapping[str, object]) -> ReadinessState:
    return ReadinessState(one_of(found, "state", tuple(ReadinessState)))


def location(found: dict[str, object]) -> tuple[float, float] | None:
    if "location" not in found:
        return None
    place = get(found, "location", dict)
    return degrees(place, "lat", 90), degrees(place, "lon", 180)


def degrees(found: Mapping[str, object], key: str, most: int) -> float:
    value = found.get(key)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not -most <= value <= most:
        fail(f"`{key}` is no place")
    return float(value)
