"""A site without an uplink keeps its history and its events, but no telemetry for nobody; an uplink that is configured
later gets the events of before, the states of now, and telemetry from then on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from gateway.app import Gateway, load
from gateway.reload.reloading import Reloading
from gateway.store import StoreOptions, open_store
from tests.fakes.modbus_units import ModbusUnits
from tests.integration.mqtt_peer import eventually, peer
from tests.servers import Mosquitto

SITE = """
schema: 1
site: {{id: depot-07, name: {{zh: 库, en: Depot}}, kind: warehouse, timezone: Asia/Shanghai}}
lines:
  lan: {{tcp: "127.0.0.1:{port}"}}
devices:
  - id: tank-1
    kind: tank
    line: lan
    unit: 1
    interval: 100ms
    points: {{level: {{at: "holding:4", unit: m, report: poll}}}}
clock: {{hardware: trusted}}
"""


async def test_nothing_is_queued_for_nobody(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with ModbusUnits(1) as units, peer(mosquitto, "vigil/v1/#") as watching:
        file = tmp_path / "site.yaml"
        file.write_text(SITE.format(port=units.port))
        site = load(file)
        store = open_store(site.state_dir, StoreOptions(commit_interval_s=0.05))
        gateway = Gateway(site, store)
        running = asyncio.create_task(gateway.run())
        try:
            await units.wait_asked(1, 5)
            gateway.tell("something", {})
            await store.flush()
            await eventually(lambda: gateway.pipeline.counts.sent >= 5)
            rows = await store.outbox.backlog((-1, -1), 1000)
            assert [row.topic.rpartition("/")[2] for row in rows] == ["event"]
            began = gateway.clock.wall_ms() - 60_000
            assert len(await store.history.samples("tank-1", "level", began, began + 120_000)) >= 4

            file.write_text(file.read_text() + f'uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{mosquitto.port}"}}}}\n')
            reloaded_at = gateway.clock.wall_ms()
            assert (await Reloading(gateway, load, gateway.now).reload(keep=True)).kept
            told = dict[str, bytes]()
            wanted = {"event", "readiness", "telemetry"}

            def has_come() -> bool:
                told.update({topic.rpartition("/")[2]: payload for topic, payload in watching.heard})
                return wanted <= told.keys() and any(b'"something"' in payload for _, payload in watching.heard)

            await eventually(has_come)
            sent = [json.loads(payload) for topic, payload in watching.heard if topic.endswith("tank-1/telemetry")]
            assert min(message["ts"] for message in sent) >= reloaded_at, "telemetry starts with the uplink"
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            store.close()
