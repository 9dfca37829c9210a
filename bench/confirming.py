"""Stands for ingest, so that the gateway's outbox does all its work: says of every message that it is stored, without
storing it. `python -m bench.confirming PORT SITE`. What `vigil ingest` costs is no part of the gateway's figures."""

from __future__ import annotations

import json
import re
import signal
import sys
import time

from bench.mini_mqtt import Subscriber

EVERY_S = 0.1
_ID = re.compile(rb'^\{"id":"([0-9a-f]{12})-(\d+)"')


def main() -> None:
    port, site = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    prefix = f"vigil/v1/{site}/+/"
    channels = ("telemetry", "readiness", "event", "alarm/+")
    subscriber = Subscriber(int(port), "bench-ingest", *(prefix + channel for channel in channels))
    waiting: dict[str, list[int]] = {}
    due = time.monotonic() + EVERY_S
    while True:
        for _, _, payload in subscriber.poll(max(0.0, due - time.monotonic())):
            found = _ID.match(payload)
            if found is not None:
                waiting.setdefault(found[1].decode(), []).append(int(found[2]))
        if time.monotonic() < due:
            continue
        due = time.monotonic() + EVERY_S
        for outbox, numbers in waiting.items():
            message = json.dumps({"outbox": outbox, "done": _ranges(numbers)})
            subscriber.publish(f"vigil/v1/{site}/_gateway/stored", message.encode())
        waiting.clear()


def _ranges(numbers: list[int]) -> list[list[int]]:
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


if __name__ == "__main__":
    main()
