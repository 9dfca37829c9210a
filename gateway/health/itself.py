"""The gateway's own health as points of kind `gateway`, read like any other device.

Each source is a function that gives some of the points by their vocabulary name. One that cannot be told now is None
and bad; one it does not name (a figure of which there is nothing to tell yet) is no point of this gateway now.
"""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gateway import __version__
from gateway.model import MaybeValue, Point, Reading, ReportPolicy, Status, Value, ValueType
from gateway.ports import Clock, Line
from gateway.settings.types import SiteSettings

GATEWAY = "_gateway"
INTERVAL_S = 10.0

Source = Callable[[], Mapping[str, MaybeValue]]

#: Reasons a line discards a frame for, as `discarded_<reason>` among its counters and `frames_discarded_<reason>` here.
DISCARDS = (
    "crc", "length", "function", "unit", "transaction", "protocol", "late", "echo", "noise", "truncated", "content",
)  # fmt: skip

#: What ends the names of the loads of one line.
LOADS = ("load", "load_planned")


class Health:
    """Polls the gateway itself; `points` and `reading` fit the reporter like those of a device."""

    def __init__(self, site: SiteSettings, sources: Sequence[Source], clock: Clock) -> None:
        self._sources = (*sources, _constant({"version": __version__, "config": site.digest}))
        self._clock = clock
        kind = site.kinds.get(GATEWAY.removeprefix("_"))
        self._known = kind.points if kind else {}
        self._report = site.report
        self._names: tuple[str, ...] = ()
        self.points: tuple[Point, ...] = ()
        """Those of the latest reading; the same object for as long as they are the same."""
        self._take(self._ask())

    def reading(self) -> Reading:
        """What the gateway says of itself now."""
        found = self._ask()
        if found.keys() != set(self._names):
            self._take(found)
        values: tuple[MaybeValue, ...] = tuple(found[name] for name in self._names)
        statuses = tuple(Status.BadNoCommunication if value is None else Status.Good for value in values)
        return Reading(GATEWAY, self._clock.wall_ms(), self._names, values, statuses)

    def _take(self, found: Mapping[str, MaybeValue]) -> None:
        self._names = tuple(found)
        self.points = tuple(self._point(name, value, self._report) for name, value in found.items())

    def _ask(self) -> dict[str, MaybeValue]:
        found: dict[str, MaybeValue] = {}
        for source in self._sources:
            found.update(source())
        return found

    def _point(self, name: str, value: MaybeValue, report: ReportPolicy) -> Point:
        known = self._known.get(name)
        if known is not None:
            return Point(name, known.type, known.unit, INTERVAL_S, report, None, label=known.label, words=known.words)
        type_ = ValueType.BOOLEAN if isinstance(value, bool) else ValueType.NUMBER
        unit = "%" if name.endswith(LOADS) else ""
        return Point(name, ValueType.STRING if isinstance(value, str) else type_, unit, INTERVAL_S, report, None)


def _constant(values: Mapping[str, MaybeValue]) -> Source:
    return lambda: values


def line_prefix(line: str) -> str:
    """What the names of the points of one line begin with."""
    return f"line_{line.replace('-', '_')}_"


def lines(found: Mapping[str, Line]) -> Source:
    """Requests, answers, time-outs and discarded frames: over all lines, and of each under `line_<id>_...`."""

    def ask() -> dict[str, Value]:
        total: dict[str, int] = {}
        each: dict[str, Value] = {}
        for name, line in found.items():
            counters = line.counters()
            prefix = line_prefix(name)
            each[f"{prefix}requests"] = counters.get("requests", 0)
            each[f"{prefix}timeouts"] = counters.get("timeouts", 0)
            each[f"{prefix}discarded"] = sum(counters.get(f"discarded_{reason}", 0) for reason in DISCARDS)
            for key, count in counters.items():
                total[key] = total.get(key, 0) + count
        discards = {f"frames_discarded_{reason}": total.get(f"discarded_{reason}", 0) for reason in DISCARDS}
        return {
            "requests": total.get("requests", 0),
            "answers": total.get("answers", 0),
            "timeouts": total.get("timeouts", 0),
            "exceptions": total.get("refused", 0),
            "frames_discarded": sum(discards.values()),
            **discards,
            **each,
        }

    return ask


def machine(state_dir: Path) -> Source:
    """Disk, memory, processor and temperature of the board."""
    started = time.monotonic()
    thermal = Path("/sys/class/thermal/thermal_zone0/temp")
    has_sensor = thermal.exists()
    last = [started, time.process_time()]

    def ask() -> dict[str, MaybeValue]:
        now, used = time.monotonic(), time.process_time()
        busy = 100 * (used - last[1]) / max(now - last[0], 1e-3)
        last[:] = [now, used]
        disk = shutil.disk_usage(state_dir)
        values: dict[str, MaybeValue] = {
            "uptime": round(now - started, 1),
            "process_cpu_usage": round(busy, 1),
            "memory_resident": _resident_bytes(),
            "disk_usage": round(100 * disk.used / disk.total, 1),
            "disk_free": disk.free,
        }
        if has_sensor:
            values["processor_temperature"] = _temperature(thermal)
        return values

    return ask


def _temperature(sensor: Path) -> float | None:
    try:
        return int(sensor.read_text()) / 1000
    except (OSError, ValueError):
        return None


def _resident_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
