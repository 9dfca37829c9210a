"""Incidents as documents of the journal, written in the transaction of the transition or of the record of a notice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.dispatch.incident import Incident, Pending, Told, What
from gateway.model import Ack, AlarmCondition, AlarmState, Priority, Text
from gateway.wire.json_text import dumps
from gateway.wire.messages import Json

PREFIX = "dispatch/"


def document_key(key: str) -> str:
    """Of the alarm `gen-1/battery_low`."""
    return PREFIX + key


def document(incident: Incident) -> bytes:
    """The incident as it is kept."""
    alarm = incident.alarm
    members: dict[str, Json] = {
        "alarm": {
            "device": alarm.device,
            "rule": alarm.rule,
            "kind": alarm.kind,
            "priority": alarm.priority.value,
            "text": alarm.text.as_dict(),
            "action": alarm.action.as_dict(),
            "role": alarm.role,
            "condition": alarm.condition.value,
            "since": alarm.since,
            "because": dict(alarm.because),
            "acks": [{"by": ack.by, "ts": ack.ts} for ack in alarm.acks],
            "acks_needed": alarm.acks_needed,
            "occurrences": alarm.occurrences,
            "first_out": alarm.first_out,
            "is_first_out": alarm.is_first_out,
            "is_kept_back": alarm.suppression.value != "NONE",
        },
        "began": incident.began,
        "called": incident.called,
        "round": incident.round,
        "pending": {name: [each.what.value, each.due, each.planned] for name, each in incident.pending.items()},
        "told": {name: [each.at, each.priority.value, each.stands, each.since] for name, each in incident.told.items()},
        "steps": [list(step) for step in sorted(incident.steps)],
    }
    return dumps(members).encode()


def from_document(data: bytes, now: int, longest_ms: int) -> Incident:
    """What `document` made, with the times of an earlier run brought to this one: nothing lies in the future further
    than it can, whatever the clock showed then."""
    found: Mapping[str, Any] = json.loads(data)
    return Incident(
        alarm=_alarm(found["alarm"]),
        began=min(found["began"], now),
        called=min(found["called"], now),
        round=found["round"],
        pending=MappingProxyType(
            {
                name: Pending(What(what), min(due, now + longest_ms), min(planned, now))
                for name, (what, due, planned) in found["pending"].items()
            }
        ),
        told=MappingProxyType(
            {
                name: Told(min(at, now), Priority(priority), stands, since)
                for name, (at, priority, stands, since) in found["told"].items()
            }
        ),
        steps=frozenset((after, channel) for after, channel in found["steps"]),
    )


def _alarm(found: Mapping[str, Any]) -> AlarmState:
    return AlarmState(
        device=found["device"],
        rule=found["rule"],
        kind=found["kind"],
        priority=Priority(found["priority"]),
        text=Text(**found["text"]),
        action=Text(**found["action"]),
        role=found["role"],
        condition=AlarmCondition(found["condition"]),
        since=found["since"],
        because=MappingProxyType(found["because"]),
        acks=tuple(Ack(each["by"], each["ts"]) for each in found["acks"]),
        acks_needed=found["acks_needed"],
        occurrences=found["occurrences"],
        first_out=found["first_out"],
        is_first_out=found["is_first_out"],
        is_suppressed=found["is_kept_back"],
    )
