"""Runs without faults: every tag once per interval, for a while, on one core."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench import machine
from bench.stage import Cores, Stage
from bench.verify import Figures, Records

LATE, DELIVERED = 0.01, 0.98


@dataclass(frozen=True, slots=True)
class Steady:
    """One peer at one load."""

    peer: str
    count: int
    interval_us: int
    cpu_ms_per_1k: float
    core: float
    rss_mb: float
    first_s: float
    all_s: float
    delivered: float
    written_per_sample: float
    busiest_other: float
    """How busy the fullest of the cores around was, whoever used it."""
    stolen: float
    """Share of the measured core that somebody else used."""
    instructions: float
    """For one sample; not a number where perf cannot tell."""
    figures: Figures

    @property
    def due_per_s(self) -> float:
        return self.count * 60e6 / self.interval_us

    @property
    def is_sustained(self) -> bool:
        sound = self.figures.wrong == 0 and self.figures.disordered == 0
        return sound and self.delivered >= DELIVERED and self.figures.late <= LATE


def run_steady(
    cores: Cores, peer: str, count: int, interval_us: int, window_s: float, delay_us: int = 0, settle_s: float = 4.0
) -> Steady | None:
    """One run; None where the peer is not to be had here."""
    with Stage(cores, count, interval_us, delay_us) as stage:
        process = stage.start_peer(peer)
        if process is None:
            return None
        stage.wait_for_all()
        time.sleep(settle_s)
        others = {cores.slaves, cores.broker, cores.others} - {cores.measured}
        began = time.monotonic_ns() // 1000
        cpu, written = machine.cpu_s(process.pid), machine.written_bytes(process.pid)
        busy, busy_all = machine.busy_s(cores.measured), {core: machine.busy_s(core) for core in others}
        counting = machine.Instructions(process.pid, window_s, cores.others)
        time.sleep(window_s)
        took_cpu, took_bytes = machine.cpu_s(process.pid) - cpu, machine.written_bytes(process.pid) - written
        ended = time.monotonic_ns() // 1000
        took_s = (ended - began) / 1e6
        busy = machine.busy_s(cores.measured) - busy
        busiest = max((machine.busy_s(core) - before for core, before in busy_all.items()), default=0.0)
        rss_mb = machine.rss_mb(process.pid)
        time.sleep(min(2.0, max(0.2, 2 * interval_us / 1e6)))
        records = Records.of(stage.end_records(), count, interval_us)
        figures = records.figures(began, ended)
        first_s, all_s = records.all_tags_s(stage.started_us) or (float("nan"), float("nan"))
        samples = max(1, figures.samples)
        return Steady(
            peer=peer,
            count=count,
            interval_us=interval_us,
            cpu_ms_per_1k=took_cpu * 1e6 / samples,
            core=took_cpu / took_s,
            rss_mb=rss_mb,
            first_s=first_s,
            all_s=all_s,
            delivered=figures.samples / (count * 60 * took_s * 1e6 / interval_us),
            written_per_sample=took_bytes / samples,
            busiest_other=busiest / took_s,
            stolen=max(0.0, busy - took_cpu) / took_s,
            instructions=counting.count() / samples,
            figures=figures,
        )


def search_rate(cores: Cores, peer: str, window_s: float, loads: Sequence[tuple[int, int]], tries: int) -> list[Steady]:
    """Raise the load until it was not sustained in any of `tries`; the last run of each load."""
    found: list[Steady] = []
    for count, interval_us in loads:
        runs = _until_sustained(cores, peer, count, interval_us, window_s, tries)
        found += runs[-1:]
        if not runs or not runs[-1].is_sustained:
            break
    return found


def _until_sustained(
    cores: Cores, peer: str, count: int, interval_us: int, window_s: float, tries: int
) -> list[Steady]:
    runs: list[Steady] = []
    while len(runs) < tries:
        run = run_steady(cores, peer, count, interval_us, window_s)
        if run is None:
            break
        runs.append(run)
        if run.is_sustained:
            break
    return runs
