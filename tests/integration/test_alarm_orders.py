"""What people do about alarms of a running gateway: by MQTT with a real broker, at the machine, without a broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from argon2 import PasswordHasher

from tests.in_process import Said, vigil
from tests.integration.mqtt_peer import Peer, peer
from tests.processes import Vigil
from tests.scenario.plants import HANGS_S, Heard, Machines, at_once, machines, site_file
from tests.servers import Mosquitto, free_port

ROLES = (("duty", "operator"), ("shift", "operator"), ("fitter", "maintainer"), ("guest", "visitor"))
RULES = ("not_in_auto", "emergency_stop_pushed", "fuel_low", "controller_shutdown", "fail_to_start")
E_STOP, SELECTOR, FUEL = "emergency_stop_pushed", "not_in_auto", "fuel_low"


@dataclass
class Depot:
    """A site file, its machines and whoever talks to its gateway."""

    file: Path
    plant: Machines
    link: Peer
    heard: Heard
    count: int = 0

    async def ask(self, cmd: str, args: object, *, device: str = "gen-1", by: str = "duty", **more: str) -> Any:
        """The answer to a command."""
        self.count += 1
        id_ = more.pop("id_", f"c-{self.count}")
        heard = len(self.replies(id_))
        order = {"id": id_, "cmd": cmd, "args": args, "by": by, "auth": f"{by}!"} | more
        await self.link.publish(f"vigil/v1/depot-1/{device}/cmd", order)
        await self.link.until(lambda: len(self.replies(id_)) > heard)
        return self.replies(id_)[-1]

    def siren(self) -> bool:
        """Whether the siren sounds, as its relay says."""
        told = [each["v"]["siren"] for each in self.heard.messages("relay-1/telemetry") if "siren" in each["v"]]
        return bool(told) and told[-1] is True

    def replies(self, id_: str) -> list[dict[str, Any]]:
        found = [json.loads(payload) for topic, payload in self.link.heard if topic.endswith("/cmd/reply")]
        return [reply for reply in found if reply["id"] == id_]

    async def vigil(self, *words: str) -> Said:
        """One `vigil` command, in this process."""
        return await asyncio.to_thread(vigil, *words)

    async def standing(self) -> Any:
        """What `vigil alarms` gives to programs."""
        return json.loads((await self.vigil("alarms", str(self.file), "--json")).out)

    async def act(self, act: str, alarm: str, *words: str) -> tuple[int, str]:
        """Exit code and what was said, by `vigil alarms ACT`."""
        said = await self.vigil("alarms", act, str(self.file), alarm, *words)
        return said.code, (said.out + said.err).strip()


@contextlib.asynccontextmanager
async def depot(folder: Path, broker: Mosquitto) -> AsyncIterator[Depot]:
    """With the emergency stop pushed, the selector in manual and the tank nearly empty."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    lines = [f"{name} {role} {hasher.hash(name + '!')}" for name, role in ROLES]
    (folder / "operators").write_text("\n".join(lines) + "\n", encoding="utf-8")
    generator = {"rated_power": 50, "tank_capacity": 200, "expected_load": 30}
    path = site_file(
        folder,
        {"gen-1": ("generator", generator)},  # type: ignore[dict-item]
        mqtt=broker.port,
        overrides=at_once(RULES),
        operators_file="operators",
    )
    with_siren(path)
    async with machines(path) as plant, peer(broker, "vigil/v1/#") as link:
        yield Depot(path, plant, link, Heard(link))


