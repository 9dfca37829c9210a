"""What was lost is told by an event that says how well it could be counted."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Gateway, load
from gateway.store import Store, StoreOptions, open_store
from tests.fakes.modbus_units import ModbusUnits
from tests.servers import free_port

SITE = """
schema: 1
site: {{id: depot-07, name: {{zh: 库, en: Depot}}, kind: warehouse, timezone: Asia/Shanghai}}
lines:
  lan: {{tcp: "127.0.0.1:{modbus}"}}
devices:
  - id: tank-1
    kind: tank
    line: lan
    unit: 1
    interval: 100ms
    points: {{level: {{at: "holding:4", unit: m, report: poll}}}}
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{nobody}"}}}}
clock: {{hardware: trusted}}
"""


async def told(store: Store, type_: str) -> list[tuple[str, dict[str, Any]]]:
    """Topic and data of all events of a type."""
    await store.flush()
    rows = [row for row in await store.outbox.backlog((-1, -1), 10_000) if row.topic.endswith("/event")]
    events = [(row.topic, json.loads(b"{" + row.body)) for row in rows]
    return [(topic, event["data"]) for topic, event in events if event["type"] == type_]


async def gaps_of(folder: Path, options: StoreOptions, polls: int) -> list[tuple[str, dict[str, Any]]]:
    """Run a site until it has told of a gap."""
    async with ModbusUnits(1) as units:
        file = folder / "site.yaml"
        file.write_text(SITE.format(modbus=units.port, nobody=free_port()))
        site = load(file)
        store = open_store(site.state_dir, options)
        running = asyncio.create_task(Gateway(site, store).run())
        try:
            await units.wait_asked(1, polls)
            found: list[tuple[str, dict[str, Any]]] = []
            async with asyncio.timeout(60):
                while not found:
                    await units.wait_asked(1, 1)
                    found = await told(store, "gap")
            return found
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            store.close()


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.house.LOOK_S", 0.1)


async def test_rows_of_a_file_that_cannot_be_read_are_not_counted(tmp_path: Path) -> None:
    state = tmp_path / "state"
    open_store(state).close()
    file = state / "telemetry.db"
    file.write_bytes(bytes(8192) + file.read_bytes()[8192:])
    ((topic, gap),) = await gaps_of(tmp_path, StoreOptions(commit_interval_s=0.05), 2)
    assert topic.endswith("/_gateway/event")
    assert gap == {"from": None, "to": None, "count": None, "why": "damage", "exact": False}


async def test_what_the_quota_takes_is_counted(tmp_path: Path) -> None:
    options = StoreOptions(commit_interval_s=0.05, telemetry_quota_bytes=1000)
    gaps = dict(await gaps_of(tmp_path, options, 20))
    assert gaps
    for gap in gaps.values():
        assert gap["why"] in ("thinned", "quota")
        assert gap["exact"] is True
        assert gap["count"] > 0
        assert gap["from"] <= gap["to"]
