"""A recording of a device as a file: what stands in its tables, and what a reader must make of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from gateway.model import MaybeValue, Status, Text

_BITS = ("coil", "discrete")
_RUN = 8


@dataclass(frozen=True, slots=True)
class Recording:
    """One device at one moment. `tables`: words and bits by table and zero-based address."""

    profile: str
    made: str
    """YYYY-MM-DD."""
    note: Text
    unit: int
    tables: Mapping[str, Mapping[int, int]]
    readings: Mapping[str, tuple[MaybeValue, Status]]


def recording_text(recording: Recording) -> str:
    """The file, as `tests/devices/README.md` describes it."""
    lines = [
        "schema: 1",
        f"profile: {recording.profile}",
        "origin: hardware",
        f'made: "{recording.made}"',
        "note:",
        f"  en: {_quoted(recording.note.en)}",
        f"  zh: {_quoted(recording.note.zh)}",
        f"unit: {recording.unit}",
        "tables:",
    ]
    for table in sorted(recording.tables):
        lines.append(f"  {table}:")
        for first, cells in _runs(recording.tables[table]):
            shown = ", ".join(str(cell) if table in _BITS else f"0x{cell:04X}" for cell in cells)
            lines.append(f"    {first}: [{shown}]")
    lines.append("readings:")
    lines += [f"  {point}: {_reading(value, status)}" for point, (value, status) in recording.readings.items()]
    return "\n".join(lines) + "\n"


def _runs(cells: Mapping[int, int]) -> Iterator[tuple[int, list[int]]]:
    """Addresses that follow each other, at most eight to a line."""
    run: list[int] = []
    first = 0
    for address in sorted(cells):
        if run and (address != first + len(run) or len(run) == _RUN):
            yield first, run
            run = []
        if not run:
            first = address
        run.append(cells[address])
    if run:
        yield first, run


def _reading(value: MaybeValue, status: Status) -> str:
    if status is Status.Good:
        return _scalar(value)
    if status.is_bad:
        return f"{{status: {status.name}}}"
    return f"{{value: {_scalar(value)}, status: {status.name}}}"


def _scalar(value: MaybeValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    return repr(value) if isinstance(value, float) else _quoted(str(value))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
