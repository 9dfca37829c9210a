"""The daemon killed at random moments of an alarm's life: what the broker heard is what the journal says."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from gateway.alarms.chain import verify
from gateway.store.trail import walk
from tests.fakes.registers import Registers
from tests.integration.mqtt_peer import Peer, eventually, peer
from tests.processes import Vigil
from tests.servers import Mosquitto

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse}}
lines: {{lan: {{tcp: "127.0.0.1:{modbus}"}}}}
devices:
  - {{id: pump-1, kind: pump, line: lan, unit: 1, interval: 100ms, points: {{
      our_level: {{at: "holding:0"}}, our_pressure: {{at: "holding:1"}}, our_trip: {{at: "holding:2"}}}}}}
rules: [rules.yaml]
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", confirm: broker}}}}
operators_file: operators
clock: {{hardware: trusted}}
"""
RULES = """
schema: 1
kind: pump
name: {zh: 试验, en: Test}
rules:
  our_level_low: &rule
    text: {zh: 水位低, en: Level low}
    action: {zh: 查看, en: Look}
    role: duty
    levels: [{priority: high, raise: our_level < 20, clear: our_level >= 30}]
  our_pressure_low:
    text: {zh: 压力低, en: Pressure low}
    action: {zh: 查看, en: Look}
    role: duty
    levels: [{priority: medium, raise: our_pressure < 20, clear: our_pressure >= 30, on: 300ms, off: 200ms}]
  our_pump_tripped:
    text: {zh: 水泵跳闸, en: Pump tripped}
    action: {zh: 复位, en: Reset it}
    role: duty
    latched: true
    levels: [{priority: critical, raise: our_trip == 1}]
"""
ROUNDS = 6
HOLDS = {"our_level_low": (0, 5, 80), "our_pressure_low": (1, 5, 80), "our_pump_tripped": (2, 1, 0)}


def heard_alarms(link: Peer) -> list[tuple[str, dict[str, Any]]]:
    found = [(topic.rpartition("/")[2], payload) for topic, payload in link.heard if "/alarm/" in topic and payload]
    return [(rule, json.loads(payload)) for rule, payload in found]


@pytest.mark.timeout(300)
async def test_a_daemon_killed_at_any_moment_neither_loses_nor_repeats(mosquitto: Mosquitto, tmp_path: Path) -> None:
    chance = random.Random(20261122)
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("duty-1!")
    (tmp_path / "operators").write_text(f"duty-1 operator {hashed}\n", "utf-8")
    (tmp_path / "rules.yaml").write_text(RULES, "utf-8")
    site = tmp_path / "site.yaml"
    async with Registers(80, 80, 0) as plant, peer(mosquitto, "vigil/v1/#") as link:
        site.write_text(SITE.format(modbus=plant.port, mqtt=mosquitto.port), "utf-8")
        for number in range(ROUNDS):
            with Vigil(tmp_path, "run", site) as running:
                asked = plant.answers
                await eventually(lambda: plant.answers > asked + 2)  # noqa: B023
                for step in range(3):
                    register, low, high = HOLDS[chance.choice(tuple(HOLDS))]
                    plant.values[register] = low if plant.values[register] == high else high
                    order = {"rule": chance.choice(tuple(HOLDS)), "note": "seen"}
                    act = chance.choice(("ack", "ack", "reset"))
                    command = {"id": f"c-{number}-{step}", "cmd": act, "args": order, "by": "duty-1", "auth": "duty-1!"}
                    await link.publish("vigil/v1/depot-1/pump-1/cmd", command)
                    await asyncio.sleep(chance.random() * 0.4)
                running.stop(signal.SIGKILL)
        with Vigil(tmp_path, "run", site) as running:
            for register, _, high in HOLDS.values():
                plant.values[register] = high

            def is_quiet() -> bool:
                last = {rule: alarm["state"] for rule, alarm in heard_alarms(link)}
                return not any(state in ("UNACK", "ACKED") for state in last.values())

            asked, began = plant.answers, time.monotonic()
            await eventually(lambda: plant.answers > asked + 10 and is_quiet())
            assert time.monotonic() - began < 60
            journal = tmp_path / "state" / "journal.db"
            told = transitions(journal)
            wanted = {(each["after"]["rule"], each["ts"]) for each in told}
            await eventually(lambda: wanted <= {(rule, alarm["ts"]) for rule, alarm in heard_alarms(link)})
            assert running.stop() == 0
    compare(journal, heard_alarms(link))


def transitions(journal: Path) -> list[dict[str, Any]]:
    found = [json.loads(entry.body) for entry in walk(journal)]
    return [each for each in found if each["type"] == "alarm"]


def compare(journal: Path, heard: list[tuple[str, dict[str, Any]]]) -> None:
    """The journal is whole, it has what the broker heard, and each alarm goes from state to state."""
    assert verify(walk(journal)).flaw is None
    told = transitions(journal)
    assert len(told) > ROUNDS, "something happened"
    states: dict[str, str] = {}
    for each in told:
        rule = each["after"]["rule"]
        assert each["before"] == states.get(rule, "NORMAL")
        states[rule] = each["after"]["condition"]
    journalled = {(each["after"]["rule"], each["ts"]): each["after"]["condition"] for each in told}
    assert len(journalled) == len(told), "no two transitions share a millisecond"
    identities: dict[tuple[str, int], str] = {}
    for rule, alarm in heard:
        assert journalled[rule, alarm["ts"]] == alarm["state"], "nothing was told that is not on disk"
        assert identities.setdefault((rule, alarm["ts"]), alarm["id"]) == alarm["id"], "what came twice is the same"
    assert identities.keys() == journalled.keys()
    for rule in HOLDS:
        raised = [each for each in told if each["after"]["rule"] == rule and each["event"] in ("raise", "return")]
        assert all(one["event"] != other["event"] for one, other in pairwise(raised))
