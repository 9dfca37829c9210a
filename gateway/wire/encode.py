"""Payloads out. A body is the JSON members after `id` and `ts`, without the opening brace and with the closing one,
as `gateway.ports.Row` keeps it; `frame` makes the payload of it. Ready-made payloads are those that never wait."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from gateway.model import Readiness, Reason, Report, Status
from gateway.ports import Row
from gateway.wire.json_text import dumps, quote
from gateway.wire.messages import (
    Alarm,
    Command,
    DeviceReadiness,
    Event,
    GatewayStatus,
    Json,
    Message,
    Reply,
    SiteReadiness,
    Stored,
    Telemetry,
)


def frame(outbox: str, row: Row, *, backlog: bool = False) -> bytes:
    """The payload of `row` on the wire; an empty body stays empty (it clears a retained topic)."""
    if not row.body:
        return b""
    head = b'{"id":"%s-%06d","ts":%d,' % (outbox.encode(), row.seq, row.ts)
    if backlog:
        return head + row.body[:-1] + b',"backlog":true}'
    return head + row.body


class _Keys(dict[str, str]):
    """`"name":` of every point name seen; emptied when it grows past any real site."""

    def __missing__(self, name: str) -> str:
        if len(self) >= 65_536:
            self.clear()
        text = self[name] = f"{quote(name)}:"
        return text


_keys = _Keys()


def _values(values: Mapping[str, object]) -> bytes:
    """The inside of `v`; ValueError for NaN and infinity."""
    try:
        text = orjson.dumps(values)
    except TypeError:  # a Decimal, an integer of more than 64 bits, a mapping of another make
        return _exact(values)
    # orjson writes null for what is no number; a word may contain it too
    return _exact(values) if b":null" in text else text


def _exact(values: Mapping[str, object]) -> bytes:
    return dumps(values).encode()


def _statuses(statuses: Mapping[str, Status | str]) -> str:
    return ",".join(
        [f'{_keys[name]}"{status.name if isinstance(status, Status) else status}"' for name, status in statuses.items()]
    )


class _Heads(dict[tuple[str, tuple[tuple[str, str], ...]], str]):
    """`"kind":...,"labels":{...},` of every device seen."""

    def __missing__(self, key: tuple[str, tuple[tuple[str, str], ...]]) -> str:
        if len(self) >= 4096:
            self.clear()
        kind, labels = key
        text = self[key] = f'"kind":{quote(kind)},"labels":{dumps(dict(labels))},'
        return text


_heads = _Heads()


def _head(kind: str, labels: Mapping[str, str]) -> str:
    return _heads[kind, tuple(labels.items())]


def telemetry_body(report: Report | Telemetry, kind: str, labels: Mapping[str, str], *, synced: bool) -> bytes:
    """What of one poll is due. ValueError for NaN or infinity, which are statuses, not values."""
    clock = b'"clock":"synced","v":' if synced else b'"clock":"free","v":'
    body = _head(kind, labels).encode() + clock + _values(report.values)
    if not (report.uncertain or report.bad or report.recovered or report.quality):
        return body + b"}"
    parts = []
    if report.uncertain:
        parts.append(f',"uncertain":{{{_statuses(report.uncertain)}}}')
    if report.bad:
        parts.append(f',"bad":{{{_statuses(report.bad)}}}')
    if report.recovered:
        parts.append(f',"recovered":{dumps(report.recovered)}')
    q = report.quality
    if q is not None:
        parts.append(f',"q":{{"good":{q.good},"uncertain":{q.uncertain},"bad":{q.bad},"worst":{quote(q.worst)}}}')
    parts.append("}")
    return body + "".join(parts).encode()


def reasons(items: tuple[Reason, ...]) -> list[Json]:
    """Reasons as they stand in a payload and, as text, in the database."""
    return [{"rule": item.rule, "priority": item.priority.value, "text": item.text.as_dict()} for item in items]


def readiness_body(
    readiness: Readiness | DeviceReadiness, kind: str, labels: Mapping[str, str], category: str = ""
) -> bytes:
    """The judgement on one device; `category` is what it is stocked for."""
    members: dict[str, Json] = {
        "state": readiness.state.value,
        "since": readiness.since,
        "valid_until": readiness.valid_until,
        "score": readiness.score,
        "reasons": reasons(readiness.reasons),
    }
    return _body(kind, labels, members | ({"category": category} if category else {}))


def site_body(site: SiteReadiness) -> bytes:
    """The roll-up of a site; `id`, `ts` and `backlog` of `site` are ignored, as in the two below."""
    members: dict[str, Json] = {
        "state": site.state.value,
        "valid_until": site.valid_until,
        "name": site.name.as_dict(),
    }
    if site.location is not None:
        members["location"] = {"lat": site.location[0], "lon": site.location[1]}
    members["kinds"] = {
        kind: {
            "ready": count.ready,
            "degraded": count.degraded,
            "not_ready": count.not_ready,
            "unknown": count.unknown,
            "in_use": count.in_use,
            "out_of_service": count.out_of_service,
            "usable": count.usable,
            "required": count.required,
        }
        for kind, count in site.kinds.items()
    }
    return _body(site.kind, site.labels, members)


def alarm_body(alarm: Alarm) -> bytes:
    """An alarm as it stands now."""
    return _body(
        alarm.kind,
        alarm.labels,
        {
            "alarm": f"{alarm.device}/{alarm.rule}",
            "state": alarm.state,
            "active": alarm.active,
            "acked": alarm.acked,
            "acks": [{"by": ack.by, "ts": ack.ts, "note": ack.note} for ack in alarm.acks],
            "acks_needed": alarm.acks_needed,
            "suppression": alarm.suppression,
            "priority": alarm.priority.value,
            "since": alarm.since,
            "because": alarm.because,
            "text": alarm.text.as_dict(),
            "action": alarm.action.as_dict(),
            **alarm.more,
        },
    )


def event_body(event: Event) -> bytes:
    """Something that happened."""
    return _body(event.kind, event.labels, {"type": event.type, "data": event.data})


def _body(kind: str, labels: Mapping[str, str], members: Mapping[str, Json]) -> bytes:
    return (_head(kind, labels) + dumps(members)[1:]).encode()


def body(message: Message) -> bytes:
    """The body of any message that passes through the outbox; TypeError for the others."""
    match message:
        case Telemetry():
            return telemetry_body(message, message.kind, message.labels, synced=message.synced)
        case DeviceReadiness():
            return readiness_body(message, message.kind, message.labels, message.category)
        case SiteReadiness():
            return site_body(message)
        case Alarm():
            return alarm_body(message)
        case Event():
            return event_body(message)
        case _:
            raise TypeError(f"{type(message).__name__} does not pass through the outbox")


def status_payload(status: GatewayStatus) -> bytes:
    """`<site>/_gateway/status`; as last will it says `offline` alone."""
    members: dict[str, Json] = {
        "state": "online" if status.online else "offline",
        "since": status.since,
        "version": status.version,
        "outbox": status.outbox,
        "config": status.config,
    }
    return dumps({key: value for key, value in members.items() if value is not None}).encode()


def stored_payload(stored: Stored) -> bytes:
    """`<site>/_gateway/stored`."""
    return dumps({"outbox": stored.outbox, "done": [list(pair) for pair in stored.done]}).encode()


def command_payload(command: Command) -> bytes:
    """`<site>/<device>/cmd`."""
    members: dict[str, Json] = {"id": command.id, "cmd": command.cmd, "args": command.args, "by": command.by}
    if command.auth:
        members["auth"] = command.auth
    return dumps(members).encode()


def reply_payload(reply: Reply) -> bytes:
    """`<site>/<device>/cmd/reply`."""
    members: dict[str, Json] = {"id": reply.id, "ok": reply.ok}
    if reply.error is not None:
        members["error"] = reply.error
    if reply.text is not None:
        members["text"] = reply.text.as_dict()
    if reply.data is not None:
        members["data"] = reply.data
    return dumps(members).encode()
