"""The site as machines read it: values as they are, status names, UTC milliseconds, texts in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.flow.snapshot import Latest
from gateway.model import Point, ReadinessState, Reason, Text, Value
from gateway.rules.readiness import COUNTED, Judgement, roll_up
from gateway.settings.types import DeviceSettings
from gateway.web.view import SiteView

Facts: TypeAlias = dict[str, Any]
#: What a map paints; what cannot be seen is grey, never green.
COLOURS = {
    ReadinessState.READY: "#17663f",
    ReadinessState.DEGRADED: "#d98200",
    ReadinessState.NOT_READY: "#b3161b",
    ReadinessState.UNKNOWN: "#808080",
    ReadinessState.IN_USE: "#1d5fa8",
    ReadinessState.OUT_OF_SERVICE: "#808080",
    ReadinessState.RETIRED: "#808080",
}


def judgement_of(view: SiteView, device: str) -> tuple[Judgement, int]:
    """How a device stands and since when (UTC ms, 0 before the first judgement)."""
    return view.judge.standing(device) or (Judgement(ReadinessState.UNKNOWN, None, ()), 0)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a device is not simply ready: the reason, what to do about it, and the values the rule looked at."""

    reason: Reason
    action: Text | None
    because: Mapping[str, Value]


def causes_of(view: SiteView, device: str, judgement: Judgement) -> list[Cause]:
    """The reasons of a judgement with what its rules know; in order of weight."""
    if not judgement.reasons:
        return []
    rules = view.judge.rules(device)
    actions = {bound.rule.name: bound.rule.action for bound in rules.binding.rules}
    because = {verdict.rule: verdict.because for verdict in rules.verdicts()}
    return [
        Cause(reason, actions.get(reason.rule), because.get(reason.rule, {}) if reason.rule in actions else {})
        for reason in judgement.reasons
    ]


def site_facts(view: SiteView) -> Facts:
    """The roll-up of the site; `kinds` as in the readiness message of the site."""
    site = view.site
    states = [(device.kind, judgement_of(view, device.id)[0].state) for device in site.devices]
    state, kinds = roll_up(states, site.required)
    located = site.latitude is not None and site.longitude is not None
    return {
        "id": site.id,
        "name": site.name.as_dict(),
        "kind": site.kind,
        "location": {"lat": site.latitude, "lon": site.longitude} if located else None,
        "timezone": site.timezone,
        "labels": dict(site.labels),
        "config": site.digest,
        "version": view.version,
        "ts": view.clock.wall_ms(),
        "clock": "synced" if view.clock.synced else "free",
        "state": state.value,
        "kinds": {
            kind: {
                **{each.value: count.states[each] for each in COUNTED},
                "usable": count.usable,
                "required": count.required,
            }
            for kind, count in kinds.items()
        },
    }


def device_facts(view: SiteView, device: DeviceSettings) -> Facts:
    """One device without its points."""
    judgement, since = judgement_of(view, device.id)
    return {
        "id": device.id,
        "name": (device.name or Text(device.id, device.id)).as_dict(),
        "kind": device.kind,
        "state": judgement.state.value,
        "since": since or None,
        "score": judgement.score,
        "reasons": [
            {
                "rule": cause.reason.rule,
                "priority": cause.reason.priority.value,
                "text": cause.reason.text.as_dict(),
                "action": cause.action.as_dict() if cause.action else None,
                "because": dict(cause.because),
            }
            for cause in causes_of(view, device.id, judgement)
        ],
    }


def point_facts(view: SiteView, device: DeviceSettings) -> dict[str, Facts]:
    """All points of a device by name. `value` is null where there is none that may be used, old ones included."""
    latest = view.snapshot.latest(device.id, view.clock.monotonic())
    return {point.name: _point(point, latest[point.name]) for point in device.points}


def _point(point: Point, sample: Latest) -> Facts:
    return {
        "value": sample.value if sample.is_usable else None,
        "status": sample.status.name,
        "stale": sample.stale,
        "ts": sample.ts,
        "type": point.type.value,
        "unit": point.unit,
    }


def health_facts(view: SiteView) -> Facts:
    """What the gateway last said of itself; `ts` is null before it has."""
    found = view.health()
    if found.reading is None:
        return {"ts": None, "points": {}}
    units = {point.name: point.unit for point in found.points}
    return {
        "ts": found.reading.ts,
        "points": {
            name: {"value": value, "unit": units[name]}
            for name, value in zip(found.reading.points, found.reading.values, strict=True)
        },
    }


def map_facts(view: SiteView) -> Facts:
    """GeoJSON (RFC 7946): the site as a point, with what a map shows of it; no feature where it has no place."""
    site, facts = view.site, site_facts(view)
    if facts["location"] is None:
        return {"type": "FeatureCollection", "features": []}
    now = view.clock.monotonic()
    times = [
        sample.ts
        for device in site.devices
        for sample in view.snapshot.latest(device.id, now).values()
        if sample.ts is not None and sample.is_usable
    ]
    state = ReadinessState(facts["state"])
    properties = {
        "site": site.id,
        "name_zh": site.name.zh,
        "name_en": site.name.en,
        "kind": site.kind,
        "state": state.value,
        "marker-color": COLOURS[state],
        "ts": facts["ts"],
        "data_age_s": max(0, facts["ts"] - max(times)) // 1000 if times else None,
        **{each.value: sum(count[each.value] for count in facts["kinds"].values()) for each in COUNTED},
    }
    place = {"type": "Point", "coordinates": [site.longitude, site.latitude]}
    feature = {"type": "Feature", "id": site.id, "geometry": place, "properties": properties}
    return {"type": "FeatureCollection", "features": [feature]}
