"""How a long backlog leaves a gateway that goes on polling: the whole chain as processes, figures of what was seen."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from gateway.store import open_store
from tests.integration.influx_rows import ask
from tests.processes import Vigil
from tests.scenario.chaos.counters import CounterServer
from tests.scenario.chaos.recorder import Recorder
from tests.servers import Influxd, Mosquitto, Server, free_port

OLD = "vigil/v1/depot-07/old-1/telemetry"
LIVE = "vigil/v1/depot-07/count-1/telemetry"
SITE = """
schema: 1
site: {{id: depot-07, name: {{zh: 城东库, en: Chengdong}}, kind: warehouse, timezone: Asia/Shanghai}}
clock: {{hardware: trusted}}
lines:
  lan: {{tcp: "127.0.0.1:{modbus}"}}
devices:
  - id: count-1
    kind: sensor
    line: lan
    unit: 1
    interval: 100ms
    timeout: 20s
    points: {{turns: {{at: "holding:0", type: uint32, report: poll}}}}
uplink: {{mqtt: {{{broker}}}}}
state_dir: state
"""
INGEST = """
schema: 1
mqtt: {{{broker}, share: vigil, confirm: true}}
influx: {{url: "http://127.0.0.1:{influx}", api: v1, database: vigil}}
state_dir: ingest
"""
GIVE_UP_S = 300.0


@dataclass(slots=True)
class Drain:
    """What was seen while the backlog left; processor times are of that stretch alone."""

    rows: int
    took_s: float
    order: list[int]
    """Sequence numbers of the backlog as they first came."""
    live_age_s: list[float]
    """How old the live messages were that came between the first and the last of the backlog."""
    stored: int = 0
    cpu_s: dict[str, float] = field(default_factory=dict)


def fill(state: Path, rows: int) -> None:
    """An outbox as days without a link leave it."""
    store = open_store(state)
    began = int(time.time() * 1000) - 100 * rows
    body = b'"kind":"sensor","labels":{},"clock":"synced","v":{"temperature":%d.5,"humidity":41.5,"pressure":101.3}}'
    for number in range(rows):
        while store.outbox.accept(OLD, body % (number % 50), ts=began + 100 * number, retain=False, rank=2) is None:
            time.sleep(0.01)  # the disk is behind
    store.close()


def tls_listener(folder: Path, port: int) -> str:
    """Lines for mosquitto: a port that speaks TLS, with a certificate of an authority of its own (`ca.pem`)."""
    folder.mkdir()
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    return f"listener {port} 127.0.0.1\ncafile {folder}/ca.pem\ncertfile {folder}/both.pem\nkeyfile {folder}/both.pem"


def drain(folder: Path, rows: int, cpu_s: Callable[[int], float], *, tls: bool = False, kills: int = 0) -> Drain:
    """Let `rows` old messages leave beside a device that is polled ten times a second; with `tls` gateway and ingest
    speak it. The gateway is killed `kills` times while it is at it (then no processor time is told of it)."""
    fill(folder / "state", rows)
    site, ingest = folder / "site.yaml", folder / "ingest.yaml"
    secure = free_port()
    extra = "max_queued_messages 0\n"  # a slow listener hears everything, too
    with (
        Mosquitto(folder / "mosquitto", extra + (tls_listener(folder / "tls", secure) if tls else "")) as mosquitto,
        Influxd(folder / "influxd") as influxd,
        CounterServer() as counters,
        Recorder(mosquitto.port, OLD) as backlog,
        Recorder(mosquitto.port, LIVE) as live,
    ):
        broker = f'url: "mqtt://127.0.0.1:{mosquitto.port}"'
        if tls:
            broker = f'url: "mqtts://127.0.0.1:{secure}", ca_file: {folder}/tls/ca.pem'
        site.write_text(SITE.format(modbus=counters.port, broker=broker))
        ingest.write_text(INGEST.format(influx=influxd.port, broker=broker))
        with Vigil(folder, "ingest", ingest, name="ingest") as ingesting:
            ingesting.wait_for("subscribed")
            with Vigil(folder, "run", site, name="gateway") as gateway:
                watched: dict[str, Vigil | Server] = {
                    "gateway": gateway,
                    "ingest": ingesting,
                    "mosquitto": mosquitto,
                    "influxd": influxd,
                }
                pids = {name: each.process.pid for name, each in watched.items() if each.process is not None}
                backlog.wait_until(len)
                before, began = {name: cpu_s(pid) for name, pid in pids.items()}, time.monotonic()
                for number in range(kills):
                    enough = (number + 1) * rows // (kills + 1)
                    backlog.wait_until(lambda heard, enough=enough: len(heard) >= enough, GIVE_UP_S)
                    _kill(gateway)
                    pids.pop("gateway", None)
                _wait_until_gone(folder / "state" / "telemetry.db")
                took_s = time.monotonic() - began
                used = {name: cpu_s(pid) - before[name] for name, pid in pids.items()}
                assert gateway.stop() == 0, gateway.printed()[-2000:]
            assert ingesting.stop() == 0, ingesting.printed()[-2000:]
        backlog.wait_until(lambda heard: len(heard) >= rows)
        seen = _look(backlog, live)
        seen.rows, seen.took_s, seen.cpu_s = rows, took_s, used
        question = "SELECT count(temperature) FROM sensor WHERE device='old-1'"
        seen.stored = int(ask(influxd, question, "vigil")[0]["values"][0][1])
    return seen


def _kill(gateway: Vigil) -> None:
    """kill -9, and start again."""
    assert gateway.process is not None
    gateway.process.kill()
    gateway.process.wait(10)
    gateway.start()


def _wait_until_gone(file: Path) -> None:
    give_up = time.monotonic() + GIVE_UP_S
    with closing(sqlite3.connect(file, timeout=30)) as db:
        while left := db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM message WHERE topic=? LIMIT 1)", (OLD,)
        ).fetchone()[0]:
            assert time.monotonic() < give_up, f"{left} rows are left"
            time.sleep(0.1)


def _look(backlog: Recorder, live: Recorder) -> Drain:
    order = [int(payload["id"].rpartition("-")[2]) for _, _, payload in backlog.snapshot()]
    began, ended = backlog.came_at[0], backlog.came_at[-1]
    came = zip(live.came_at, live.snapshot(), strict=False)
    ages = [
        at - payload["ts"] / 1000 for at, (_, _, payload) in came if began <= at <= ended and "backlog" not in payload
    ]
    return Drain(rows=0, took_s=0.0, order=list(dict.fromkeys(order)), live_age_s=ages)
