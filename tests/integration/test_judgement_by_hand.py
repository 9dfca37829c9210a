"""Facts and explanations of a running gateway: by MQTT with a real broker, over the control socket, across restarts."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from tests.in_process import vigil
from tests.integration.mqtt_peer import Peer, peer
from tests.processes import Vigil
from tests.servers import Mosquitto, free_port

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: shelter, facts: {{response_level: {level}}}}}
lines: {{lan: {{tcp: "127.0.0.1:{modbus}"}}}}
devices:
  - id: gen-1
    kind: generator
    line: lan
    unit: 1
    interval: 300ms
    points: {{mode: {{at: "holding:0", enum: {{0: auto, 1: manual}}}}, running: {{at: "coil:0"}}}}
    not_measured: [emergency_stop, fail_to_start, battery_voltage, fuel_level, coolant_temperature, mains_available,
      mains_voltage, mains_voltage_l1, run_time]
rules: [builtin/generator]
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", confirm: broker}}}}
operators_file: operators
state_dir: state
"""
ROLES = (("duty", "operator"), ("fitter", "maintainer"), ("guest", "visitor"))


class Site:
    """A site file, its simulated machine and its gateway."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.folder, self.broker, self.port = folder, broker, free_port()
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        lines = [f"{name} {role} {hasher.hash(name + '!')}" for name, role in ROLES]
        (folder / "operators").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.file = folder / "site.yaml"
        self.write()

    def write(self, level: str = "IV") -> None:
        self.file.write_text(SITE.format(modbus=self.port, mqtt=self.broker.port, level=level), encoding="utf-8")


class Person:
    """Sends commands and waits for their answers."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.count = 0

    async def ask(self, device: str, args: object, *, by: str = "duty", cmd: str = "set_fact", **more: str) -> Any:
        self.count += 1
        id_ = more.pop("id_", f"c-{self.count}")
        heard = len(self.replies(id_))
        order = {"id": id_, "cmd": cmd, "args": args, "by": by, "auth": f"{by}!"} | more
        await self.peer.publish(f"vigil/v1/depot-1/{device}/cmd", order)
        await self.peer.until(lambda: len(self.replies(id_)) > heard)
        return self.replies(id_)[-1]

    def replies(self, id_: str) -> list[dict[str, Any]]:
        found = [json.loads(payload) for topic, payload in self.peer.heard if topic.endswith("/cmd/reply")]
        return [reply for reply in found if reply["id"] == id_]

    def events(self) -> list[dict[str, Any]]:
        found = [json.loads(payload) for topic, payload in self.peer.heard if topic.endswith("/event") and payload]
        return [event["data"] for event in found if event["type"] == "fact"]

    def state(self) -> Any:
        found = [json.loads(payload) for topic, payload in self.peer.heard if topic.endswith("gen-1/readiness")]
        return (
            (found[-1]["state"], [(each["rule"], each["priority"]) for each in found[-1]["reasons"]]) if found else None
        )


@pytest.fixture
def depot(mosquitto: Mosquitto, tmp_path: Path) -> Site:
    return Site(tmp_path, mosquitto)


REFUSED: tuple[tuple[str, object, dict[str, str], str], ...] = (
    ("_site", {"name": "response_level", "value": "II"}, {"auth": "guess"}, "not_allowed"),
    ("_site", {"name": "response_level", "value": "II"}, {"by": "nobody"}, "not_allowed"),
    ("_site", {"name": "response_level", "value": "II"}, {"by": "guest"}, "not_allowed"),
    ("gen-1", {"name": "work_order", "value": True}, {}, "not_allowed"),
    ("_site", {"name": "response_level", "value": "V"}, {}, "bad_value"),
    ("_site", {"name": "response_level", "value": 2}, {}, "bad_value"),
    ("_site", {"name": "response_level", "value": ["II"]}, {}, "bad_value"),
    ("_site", {"name": "response_level", "value": {"a": "II"}}, {}, "bad_value"),
    ("_site", {}, {"cmd": "silence"}, "no_annunciator"),
    ("_site", {"name": "response_level"}, {}, "bad_request"),
    ("_site", {"name": 7, "value": "II"}, {}, "bad_request"),
    ("_site", {"name": "responce_level", "value": "II"}, {}, "no_such_fact"),
    ("_site", {"name": "x" * 5000, "value": "II"}, {}, "no_such_fact"),
    ("nobody", {"name": "response_level", "value": "II"}, {}, "no_such_device"),
    ("_site", {"name": "response_level", "value": "II", "note": "a\u0007b"}, {}, "bad_request"),
    ("_site", {"name": "response_level", "value": "II", "note": "n" * 501}, {}, "bad_request"),
    ("gen-1", {"name": "tank_capacity", "value": 10**300}, {"by": "fitter"}, "bad_value"),
    ("gen-1", {"name": "tank_capacity", "value": True}, {"by": "fitter"}, "bad_value"),
    ("gen-1", {"name": "battery_fitted", "value": "2026-02-30"}, {"by": "fitter"}, "bad_value"),
    ("gen-1", {"name": "custodian", "value": "a\nb"}, {"by": "fitter"}, "bad_value"),
)


