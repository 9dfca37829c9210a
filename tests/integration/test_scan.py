"""`vigil scan` on real lines: TCP and an RTU pty, through a running gateway, stopped half way."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.integration.test_by_hand import vigil
from tests.integration.test_modbus_servers import libmodbus
from tests.processes import Vigil
from tests.servers import PtyPair, free_port

PROFILE = """
schema: 1
vendor: Acme
model: Board
kind: sensor
name: {zh: 板, en: Board}
identity: [{at: "holding:7", equals: 7}, {at: "coil:3", equals: true}]
points: {level: {at: "holding:40", unit: m}}
"""
SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse}}
lines: {{bus: {{serial: {port}, baudrate: 38400}}}}
devices: [{{id: board, profile: acme/board, line: bus, unit: 1, interval: 200ms, timeout: 200ms}}]
state_dir: state
"""


def write_site(folder: Path, port: Path) -> Path:
    profiles = folder / "profiles" / "acme"
    profiles.mkdir(parents=True)
    (profiles / "board.yaml").write_text(PROFILE, encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(SITE.format(port=port), encoding="utf-8")
    return path


def test_a_serial_port_at_several_speeds(ptys: PtyPair) -> None:
    with libmodbus("rtu", str(ptys.b), "38400", "1"):
        done = vigil(
            "scan", ptys.a, "--units", "1-4", "--baud", "38400,9600", "--parity", "N", "--timeout", "500", "--json"
        )
    assert done.code == 0, done.stderr
    (found,) = json.loads(done.stdout)["found"]
    assert (found["unit"], found["port"], found["code"]) == (1, "38400 N 1", None)


def test_a_network_server() -> None:
    port = free_port()
    with libmodbus("tcp", str(port)):
        done = vigil("scan", f"tcp:127.0.0.1:{port}", "--units", "1-3")
    assert done.code == 0, done.stderr
    assert [row.split()[:3] for row in done.stdout.splitlines()[1:]] == [[str(n), "-", "yes"] for n in (1, 2, 3)]


@pytest.mark.parametrize("running", [False, True], ids=["alone", "through the gateway"])
def test_a_line_of_a_site(running: bool, ptys: PtyPair, tmp_path: Path) -> None:
    site = write_site(tmp_path, ptys.a)
    with libmodbus("rtu", str(ptys.b), "38400", "1"):
        gateway = Vigil(tmp_path, "run", site)
        if running:
            gateway.start().wait_for("control_open")
        done = vigil("scan", f"{site}:bus", "--units", "1-5", "--timeout", "500")
        if running:
            assert "a gateway runs" in done.stderr
            other = vigil("scan", f"{site}:bus", "--baud", "9600")
            assert (other.code, "keeps its settings" in other.stderr) == (2, True)
            assert gateway.stop() == 0
    assert done.code == 0, done.stderr
    (row,) = done.stdout.splitlines()[1:]
    assert row.split() == ["1", "38400", "N", "1", "yes", "acme/board"]


def test_it_stops_cleanly_when_told(ptys: PtyPair, tmp_path: Path) -> None:
    with Vigil(tmp_path, "scan", ptys.a, "--baud", "9600", "--lang", "en") as scan:
        # with nobody there, all units take more than half a minute; the port opens before the first question
        while (ptys.a.resolve()).stat().st_atime_ns == 0 or not _is_open(scan, ptys.a):
            assert scan.process is not None
            assert scan.process.poll() is None
        assert scan.stop(signal.SIGINT) == 1
        assert "stopped; units found so far" in scan.printed()
        assert "Traceback" not in scan.printed()


def _is_open(scan: Vigil, port: Path) -> bool:
    """Whether the process has the port open."""
    assert scan.process is not None
    folder = Path(f"/proc/{scan.process.pid}/fd")
    targets = set()
    for entry in list(folder.iterdir()):
        try:
            targets.add(entry.resolve())
        except OSError:
            continue
    return port.resolve() in targets


@pytest.mark.parametrize(
    ("word", "text"),
    [("nothing", "is no line"), ("tcp:host:port:x", "cannot be used"), ("/dev/no-such-port", "is not there")],
)
def test_what_is_no_line(word: str, text: str) -> None:
    done = vigil("scan", word)
    assert (done.code, done.stdout) == (2, "")
    assert text in done.stderr


def test_a_port_that_cannot_be_used() -> None:
    done = vigil("scan", f"tcp:127.0.0.1:{free_port()}", "--units", "1-2")
    assert done.code == 1
    assert "the line cannot be used" in done.stderr
