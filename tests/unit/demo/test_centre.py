"""The demo's books count what devices sent, each sample once, and nothing the gateway says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.demo.centre import HistorySink
from gateway.ports import Fact
from gateway.store import open_store

BAD = {"status": "BadNotConnected"}


@pytest.mark.parametrize(
    ("fact", "samples"),
    [
        (Fact("generator", (("device", "gen-1"),), {"frequency": 50.0, "fuel_level": 61.0}, 1_000), 2),
        (Fact("point_quality", (("device", "gen-1"), ("point", "frequency")), BAD, 1_000), 1),
        (Fact("point_quality", (("device", "_gateway"), ("point", "cpu_temperature")), BAD, 1_000), 0),
        (Fact("gateway", (("device", "_gateway"),), {"uptime": 10.0}, 1_000), 0),
        (Fact("alarm", (("device", "gen-1"),), {"event": "raise"}, 1_000), 0),
    ],
)
async def test_samples_of_devices_are_counted_once(tmp_path: Path, fact: Fact, samples: int) -> None:
    store = open_store(tmp_path)
    try:
        sink = HistorySink(store.history)
        await sink.write([fact])
        await sink.write([fact])
        assert sink.samples == samples
        await sink.close()
    finally:
        store.close()