async def test_facts_by_mqtt_and_by_hand(depot: Site) -> None:
    with Vigil(depot.folder, "simulate", depot.file) as machine:
        machine.wait_for("127.0.0.1")
        with Vigil(depot.folder, "run", depot.file) as gateway:
            async with peer(depot.broker, "vigil/v1/#") as link:
                person = Person(link)
                await link.until(lambda: person.state() == ("ready", []))
                for device, args, words, error in REFUSED:
                    reply = await person.ask(device, args, **words)
                    assert (reply["ok"], reply["error"]) == (False, error), (device, args, reply)
                    assert set(reply["text"]) == {"zh", "en"}
                assert person.events() == []
                await _hostile(person, depot)
                await _raised_and_kept(person, depot)
            gateway.stop(signal.SIGKILL)
        await _after_a_restart(depot)


async def _hostile(person: Person, depot: Site) -> None:
    """What is no command at all is passed over, and the gateway goes on."""
    topic = "vigil/v1/depot-1/_site/cmd"
    deep = "[" * 5000 + "]" * 5000
    for payload in (
        b"\xff\xfe",
        b"{" * 100,
        f'{{"id": "d-1", "cmd": "set_fact", "args": {{"name": {deep}}}, "by": "duty", "auth": "duty!"}}'.encode(),
        b'{"id": "d-2", "cmd": "set_fact", "args": {"value": 1e999}, "by": "duty", "auth": "duty!"}',
        b'{"id": 7, "cmd": {}, "args": [], "by": null, "auth": 1}',
        b'{"id": "d-3", "cmd": "set_fact", "args": {"note": "' + b"x" * 2**20 + b'"}, "by": "duty", "auth": "duty!"}',
    ):
        await person.peer.publish(topic, payload)
    reply = await person.ask("_site", {}, cmd="no_such_command")
    assert reply["error"] == "unknown_command"
    assert not [each for each in ("d-1", "d-2", "d-3") if any(reply["ok"] for reply in person.replies(each))]


async def _raised_and_kept(person: Person, depot: Site) -> None:
    reply = await person.ask(
        "gen-1", {"name": "work_order", "value": True, "note": "oil change"}, by="fitter", id_="w-1"
    )
    assert (reply["ok"], reply["data"]) == (True, {"before": False, "after": True})
    await person.peer.until(lambda: person.state() == ("out_of_service", []))
    assert (await person.ask("gen-1", {"name": "work_order", "value": True}, by="fitter", id_="w-1"))[
        "error"
    ] == "repeated"
    assert (await person.ask("gen-1", {"name": "work_order", "value": None}, by="fitter"))["data"]["after"] is False
    await person.peer.until(lambda: person.state() == ("ready", []))
    assert person.events()[0] == {
        "name": "work_order",
        "before": "false",
        "value": "true",
        "by": "fitter",
        "via": "mqtt",
        "order": "w-1",
        "note": "oil change",
    }
    assert (await person.ask("_site", {"name": "response_level", "value": "II"}))["ok"] is True
    told = vigil("rules", "explain", depot.file, "gen-1", "not_in_auto", "--json")
    assert told.code == 0, told.err
    found = json.loads(told.out)
    assert (found["says"], [each["priority"] for each in found["levels"]]) == ("false", ["critical"])


async def _after_a_restart(depot: Site) -> None:
    with Vigil(depot.folder, "run", depot.file, name="again") as gateway:
        gateway.wait_for("control_open")
        assert _levels(depot) == ["critical"]
        done = vigil("facts", depot.file, "_site", "season", "Off season", "--by", "duty")
        assert (done.code, done.out) == (0, "_site season: in_season -> off_season, in force\n"), done
        assert vigil("facts", depot.file, "_site", "season", "winter", "--by", "duty").code == 1
        assert vigil("facts", depot.file, "_site", "seasons", "winter", "--by", "duty").code == 2
        assert vigil("facts", depot.file, "gen-1", "work_order", "true", "--by", "duty").code == 1
        assert vigil("facts", depot.file, "_site", "season", "--back", "--by", "duty").code == 0
        listed = json.loads(vigil("facts", depot.file, "--json").out)
        assert (listed["_site"]["response_level"], listed["gen-1"]["season"]) == ("II", "in_season")
        asked = vigil("check", depot.file, "--plan")
        assert "response_level" in asked.out
        assert "IV -> II" in asked.out
        depot.write(level="III")
        assert vigil("reload", depot.file).code == 0
        assert _levels(depot) == ["high"]
        assert "duty" not in vigil("check", depot.file, "--plan").out


def _levels(depot: Site) -> list[str]:
    told = json.loads(vigil("rules", "explain", depot.file, "gen-1", "not_in_auto", "--json").out)
    return [each["priority"] for each in told["levels"]]


def test_explaining_without_a_gateway_says_what_to_do(depot: Site) -> None:
    told = vigil("rules", "explain", depot.file, "gen-1")
    assert (told.code, "vigil run" in told.err) == (1, True)
    assert vigil("rules", "explain", depot.file, "nobody").code == 2
    assert vigil("rules", "explain", depot.file).code == 2