def with_siren(path: Path) -> None:
    """A relay on a line of its own switches it."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["lines"]["relay"] = {"tcp": f"127.0.0.1:{free_port()}"}
    siren = {"at": "coil:3", "write": {"roles": ["annunciator"]}}
    relay = {
        "id": "relay-1",
        "kind": "sensor",
        "line": "relay",
        "unit": 1,
        "interval": "200ms",
        "points": {"siren": siren},
    }
    content["devices"].append({**relay, "write": {"siren": {}}})
    content["annunciator"] = {"device": "relay-1", "point": "siren"}
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def actions(heard: Heard) -> list[dict[str, Any]]:
    """What people did, as the centre is told."""
    return [each["data"] for each in heard.messages("gen-1/event") if each["type"] == "alarm_action"]


REFUSED: tuple[tuple[str, object, dict[str, str], str], ...] = (
    ("ack", {"rule": E_STOP}, {"auth": "guess"}, "not_allowed"),
    ("ack", {"rule": E_STOP}, {"by": "nobody"}, "not_allowed"),
    ("ack", {"rule": E_STOP}, {"by": "guest"}, "not_allowed"),
    ("out_of_service", {"rule": SELECTOR, "order": "WO-1"}, {"by": "duty"}, "not_allowed"),
    ("out_of_service", {"rule": E_STOP, "order": "WO-1"}, {"by": "fitter"}, "safety_rule"),
    ("out_of_service", {"rule": SELECTOR}, {"by": "fitter"}, "work_order_needed"),
    ("return", {"rule": SELECTOR}, {"by": "fitter"}, "in_service"),
    ("unshelve", {"rule": SELECTOR}, {}, "not_shelved"),
    ("shelve", {"rule": SELECTOR, "note": "parts"}, {}, "end_needed"),
    ("shelve", {"rule": SELECTOR, "for": "2h"}, {}, "note_needed"),
    ("shelve", {"rule": SELECTOR, "for": "300d", "note": "parts"}, {}, "shelf_too_long"),
    ("shelve", {"rule": SELECTOR, "for": 7200, "note": "parts"}, {}, "bad_request"),
    ("shelve", {"rule": SELECTOR, "for": "-2h", "note": "parts"}, {}, "bad_request"),
    ("reset", {"rule": SELECTOR}, {}, "still_active"),
    ("ack", {"rule": "no_such_rule"}, {}, "no_such_alarm"),
    ("ack", {"rule": E_STOP}, {"device": "nobody"}, "no_such_device"),
    ("ack", {"rule": "buffer_filling"}, {"device": "_gateway"}, "nothing_to_acknowledge"),
    ("ack", {"rule": E_STOP}, {"device": "_site"}, "no_such_alarm"),
    ("ack", {}, {}, "bad_request"),
    ("ack", {"rule": ["a"]}, {}, "bad_request"),
    ("ack", {"rule": "../../x"}, {}, "bad_request"),
    ("ack", {"rule": "a" * 5000}, {}, "bad_request"),
    ("ack", {"rule": E_STOP, "note": "a\u001b[2Jb"}, {}, "bad_request"),
    ("ack", {"rule": E_STOP, "note": {"a": {"b": 1}}}, {}, "bad_request"),
    ("ack", {"rule": E_STOP, "note": "n" * 501}, {}, "bad_request"),
    ("ack", {"rule": E_STOP, "reason": "seen"}, {}, "bad_request"),
    ("silence", {}, {"by": "guest"}, "not_allowed"),
    ("dance", {"rule": E_STOP}, {}, "unknown_command"),
)


async def test_alarms_by_mqtt_and_by_hand(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with depot(tmp_path, mosquitto) as site:
        with Vigil(tmp_path, "run", site.file) as gateway:
            await site.heard.until("gen-1", "ready", ())
            assert "no alarms" in (await site.vigil("alarms", str(site.file))).out
            await site.plant.do("gen-1", mode="manual", emergency_stop="pushed", fuel=3)
            await site.heard.until_alarms("gen-1", {E_STOP, SELECTOR, FUEL, "controller_shutdown"})
            await _refused(site)
            await _hostile(site)
            await _silenced(site)
            await _by_mqtt(site)
            await _by_hand(site)
            assert gateway.stop() == 0
        await _without_a_gateway(site)


async def _refused(site: Depot) -> None:
    for cmd, args, words, error in REFUSED:
        reply = await site.ask(cmd, args, **words)
        assert (reply["ok"], reply["error"]) == (False, error), (cmd, args, words, reply)
        assert set(reply["text"]) == {"zh", "en"}
    assert actions(site.heard) == []


async def _hostile(site: Depot) -> None:
    """What is no command is passed over, and the gateway goes on."""
    person = '"by": "duty", "auth": "duty!"'
    for payload in (
        b"\xff\xfe\x00",
        f'{{"id": "h-1", "cmd": "ack", "args": {{"rule": {"[" * 5000}{"]" * 5000}}}, {person}}}'.encode(),
        f'{{"id": "h-2", "cmd": "ack", "args": {{"rule": {"9" * 5000}}}, {person}}}'.encode(),
        f'{{"id": "h-3", "cmd": "ack", "args": {{"rule": "{E_STOP}", "rule": "{SELECTOR}"}}, {person}}}'.encode(),
        f'{{"id": "h-4", "cmd": "ack", "args": {{"rule": "\\ud800"}}, {person}}}'.encode(),
        f'{{"id": "h-5", "cmd": "ack", "args": {{"note": "{"x" * 2**20}"}}, {person}}}'.encode(),
        f'{{"id": "h-6", "cmd": "ack", "args": "{E_STOP}", {person}}}'.encode(),
    ):
        await site.link.publish("vigil/v1/depot-1/gen-1/cmd", payload)
    assert (await site.ask("dance", {}))["error"] == "unknown_command"
    assert not [reply for number in range(7) for reply in site.replies(f"h-{number}") if reply["ok"]]
    assert actions(site.heard) == []


async def _silenced(site: Depot) -> None:
    """The siren ends, the alarms stand; it cannot be ended twice."""
    await site.link.until(site.siren)
    standing = site.heard.alarms("gen-1")
    assert (await site.ask("silence", {"note": "we are here"}, device="_site"))["ok"] is True
    await site.link.until(lambda: not site.siren())
    assert site.heard.alarms("gen-1") == standing
    assert (await site.ask("silence", {}, device="_site"))["error"] == "not_sounding"
    told = await site.vigil("alarms", "silence", str(site.file), "--by", "duty")
    assert (told.code, "not sounding" in told.err) == (1, True)
    (event,) = [each["data"] for each in site.heard.messages("_site/event") if each["type"] == "silence"]
    assert (event["by"], event["via"], event["note"]) == ("duty", "mqtt", "we are here")


async def _by_mqtt(site: Depot) -> None:
    reply = await site.ask("ack", {"rule": SELECTOR, "note": "crew sent"}, id_="a-1")
    assert (reply["ok"], reply["data"]["condition"], reply["data"]["acks"][0]["by"]) == (True, "ACKED", "duty")
    assert (await site.ask("ack", {"rule": SELECTOR}, id_="a-1"))["error"] == "repeated"
    await site.link.until(lambda: site.heard.alarms("gen-1").get(SELECTOR) == "ACKED")
    reply = await site.ask("shelve", {"rule": SELECTOR, "for": "2h", "note": "waiting for a part"}, by="shift")
    assert (reply["ok"], reply["data"]["suppression"]) == (True, "SHELVED")
    assert (await site.ask("unshelve", {"rule": SELECTOR}))["data"]["suppression"] == "NONE"
    reply = await site.ask("out_of_service", {"rule": SELECTOR, "order": "WO-12"}, by="fitter")
    assert (reply["data"]["suppression"], reply["data"]["work_order"]) == ("OUT_OF_SERVICE", "WO-12")
    assert (await site.ask("return", {"rule": SELECTOR}, by="fitter"))["ok"] is True
    await site.link.until(lambda: len(actions(site.heard)) == 5)
    assert [(each["act"], each["by"], each["role"]) for each in actions(site.heard)] == [
        ("ack", "duty", "operator"),
        ("shelve", "shift", "operator"),
        ("unshelve", "duty", "operator"),
        ("out_of_service", "fitter", "maintainer"),
        ("return", "fitter", "maintainer"),
    ]


async def _by_hand(site: Depot) -> None:
    """At the machine the same, with a name and without a token; the broker is not needed."""
    told = await site.standing()
    assert told["running"] is True
    assert {each["rule"] for each in told["alarms"]} == {E_STOP, SELECTOR, FUEL, "controller_shutdown"}
    levels = [("critical", "high", "medium", "low").index(each["priority"]) for each in told["alarms"]]
    assert levels == sorted(levels)
    alarm = f"gen-1/{E_STOP}"
    assert (await site.act("ack", alarm))[0] == 2
    assert (await site.act("ack", alarm, "--by", "stranger"))[0] == 1
    assert (await site.act("ack", alarm, "--by", "guest"))[0] == 1
    assert (await site.act("ack", "gen-1", "--by", "duty"))[0] == 2
    assert (await site.act("ack", "gen-9/x", "--by", "duty"))[0] == 2
    assert await site.act("ack", alarm, "--by", "duty", "--note", "going there") == (0, "acknowledged")
    code, said = await site.act("shelve", alarm, "--by", "duty", "--for", "1h", "--note", "tested")
    assert (code, said) == (0, "shelved")
    table = (await site.vigil("alarms", str(site.file))).out
    assert "shelved until" in table
    assert "acks 1/1 duty" in table or "acked" in table
    assert "unacknowledged: 2" in table
    figures = (await site.vigil("alarms", "figures", str(site.file))).out
    assert "Alarms announced in 10 min" in figures
    assert f"gen-1/{SELECTOR}" in figures.partition("Most frequent")[2]
    told = await site.vigil("alarms", "verify", str(site.file))
    assert (told.code, told.out.splitlines()[-1]) == (0, "whole")
    assert "急停按钮被按下" in (await asyncio.to_thread(vigil, "alarms", str(site.file), language="zh")).out


async def _without_a_gateway(site: Depot) -> None:
    """The list is that of the journal, and says so; nothing can be done."""
    told = await site.vigil("alarms", str(site.file))
    assert (told.code, E_STOP in told.out, "no gateway runs" in told.err) == (0, True, True)
    code, said = await site.act("ack", f"gen-1/{FUEL}", "--by", "duty")
    assert (code, "vigil run" in said) == (1, True)


@pytest.mark.timeout(300)
async def test_alarms_work_with_the_broker_gone(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with depot(tmp_path, mosquitto) as site:
        with Vigil(tmp_path, "run", site.file):
            await site.heard.until("gen-1", "ready", ())
            mosquitto.stop()
            await site.plant.do("gen-1", mode="manual")
            standing: Any = {"alarms": []}
            async with asyncio.timeout(HANGS_S):
                while SELECTOR not in {each["rule"] for each in standing["alarms"]}:
                    standing = await site.standing()
            assert await site.act("ack", f"gen-1/{SELECTOR}", "--by", "duty") == (0, "acknowledged")
            mosquitto.start()
            async with peer(mosquitto, "vigil/v1/#") as link:
                heard = Heard(link)
                await link.until(lambda: heard.alarms("gen-1").get(SELECTOR) == "ACKED", HANGS_S)
                await link.until(lambda: [each["by"] for each in actions(heard)] == ["duty"], HANGS_S)
