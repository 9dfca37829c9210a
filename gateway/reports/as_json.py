"""The facts of a report as JSON, for programs: nothing is worded, times are UTC ms. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.alarms.keeping import state_json, transition_json
from gateway.model import Transition
from gateway.reports.handover import Handover
from gateway.reports.incident import Incident
from gateway.reports.journal import Happening, Skipped, Started, Turn


def handover_json(found: Handover, site: str) -> dict[str, Any]:
    """Lists as on the sheet."""
    return {
        "report": "handover",
        "draft": True,
        "site": site,
        "since": found.since,
        "until": found.until,
        "whole": found.is_whole,
        "open": [state_json(each) for each in found.standing],
        "shelved": [state_json(each) for each in found.shelved],
        "out_of_service": [state_json(each) for each in found.out_of_service],
        "suppressed": [state_json(each) for each in found.suppressed],
        "silent": [each.device for each in found.silent],
        "alarms": [_step(each) for each in found.steps],
        "readiness": [_turn(each) for each in found.turns],
        "events": [_happening(each) for each in found.happenings],
        "starts": [_started(each) for each in found.starts],
        "skipped": [_skipped(each) for each in found.skipped],
        "journal": {"first": found.first, "last": found.last, "head": found.head},
    }


def incident_json(found: Incident, site: str) -> dict[str, Any]:
    """What the bulletin is made of."""
    first = found.first_out
    return {
        "report": "incident",
        "draft": True,
        "site": site,
        "stage": found.stage.name.lower(),
        "alarm": state_json(found.alarm),
        "entry": found.number,
        "began": found.began,
        "ended": found.ended,
        "until": found.until,
        "first_out": _step(first) if first is not None else None,
        "course": [_step(each) for each in found.steps],
        "related": [_step(each) for each in found.related],
        "events": [_happening(each) for each in found.happenings],
        "readiness": [_turn(each) for each in found.turns],
        "skipped": [_skipped(each) for each in found.skipped],
        "journal": {"first": found.first, "last": found.last, "head": found.head},
    }


def _step(step: Transition) -> dict[str, Any]:
    return {"entry": step.number, "ts": step.ts, **transition_json(step)}


def _turn(turn: Turn) -> dict[str, Any]:
    reasons = [reason.as_dict() for reason in turn.reasons]
    return {
        "entry": turn.number,
        "ts": turn.ts,
        "device": turn.device,
        "before": turn.before,
        "state": turn.state,
        "reasons": reasons,
    }


def _happening(each: Happening) -> Mapping[str, Any]:
    return {"entry": each.number, "ts": each.ts, "device": each.device, "event": each.event, "data": dict(each.data)}


def _started(each: Started) -> Mapping[str, Any]:
    return {"entry": each.number, "ts": each.ts, "version": each.version}


def _skipped(each: Skipped) -> Mapping[str, Any]:
    return {"entry": each.number, "ts": each.ts, "count": each.count}
