"""Every kind of equipment from registers to MQTT and the database: ready, degraded, not ready, ready, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.model import Value
from tests.integration.influx_rows import rows
from tests.integration.mqtt_peer import eventually, peer
from tests.processes import Vigil
from tests.rules.test_scenarios import STORIES
from tests.scenario.plants import Heard, Machines, at_once, machines, site_file
from tests.servers import Influxd, Mosquitto

IDS = {name: name.replace(" ", "-").replace("_", "-") for name in STORIES}
EQUIPMENT: dict[str, tuple[str, dict[str, Value]]] = {
    IDS[name]: (kind, dict(facts))  # type: ignore[arg-type]
    for name, (kind, facts, _) in STORIES.items()
}
RULES = {rule for _, _, steps in STORIES.values() for _, _, _, rules in steps for rule in rules}
INGEST = """
schema: 1
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", share: vigil, confirm: true}}
influx: {{url: "http://127.0.0.1:{influx}", api: v1, database: vigil}}
state_dir: ingest
"""
#: A transfer switch has no fault that only degrades it.
WITHOUT_DEGRADED = {"ats"}


@pytest.mark.timeout(240)
async def test_from_registers_to_broker_and_database(tmp_path: Path, mosquitto: Mosquitto, influxd: Influxd) -> None:
    path = site_file(tmp_path, EQUIPMENT, mqtt=mosquitto.port, overrides=at_once(RULES))
    ingest = tmp_path / "ingest.yaml"
    ingest.write_text(INGEST.format(mqtt=mosquitto.port, influx=influxd.port))
    told: dict[str, list[tuple[str, frozenset[str]]]] = {}
    async with machines(path) as plant, peer(mosquitto, "vigil/v1/#") as link:
        heard = Heard(link)
        with Vigil(tmp_path, "ingest", ingest, name="ingest"), Vigil(tmp_path, "run", path, name="gateway") as gateway:
            for name in EQUIPMENT:
                await heard.until(name, "ready", ())
            for name in STORIES:
                told[name] = await _story(name, plant, heard)
            await eventually(lambda: all(_stored(influxd, each) == _published(heard, each) for each in EQUIPMENT))
            assert gateway.stop() == 0
    for name, steps in told.items():
        seen = [state for state, _ in steps]
        wanted = ["not_ready", "ready"] if name in WITHOUT_DEGRADED else ["degraded", "not_ready", "ready"]
        assert _is_within(wanted, seen), (name, seen)
        stored = [each for _, each in sorted(_stored(influxd, IDS[name]).items())]
        assert _is_within([("ready", frozenset()), *steps], stored), (name, stored)
    for rule in RULES:
        assert "UNACK" in (states := _alarm_states(influxd, rule)), rule
        assert states & {"RTN_UNACK", "LATCHED_UNACK"}, rule


async def _story(name: str, plant: Machines, heard: Heard) -> list[tuple[str, frozenset[str]]]:
    states = []
    for inputs, seconds, state, rules in STORIES[name][2]:
        await plant.do(IDS[name], seconds, **inputs)  # type: ignore[arg-type]
        await heard.until(IDS[name], state, rules)
        await heard.until_alarms(IDS[name], rules)
        states.append((state, frozenset(rules)))
    return states


def _is_within(wanted: list[object], seen: list[object]) -> bool:
    """Whether the wanted ones come in this order."""
    left = iter(seen)
    return all(any(state == each for each in left) for state in wanted)


def _published(heard: Heard, device: str) -> dict[int, tuple[str, frozenset[str]]]:
    """What the broker had of a device's readiness, by its time."""
    told = heard.messages(f"{device}/readiness")
    return {each["ts"]: (each["state"], frozenset(reason["rule"] for reason in each["reasons"])) for each in told}


def _stored(influxd: Influxd, device: str) -> dict[int, tuple[str, frozenset[str]]]:
    """The same from the database."""
    found: dict[int, tuple[str, frozenset[str]]] = {}
    for (ts, *tags), fields in rows(influxd, "readiness").items():
        if ("device", device) in tags and isinstance(ts, int):
            reasons = frozenset(each["rule"] for each in json.loads(str(fields["reasons"])))
            found[ts] = (str(fields["state"]), reasons)
    return found


def _alarm_states(influxd: Influxd, rule: str) -> set[str]:
    return {str(fields["state"]) for key, fields in rows(influxd, "alarm").items() if ("rule", rule) in key}
