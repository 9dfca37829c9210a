"""`python -m bench.backlog`: how fast a long backlog leaves, how late live messages are meanwhile, and at what cost."""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import sys
import tempfile
from pathlib import Path

from bench import machine
from tests.scenario.backlog import drain


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.backlog")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--tls", action="store_true", help="gateway and ingest speak TLS with the broker")
    parser.add_argument("--kills", type=int, default=0, help="how often the gateway is killed meanwhile")
    options = parser.parse_args()
    rows: int = options.rows
    with tempfile.TemporaryDirectory(prefix="vigil-backlog-") as folder:
        seen = drain(Path(folder), rows, machine.cpu_s, tls=options.tls, kills=options.kills)
    ages = sorted(seen.live_age_s)
    out_of_order = sum(second < first for first, second in zip(seen.order, seen.order[1:], strict=False))
    print(f"`python -m bench.backlog {shlex.join(sys.argv[1:])}`  ")
    print(f"{machine.describe()}; load average {os.getloadavg()[0]:.1f}")
    print(f"| rows | stored | out of order | drained in | rows/s | {' | '.join(seen.cpu_s)} |")
    print("|---|---|---|---|---|" + "---|" * len(seen.cpu_s))
    costs = " | ".join(f"{1e6 * used / rows:.0f} us/row" for used in seen.cpu_s.values())
    rate = rows / seen.took_s
    print(f"| {rows:,} | {seen.stored:,} | {out_of_order} | {seen.took_s:.1f} s | {rate:,.0f} | {costs} |")
    middle, worst = statistics.median(ages), ages[-1]
    print(
        f"{len(ages)} live messages meanwhile: {1000 * middle:.0f} ms old at the median, {1000 * worst:.0f} ms at most"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
