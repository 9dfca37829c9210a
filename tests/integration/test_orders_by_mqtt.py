"""Commands by MQTT to a running gateway with a real broker and a real device: arm, write, and everything refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from tests.integration.mqtt_peer import Peer, peer
from tests.integration.test_modbus_servers import libmodbus
from tests.processes import Vigil
from tests.servers import Mosquitto, free_port

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse}}
lines: {{lan: {{tcp: "127.0.0.1:{modbus}"}}}}
devices:
  - id: pump-1
    kind: pump
    line: lan
    unit: 1
    interval: 300ms
    points:
      setpoint: {{at: "holding:20", scale: 0.1, unit: Hz, write: {{roles: [engineer]}}}}
      state: {{at: "holding:1", enum: {{1: idle, 2: busy}}}}
    write: {{setpoint: {{range: [0, 50]}}}}
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", confirm: broker}}}}
operators_file: operators
state_dir: state
"""


@pytest.fixture
def gateway(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[Vigil]:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    lines = [f"{name} {role} {hasher.hash(name + '!')}" for name, role in (("eng", "engineer"), ("guest", "visitor"))]
    (tmp_path / "operators").write_text("\n".join(lines) + "\n", encoding="utf-8")
    port = free_port()
    site = tmp_path / "site.yaml"
    site.write_text(SITE.format(modbus=port, mqtt=mosquitto.port), encoding="utf-8")
    with libmodbus("tcp", str(port)), Vigil(tmp_path, "run", site) as running:
        yield running


class Person:
    """Sends commands and waits for their answers."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.count = 0

    async def ask(self, cmd: str, args: dict[str, Any], *, id_: str | None = None, **more: str) -> dict[str, Any]:
        self.count += 1
        id_ = id_ or f"c-{self.count}"
        heard = len(self.replies(id_))
        order = {"id": id_, "cmd": cmd, "args": args, "by": "eng", "auth": "eng!"} | more
        await self.peer.publish("vigil/v1/depot-1/pump-1/cmd", order)
        await self.peer.until(lambda: len(self.replies(id_)) > heard)
        return self.replies(id_)[-1]

    def replies(self, id_: str) -> list[dict[str, Any]]:
        found = [json.loads(payload) for topic, payload in self.peer.heard if topic.endswith("/cmd/reply")]
        return [reply for reply in found if reply["id"] == id_]

    def writes(self) -> list[dict[str, Any]]:
        found = [json.loads(payload) for topic, payload in self.peer.heard if topic.endswith("/event")]
        return [event["data"] for event in found if event["type"] == "write"]

    def shown(self) -> object:
        found = [json.loads(payload)["v"] for topic, payload in self.peer.heard if topic.endswith("pump-1/telemetry")]
        return next((values["setpoint"] for values in reversed(found) if "setpoint" in values), None)


async def test_orders_by_mqtt(gateway: Vigil, mosquitto: Mosquitto) -> None:
    async with peer(mosquitto, "vigil/v1/#") as link:
        person = Person(link)
        await link.until(lambda: person.shown() == 2)
        order = {"point": "setpoint", "value": 35.5}
        for words, args, error in (
            ({"auth": "guess"}, order, "not_allowed"),
            ({"by": "nobody"}, order, "not_allowed"),
            ({"by": "guest", "auth": "guest!"}, order, "not_allowed"),
            ({}, order, "arm_required"),
            ({}, {**order, "arm": "0" * 16}, "arm_expired"),
            ({}, {**order, "value": 51}, "out_of_range"),
            ({}, {**order, "value": 35.55}, "bad_value"),
            ({}, {**order, "value": "35.5"}, "bad_value"),
            ({}, {"point": "state", "value": "busy"}, "not_allowed"),
            ({}, {"point": "none", "value": 1}, "no_such_point"),
            ({}, {"point": "setpoint"}, "bad_request"),
        ):
            reply = await person.ask("write", args, **words)
            assert (reply["ok"], reply["error"]) == (False, error)
            assert set(reply["text"]) == {"zh", "en"}
        armed = await person.ask("arm", order)
        assert (armed["ok"], armed["data"]["before"]) == (True, 2)
        done = await person.ask("write", {**order, "arm": armed["data"]["arm"]}, id_="w-1")
        assert (done["ok"], done["data"]) == (True, {"before": 2, "after": 35.5})
        again = await person.ask("write", {**order, "arm": armed["data"]["arm"]}, id_="w-1")
        assert again["error"] == "repeated"
        await link.until(lambda: person.shown() == 35.5 and len(person.writes()) == 2)
        first, second = person.writes()
        assert (first["result"], first["by"], first["via"], first["order"]) == ("started", "eng", "mqtt", "w-1")
        assert (second["result"], second["value"], second["after"]) == ("done", "35.5", "35.5")
        assert float(second["before"]) == 2
    assert "eng!" not in gateway.printed()
