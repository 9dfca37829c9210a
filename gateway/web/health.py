"""The gateway's own condition as the page shows it: what matters first, the lines, the rest."""

from __future__ import annotations

from gateway.model import MaybeValue, Point
from gateway.web.showing import Showing, Shown
from gateway.web.words import WORDS, duration, name_of, write_value

#: What a maintainer asks first, in this order; what a gateway does not measure is left out.
FIRST = (
    "uplink_connected",
    "clock_synced",
    "outbox_rows",
    "devices_silent",
    "frames_discarded",
    "timeouts",
    "line_load",
    "request_error_rate",
    "poll_lateness",
    "rows_dropped",
    "rows_refused",
    "disk_usage",
    "processor_temperature",
    "uptime",
    "version",
)


def health_shown(showing: Showing, language: str) -> Shown:
    """Points in order, lines with their counts; empty before the gateway has looked at itself."""
    view = showing.view
    found = view.health()
    if found.reading is None:
        return {"time": WORDS["waiting"][language], "first": [], "rest": [], "lines": []}
    values = dict(zip(found.reading.points, found.reading.values, strict=True))
    known = {point.name: point for point in found.points}
    lines = [_line(line.id, line.endpoint, values) for line in view.site.lines]
    of_lines = {f"{_prefix(line.id)}{what}" for line in view.site.lines for what in (*_LOADS, *_COUNTS)}
    rest = [name for name in known if name not in FIRST and name not in of_lines]
    return {
        "time": showing.time(found.reading.ts),
        "first": [_row(known[name], values.get(name), language) for name in FIRST if name in known],
        "rest": [_row(known[name], values.get(name), language) for name in rest],
        "lines": lines,
    }


_LOADS = ("load", "load_planned")
_COUNTS = ("requests", "timeouts", "discarded")
#: Times from here on are written in minutes, hours or days.
LONG_S = 120
#: Flags that ask for attention while they are no.
_WANTED = {"uplink_connected", "clock_synced"}
#: Counts that ask for attention when they are not zero.
_UNWANTED = {"devices_silent", "rows_dropped", "rows_refused"}


def _prefix(line: str) -> str:
    return f"line_{line.replace('-', '_')}_"


def _line(name: str, endpoint: str, values: dict[str, MaybeValue]) -> Shown:
    loads = {what: values.get(f"{_prefix(name)}{what}") for what in _LOADS}
    return {
        "id": name,
        "endpoint": endpoint,
        **{what: "" if share is None else f"{share} %" for what, share in loads.items()},
        **{what: values.get(f"{_prefix(name)}{what}") for what in _COUNTS},
    }


def _row(point: Point, value: MaybeValue, language: str) -> Shown:
    is_worse = (point.name in _WANTED and value is False) or (point.name in _UNWANTED and bool(value))
    text, unit = write_value(value, point, language), point.unit
    if unit == "s" and isinstance(value, (int, float)) and value >= LONG_S:
        text, unit = duration(int(value * 1000), language), ""
    elif unit == "B" and isinstance(value, int):
        text, unit = f"{value / 1_000_000:.1f}", "MB"
    return {
        "name": point.name,
        "label": name_of(point, language),
        "text": text,
        "unit": unit,
        "grade": "bad" if value is None else "attention" if is_worse else "good",
    }
