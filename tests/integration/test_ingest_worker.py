"""The worker between a real broker and a real database: what is stored, what is confirmed, and what neither is."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.ingest.books import Books
from gateway.ingest.dead_letters import DeadLetters, FactLetter, MessageLetter, read_segment
from gateway.ingest.influx_v1 import InfluxV1
from gateway.ingest.patience import PatientSink
from gateway.ingest.worker import Worker, worker_session
from tests.integration.influx_rows import ask, everything, field_types, rows
from tests.integration.mqtt_peer import OUTBOX, Peer, broker_settings, eventually, peer, telemetry
from tests.servers import Influxd, Mosquitto, program

TS = 1_763_764_800_123
ROOT = "vigil/v1/depot-07"
REPOSITORY = Path(__file__).parents[2]


class Ingest:
    """A worker in this process."""

    def __init__(
        self,
        broker: Mosquitto,
        influxd: Influxd,
        folder: Path,
        share: str | None,
        *,
        confirm: bool = True,
        **changes: Any,
    ) -> None:
        self.books = Books()
        self.dead_letters = DeadLetters(folder / "dead-letters")
        self.sink = InfluxV1(influxd.url, "vigil")
        self.session = worker_session(broker_settings(broker, **changes))
        self.worker = Worker(
            self.session,
            PatientSink(self.sink, self.books),
            self.dead_letters,
            self.books,
            share=share,
            confirm=confirm,
        )

    def letters(self) -> list[Any]:
        return [letter for segment in self.dead_letters.close_segments() for letter in read_segment(segment)[0]]


@asynccontextmanager
async def ingest(
    broker: Mosquitto, influxd: Influxd, folder: Path, share: str | None = "vigil", **changes: Any
) -> AsyncIterator[Ingest]:
    found = Ingest(broker, influxd, folder, share, **changes)
    stop = asyncio.Event()
    running = asyncio.create_task(found.worker.run(stop))
    try:
        subscribed = asyncio.create_task(found.worker.subscribed.wait())
        await asyncio.wait({running, subscribed}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
        assert subscribed.done(), running
        yield found
    finally:
        stop.set()
        await asyncio.wait_for(running, 20)
        await found.sink.close()


def head(seq: int, kind: str) -> dict[str, Any]:
    return {"id": f"{OUTBOX}-{seq:06d}", "ts": TS, "kind": kind, "labels": {"city": "xining"}}


EXAMPLES: dict[str, dict[str, Any]] = {
    "gen-1/telemetry": head(101, "generator")
    | {
        "clock": "synced",
        "v": {"battery_voltage": 12.61, "running": False, "mode": "auto", "starts": 7, "fuel_level": 101},
        "uncertain": {"fuel_level": "UncertainEngineeringUnitsExceeded"},
        "bad": {"coolant_temperature": "BadTimeout"},
        "q": {"good": 40, "uncertain": 1, "bad": 1, "worst": "BadTimeout"},
    },
    "gen-1/readiness": head(102, "generator")
    | {
        "state": "not_ready",
        "since": TS,
        "valid_until": TS + 180_000,
        "score": 40,
        "reasons": [{"rule": "battery_low", "priority": "critical", "text": {"zh": "电压低", "en": "low"}}],
    },
    "_site/readiness": head(103, "warehouse")
    | {
        "state": "degraded",
        "valid_until": TS + 180_000,
        "name": {"zh": "城东库", "en": "East depot"},
        "location": {"lat": 36.62, "lon": 101.8},
        "kinds": {
            "pump": {
                "ready": 1,
                "degraded": 1,
                "not_ready": 0,
                "unknown": 0,
                "in_use": 0,
                "out_of_service": 0,
                "usable": 2,
                "required": 2,
            }
        },
    },
    "gen-1/alarm/battery_low": head(104, "generator")
    | {
        "alarm": "gen-1/battery_low",
        "state": "UNACK",
        "active": True,
        "acked": False,
        "acks": [],
        "acks_needed": 1,
        "suppression": "NONE",
        "priority": "high",
        "since": TS,
        "because": {"battery_voltage": 11.9},
        "text": {"zh": "启动电池电压低", "en": "Starting battery voltage low"},
        "action": {"zh": "检查充电器和电池连接", "en": "Check the charger"},
    },
    "_gateway/event": head(105, "gateway")
    | {"type": "gap", "data": {"from": TS - 1000, "to": TS, "count": 1200, "why": "quota"}},
    "_gateway/telemetry": head(106, "gateway")
    | {"clock": "free", "v": {"version": "0.1.0", "config": "sha256:00", "outbox_rows": 12}},
}
NOT_FOR_THE_DATABASE: dict[str, dict[str, Any]] = {
    "_gateway/status": {"state": "online", "since": TS, "version": "0.1.0", "outbox": OUTBOX, "config": "sha256:00"},
    "gen-1/cmd": {"id": "c-17", "cmd": "ack", "args": {"rule": "battery_low"}, "by": "duty-1", "auth": "x"},
    "gen-1/cmd/reply": {"id": "c-17", "ok": True},
}


async def test_every_message_of_the_contract_is_there_and_nothing_else(
    mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path
) -> None:
    async with peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway, ingest(mosquitto, influxd, tmp_path) as found:
        for _ in range(2):
            for topic, message in (NOT_FOR_THE_DATABASE | EXAMPLES).items():
                await gateway.publish(f"{ROOT}/{topic}", message)
            await gateway.publish(f"{ROOT}/gen-2/readiness", b"", retain=True)
            await gateway.until(lambda: set(gateway.stored()) == set(range(101, 107)))
            gateway.heard.clear()
        assert found.letters() == []
        assert found.books.empty == 2
    city, site, gen_1 = ("city", "xining"), ("site", "depot-07"), ("device", "gen-1")
    assert everything(influxd) == {
        "generator": {
            (TS, city, gen_1, site): {
                "battery_voltage": 12.61,
                "running": False,
                "mode": "auto",
                "starts": 7,
                "fuel_level": 101,
            }
        },
        "point_quality": {
            (TS, city, gen_1, ("point", "fuel_level"), site): {"status": "UncertainEngineeringUnitsExceeded"},
            (TS, city, gen_1, ("point", "coolant_temperature"), site): {"status": "BadTimeout"},
        },
        "quality": {(TS, city, gen_1, site): {"good": 40, "uncertain": 1, "bad": 1, "worst": "BadTimeout"}},
        "readiness": {
            (TS, city, gen_1, ("kind", "generator"), site): {
                "state": "not_ready",
                "ready": 0,
                "usable": 0,
                "score": 40,
                "reasons": '[{"rule":"battery_low","priority":"critical","text":{"zh":"电压低","en":"low"}}]',
            }
        },
        "site": {
            (TS, city, ("kind", "warehouse"), site): {
                "lat": 36.62,
                "lon": 101.8,
                "name_zh": "城东库",
                "name_en": "East depot",
                "state": "degraded",
                "pump_ready": 1,
                "pump_degraded": 1,
                "pump_not_ready": 0,
                "pump_unknown": 0,
                "pump_in_use": 0,
                "pump_out_of_service": 0,
                "pump_usable": 2,
                "pump_required": 2,
            }
        },
        "alarm": {
            (TS, city, gen_1, ("kind", "generator"), ("rule", "battery_low"), site): {
                "level": 3,
                "active": True,
                "acked": False,
                "state": "UNACK",
                "suppression": "NONE",
                "priority": "high",
                "text_zh": "启动电池电压低",
                "text_en": "Starting battery voltage low",
                "because": '{"battery_voltage":11.9}',
            }
        },
        "event": {
            (TS, city, ("device", "_gateway"), site, ("type", "gap")): {
                "from": TS - 1000,
                "to": TS,
                "count": 1200,
                "why": "quota",
            }
        },
        "gateway": {(TS, city, site): {"version": "0.1.0", "config": "sha256:00", "outbox_rows": 12}},
    }
    types = field_types(influxd)
    assert types["generator"] == {
        "battery_voltage": "float",
        "running": "boolean",
        "mode": "string",
        "starts": "float",
        "fuel_level": "float",
    }
    assert {types["alarm"][name] for name in ("active", "acked")} == {"boolean"}
    assert types["alarm"]["level"] == types["readiness"]["ready"] == types["site"]["pump_usable"] == "float"


async def test_nothing_is_acknowledged_or_confirmed_before_it_is_stored(
    mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path
) -> None:
    async with peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway, ingest(mosquitto, influxd, tmp_path) as found:
        await gateway.publish(f"{ROOT}/gen-1/telemetry", telemetry(1, TS))
        await gateway.until(lambda: gateway.stored() == [1])
        await asyncio.to_thread(influxd.kill)
        for seq in range(2, 60):
            await gateway.publish(f"{ROOT}/gen-1/telemetry", telemetry(seq, TS + seq))
        await eventually(lambda: found.books.retries)
        assert gateway.stored() == [1]
        assert found.books.acknowledged == 1
        await asyncio.to_thread(influxd.start)
        await gateway.until(lambda: set(gateway.stored()) == set(range(1, 60)))
        assert found.books.acknowledged == 59
    assert {key[0]: fields for key, fields in rows(influxd, "generator").items()} == {
        TS + (seq if seq > 1 else 0): {"battery_voltage": seq / 8} for seq in range(1, 60)
    }


async def test_bad_rows_and_bad_messages_stop_nobody(mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path) -> None:
    async with peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway, ingest(mosquitto, influxd, tmp_path) as found:
        await gateway.publish(f"{ROOT}/gen-1/telemetry", telemetry(1, TS, level=1.0))
        await gateway.until(lambda: 1 in gateway.stored())
        await gateway.publish(f"{ROOT}/gen-1/telemetry", telemetry(2, TS + 2, level="high"))
        await gateway.publish(f"{ROOT}/gen-1/telemetry", b"\xff not json")
        await gateway.publish(f"{ROOT}/gen-1/telemetry", telemetry(3, TS + 3) | {"clock": "sundial"})
        await gateway.publish(f"{ROOT}/Gen 1/telemetry", telemetry(4, TS + 4))
        await gateway.publish(f"{ROOT}/gen-1/telemetry", telemetry(5, TS + 5, level=5.0))
        await gateway.until(lambda: set(gateway.stored()) == {1, 2, 3, 5})
        letters = found.letters()
        assert found.books.malformed == 3
        assert found.books.rejected == 1
    assert sorted(key[0] for key in rows(influxd, "generator")) == [TS, TS + 5]
    refused = [letter for letter in letters if isinstance(letter, FactLetter)]
    unread = [letter for letter in letters if isinstance(letter, MessageLetter)]
    assert [letter.fact.fields for letter in refused] == [{"level": "high"}]
    assert "field type conflict" in refused[0].reason
    assert {letter.payload for letter in unread} == {
        b"\xff not json",
        json.dumps(telemetry(3, TS + 3) | {"clock": "sundial"}).encode(),
        json.dumps(telemetry(4, TS + 4)).encode(),
    }
    assert all(letter.reason for letter in unread)


async def test_two_workers_share_the_work_and_each_confirms_what_it_stored(
    mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path
) -> None:
    async with (
        peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway,
        ingest(mosquitto, influxd, tmp_path) as one,
        ingest(mosquitto, influxd, tmp_path) as two,
    ):
        for seq in range(1, 201):
            await gateway.publish(f"{ROOT}/gen-{seq % 3}/telemetry", telemetry(seq, TS + seq))
        await gateway.until(lambda: len(gateway.stored()) >= 200)
        assert sorted(gateway.stored()) == list(range(1, 201))
        assert one.books.messages + two.books.messages == 200
        assert min(one.books.messages, two.books.messages) > 0
        assert one.books.confirmed + two.books.confirmed == 200
    assert len(rows(influxd, "generator")) == 200


async def test_a_second_database_is_fed_without_confirming(
    mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path
) -> None:
    async with (
        peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway,
        ingest(mosquitto, influxd, tmp_path, None, confirm=False) as found,
    ):
        for seq in range(1, 30):
            await gateway.publish(f"{ROOT}/gen-1/telemetry", telemetry(seq, TS + seq))
        await eventually(lambda: found.books.acknowledged >= 29)
    assert gateway.heard == []
    assert len(rows(influxd, "generator")) == 29


async def test_a_broker_that_comes_back_finds_the_worker_again(
    mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path
) -> None:
    async with ingest(mosquitto, influxd, tmp_path) as found:
        await asyncio.to_thread(mosquitto.kill)
        await eventually(lambda: not found.worker.subscribed.is_set())
        await asyncio.to_thread(mosquitto.start)
        await asyncio.wait_for(found.worker.subscribed.wait(), 30)
        async with peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway:
            await gateway.publish(f"{ROOT}/gen-1/telemetry", telemetry(1, TS))
            await gateway.until(lambda: gateway.stored() == [1])
    assert len(rows(influxd, "generator")) == 1


async def test_a_stop_in_full_flow_confirms_nothing_that_is_not_there(
    mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path
) -> None:
    async with peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway:
        async with ingest(mosquitto, influxd, tmp_path) as found:
            publishing = asyncio.create_task(stream(gateway, 2000))
            await gateway.until(lambda: len(gateway.stored()) > 50)
        await publishing
        stored = set(gateway.stored())
    there = {key[0] - TS for key in rows(influxd, "generator")}
    assert stored
    assert stored <= there
    assert len(stored) <= found.books.acknowledged


async def stream(gateway: Peer, count: int) -> None:
    for seq in range(1, count + 1):
        await gateway.publish(f"{ROOT}/gen-1/telemetry", telemetry(seq, TS + seq))


async def test_five_hundred_messages_a_second_and_more_pass_a_broker_with_its_defaults(
    mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path
) -> None:
    ask(influxd, 'CREATE DATABASE "vigil"')
    async with peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway, ingest(mosquitto, influxd, tmp_path):
        await asyncio.gather(*(gateway.publish(f"{ROOT}/gen-1/telemetry", telemetry(n, TS + n)) for n in range(1, 501)))
        await gateway.until(lambda: len(set(gateway.stored())) == 500)
    assert len(rows(influxd, "generator")) == 500


def guarded_broker(folder: Path, *users: str) -> Mosquitto:
    """A broker with the access list that ships with the product; every password is the user's name."""
    folder.mkdir()
    for user in users:
        words = ["-b", *([] if (folder / "passwords").exists() else ["-c"]), str(folder / "passwords"), user, user]
        subprocess.run([program("mosquitto_passwd"), *words], check=True, capture_output=True)
        (folder / user).write_text(user)
    shutil.copy(REPOSITORY / "config" / "centre" / "mosquitto.acl", folder / "acl")
    (folder / "acl").chmod(0o600)
    extra = f"password_file {folder / 'passwords'}\nacl_file {folder / 'acl'}"
    return Mosquitto(folder, extra, anonymous=False)


