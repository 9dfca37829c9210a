"""The daemon under a service manager: what it says, what it does with signals, how long it takes to end."""

from __future__ import annotations

import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import Vigil, run
from tests.servers import free_port

SITE = """
schema: 1
site: {{id: depot-07, name: {{zh: 库, en: Depot}}, kind: warehouse, timezone: Asia/Shanghai}}
lines:
  lan: {{tcp: "127.0.0.1:{tcp}"}}
  bus: {{serial: {folder}/no-such-port}}
devices:
  - id: tank-1
    kind: tank
    line: lan
    unit: 1
    interval: 200ms
    timeout: 100ms
    points: {{level: {{at: "holding:{at}", unit: m}}}}
  - {{id: tank-2, kind: tank, line: bus, unit: 1, interval: 1s, points: {{level: {{at: "holding:4", unit: m}}}}}}
uplink:
  mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
state_dir: state
"""
STOP_S = 5.0


@pytest.fixture
def deaf() -> Iterator[int]:
    """The port of a broker that accepts connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(30)
        yield sock


def told(manager: socket.socket, wanted: str) -> str:
    """The first message from now on that says `wanted`."""
    give_up = time.monotonic() + 30
    while True:
        message = manager.recv(4096).decode()
        if wanted in message:
            return message
        assert time.monotonic() < give_up, message


def write(folder: Path, mqtt: int, at: int = 4) -> Path:
    file = folder / "site.yaml"
    file.write_text(SITE.format(folder=folder, tcp=free_port(), mqtt=mqtt, at=at))
    return file


def test_a_service_tells_its_manager_and_ends_in_time(tmp_path: Path, deaf: int, manager: socket.socket) -> None:
    file = write(tmp_path, deaf)
    extra = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"}
    with Vigil(tmp_path, "run", file, name="gateway", extra=extra) as gateway:
        assert "STATUS=设备 2 台" in told(manager, "READY=1")
        assert "WATCHDOG=1" in told(manager, "STATUS=设备 2 台，无应答 2 台；上行中断")

        good = file.read_text()
        file.write_text(good.replace("line: lan", "line: nowhere"))
        assert gateway.process is not None
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_for("config_refused problem=")
        assert "nowhere" in gateway.printed()
        file.write_text(good.replace("holding:4", "holding:9"))
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_for("config_applied config=sha256:")
        told(manager, "WATCHDOG=1")

        began = time.monotonic()
        assert gateway.stop() == 0, gateway.printed()
        assert time.monotonic() - began < STOP_S, gateway.printed()
        told(manager, "STOPPING=1")
        assert "Traceback" not in gateway.printed()
    with sqlite3.connect(tmp_path / "state" / "journal.db") as journal:
        (events,) = journal.execute("SELECT count(*) FROM message WHERE topic LIKE '%_gateway/event'").fetchone()
        assert events == 1, "what was accepted is on disk"


def test_the_reload_command_says_how_it_went(tmp_path: Path, deaf: int, manager: socket.socket) -> None:
    file = write(tmp_path, deaf)
    good = file.read_text()
    nobody = run("reload", file, "--lang", "en")
    assert (nobody.returncode, nobody.stdout.count("\n")) == (1, 1)
    assert nobody.stderr.startswith("vigil reload: the running gateway cannot be reached")
    extra = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    with Vigil(tmp_path, "run", file, name="gateway", extra=extra) as gateway:
        told(manager, "READY=1")
        gateway.wait_for("control_open")

        file.write_text(good.replace("line: lan", "line: nowhere").replace("kind: warehouse", "kind: shed"))
        wrong = run("reload", file, "--lang", "en")
        assert wrong.returncode == 2
        assert [line for line in wrong.stdout.splitlines() if "nowhere" in line or "shed" in line]
        file.write_text(good + "report: {every: 30s}\n")
        done = run("reload", file, "--lang", "zh")
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "已生效：新增 0，删除 0，更改 2"), done.stderr
        file.write_text(good.replace("id: depot-07", "id: depot-08"))
        refused = run("reload", file, "--lang", "en")
        assert refused.returncode == 2
        assert "site.id: cannot change while the gateway runs (depot-07 -> depot-08)" in refused.stdout
        assert "config_refused" not in gateway.printed()
        assert gateway.stop() == 0


def test_a_wrong_file_ends_with_2_and_every_problem(tmp_path: Path) -> None:
    file = write(tmp_path, 1)
    file.write_text(file.read_text().replace("line: lan", "line: nowhere").replace("kind: warehouse", "kind: shed"))
    with Vigil(tmp_path, "run", file, name="gateway") as gateway:
        assert gateway.process is not None
        assert gateway.process.wait(30) == 2
        assert "nowhere" in gateway.printed()
        assert "shed" in gateway.printed()


def test_a_state_directory_in_use_ends_with_1_and_says_why(tmp_path: Path, deaf: int, manager: socket.socket) -> None:
    file = write(tmp_path, deaf)
    extra = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    with Vigil(tmp_path, "run", file, name="first", extra=extra):
        told(manager, "READY=1")
        with Vigil(tmp_path, "run", file, name="second") as second:
            assert second.process is not None
            assert second.process.wait(30) == 1
            assert second.printed().splitlines()[-1].endswith("in use by another process")
