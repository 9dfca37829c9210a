"""Durations as people write them: `500ms 1s 5m 2h 1d`."""

from __future__ import annotations

import re

from gateway.model import Text
from gateway.settings.protocol import Wrong

_PATTERN = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)", re.ASCII)
USUAL_INTERVALS_S = (0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Intervals people write, for hints."""
_UNIT_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

DURATION_SCHEMA = {"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$", "examples": ["500ms", "1s", "5m"]}
"""JSON Schema of a duration, for editors."""


def parse_duration(text: object) -> float:
    """Seconds of `500ms`, `1s`, `5m`, `2h` or `1d`; Wrong for anything else, plain numbers included."""
    match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Wrong(
            Text(f"{text!r} 不是时长", f"{text!r} is not a duration"),
            Text("请写数字加单位，如 500ms、1s、5m、2h、1d", "write a number and its unit: 500ms, 1s, 5m, 2h, 1d"),
        )
    number, unit = match.groups()
    return float(number) / 1000 if unit == "ms" else float(number) * _UNIT_SECONDS[unit]


def duration_text(seconds: float) -> str:
    """`seconds` as people write them: 600 is `10m`."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:g}ms"
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("m", 60.0)):
        if seconds and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"
