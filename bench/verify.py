"""What the records of a run say: every value is taken back to its step through the formula."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.formula import PROBE, TAG_LIST, invert, probe_age_us, step_at, step_began_us
from bench.recorder import read

_ID = re.compile(rb'^\{"id":"[0-9a-f]{12}-(\d+)"')
_PROBE_NAME = TAG_LIST[PROBE].name


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as it came: times in microseconds, `values` how many tags it held, `wrong` those of no one step."""

    at_us: int
    slave: int
    step: int
    values: int
    wrong: int
    backlog: bool
    pipe_us: int
    id: str


@dataclass(frozen=True, slots=True)
class Figures:
    """A window of a run. Times in milliseconds, shares 0..1."""

    samples: int
    messages: int
    wrong: int
    disordered: int
    missing: float
    late: float
    latency_ms: tuple[float, float]
    pipe_ms: tuple[float, float]
    slaves: int = 0


@dataclass(slots=True)
class Records:
    """All arrivals of a run, and what it was set to."""

    count: int
    interval_us: int
    arrivals: list[Arrival] = field(default_factory=list)

    @classmethod
    def of(cls, path: Path, count: int, interval_us: int) -> Records:
        records = cls(count, interval_us)
        for at_us, topic, payload in read(path):
            arrival = _arrival(at_us, topic, payload, interval_us)
            if arrival is not None:
                records.arrivals.append(arrival)
        return records

    def all_tags_s(self, started_us: int) -> tuple[float, float] | None:
        """Seconds from `started_us` to the first message and to the first of the last slave, if all came."""
        first: dict[int, int] = {}
        for arrival in self.arrivals:
            first.setdefault(arrival.slave, arrival.at_us)
        if len(first) < self.count:
            return None
        return (min(first.values()) - started_us) / 1e6, (max(first.values()) - started_us) / 1e6

    def figures(self, from_us: int, to_us: int, slaves: Sequence[int] | None = None) -> Figures:
        """What arrived in a window, of `slaves` or of all."""
        wanted = set(range(self.count) if slaves is None else slaves)
        start = bisect_left(self.arrivals, from_us, key=lambda arrival: arrival.at_us)
        end = bisect_left(self.arrivals, to_us, key=lambda arrival: arrival.at_us)
        inside = [arrival for arrival in self.arrivals[start:end] if arrival.slave in wanted]
        last: dict[tuple[int, bool], int] = {}
        disordered = late = 0
        latencies: list[int] = []
        for arrival in inside:
            key = arrival.slave, arrival.backlog
            disordered += arrival.step < last.get(key, arrival.step)
            last[key] = arrival.step
            latency = arrival.at_us - step_began_us(arrival.slave, self.interval_us, arrival.step)
            latencies.append(latency)
            late += latency > 2 * self.interval_us
        # a step belongs to the window by the time it began, and may arrive after its end
        due = found = 0
        arrived = {(arrival.slave, arrival.step) for arrival in self.arrivals[start:]}
        for slave in wanted:
            steps = range(
                step_at(slave, self.interval_us, from_us) + 1,
                step_at(slave, self.interval_us, to_us - self.interval_us),
            )
            due += len(steps)
            found += sum(1 for step in steps if (slave, step) in arrived)
        return Figures(
            samples=sum(arrival.values for arrival in inside),
            messages=len(inside),
            wrong=sum(arrival.wrong for arrival in inside),
            disordered=disordered,
            missing=1 - found / due if due else 0.0,
            late=late / len(inside) if inside else 0.0,
            latency_ms=_spread(latencies),
            pipe_ms=_spread([arrival.pipe_us for arrival in inside if not arrival.backlog]),
            slaves=len(wanted),
        )


def unheard(path: Path) -> int:
    """How many sequence numbers between the first and the last that came are in no message of a site."""
    found = {int(said[1]) for _, _, payload in read(path) if (said := _ID.match(payload))}
    return max(found) - min(found) + 1 - len(found) if found else 0


def _arrival(at_us: int, topic: str, payload: bytes, interval_us: int) -> Arrival | None:
    parts = topic.split("/")
    if parts[0] != "bench" and not (parts[3].startswith("d") and parts[4] == "telemetry"):
        return None  # heard for its number alone
    found = json.loads(payload)
    if parts[0] == "bench":
        slave, values = int(parts[1]), found
    else:
        slave, values = int(parts[3][1:]), found["v"]
    if not values:
        return None
    probe = values.get(_PROBE_NAME)
    pipe_us = 0 if probe is None else probe_age_us(int(probe), at_us)
    # a message of the probe alone, from a second poll within one step, says by its clock which step that was
    step, wrong = invert(slave, values, step_at(slave, interval_us, at_us - pipe_us))
    return Arrival(
        at_us, slave, step, len(values), wrong, bool(found.get("backlog")), pipe_us, str(found.get("id", ""))
    )


def _spread(values_us: list[int]) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds."""
    if not values_us:
        return float("nan"), float("nan")
    values_us.sort()
    return values_us[len(values_us) // 2] / 1000, values_us[min(len(values_us) - 1, len(values_us) * 99 // 100)] / 1000
