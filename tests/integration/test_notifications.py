"""From a register to people: the horn sounds with no network at all, notices go out, and a restart repeats nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.app import Gateway, load
from gateway.model import Ack, AlarmState
from gateway.ports import AlarmOrder
from gateway.store import Store, StoreOptions, open_store
from tests.fakes.http_script import HttpScript, Said
from tests.fakes.relay_board import RelayBoard
from tests.integration.mqtt_peer import Peer, eventually, peer
from tests.servers import Mosquitto

SITE = """
schema: 1
site: {{id: depot-07, name: {{zh: 城东库, en: East depot}}, kind: warehouse, timezone: Asia/Shanghai, language: zh}}
lines: {{lan: {{tcp: "127.0.0.1:{port}"}}}}
devices:
  - id: leak-1
    name: {{zh: 泵房漏水, en: Leak in the pump room}}
    kind: sensor
    line: lan
    unit: 1
    interval: 100ms
    timeout: 500ms
    points: {{water_leak: {{at: "holding:0.0"}}, temperature: {{at: "holding:1", scale: 0.1, unit: °C}}}}
  - id: relay-1
    kind: sensor
    line: lan
    unit: 1
    interval: 200ms
    timeout: 500ms
    points: {{siren: {{at: "coil:3", write: {{roles: [annunciator]}}}}}}
    write: {{siren: {{}}}}
rules: [own.yaml, builtin/gateway]
notify:
  channels:
    duty: {{apprise: duty.urls, pace: 0s}}
    centre: {{mqtt: true, language: en, form: short}}
  routes:
    - {{devices: [leak-1], to: [duty, centre], group_interval: 0s, group_wait: 0s}}
annunciator: {{device: relay-1, point: siren}}
clock: {{hardware: trusted}}
"""
RULES = """
schema: 1
kind: sensor
name: {zh: 自定规则, en: Own rules}
rules:
  pump_room_flooded:
    text: {zh: 泵房进水, en: Water in the pump room}
    action: {zh: 断开油泵电源并排水, en: Cut the fuel pump off and drain the room}
    role: duty
    levels: [{priority: critical, raise: water_leak, clear: "!water_leak"}]
  too_hot:
    text: {zh: 温度高, en: Too hot}
    action: {zh: 通风, en: Open the vents}
    role: duty
    levels: [{priority: medium, raise: temperature > 40, clear: temperature < 38}]
