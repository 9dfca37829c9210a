"""`vigil ingest` as an operator runs it: a process, its file, its signals, its exit codes."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.ingest.dead_letters import DeadLetters, FactLetter, MessageLetter
from gateway.ports import Fact
from tests.fakes.influx_v2_front import InfluxV2Front
from tests.integration.influx_rows import ask, everything, rows
from tests.integration.mqtt_peer import Peer, eventually, peer, telemetry
from tests.integration.test_ingest_worker import EXAMPLES
from tests.servers import Influxd, Mosquitto, free_port

TS = 1_763_764_800_123
ROOT = "vigil/v1/depot-07"
_VIGIL = "import sys; from gateway.cli import main; sys.exit(main())"


def v1(influxd: Influxd) -> str:
    return f'{{url: "{influxd.url}", api: v1, database: vigil}}'


def write_config(folder: Path, broker: Mosquitto, influx: str, *, mqtt: str = "share: vigil", more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    config = folder / "ingest.yaml"
    config.write_text(
        f'schema: 1\nmqtt: {{url: "mqtt://127.0.0.1:{broker.port}", {mqtt}}}\n'
        f"influx: {influx}\nstate_dir: state\n{more}"
    )
    return config


class Process:
    """One `vigil ingest`."""

    def __init__(self, config: Path, *words: str) -> None:
        command = [sys.executable, "-c", _VIGIL, "ingest", str(config), "--lang", "en", *words]
        self.log = config.with_suffix(f".{time.monotonic_ns()}.log")
        with self.log.open("wb") as log:
            self.popen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)

    async def is_subscribed(self) -> None:
        await eventually(lambda: "subscribed " in self.log.read_text() or self.popen.poll() is not None)
        assert self.popen.poll() is None, self.log.read_text()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.popen.send_signal(number)
        output, _ = self.popen.communicate(timeout=20)
        return self.popen.returncode, output


@contextmanager
def process(config: Path, *words: str) -> Iterator[Process]:
    found = Process(config, *words)
    try:
        yield found
    finally:
        if found.popen.poll() is None:
            found.popen.kill()
        found.popen.communicate(timeout=20)


async def send(gateway: Peer, *numbers: int) -> None:
    for seq in numbers:
        await gateway.publish(f"{ROOT}/gen-1/telemetry", telemetry(seq, TS + seq))


async def test_a_worker_that_is_killed_leaves_nothing_half_done(
    mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path
) -> None:
    """What is confirmed is in the database; what is not, its gateway sends again, to whatever worker is there."""
    config = write_config(tmp_path / "centre", mosquitto, v1(influxd))
    async with peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway:
        for round_ in range(3):
            with process(config) as worker:
                await worker.is_subscribed()
                numbers = range(round_ * 1000 + 1, round_ * 1000 + 401)
                sending = asyncio.create_task(send(gateway, *numbers))
                await gateway.until(lambda start=numbers.start: any(seq >= start for seq in gateway.stored()))
                worker.end(signal.SIGKILL)
                await sending
        confirmed = set(gateway.stored())
        there = {key[0] - TS for key in rows(influxd, "generator")}
        assert confirmed <= there
        everything_sent = {seq for start in (0, 1000, 2000) for seq in range(start + 1, start + 401)}
        with process(config) as worker:
            await worker.is_subscribed()
            await send(gateway, *sorted(everything_sent - confirmed))
            await gateway.until(lambda: set(gateway.stored()) == everything_sent)
    assert {key[0]: fields for key, fields in rows(influxd, "generator").items()} == {
        TS + seq: {"battery_voltage": seq / 8} for seq in everything_sent
    }


async def test_sigterm_ends_in_time_with_counts(mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path) -> None:
    config = write_config(tmp_path / "centre", mosquitto, v1(influxd))
    with process(config) as worker:
        await worker.is_subscribed()
        async with peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway:
            await send(gateway, *range(1, 21))
            await gateway.until(lambda: len(gateway.stored()) == 20)
        code, output = await asyncio.to_thread(worker.end)
    assert code == 0
    assert output == "Ended: 20 messages, 20 rows written, 20 confirmed, 0 dead letters\n"


async def test_sigterm_ends_while_the_database_hangs(mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path) -> None:
    config = write_config(tmp_path / "centre", mosquitto, v1(influxd))
    with process(config) as worker:
        await worker.is_subscribed()
        async with peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway:
            await send(gateway, 1)
            await gateway.until(lambda: gateway.stored() == [1])
            influxd.pause()
            await send(gateway, 2, 3)
            code, _ = await asyncio.to_thread(worker.end)
            influxd.resume()
            assert code == 0
            assert gateway.stored() == [1]


async def test_v2_gives_the_same_database_as_v1(mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path) -> None:
    ask(influxd, "CREATE DATABASE other")
    one = write_config(tmp_path / "v1", mosquitto, v1(influxd), mqtt="share: one")
    with InfluxV2Front(influxd.url, "other", org="emergency", bucket="vigil", token="tok-en") as front:
        v2 = f'{{url: "{front.url}", api: v2, org: emergency, bucket: vigil, token_file: influx.token}}'
        two = write_config(tmp_path / "v2", mosquitto, v2, mqtt="share: two, confirm: false")
        (two.parent / "influx.token").write_text("tok-en\n")
        with process(one) as first, process(two) as second:
            await first.is_subscribed()
            await second.is_subscribed()
            async with peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway:
                for topic, message in EXAMPLES.items():
                    await gateway.publish(f"{ROOT}/{topic}", message)
                await gateway.until(lambda: len(set(gateway.stored())) == len(EXAMPLES))
            await eventually(lambda: everything(influxd, "other") == everything(influxd, "vigil"))
            _, output = await asyncio.to_thread(second.end)
    assert output == "Ended: 6 messages, 9 rows written, 0 confirmed, 0 dead letters\n"
    assert sum(map(len, everything(influxd, "other").values())) == 9


async def test_counters_can_be_read(mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path) -> None:
    port = free_port()
    more = f'metrics: {{listen: "127.0.0.1:{port}"}}\n'
    config = write_config(tmp_path / "centre", mosquitto, v1(influxd), more=more)

    def metrics() -> dict[str, float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, value in (line.split(" ") for line in lines if line[0] != "#")}

    with process(config) as worker:
        await worker.is_subscribed()
        async with peer(mosquitto, f"{ROOT}/_gateway/stored") as gateway:
            await send(gateway, 1, 2, 3)
            await gateway.publish(f"{ROOT}/gen-1/event", b"{")
            await gateway.until(lambda: len(gateway.stored()) == 3)
            await eventually(lambda: metrics()["vigil_ingest_malformed_total"] == 1)
        found = await asyncio.to_thread(metrics)
    assert found["vigil_ingest_messages_total"] == 4
    assert found["vigil_ingest_facts_total"] == 4, "three rows, and the event that tells of the dead letter"
    assert found["vigil_ingest_confirmed_total"] == 3
    assert found["vigil_ingest_connected"] == 1
    assert found["vigil_ingest_dead_letter_bytes"] > 0


def run(config: Path, *words: str) -> tuple[int, str]:
    with process(config, *words) as found:
        output, _ = found.popen.communicate(timeout=30)
        return found.popen.returncode, output


def test_dead_letters_are_tried_again_on_request(mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path) -> None:
    config = write_config(tmp_path / "centre", mosquitto, v1(influxd))
    assert run(config, "--replay-dead-letters") == (
        0,
        "Dead letters: 0 rows written, 0 refused again, 0 cannot be read\n",
    )
    box = DeadLetters(config.parent / "state" / "dead-letters")
    cured = json.dumps(telemetry(7, TS, flow=1.5)).encode()
    box.keep(
        [
            FactLetter(Fact("pump", (("site", "a"),), {"flow": 2.5}, TS), "no"),
            MessageLetter(f"{ROOT}/gen-1/telemetry", cured, "no"),
            MessageLetter(f"{ROOT}/gen-1/telemetry", b"{", "no"),
        ],
        TS,
    )
    code, output = run(config, "--replay-dead-letters")
    assert (code, output) == (1, "Dead letters: 2 rows written, 1 refused again, 0 cannot be read\n")
    assert list(rows(influxd, "pump").values()) == [{"flow": 2.5}]
    assert list(rows(influxd, "generator").values()) == [{"flow": 1.5}]
    influxd.stop()
    code, output = run(config, "--replay-dead-letters")
    assert code == 1


GOOD = 'schema: 1\nmqtt: {url: "mqtt://h"}\ninflux: {url: "http://h", api: v1, database: d}\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema: 1\n", "mqtt"),
        ('schema: 1\nmqtt: {url: "mqtt://h"}\ninflux: {url: "http://h", api: v3}\n', "api"),
        (GOOD + "metrics: {listen: here}\n", "listen"),
    ],
)
def test_a_bad_file_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    config = tmp_path / "ingest.yaml"
    config.write_text(text)
    code, output = run(config)
    assert code == 2
    assert str(config) in output
    assert words in output


def test_a_taken_metrics_address_is_told(mosquitto: Mosquitto, influxd: Influxd, tmp_path: Path) -> None:
    more = f'metrics: {{listen: "127.0.0.1:{influxd.port}"}}\n'
    with process(write_config(tmp_path / "centre", mosquitto, v1(influxd), more=more)) as found:
        assert found.popen.wait(30) == 1
        assert "metrics: " in found.log.read_text().splitlines()[-1]
