"""`/metrics` in Prometheus' text format 0.0.4: readiness, points, and the gateway itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from gateway.model import AlarmState, Priority, ReadinessState, Suppression, Value
from gateway.rules.readiness import roll_up
from gateway.web.board import is_open
from gateway.web.facts import judgement_of
from gateway.web.live import Live
from gateway.web.view import SiteView

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_text(view: SiteView, live: Live) -> str:
    """All metrics of the site as it stands now."""
    return "".join(f"{line}\n" for line in _lines(view, live))


def _lines(view: SiteView, live: Live) -> Iterator[str]:
    site, now = view.site, view.clock.monotonic()
    judged = {device.id: judgement_of(view, device.id)[0] for device in site.devices}
    state, _ = roll_up([(device.kind, judged[device.id].state) for device in site.devices], site.required)

    yield from _head("vigil_info", "gauge", "Version and configuration, always 1.")
    yield _sample("vigil_info", 1, site=site.id, version=view.version, config=site.digest)
    yield from _head("vigil_site_state", "gauge", "1 in the state the site is in.")
    for each in ReadinessState:
        yield _sample("vigil_site_state", each is state, site=site.id, state=each.value)
    yield from _head("vigil_device_state", "gauge", "1 in the state the device is in.")
    for device in site.devices:
        for each in ReadinessState:
            is_so = each is judged[device.id].state
            labels = {"site": site.id, "device": device.id, "kind": device.kind, "state": each.value}
            yield _sample("vigil_device_state", is_so, **labels)
    yield from _head("vigil_device_score", "gauge", "0 to 100; absent while unknown.")
    for device in site.devices:
        score = judged[device.id].score
        if score is not None:
            yield _sample("vigil_device_score", score, site=site.id, device=device.id, kind=device.kind)

    points, counts = [], []
    for device in site.devices:
        found = view.snapshot.latest(device.id, now)
        quality = {"good": 0, "uncertain": 0, "bad": 0}
        for point in device.points:
            sample = found[point.name]
            is_bad = not sample.is_usable
            quality["bad" if is_bad else "uncertain" if sample.status.is_uncertain else "good"] += 1
            if not is_bad and sample.value is not None and not isinstance(sample.value, str):
                labels = {"site": site.id, "device": device.id, "kind": device.kind, "point": point.name}
                points.append(_sample("vigil_point", sample.value, **labels, unit=point.unit))
        labels = {"site": site.id, "device": device.id}
        counts += [_sample("vigil_points", count, **labels, quality=name) for name, count in quality.items()]
    yield from _head("vigil_points", "gauge", "Points by quality; old ones are bad.")
    yield from counts
    yield from _head("vigil_point", "gauge", "Numbers and flags that may be used now.")
    yield from points
    yield from _alarms(site.id, view.alarms.alarms())
    yield from _gateway(view)
    yield from _head("vigil_page_viewers", "gauge", "Open live streams of the local page.")
    yield _sample("vigil_page_viewers", live.viewers, site=site.id)
    yield from _head("vigil_page_viewers_refused_total", "counter", "Live streams refused because there were too many.")
    yield _sample("vigil_page_viewers_refused_total", live.refused, site=site.id)


def _alarms(site: str, alarms: Sequence[AlarmState]) -> Iterator[str]:
    yield from _head("vigil_alarms", "gauge", "Open alarms that nobody keeps from being announced.")
    found = [alarm for alarm in alarms if is_open(alarm)]
    for priority in Priority:
        for acked in (False, True):
            count = sum(each.priority is priority and each.condition.is_acked is acked for each in found)
            yield _sample("vigil_alarms", count, site=site, priority=priority.value, acked=str(acked).lower())
    yield from _head("vigil_alarms_kept_back", "gauge", "Alarms that are shelved, suppressed or out of service.")
    for each in Suppression:
        if each is not Suppression.NONE:
            count = sum(alarm.suppression is each for alarm in alarms)
            yield _sample("vigil_alarms_kept_back", count, site=site, suppression=each.value.lower())


def _gateway(view: SiteView) -> Iterator[str]:
    found = view.health()
    if found.reading is None:
        return
    for name, value in zip(found.reading.points, found.reading.values, strict=True):
        if value is not None and not isinstance(value, str):
            yield from _head(f"vigil_gateway_{name}", "gauge", f"The gateway's own point {name}.")
            yield _sample(f"vigil_gateway_{name}", value, site=view.site.id)


def _head(name: str, kind: str, words: str) -> tuple[str, str]:
    return f"# HELP {name} {words}", f"# TYPE {name} {kind}"


def _sample(name: str, value: Value, **labels: str) -> str:
    inside = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
    number = int(value) if isinstance(value, bool) else float(value) if isinstance(value, Decimal) else value
    return f"{name}{{{inside}}} {number}"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
