"""`python -m bench`: measure and print one page of tables; progress on stderr."""

from __future__ import annotations

import argparse
import datetime
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import machine, tables
from bench.faults import run_outage, run_silence
from bench.serial_lines import run_serial
from bench.stage import PEERS, Cores, choose_cores
from bench.steady import Steady, run_steady, search_rate

PARTS = ("steady", "rate", "outage", "silence", "turnaround", "serial")
_SHORTER_MS = (
    *(800, 700, 600, 500, 450, 400, 350, 300, 270, 240, 220, 200),
    *(180, 160, 140, 120, 100, 80, 60, 50, 40, 30),
)
#: Slaves and interval in microseconds, up to what a core can do.
LOADS = [
    *((count, 1_000_000) for count in (100, 200, 300, 400, 500, 600, 800, 1000)),
    *((1000, interval_ms * 1000) for interval_ms in _SHORTER_MS),
]


@dataclass(slots=True)
class Options:
    parts: list[str]
    peers: list[str]
    long: bool
    repeats: int
    from_tags: int
    cores: Cores
    pages: list[str] = field(default_factory=list)


def main() -> int:
    options = _options()
    if not Path("/usr/bin/mosquitto").exists() and not Path("/usr/sbin/mosquitto").exists():
        print("mosquitto is not installed: apt-get install mosquitto", file=sys.stderr)
        return 2
    started = datetime.datetime.now(datetime.UTC)
    print(f"## {started:%Y-%m-%d %H:%M} UTC\n")
    print(
        f"`python -m bench {shlex.join(sys.argv[1:])}`  \n{machine.describe()}; load average {os.getloadavg()[0]:.1f}"
    )
    print(f"{options.cores}\n", flush=True)
    for part in options.parts:
        print(_WORK[part](options), flush=True)
    return 0


def _steady(options: Options) -> str:
    runs: list[Steady] = []
    window_s = 60.0 if options.long else 15.0
    for _ in range(options.repeats):
        for count in (10, 50, 200):
            for peer in options.peers:
                _say(f"steady {peer} {count}")
                run = run_steady(options.cores, peer, count, 1_000_000, window_s)
                if run is not None:
                    runs.append(run)
    return f"### Every tag once a second, {window_s:g} s, {options.repeats} runs (medians)\n\n" + tables.steady_table(
        runs
    )


def _rate(options: Options) -> str:
    searches = []
    window_s = 20.0 if options.long else 10.0
    for peer in options.peers:
        loads = [load for load in LOADS if load[0] * 60e6 / load[1] >= options.from_tags]
        _say(f"rate {peer}")
        found = search_rate(options.cores, peer, window_s, loads)
        if found:
            searches.append(found)
    return f"### Highest sustained rate, {window_s:g} s at each load\n\n" + tables.rate_table(searches)


def _outage(options: Options) -> str:
    runs = []
    for peer in options.peers:
        _say(f"outage {peer}")
        run = run_outage(options.cores, peer, 200, 30.0, 60.0 if options.long else 20.0)
        if run is not None:
            runs.append(run)
    return "### Broker stopped and started again\n\n" + tables.outage_table(runs)


def _silence(options: Options) -> str:
    runs = []
    for peer in options.peers:
        _say(f"silence {peer}")
        run = run_silence(options.cores, peer, 50, 60.0 if options.long else 20.0)
        if run is not None:
            runs.append(run)
    return "### A fifth of the slaves silent\n\n" + tables.silence_table(runs)


def _turnaround(options: Options) -> str:
    runs = []
    for peer in options.peers:
        _say(f"turnaround {peer}")
        run = run_steady(options.cores, peer, 10, 1_000_000, 10.0, delay_us=20_000)
        if run is not None:
            runs.append(run)
    return "### Slaves that take 20 ms to answer\n\n" + tables.steady_table(runs)


def _serial(options: Options) -> str:
    _say("serial lines")
    seconds = 600.0 if options.long else 120.0
    found = run_serial(options.cores, seconds)
    return f"### Serial lines, {seconds:g} s after the first minute, all at once\n\n" + tables.serial_table(found)


_WORK: dict[str, Callable[[Options], str]] = {
    "steady": _steady,
    "rate": _rate,
    "outage": _outage,
    "silence": _silence,
    "turnaround": _turnaround,
    "serial": _serial,
}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--peers", default=",".join(PEERS), help="which, separated by commas")
    parser.add_argument("--long", action="store_true", help="longer windows")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each steady load")
    parser.add_argument("--from-tags", type=int, default=0, help="skip lower loads in the search for the highest rate")
    found = parser.parse_args()
    unknown = set(found.parts) - set(PARTS)
    if unknown or not set(found.peers.split(",")) <= set(PEERS):
        parser.error(f"parts are {', '.join(PARTS)}; peers are {', '.join(PEERS)}")
    return Options(
        parts=found.parts or list(PARTS),
        peers=[peer for peer in PEERS if peer in found.peers.split(",")],
        long=found.long,
        repeats=found.repeats,
        from_tags=found.from_tags,
        cores=choose_cores(),
    )


if __name__ == "__main__":
    sys.exit(main())
