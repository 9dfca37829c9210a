"""Serial lines over ptys paced to a baud rate: what a cycle takes beside the best plan, and what we waste in between.

All lines run at once in one `vigil run` process, as in a site with several ports.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench.native import build
from bench.site_file import write_lines, write_profile
from bench.stage import ROOT, Cores

DENSE_UNITS = 20
SPARSE_UNITS = 4
DEAD = 4
#: After this a line's dead units have had their time.
FIRST_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Setting:
    """One line: `points` are registers and lengths that each of its units has."""

    name: str
    baud: int
    turnaround_ms: int
    units: int
    dead: int
    points: tuple[tuple[int, int], ...]

    @property
    def character_ms(self) -> float:
        return 10_000 / self.baud

    @property
    def silence_ms(self) -> float:
        return 1.75 if self.baud > 19_200 else 3.5 * self.character_ms

    def cost_ms(self, count: int) -> float:
        """One read of `count` registers, until the line is free again (shared arithmetic of section 6)."""
        characters = 8 + 5 + 2 * count
        return characters * self.character_ms + max(self.silence_ms, self.turnaround_ms) + self.silence_ms


@dataclass(frozen=True, slots=True)
class Found:
    """What a line did. Times in milliseconds."""

    setting: Setting
    requests: float
    """For one poll of one unit."""
    best_ms: float
    wire_ms: float
    """One poll of one unit: by the best plan, and by what was asked."""
    cycle_ratio: float
    """Time the line was free again by the arithmetic, to the time between the starts of requests: 1 is no idle."""
    idle_ms: tuple[float, float, float]
    """Median, 90th and 99th percentile: from the end of the silence after an answer to the next request."""
    transactions: int
    dead_share: float | None

    @property
    def efficiency(self) -> float:
        return self.best_ms / self.wire_ms


def settings() -> tuple[Setting, ...]:
    """Every line of the run."""
    dense = tuple((i, 1) for i in range(20)) + tuple((20 + 2 * i, 2) for i in range(40))
    lines = [
        Setting(f"dense-{baud}-{turnaround}", baud, turnaround, DENSE_UNITS, 0, dense)
        for baud in (9600, 19200, 115200)
        for turnaround in (5, 20)
    ]
    sparse = sparse_map(12)
    lines += [
        Setting(f"sparse-{baud}-{turnaround}", baud, turnaround, SPARSE_UNITS, 0, sparse)
        for baud in (9600, 115200)
        for turnaround in (5, 20)
    ]
    lines.append(Setting("dead-9600-5", 9600, 5, DENSE_UNITS, DEAD, dense))
    return tuple(lines)


def sparse_map(seed: int) -> tuple[tuple[int, int], ...]:
    """60 points in 12 clusters over 2,000 addresses, the same for a seed; some clusters are worth bridging."""
    chance = random.Random(seed)
    points: list[tuple[int, int]] = []
    starts = sorted(chance.sample(range(0, 1960, 4), 12))
    free = 0
    for start in starts:
        at = max(start, free)
        for _ in range(5):
            size = chance.choice((1, 2))
            points.append((at, size))
            at += size + chance.choice((0, 0, 0, 1, 3))
        free = at
    return tuple(points)


def best_plan_ms(setting: Setting) -> float:
    """The least time one unit's points can take, over all ways to cut them into reads of at most 125 registers."""
    points = sorted(setting.points)
    best = [0.0] + [float("inf")] * len(points)
    for end in range(1, len(points) + 1):
        for begin in range(end - 1, -1, -1):
            count = points[end - 1][0] + points[end - 1][1] - points[begin][0]
            if count > 125:
                break
            best[end] = min(best[end], best[begin] + setting.cost_ms(count))
    return best[-1]