async def test_the_access_list_that_ships_lets_ingest_work_and_gateways_only_speak_for_themselves(
    influxd: Influxd, tmp_path: Path
) -> None:
    folder = tmp_path / "guarded"
    users = ("ingest", "depot-07", "depot-08")
    broker = await asyncio.to_thread(guarded_broker, folder, *users)
    logins = {user: {"username": user, "password_file": folder / user} for user in users}
    stored = f"{ROOT}/_gateway/stored"
    with broker:
        async with (
            peer(broker, stored, **logins["depot-07"]) as gateway,
            peer(broker, **logins["depot-08"]) as other,
            ingest(broker, influxd, tmp_path, **logins["ingest"]) as found,
        ):
            refusals = [
                await other.publish(f"{ROOT}/gen-1/telemetry", telemetry(1, TS)),
                await other.publish(stored, {"outbox": OUTBOX, "done": [[1, 1000]]}),
                await gateway.publish(stored, {"outbox": OUTBOX, "done": [[1, 1000]]}),
            ]
            await gateway.publish(f"{ROOT}/gen-1/telemetry", telemetry(2, TS))
            await gateway.until(gateway.stored)
            assert gateway.stored() == [2]
            assert found.books.confirmations_refused == 0
            assert found.books.messages == 1
    assert all(code >= 0x80 for code in refusals)
    assert len(rows(influxd, "generator")) == 1
