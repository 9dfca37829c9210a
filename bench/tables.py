"""The figures as one Markdown page."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from math import isnan, nan

from bench.faults import Outage, Silence
from bench.serial_lines import Found
from bench.steady import Steady

NAMES = {"c": "C: libmodbus + libmosquitto", "pymodbus": "pymodbus + paho, bare", "vigil": "**Vigil**"}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def shown(spec: str, *values: float) -> str:
    """Figures of one cell; nothing where none of them means anything, a dash for one among others."""
    if all(map(isnan, values)):
        return ""
    return " / ".join("-" if isnan(value) else format(value, spec) for value in values)


def steady_table(runs: Sequence[Steady]) -> str:
    """Peers by load; runs of the same are one line with medians."""
    rows = []
    for same in _grouped(runs):
        one = same[0]

        def middle(digits: int, *figures: list[float]) -> str:
            return shown(f".{digits}f", *map(_median, figures))

        cpu = sorted(run.cpu_ms_per_1k for run in same)
        bare = [
            run.cpu_ms_per_1k
            for run in runs
            if (run.peer, run.count, run.interval_us) == ("pymodbus", one.count, one.interval_us)
        ]
        rows.append(
            [
                NAMES[one.peer],
                f"{one.count} x {one.interval_us / 1e6:g} s",
                middle(2, cpu) + (f" ({cpu[0]:.2f}..{cpu[-1]:.2f})" if len(cpu) > 1 else ""),
                f"{statistics.median(cpu) / statistics.median(bare):.2f}" if bare else "",
                middle(1, [run.instructions / 1000 for run in same]),
                middle(1, [100 * run.core for run in same]),
                middle(0, [run.rss_mb for run in same]),
                middle(0, *([run.figures.latency_ms[i] for run in same] for i in (0, 1))),
                middle(1, *([run.figures.pipe_ms[i] for run in same] for i in (0, 1))),
                middle(2, [100 * run.figures.missing for run in same]),
                middle(2, [100 * run.figures.late for run in same]),
                str(sum(run.figures.wrong + run.figures.disordered for run in same)),
                middle(2, [run.first_s for run in same], [run.all_s for run in same]),
                middle(1, [run.written_per_sample for run in same]),
                middle(0, [100 * run.stolen for run in same]),
            ]
        )
    head = (
        "peer", "slaves x interval", "CPU ms per 1,000 samples", "beside bare", "1,000 instructions per sample",
        "core %", "RSS MB",
        "latency p50 / p99 ms", "pipe p50 / p99 ms", "missing %", "late %", "wrong or out of order",
        "start: first / all tags s", "bytes to disk per sample", "core taken by others %",
    )  # fmt: skip
    return table(head, rows)


def rate_table(searches: Sequence[Sequence[Steady]]) -> str:
    """The highest sustained load of each peer, and what it delivered of the first that failed."""
    rows = []
    for runs in searches:
        good = [run for run in runs if run.is_sustained]
        failed = [run for run in runs if not run.is_sustained]
        best = max(good, key=lambda run: run.due_per_s, default=None)
        if best is None:
            rows.append([NAMES[runs[0].peer], "none", _failed(runs[-1]), *[""] * 8])
            continue
        rows.append(
            [
                NAMES[best.peer],
                f"{best.due_per_s:,.0f}",
                _failed(failed[0]) if failed else "not reached",
                f"{best.count}, {best.interval_us / 1000:g} ms",
                f"{100 * best.core:.0f}",
                f"{best.cpu_ms_per_1k:.2f}",
                shown(".1f", best.instructions / 1000),
                shown(".1f", best.figures.pipe_ms[1]),
                f"{100 * best.figures.late:.2f}",
                f"{best.rss_mb:.0f}",
                f"{100 * best.busiest_other:.0f}",
            ]
        )
    head = (
        "peer", "sustained tags/s", "next failed", "at (slaves, interval)", "core %", "CPU ms per 1,000 samples",
        "1,000 instructions per sample", "pipe p99 ms", "late %", "RSS MB", "busiest other core %",
    )  # fmt: skip
    return table(head, rows)


def _failed(run: Steady) -> str:
    pipe = shown(".0f", *run.figures.pipe_ms[:2])
    return f"{run.due_per_s:,.0f}: {100 * run.delivered:.0f} % delivered" + (f", pipe {pipe} ms" if pipe else "")


def outage_table(runs: Sequence[Outage]) -> str:
    rows = [
        [
            NAMES[run.peer],
            f"{run.count}, {run.stopped_s:g} s",
            f"{100 * run.missing_before:.2f} / {100 * run.missing_outage:.2f}",
            f"{run.lost_s:.2f}",
            str(run.lost_rows) if run.peer == "vigil" else "",
            str(run.repeats),
            str(run.wrong + run.disordered),
            shown(".2f", run.first_live_s),
            shown(".2f", run.drained_s),
        ]
        for run in runs
    ]
    head = (
        "peer", "slaves, broker stopped", "missing % before / in the outage", "lost, seconds' worth", "rows lost",
        "repeats", "wrong or out of order", "first live sample s", "backlog drained s",
    )  # fmt: skip
    return table(head, rows)


def silence_table(runs: Sequence[Silence]) -> str:
    rows = [
        [
            NAMES[run.peer],
            str(run.count),
            shown(".1f", run.pipe_before_ms[1], run.pipe_during_ms[1]),
            shown(".2f", run.p99_ratio),
            f"{100 * run.missing_before:.2f} / {100 * run.missing_during:.2f}",
            str(run.wrong),
            shown(".2f", run.all_back_s),
        ]
        for run in runs
    ]
    head = (
        "peer", "slaves", "healthy pipe p99 ms before / during", "ratio", "healthy missing % before / during", "wrong",
        "silent ones all back s",
    )  # fmt: skip
    return table(head, rows)


def serial_table(found: Sequence[Found]) -> str:
    rows = [
        [
            line.setting.name,
            shown("g", line.requests),
            shown(".1f", line.best_ms),
            shown(".1f", line.wire_ms),
            shown(".3f", line.efficiency),
            shown(".3f", line.cycle_ratio),
            shown(".2f", *line.idle_ms),
            str(line.transactions),
            "" if line.dead_share is None else f"{100 * line.dead_share:.2f} %",
        ]
        for line in found
    ]
    head = (
        "map - baud - turnaround ms", "requests per poll", "best plan ms", "ours ms", "best / ours",
        "line time / time taken", "own idle p50 / p90 / p99 ms", "transactions", "dead units' share",
    )  # fmt: skip
    return table(head, rows)


def _median(values: Sequence[float]) -> float:
    """The middle of those that were measured."""
    return statistics.median([value for value in values if not isnan(value)] or [nan])


def _grouped(runs: Sequence[Steady]) -> list[list[Steady]]:
    groups: dict[tuple[str, int, int], list[Steady]] = {}
    for run in runs:
        groups.setdefault((run.peer, run.count, run.interval_us), []).append(run)
    return list(groups.values())
