"""From when to when a shift is, as people say it. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.model import Text
from gateway.settings.durations import parse_duration
from gateway.settings.protocol import Wrong

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_EXAMPLE = Text("写 8h、08:00 或 2026-11-22T08:00", "write 8h, 08:00 or 2026-11-22T08:00")
_SHIFT = Text("写 08:00-20:00", "write 08:00-20:00")


def moment(text: str, now_ms: int, zone: ZoneInfo) -> int:
    """UTC ms of `8h` (that long ago), `08:00` (the last time it was), or a date with time at the site; Wrong."""
    if _CLOCK.fullmatch(text):
        return _stamp(_last(text, _local(now_ms, zone)))
    try:
        return now_ms - round(parse_duration(text) * 1000)
    except Wrong:
        pass
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise Wrong(Text(f"{text!r} 不是时间", f"{text!r} is no time"), _EXAMPLE) from error
    return _stamp(given if given.tzinfo is not None else given.replace(tzinfo=zone))


def shift(text: str, now_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    """From and to (UTC ms) of the shift `08:00-20:00` that began last; it ends now where it is not over. Wrong."""
    begin, dash, end = text.replace("–", "-").partition("-")
    if not dash or not _CLOCK.fullmatch(begin.strip()) or not _CLOCK.fullmatch(end.strip()):
        raise Wrong(Text(f"{text!r} 不是班次", f"{text!r} is no shift"), _SHIFT)
    began = _last(begin.strip(), _local(now_ms, zone))
    hour, minute = map(int, end.strip().split(":"))
    ended = began.replace(hour=hour, minute=minute)
    if ended <= began:
        ended += timedelta(days=1)
    return _stamp(began), min(now_ms, _stamp(ended))


def _local(now_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)


def _last(clock: str, now: datetime) -> datetime:
    """The last time the clock on the wall showed `clock`."""
    hour, minute = map(int, clock.split(":"))
    found = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return found if found <= now else found - timedelta(days=1)


def _stamp(when: datetime) -> int:
    return round(when.timestamp() * 1000)