"""


class Site:
    """A board, a web server that takes notices, and the gateway between them."""

    def __init__(self, folder: Path, board: RelayBoard, web: HttpScript) -> None:
        self.board, self.web = board, web
        self.file = folder / "site.yaml"
        self.file.write_text(SITE.format(port=board.port), encoding="utf-8")
        (folder / "own.yaml").write_text(RULES, encoding="utf-8")
        (folder / "duty.urls").write_text(web.url.replace("http", "json") + "\n", encoding="utf-8")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[Gateway, Store]]:
        site = load(self.file)
        store = open_store(site.state_dir, StoreOptions(commit_interval_s=0.05))
        gateway = Gateway(site, store)
        task = asyncio.create_task(gateway.run())
        try:
            yield gateway, store
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            store.close()

    @property
    def notices(self) -> list[dict[str, Any]]:
        return [json.loads(asked.body) for asked in self.web.asked]


def on(board: RelayBoard) -> bool:
    return board.coils.get(3, False)


async def events(store: Store, type_: str) -> list[dict[str, Any]]:
    await store.flush()
    rows = await store.outbox.backlog((-1, -1), 1000)
    bodies = [json.loads(b"{" + row.body) for row in rows if row.topic.endswith("/event")]
    return [body["data"] for body in bodies if body["type"] == type_]


def alarm(gateway: Gateway, rule: str) -> AlarmState | None:
    return next((each for each in gateway.pipeline.alarms.alarms() if each.rule == rule), None)


async def test_from_a_register_to_the_horn_and_to_people_without_any_uplink(tmp_path: Path) -> None:
    async with RelayBoard() as board:
        with HttpScript(lambda _: Said(200)) as web:
            site = Site(tmp_path, board, web)
            board.coils[3] = True  # left on by somebody
            async with site.running() as (gateway, store):
                await board.until(lambda: board.coils[3] is False)
                board.registers[0] = 1
                await board.until(lambda: on(board))
                await eventually(lambda: len(site.notices) == 1, 20)
                assert site.notices[0]["title"] == "【设备告警·红】城东库 泵房漏水：泵房进水"
                assert "处置：断开油泵电源并排水" in site.notices[0]["message"]
                await eventually(lambda: gateway.crew.health()["notifications_sent"] == 2)
                board.coils[3] = False  # the relay board was without supply for a moment
                await board.until(lambda: on(board))
                assert gateway.silence is not None
                await gateway.silence("duty-1")
                await board.until(lambda: not on(board))
                sent = await events(store, "notice")
                assert {(each["channel"], each["result"], each["what"]) for each in sent} == {
                    ("duty", "sent", "raised"),
                    ("centre", "sent", "raised"),
                }
                (message,) = await events(store, "message")
                assert message["text"].startswith("[Equipment alarm RED] East depot, Leak in the pump room: Water in")
                assert {each["by"] for each in await events(store, "write")} == {"annunciator"}

            async with site.running() as (gateway, store):
                board.registers[1] = 500
                await eventually(lambda: len(site.notices) == 2, 20)
                assert "温度高" in site.notices[1]["title"], "and nothing of what was told before"
                assert not on(board), "silenced before the restart"
                order = AlarmOrder("ack", "leak-1", "pump_room_flooded", "duty-1", "operator")
                state = await gateway.pipeline.alarms.order(order)
                assert [Ack(ack.by, 0) for ack in state.acks] == [Ack("duty-1", 0)]
                board.registers[0] = 0
                await eventually(lambda: alarm(gateway, "pump_room_flooded") is None)
                assert gateway.crew.health()["notifications_pending"] == 2, "the end waits half a minute"


async def test_when_the_broker_comes_back_the_record_of_it_all_arrives(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "mosquitto")  # its port is known, and nobody listens there yet
    async with RelayBoard() as board:
        with HttpScript(lambda _: Said(200)) as web:
            site = Site(tmp_path, board, web)
            uplink = f'uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{broker.port}", confirm: broker}}}}\n'
            site.file.write_text(site.file.read_text() + uplink)
            async with site.running() as (gateway, _):
                board.registers[0] = 1
                await board.until(lambda: on(board))
                await eventually(lambda: gateway.crew.health()["notifications_sent"] == 2)
                order = AlarmOrder("ack", "leak-1", "pump_room_flooded", "duty-1", "operator")
                await gateway.pipeline.alarms.order(order)
                await board.until(lambda: not on(board))
                with broker:
                    async with peer(broker, "vigil/v1/depot-07/+/event", "vigil/v1/depot-07/+/alarm/+") as centre:
                        await centre.until(lambda: types(centre) >= EVENTS, 60)
                        found = told(centre)
    states = {body["ts"]: body["state"] for kind, body in found if kind == "pump_room_flooded"}
    assert [states[ts] for ts in sorted(states)] == ["UNACK", "ACKED"]
    notices = {body["data"]["channel"]: body["ts"] for kind, body in found if body.get("type") == "notice"}
    raised = min(body["ts"] for kind, body in found if kind == "pump_room_flooded")
    assert notices.keys() == {"duty", "centre"}
    assert all(ts >= raised for ts in notices.values()), "the centre sees when the time to acknowledge began"


EVENTS = {"alarm_action", "message", "notice duty", "notice centre", "write"}


def types(centre: Peer) -> set[str]:
    """The events the centre heard of, notices by channel; `alarm_action` once both states of the alarm are there."""
    bodies = [body for kind, body in told(centre) if kind == "event"]
    found = {f"notice {body['data']['channel']}" if body["type"] == "notice" else body["type"] for body in bodies}
    states = {body["state"] for kind, body in told(centre) if kind == "pump_room_flooded"}
    return found if states == {"UNACK", "ACKED"} else found - {"alarm_action"}


def told(centre: Peer) -> list[tuple[str, dict[str, Any]]]:
    return [(topic.rpartition("/")[2], json.loads(payload)) for topic, payload in centre.heard]


async def test_a_channel_that_fails_is_seen_and_the_horn_sounds_all_the_same(tmp_path: Path) -> None:
    async with RelayBoard() as board:
        with HttpScript(lambda _: Said(503)) as web:
            site = Site(tmp_path, board, web)
            async with site.running() as (gateway, store):
                board.registers[0] = 1
                await board.until(lambda: on(board))
                await eventually(lambda: gateway.crew.health()["notify_channels_failing"] == 1, 30)
                (failing,) = await events(store, "channel_failing")
                assert failing["channel"] == "duty"
                assert "503" in failing["why"]
                await eventually(lambda: gateway.crew.health()["notifications_sent"] == 1)
