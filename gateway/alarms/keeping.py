"""Alarms as JSON: the document of each, and the entry of each transition in the journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.model import Ack, AlarmCondition, AlarmEvent, AlarmState, Priority, Suppression, Text, Transition
from gateway.store import Entry
from gateway.wire.json_text import dumps
from gateway.wire.messages import Json

PREFIX = "alarm/"
TRANSITION = "alarm"
"""The type of an entry that tells of a transition."""
NO_TEXT = Text("", "")


def document_key(state: AlarmState) -> str:
    return PREFIX + state.key


def state_json(state: AlarmState) -> dict[str, Json]:
    """Everything about the alarm that does not stand in the rule."""
    told: dict[str, Json] = {
        "device": state.device,
        "rule": state.rule,
        "kind": state.kind,
        "priority": state.priority.value,
        "condition": state.condition.value,
        "suppression": state.suppression.value,
        "since": state.since,
        "raised_at": state.raised_at,
        "because": dict(state.because),
        "acks": _acks_json(state.acks),
        "acks_needed": state.acks_needed,
        "occurrences": state.occurrences,
        "text": state.text.as_dict(),
    }
    optional: dict[str, Json] = {
        "first_out": state.first_out,
        "is_first_out": state.is_first_out or None,
        "is_stale": state.is_stale or None,
        "is_historical": state.is_historical or None,
        "shelved_until": state.shelved_until,
        "shelf_asked_until": state.shelf_asked_until,
        "shelf": _acks_json(state.shelf) or None,
        "is_suppressed": state.is_suppressed or None,
        "suppressed_by": state.suppressed_by or None,
        "work_order": state.work_order,
    }
    return told | {name: value for name, value in optional.items() if value is not None}


def document(state: AlarmState) -> bytes:
    """The alarm as it is kept."""
    members = {**state_json(state), "action": state.action.as_dict(), "role": state.role}
    return dumps(members).encode()


def from_document(data: bytes) -> AlarmState:
    """What `document` made."""
    return _state(json.loads(data))


def from_entry(entry: Entry) -> Transition | None:
    """The transition an entry of the journal tells of, without the words that stand in the rule; None for an entry of
    another type."""
    found: Mapping[str, Any] = json.loads(entry.body)
    if found["type"] != TRANSITION:
        return None
    return Transition(
        entry.number,
        entry.ts,
        AlarmEvent(found["event"]),
        AlarmCondition(found["before"]),
        Suppression(found["was"]),
        _state(found["after"]),
        found.get("by", ""),
        found.get("note", ""),
        found.get("is_historical", False),
    )


def _state(found: Mapping[str, Any]) -> AlarmState:
    return AlarmState(
        device=found["device"],
        rule=found["rule"],
        kind=found["kind"],
        priority=Priority(found["priority"]),
        text=Text(**found["text"]),
        action=Text(**found["action"]) if "action" in found else NO_TEXT,
        role=found.get("role", ""),
        condition=AlarmCondition(found["condition"]),
        since=found["since"],
        because=found["because"],
        acks=_acks(found["acks"]),
        acks_needed=found["acks_needed"],
        occurrences=found["occurrences"],
        raised_at=found["raised_at"],
        is_stale=found.get("is_stale", False),
        is_first_out=found.get("is_first_out", False),
        first_out=found.get("first_out"),
        shelved_until=found.get("shelved_until"),
        shelf=_acks(found.get("shelf", ())),
        shelf_asked_until=found.get("shelf_asked_until"),
        is_suppressed=found.get("is_suppressed", False),
        suppressed_by=found.get("suppressed_by", ""),
        work_order=found.get("work_order"),
        is_historical=found.get("is_historical", False),
    )


def transition_json(transition: Transition) -> dict[str, Json]:
    """A transition as its entry in the journal tells it."""
    told: dict[str, Json] = {
        "event": transition.event.value,
        "before": transition.before.value,
        "was": transition.was.value,
        "after": state_json(transition.after),
    }
    if transition.by:
        told |= {"by": transition.by, "note": transition.note}
    if transition.is_historical:
        told["is_historical"] = True
    return told


def _acks_json(acks: tuple[Ack, ...]) -> list[Json]:
    return [{"by": ack.by, "ts": ack.ts, "note": ack.note} for ack in acks]


def _acks(found: Any) -> tuple[Ack, ...]:
    return tuple(Ack(each["by"], each["ts"], each["note"]) for each in found)
