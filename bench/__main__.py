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
from bench.extent import LONG, SHORT, Extent
from bench.faults import run_outage, run_silence
from bench.serial_lines import run_serial
from bench.stage import PEERS, Cores, choose_cores
from bench.steady import Steady, run_steady, search_rate

PARTS = ("steady", "rate", "outage", "silence", "turnaround", "serial")


@dataclass(slots=True)
class Options:
    parts: list[str]
    peers: list[str]
    extent: Extent
    from_tags: int
    cores: Cores

    def compared(self) -> list[str]:
        """The peers that are put through faults and the search for the highest rate."""
        return [peer for peer in self.peers if peer != "c" or self.extent.faults_in_c]

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
    took = datetime.datetime.now(datetime.UTC) - started
    print(
        f"Took {took.total_seconds() / 60:.1f} minutes; load average at the end {os.getloadavg()[0]:.1f}.", flush=True
    )
    return 0


def _steady(options: Options) -> str:
    runs: list[Steady] = []
    for count, window_s, repeats, with_floor in options.extent.steady:
        for _ in range(repeats):
            for peer in options.peers:
                if peer == "c" and not with_floor:
                    continue
                _say(f"steady {peer} {count}")
                run = run_steady(options.cores, peer, count, 1_000_000, window_s)
                if run is not None:
                    runs.append(run)
    return "### Every tag once a second (medians)\n\n" + tables.steady_table(runs)


def _rate(options: Options) -> str:
    searches = []
    extent = options.extent
    for peer in options.compared():
        loads = [load for load in extent.loads if load[0] * 60e6 / load[1] >= options.from_tags]
        _say(f"rate {peer}")
        found = search_rate(options.cores, peer, extent.rate_s, loads, extent.tries)
        if found:
            searches.append(found)
    return f"### Highest sustained rate, {extent.rate_s:g} s at each load\n\n" + tables.rate_table(searches)


def _outage(options: Options) -> str:
    runs = []
    for peer in options.compared():
        _say(f"outage {peer}")
        run = run_outage(options.cores, peer, 50, 30.0, options.extent.drain_s)
        if run is not None:
            runs.append(run)
    return "### Broker stopped and started again\n\n" + tables.outage_table(runs)


def _silence(options: Options) -> str:
    runs = []
    for peer in options.compared():
        _say(f"silence {peer}")
        run = run_silence(options.cores, peer, 50, options.extent.silence_s)
        if run is not None:
            runs.append(run)
    return "### A fifth of the slaves silent\n\n" + tables.silence_table(runs)


def _turnaround(options: Options) -> str:
    runs = []
    for peer in options.compared():
        _say(f"turnaround {peer}")
        run = run_steady(options.cores, peer, 10, 1_000_000, options.extent.turnaround_s, delay_us=20_000)
        if run is not None:
            runs.append(run)
    return "### Slaves that take 20 ms to answer\n\n" + tables.steady_table(runs)


def _serial(options: Options) -> str:
    seconds = options.extent.serial_s
    _say("serial lines")
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
    parser.add_argument("--long", action="store_true", help="more loads, repeats and longer windows: about two hours")
    parser.add_argument("--from-tags", type=int, default=0, help="skip lower loads in the search for the highest rate")
    found = parser.parse_args()
    unknown = set(found.parts) - set(PARTS)
    if unknown or not set(found.peers.split(",")) <= set(PEERS):
        parser.error(f"parts are {', '.join(PARTS)}; peers are {', '.join(PEERS)}")
    return Options(
        parts=found.parts or list(PARTS),
        peers=[peer for peer in PEERS if peer in found.peers.split(",")],
        extent=LONG if found.long else SHORT,
        from_tags=found.from_tags,
        cores=choose_cores(),
    )


if __name__ == "__main__":
    sys.exit(main())
