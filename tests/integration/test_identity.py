"""Two machines of one line exchanged while the gateway runs: no value of the wrong one is ever published."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.devices.recordings import RECORDINGS, Tables
from tests.devices.serving import device, tcp_server
from tests.fakes.modbus_units import ModbusUnits
from tests.integration.mqtt_peer import Peer, peer
from tests.processes import Vigil, run
from tests.servers import Mosquitto, free_port

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse, timezone: Asia/Shanghai}}
lines: {{lan: {{tcp: "127.0.0.1:{tcp}"}}}}
devices:
  - {{id: gen-1, kind: generator, profile: dse/gencomm, line: lan, unit: 1, interval: 500ms, timeout: 2s,
     identity: [{{at: "holding:770", type: uint32, equals: 20431}}], report: poll}}
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", confirm: broker}}}}
state_dir: state
"""


def machine(serial: int, fuel: int) -> Tables:
    """The same model with another serial number and another level."""
    recorded = next(each for each in RECORDINGS if each.name == "dse-gencomm/recording")
    return {"holding": dict(recorded.tables["holding"]) | {770: serial >> 16, 771: serial & 0xFFFF, 1027: fuel}}


def said(heard: Peer, channel: str) -> list[Mapping[str, Any]]:
    return [json.loads(payload) for topic, payload in heard.heard if topic.endswith(channel)]


async def test_exchanged_machines_are_noticed_and_told(tmp_path: Path, mosquitto: Mosquitto) -> None:
    port = free_port()
    site = tmp_path / "site.yaml"
    site.write_text(SITE.format(tcp=port, mqtt=mosquitto.port))
    async with peer(mosquitto, "vigil/v1/depot-1/gen-1/#") as heard:
        with Vigil(tmp_path, "run", site) as gateway:
            async with tcp_server(port, [device(1, machine(20431, 76))]):
                await heard.until(lambda: any("fuel_level" in each["v"] for each in said(heard, "/telemetry")))
            await heard.until(
                lambda: any(
                    each.get("bad", {}).get("fuel_level") == "BadNoCommunication" for each in said(heard, "/telemetry")
                )
            )
            async with tcp_server(port, [device(1, machine(20432, 5))]):
                await heard.until(
                    lambda: any(
                        each.get("bad", {}).get("fuel_level") == "BadConfigurationError"
                        for each in said(heard, "/telemetry")
                    )
                )
                await heard.until(lambda: any(each["type"] == "wrong_device" for each in said(heard, "/event")))
                read = await asyncio.to_thread(run, "read", site, "gen-1", "fuel_level", "--json")
                assert json.loads(read.stdout)["points"][0]["value"] is None
            async with tcp_server(port, [device(1, machine(20431, 74))]):
                await heard.until(lambda: said(heard, "/telemetry")[-1]["v"].get("fuel_level") == 74)
                await heard.until(lambda: any(each["type"] == "device_identified" for each in said(heard, "/event")))
            assert await asyncio.to_thread(gateway.stop) == 0
    levels = {each["v"]["fuel_level"] for each in said(heard, "/telemetry") if "fuel_level" in each["v"]}
    assert levels == {76, 74}
    (told,) = [each["data"] for each in said(heard, "/event") if each["type"] == "wrong_device"]
    assert told["found"] == {"identity_0": 1, "identity_1": 20432}
    assert told["expected"] == {"identity_0": [1], "identity_1": [20431]}
    assert "wrong_device device=gen-1" in gateway.printed()


MARKED = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse, timezone: Asia/Shanghai}}
lines: {{lan: {{tcp: "127.0.0.1:{tcp}"}}}}
devices:
  - {{id: tank-1, kind: tank, line: lan, unit: 1, interval: 1s, timeout: 2s, report: poll,
     identity: [{{at: "holding:0", equals: 100}}], points: {{flow: {{at: "holding:40", unit: m3/h}}}}}}
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", confirm: broker}}}}
state_dir: state
"""


async def test_an_exchange_that_no_silence_shows_gives_no_value(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Another machine answers from one poll to the next, on the same connection."""
    site = tmp_path / "site.yaml"
    async with ModbusUnits(1) as units, peer(mosquitto, "vigil/v1/depot-1/tank-1/#") as heard:
        site.write_text(MARKED.format(tcp=units.port, mqtt=mosquitto.port))
        with Vigil(tmp_path, "run", site) as gateway:
            await heard.until(lambda: any("flow" in each["v"] for each in said(heard, "/telemetry")))
            units.holds[1] = 777
            await heard.until(lambda: any(each["type"] == "wrong_device" for each in said(heard, "/event")))
            await heard.until(
                lambda: said(heard, "/telemetry")[-1].get("bad", {}).get("flow") == "BadConfigurationError"
            )
            assert units.connections == 1
            assert await asyncio.to_thread(gateway.stop) == 0
    assert {each["v"]["flow"] for each in said(heard, "/telemetry") if "flow" in each["v"]} == {100}


WRONG_PROFILE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse, timezone: Asia/Shanghai}}
lines: {{lan: {{tcp: "127.0.0.1:{tcp}"}}}}
devices:
  - {{id: meter-1, kind: meter, profile: {profile}, line: lan, unit: 1, interval: 200ms, timeout: 2s, report: poll}}
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", confirm: broker}}}}
state_dir: state
"""


@pytest.mark.parametrize("profile", ["chint/dtsu666", "acrel/adw300"])
async def test_a_wrong_profile_is_told_and_the_right_one_is_not(
    profile: str, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    port = free_port()
    right, wrong = tmp_path / "right.yaml", tmp_path / "wrong.yaml"
    right.write_text(WRONG_PROFILE.format(tcp=port, mqtt=mosquitto.port, profile="eastron/sdm630"))
    wrong.write_text(WRONG_PROFILE.format(tcp=port, mqtt=mosquitto.port, profile=profile))
    meter = next(each for each in RECORDINGS if each.name == "eastron-sdm630/recording")
    async with (
        tcp_server(port, [device(1, meter.tables)]),
        peer(mosquitto, "vigil/v1/depot-1/meter-1/#") as heard,
    ):
        with Vigil(tmp_path, "run", right, name="right") as gateway:
            await heard.until(lambda: len(said(heard, "/telemetry")) > 4)
            assert await asyncio.to_thread(gateway.stop) == 0
        assert "model_doubtful" not in gateway.printed()
        with Vigil(tmp_path, "run", wrong, name="wrong") as gateway:
            await heard.until(lambda: any(each["type"] == "model_doubtful" for each in said(heard, "/event")))
            assert await asyncio.to_thread(gateway.stop) == 0
    (told,) = [each["data"] for each in said(heard, "/event") if each["type"] == "model_doubtful"]
    assert len(told["points"]) >= 2
    assert "model_doubtful device=meter-1" in gateway.printed()
