"""From a message to the rows of a time-series database: measurements, tags and fields are those of the public contract.

Every number is a float, every flag a boolean. A fact is named by its series and time, so writing it again changes
nothing; the gateway keeps two transitions of one topic from sharing a millisecond (`gateway.store`), since here nothing
is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from gateway.model import ReadinessState
from gateway.ports import Fact
from gateway.wire.encode import reasons
from gateway.wire.json_text import dumps
from gateway.wire.messages import Alarm, DeviceReadiness, Event, Message, SiteReadiness, Telemetry
from gateway.wire.topics import GATEWAY, Topic

Tags = tuple[tuple[str, str], ...]
Field = bool | float | str


def facts(topic: Topic, message: Message) -> list[Fact]:
    """The rows `message` stands for; none for status, stored, commands and replies."""
    match message:
        case Telemetry():
            return _telemetry(topic, message)
        case DeviceReadiness():
            return [_readiness(topic, message)]
        case SiteReadiness():
            return [_site(topic, message)]
        case Alarm():
            return [_alarm(topic, message)]
        case Event():
            return [_event(topic, message)]
        case _:
            return []


@lru_cache(maxsize=16_384)
def _joined(tags: Tags, labels: Tags) -> Tags:
    return tags + tuple(sorted(labels))


def _tags(labels: Mapping[str, str], *tags: tuple[str, str]) -> Tags:
    return _joined(tags, tuple(labels.items()))


def _field(value: object) -> Field:
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float, Decimal)):
        return float(value)
    return dumps(value)


def _telemetry(topic: Topic, message: Telemetry) -> list[Fact]:
    site, device, ts, labels = ("site", topic.site), ("device", topic.device), message.ts, message.labels
    rows: list[Fact] = []
    if message.values:
        tags = _tags(labels, site) if topic.device == GATEWAY else _tags(labels, site, device)
        fields = {name: value if type(value) is float else _field(value) for name, value in message.values.items()}
        rows.append(Fact(message.kind, tags, fields, ts))
    statuses = {**message.uncertain, **message.bad}
    for name in message.recovered:
        statuses.setdefault(name, "Good")
    for name, status in statuses.items():
        rows.append(Fact("point_quality", _tags(labels, site, device, ("point", name)), {"status": status}, ts))
    q = message.quality
    if q is not None:
        counts: dict[str, Field] = {
            "good": float(q.good),
            "uncertain": float(q.uncertain),
            "bad": float(q.bad),
            "worst": q.worst,
        }
        rows.append(Fact("quality", _tags(labels, site, device), counts, ts))
    return rows


CATEGORY = "category"


def _readiness(topic: Topic, message: DeviceReadiness) -> Fact:
    fields: dict[str, Field] = {
        "state": message.state.value,
        "ready": 1.0 if message.state is ReadinessState.READY else 0.0,
        "usable": 1.0 if message.state.is_usable else 0.0,
        "reasons": dumps(reasons(message.reasons)),
    }
    if message.score is not None:
        fields["score"] = float(message.score)
    if message.category and CATEGORY not in message.labels:  # a label is a tag, and no field may have its name
        fields[CATEGORY] = message.category
    tags = _tags(message.labels, ("site", topic.site), ("device", topic.device), ("kind", message.kind))
    return Fact("readiness", tags, fields, message.ts)


def _site(topic: Topic, message: SiteReadiness) -> Fact:
    fields: dict[str, Field] = {
        "name_zh": message.name.zh,
        "name_en": message.name.en,
        "state": message.state.value,
    }
    if message.location is not None:
        fields["lat"], fields["lon"] = message.location
    for kind, count in message.kinds.items():
        fields[f"{kind}_ready"] = float(count.ready)
        fields[f"{kind}_degraded"] = float(count.degraded)
        fields[f"{kind}_not_ready"] = float(count.not_ready)
        fields[f"{kind}_unknown"] = float(count.unknown)
        fields[f"{kind}_in_use"] = float(count.in_use)
        fields[f"{kind}_out_of_service"] = float(count.out_of_service)
        fields[f"{kind}_usable"] = float(count.usable)
        fields[f"{kind}_required"] = float(count.required)
    return Fact("site", _tags(message.labels, ("site", topic.site), ("kind", message.kind)), fields, message.ts)


def _alarm(topic: Topic, message: Alarm) -> Fact:
    fields: dict[str, Field] = {
        "level": 0.0 if message.state == "NORMAL" else float(message.priority.level),
        "active": message.active,
        "acked": message.acked,
        "state": message.state,
        "suppression": message.suppression,
        "priority": message.priority.value,
        "text_zh": message.text.zh,
        "text_en": message.text.en,
        "because": dumps(message.because),
    }
    tags = _tags(
        message.labels,
        ("site", topic.site),
        ("device", message.device),
        ("kind", message.kind),
        ("rule", message.rule),
    )
    return Fact("alarm", tags, fields, message.ts)


_EVENT_TAGS = frozenset({"site", "device", "type", "time"})


def _event(topic: Topic, message: Event) -> Fact:
    """A key that is also a tag gets a trailing underscore; an event without data gets the field `happened`."""
    fields: dict[str, Field] = {}
    for key, value in message.data.items():
        if value is not None:
            taken = key in _EVENT_TAGS or key in message.labels
            fields[f"{key}_" if taken else key] = _field(value)
    if not fields:
        fields["happened"] = True
    tags = _tags(message.labels, ("site", topic.site), ("device", topic.device), ("type", message.type))
    return Fact("event", tags, fields, message.ts)
