"""Writes down every message with the time it came: `python -m bench.recorder PORT FILE FILTER`, until SIGTERM."""

from __future__ import annotations

import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.mini_mqtt import Subscriber

_HEAD = struct.Struct("<QHI")


def main() -> None:
    port, path, *filters = sys.argv[1:]
    ended = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    signal.signal(signal.SIGTERM, end)
    subscriber = Subscriber(int(port), "bench-recorder", *filters)
    topics: set[str] = set()
    with Path(path).open("wb", buffering=1 << 20) as out:
        while not ended:
            for at_us, topic, payload in subscriber.poll(0.1):
                name = topic.encode()
                if topic not in topics and _is_of_a_slave(topic):
                    topics.add(topic)
                    seen(Path(path)).write_text(str(len(topics)))
                out.write(_HEAD.pack(at_us, len(name), len(payload)) + name + payload)


def _is_of_a_slave(topic: str) -> bool:
    return topic.startswith("bench/") or (topic.endswith("/telemetry") and "/_" not in topic)


def seen(path: Path) -> Path:
    """Where the recorder tells of how many slaves it has heard."""
    return path.with_suffix(".seen")


def read(path: Path) -> Iterator[tuple[int, str, bytes]]:
    """Arrival (us), topic and payload of each message, in order of arrival."""
    data, at = path.read_bytes(), 0
    while at + _HEAD.size <= len(data):
        at_us, name, size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        yield at_us, data[at : at + name].decode(), data[at + name : at + name + size]
        at += name + size


if __name__ == "__main__":
    main()
