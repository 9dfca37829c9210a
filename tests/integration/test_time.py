"""A gateway on a board without a clock chip: what leaves it, when, and with which times. Real broker, real store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Gateway, load
from gateway.store import StoreOptions, open_store
from gateway.timekeeping.boot import Boot
from gateway.timekeeping.keeper import RELEASED_MS, UNSEEN_MS
from tests.fakes.hand_clock import RunningClock
from tests.fakes.modbus_units import ModbusUnits
from tests.integration.mqtt_peer import Peer, eventually, peer
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
    points: {{level: {{at: "holding:4", unit: m, report: poll}}, other: {{at: "holding:5", unit: m}}}}
uplink:
  mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", confirm: broker}}
clock: {{hardware: none}}
"""
NOW = RELEASED_MS + 86_400_000
"""The true time; the board wakes up in 1970."""


@asynccontextmanager
async def gateway(folder: Path, units: ModbusUnits, broker: Mosquitto, clock: RunningClock) -> AsyncIterator[Gateway]:
    file = folder / "site.yaml"
    file.write_text(SITE.format(port=units.port, mqtt=broker.port))
    site = load(file)
    store = open_store(site.state_dir, StoreOptions(commit_interval_s=0.05), wall_ms=lambda: NOW)
    found = Gateway(site, store, clock)
    running = asyncio.create_task(found.run())
    try:
        yield found
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        store.close()


def heard(watching: Peer, channel: str) -> list[dict[str, Any]]:
    return [json.loads(payload) for topic, payload in watching.heard if topic.endswith(channel) and payload]


def number(message: dict[str, Any]) -> int:
    return int(message["id"].rpartition("-")[2])


async def test_rows_wait_for_the_clock_and_get_their_true_times(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with ModbusUnits(1) as units, peer(mosquitto, "vigil/v1/#") as watching:
        clock = RunningClock(0)
        async with gateway(tmp_path, units, mosquitto, clock) as it:
            await units.wait_asked(1, 5)
            await eventually(lambda: heard(watching, "_gateway/status"))
            await it.store.flush()
            assert not heard(watching, "tank-1/telemetry")
            assert not heard(watching, "readiness")
            assert it.store.outbox.counts().rows >= 5

            clock.set(NOW, synced=True)
            up_ms = round(clock.monotonic() * 1000)
            await eventually(lambda: len(heard(watching, "tank-1/telemetry")) >= 8)
            await eventually(lambda: heard(watching, "tank-1/readiness"))
            telemetry = sorted(heard(watching, "tank-1/telemetry"), key=number)
            assert {message["clock"] for message in telemetry} == {"synced"}
            times = [message["ts"] for message in telemetry]
            assert times == sorted(times)
            assert NOW - up_ms <= times[0] < NOW, "the first is from before the clock was set"
            assert telemetry[0]["backlog"] is True
            first = min(heard(watching, "tank-1/readiness"), key=number)
            assert first["valid_until"] - first["ts"] == 180_000
            assert NOW - up_ms <= first["since"] <= first["ts"] < NOW + 60_000
            (*_, status) = heard(watching, "_gateway/status")
            assert NOW - up_ms <= status["since"] < NOW
            await it.store.flush()
            samples = await it.store.history.samples("tank-1", "level", 0, NOW * 2)
            assert [sample.ts for sample in samples[:8]] == times[:8]


async def test_after_the_wait_they_go_out_as_free(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with ModbusUnits(1) as units, peer(mosquitto, "vigil/v1/#") as watching:
        clock = RunningClock(0)
        async with gateway(tmp_path, units, mosquitto, clock):
            await units.wait_asked(1, 3)
            clock.up_s = 600.0
            await eventually(lambda: len(heard(watching, "tank-1/telemetry")) >= 5)
            assert {message["clock"] for message in heard(watching, "tank-1/telemetry")} == {"free"}


async def test_what_one_boot_held_goes_out_in_the_next_behind_what_was_known(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ModbusUnits(1) as units:
        async with gateway(tmp_path, units, mosquitto, RunningClock(NOW, synced=True)) as it:
            await units.wait_asked(1, 3)
            await it.store.flush()
            known = it.store.outbox.last_ts
        mosquitto.stop()
        monkeypatch.setattr("gateway.app.this_boot", lambda: Boot("boot-b", False))
        async with gateway(tmp_path, units, mosquitto, RunningClock(0)) as it:
            await units.wait_asked(1, 3)
            await it.store.flush()
            held = it.store.outbox.last_ts
            assert known + UNSEEN_MS < held < known + UNSEEN_MS + 60_000
        mosquitto.start()
        monkeypatch.setattr("gateway.app.this_boot", lambda: Boot("boot-c", False))
        listening, third = peer(mosquitto, "vigil/v1/#"), gateway(tmp_path, units, mosquitto, RunningClock(0))
        async with listening as watching, third as it:
            await eventually(lambda: [each for each in heard(watching, "tank-1/telemetry") if each["ts"] > known])
            await units.wait_asked(1, 3)
            free = [each for each in heard(watching, "tank-1/telemetry") if each["ts"] > known]
            assert {each["clock"] for each in free} == {"free"}
            assert max(each["ts"] for each in free) <= held, "what this boot sees still waits"
            assert it.clock.wall_ms() > held


async def test_a_restart_in_the_same_boot_goes_on_holding(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with ModbusUnits(1) as units, peer(mosquitto, "vigil/v1/#") as watching:
        clock = RunningClock(0)
        async with gateway(tmp_path, units, mosquitto, clock):
            await units.wait_asked(1, 3)
        async with gateway(tmp_path, units, mosquitto, clock) as it:
            await units.wait_asked(1, 3)
            assert not heard(watching, "tank-1/telemetry")
            await it.store.flush()
            waiting = it.store.outbox.counts().rows
            clock.set(NOW, synced=True)
            up_ms = round(clock.monotonic() * 1000)
            await eventually(lambda: len(heard(watching, "telemetry")) >= waiting - 2)
        times = [each["ts"] for each in sorted(heard(watching, "tank-1/telemetry"), key=number)]
        assert times == sorted(times)
        assert times[0] >= NOW - up_ms


@pytest.mark.parametrize("step_ms", [3_600_000, -3_600_000])
async def test_a_step_of_the_clock_changes_labels_only(tmp_path: Path, mosquitto: Mosquitto, step_ms: int) -> None:
    async with ModbusUnits(1) as units, peer(mosquitto, "vigil/v1/#") as watching:
        clock = RunningClock(NOW, synced=True)
        async with gateway(tmp_path, units, mosquitto, clock):
            await eventually(lambda: len(heard(watching, "tank-1/telemetry")) >= 3)
            before = len(heard(watching, "tank-1/telemetry"))
            clock.set(clock.wall_ms() + step_ms, synced=True)
            await eventually(lambda: len(heard(watching, "tank-1/telemetry")) >= before + 5)
            told = {number(message): message for message in heard(watching, "tank-1/telemetry")}
            messages = [told[seq] for seq in sorted(told)]  # one that is confirmed just then may come twice
            steps = [two["ts"] - one["ts"] for one, two in pairwise(messages)]
            assert len([each for each in steps if abs(each - step_ms) < 60_000]) == 1
            assert [each for each in messages if "other" in each["v"]] == messages[:1], "nothing is sent again"
