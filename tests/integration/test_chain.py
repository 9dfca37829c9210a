"""The whole chain as a user runs it: simulator, gateway and ingest as processes, a real broker, a real database."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from tests.integration.expected_rows import expected
from tests.integration.influx_rows import everything, field_types
from tests.processes import Vigil, run
from tests.servers import Influxd, Mosquitto, free_port

SITE = """
schema: 1
site:
  id: depot-07
  name: {{zh: 城东库, en: Chengdong}}
  kind: warehouse
  location: {{lat: 36.62, lon: 101.8}}
  timezone: Asia/Shanghai
  labels: {{city: xi ning, county: "cheng,dong"}}
lines:
  bus: {{serial: {folder}/ports/bus, baudrate: 19200}}
  lan: {{tcp: "127.0.0.1:{tcp}"}}
devices:
  - {{id: gen-1, kind: generator, profile: smartgen/hgm6100n, line: bus, unit: 1, interval: 1s, timeout: 500ms}}
  - {{id: climate-1, kind: sensor, profile: generic/xy-md02, line: bus, unit: 2, interval: 1s, timeout: 500ms}}
  - id: tank-1
    kind: tank
    line: lan
    unit: 1
    interval: 500ms
    points:
      level: {{at: "holding:40", type: float32, order: CDAB, unit: m, range: [0, 4], report: poll}}
      leak: {{at: "coil:7"}}
      counter: {{at: "input:0", type: uint64}}
      mode: {{at: "holding:50", enum: {{0: auto, 1: manual}}}}
  - id: ghost-1
    kind: pump
    line: lan
    unit: 77
    interval: 1s
    timeout: 200ms
    points:
      current: {{at: "holding:1", unit: A}}
required: {{generator: 1}}
report: {{every: 3s}}
uplink:
  mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
state_dir: state
"""
SILENT = """
schema: 1
name: {zh: 无应答, en: A silent unit}
events:
  - {at: 100ms, fault: silent, of: ghost-1, for: 10m}
"""
INGEST = """
schema: 1
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", share: vigil, confirm: true}}
influx: {{url: "http://127.0.0.1:{influx}", api: v1, database: vigil}}
state_dir: ingest
"""


class Recorder:
    """Keeps every message of the broker, as it came."""

    def __init__(self, port: int) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("vigil/v1/#", qos=1)
        self._client.loop_start()

    def _take(self, _client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        if message.payload:
            self.messages.append((message.topic, json.loads(message.payload)))

    def wait_until(self, enough: Any, timeout_s: float = 40) -> None:
        give_up = time.monotonic() + timeout_s
        while not enough(self.messages):
            assert time.monotonic() < give_up, f"only {len(self.messages)} messages: {self.messages[-3:]}"
            time.sleep(0.05)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def on(messages: list[tuple[str, dict[str, Any]]], channel: str) -> list[tuple[str, dict[str, Any]]]:
    return [each for each in messages if each[0].endswith(channel)]


@pytest.mark.timeout(180)
def test_every_published_message_is_in_the_database_and_nothing_else(
    tmp_path: Path, mosquitto: Mosquitto, influxd: Influxd
) -> None:
    site, ingest = tmp_path / "site.yaml", tmp_path / "ingest.yaml"
    site.write_text(SITE.format(folder=tmp_path, tcp=free_port(), mqtt=mosquitto.port))
    ingest.write_text(INGEST.format(mqtt=mosquitto.port, influx=influxd.port))
    scenario = tmp_path / "silent.yaml"
    scenario.write_text(SILENT)
    (tmp_path / "ports").mkdir()
    assert run("check", site).returncode == 0
    recorder = Recorder(mosquitto.port)
    with Vigil(tmp_path, "simulate", site, "--scenario", scenario, name="simulate") as simulate:
        simulate.wait_for("tcp:127.0.0.1")
        with (
            Vigil(tmp_path, "ingest", ingest, name="ingest") as ingesting,
            Vigil(tmp_path, "run", site, name="gateway") as gateway,
        ):
            recorder.wait_until(lambda messages: len(on(messages, "tank-1/telemetry")) >= 12)
            recorder.wait_until(lambda messages: len(on(messages, "_gateway/telemetry")) >= 1)
            recorder.wait_until(lambda messages: len(on(messages, "_gateway/stored")) >= 3)
            last = max(sequence(payload) for _, payload in recorder.messages if "id" in payload)
            recorder.wait_until(lambda messages: last in stored(messages))
            assert gateway.stop() == 0, gateway.printed()
            recorder.wait_until(
                lambda messages: ("offline", None) in [(m.get("state"), m.get("id")) for _, m in messages]
            )
            published = {each["id"]: (topic, each) for topic, each in recorder.messages if "id" in each}
            recorder.wait_until(lambda messages: {sequence(each) for _, each in published.values()} <= stored(messages))
            assert ingesting.stop() == 0, ingesting.printed()
    recorder.close()

    wanted: dict[str, dict[Any, dict[str, object]]] = {}
    for topic, payload in published.values():
        for measurement, key, fields in expected(topic, payload):
            wanted.setdefault(measurement, {})[key] = fields
    found = everything(influxd)
    assert found == wanted

    types = field_types(influxd)
    assert types["tank"] == {"level": "float", "leak": "boolean", "counter": "float", "mode": "string"}
    assert types["readiness"]["ready"] == "float"
    assert types["gateway"]["version"] == "string"
    ghost = {key[0] for key in found["point_quality"] if ("device", "ghost-1") in key}
    assert len(ghost) >= 1
    assert {row["status"] for key, row in found["point_quality"].items() if ("device", "ghost-1") in key} == {
        "BadTimeout"
    }
    states = {payload["state"] for topic, payload in published.values() if topic.endswith("ghost-1/readiness")}
    assert states == {"unknown"}


def sequence(payload: dict[str, Any]) -> int:
    return int(payload["id"].rpartition("-")[2])


def stored(messages: list[tuple[str, dict[str, Any]]]) -> set[int]:
    """Every sequence number ingest called stored."""
    ranges = [pair for _, payload in on(messages, "_gateway/stored") for pair in payload["done"]]
    return {number for first, last in ranges for number in range(first, last + 1)}