def run_serial(cores: Cores, seconds: float) -> list[Found]:
    """All lines for `seconds` after their first minute; empty where there is no C compiler."""
    bus = build("bus")
    if bus is None:
        return []
    folder = Path(tempfile.mkdtemp(prefix="vigil-bench-", dir="/var/tmp"))
    running: list[subprocess.Popen[bytes]] = []
    try:
        for setting in settings():
            numbers = [setting.baud, setting.turnaround_ms * 1000, setting.units, setting.dead]
            paths = [folder / setting.name, folder / f"{setting.name}.log"]
            running.append(_start([bus, *numbers, *paths], {cores.slaves, cores.others}, folder))
        site = _write_site(folder)
        time.sleep(0.5)
        command = [sys.executable, "-m", "gateway.cli", "run", site]
        gateway = _start(command, {cores.measured}, folder)
        running.append(gateway)
        time.sleep(FIRST_MINUTE_S + seconds)
        if gateway.poll() is not None:
            raise RuntimeError((folder / "log").read_text())
        return [_judge(setting, (folder / f"{setting.name}.log").read_text()) for setting in settings()]
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _start(command: Sequence[object], cores: set[int], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )


def _write_site(folder: Path) -> Path:
    lines, devices = [], []
    for number, setting in enumerate(settings()):
        points = [
            f'p{i}: {{at: "holding:{at}", type: {"uint16" if size == 1 else "uint32"}}}'
            for i, (at, size) in enumerate(setting.points)
        ]
        write_profile(folder, setting.name, points)
        # a dense line is to be asked without pause: its plan has one read whatever the turnaround, so that it may be
        # said to be none, and the interval to be what is then just possible
        saturated = setting.name.startswith("dense")
        turnaround = 0 if saturated else setting.turnaround_ms
        least_ms = best_plan_ms(setting) * setting.units
        if saturated:
            least_ms -= (max(setting.silence_ms, setting.turnaround_ms) - setting.silence_ms) * setting.units
        interval_ms = int(least_ms * (1.4 if setting.dead else 1.0 if saturated else 1.01)) + 1
        path = folder / setting.name
        lines.append(f"{setting.name}: {{serial: {path}, baudrate: {setting.baud}, turnaround: {turnaround}ms}}")
        devices += [
            f"{{id: d{number}-{unit}, kind: sensor, profile: bench/{setting.name}, line: {setting.name},"
            f" unit: {unit}, interval: {interval_ms}ms, timeout: 1s}}"
            for unit in range(1, setting.units + 1)
        ]
    return write_lines(folder, ["report: {every: 60s}"], lines, devices)


def _judge(setting: Setting, log: str) -> Found:
    rows = [[int(word) for word in line.split()] for line in log.splitlines() if line.count(" ") == 4]
    start = rows[0][2] + FIRST_MINUTE_S * 1e6
    rows = [row for row in rows if row[2] >= start]
    idle: list[float] = []
    ideal = spent = dead_us = 0.0
    polls: dict[int, list[int]] = {}
    for row, following in pairwise(rows):
        unit, count, began, _, ended = row
        took_us = following[2] - began
        if unit <= setting.dead:
            dead_us += took_us
            continue
        if not ended:
            continue
        polls.setdefault(unit, []).append(count)
        # lines that have pauses are judged by the requests that follow each other within one poll, and those with dead
        # units not at all: trials stand between their requests
        if not setting.dead and (setting.name.startswith("dense") or following[0] == unit):
            idle.append((following[2] - ended) / 1000 - setting.silence_ms)
            ideal += setting.cost_ms(count)
            spent += took_us / 1000
    cost = sum(setting.cost_ms(count) for counts in polls.values() for count in counts)
    plan = _reads_of_one_poll(polls)
    whole_us = rows[-1][2] - rows[0][2]
    return Found(
        setting=setting,
        requests=plan,
        best_ms=best_plan_ms(setting),
        wire_ms=cost / sum(len(counts) for counts in polls.values()) * plan,
        cycle_ratio=ideal / spent if spent else float("nan"),
        idle_ms=(_share(idle, 0.5), _share(idle, 0.9), _share(idle, 0.99)),
        transactions=len(rows),
        dead_share=dead_us / whole_us if setting.dead else None,
    )


def _share(values: list[float], share: float) -> float:
    """The value below which `share` of `values` lie."""
    return sorted(values)[int(len(values) * share)] if values else float("nan")


def _reads_of_one_poll(polls: dict[int, list[int]]) -> float:
    """Reads after which the same counts come again, at most 60; a few may be asked otherwise, after a time-out."""
    counts = polls[max(polls)]
    for period in range(1, 61):
        pairs = list(zip(counts, counts[period:], strict=False))
        if len(pairs) >= period and sum(one == other for one, other in pairs) >= 0.9 * len(pairs):
            return period
    return float("nan")
