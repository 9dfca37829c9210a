"""`vigil read` and `vigil write` against libmodbus over TCP and RTU, with a running gateway and without one."""

from __future__ import annotations

import io
import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.cli import main
from tests.integration.test_modbus_servers import libmodbus
from tests.processes import Vigil
from tests.servers import PtyPair, free_port

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse}}
lines: {{bus: {{{line}}}}}
devices:
  - id: board
    kind: sensor
    line: bus
    unit: 1
    interval: 200ms
    points:
      setpoint:
        {{at: "holding:10", scale: 0.1, unit: V, range: [0, 100], name: {{zh: 设定值, en: Setpoint}},
          write: {{roles: [chief], interlock: "mode == 'auto'"}}}}
      mode: {{at: "holding:1", enum: {{1: auto, 2: manual}}, write: {{roles: [chief]}}}}
      flag: {{at: "holding:20.3", write: {{roles: [chief]}}}}
      total: {{at: "holding:30", type: uint32, order: CDAB, write: {{roles: [chief], range: [0, 9000]}}}}
      relay: {{at: "coil:4", write: {{roles: [chief]}}}}
      locked: {{at: "holding:12", write: {{roles: [chief]}}}}
      idle_speed: {{at: "holding:50", unit: rpm, write: {{roles: [chief], arm: true}}}}
    write: {{setpoint: {{}}, mode: {{}}, flag: {{}}, total: {{}}, relay: {{}}, idle_speed: {{}}}}
state_dir: state
"""


@pytest.fixture(params=["tcp", "rtu"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "site.yaml"
    if request.param == "tcp":
        port = free_port()
        path.write_text(SITE.format(line=f'tcp: "127.0.0.1:{port}"'), encoding="utf-8")
        with libmodbus("tcp", str(port)):
            yield path
        return
    with PtyPair(tmp_path / "ptys") as ptys, libmodbus("rtu", str(ptys.b), "38400", "1"):
        path.write_text(SITE.format(line=f"serial: {ptys.a}, baudrate: 38400"), encoding="utf-8")
        yield path


@dataclass(frozen=True)
class Said:
    code: int
    stdout: str
    stderr: str


def vigil(*words: str | Path) -> Said:
    """One command to its end, in this process: a process for each would take minutes."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([*map(str, words), "--lang", "en"])
    return Said(code, out.getvalue(), err.getvalue())


def shows(site: Path, point: str, wanted: object) -> bool:
    """Whether the point reads as `wanted`, now or with one of the next polls."""
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        done = vigil("read", site, "board", point, "--json")
        assert done.code == 0, done.stderr
        (row,) = json.loads(done.stdout)["points"]
        if (row["value"], row["status"]) == (wanted, "Good"):
            return True
    return False


def events(site: Path) -> list[dict[str, object]]:
    with sqlite3.connect(site.parent / "state" / "journal.db") as db:
        rows = db.execute("SELECT body FROM message WHERE topic LIKE '%/event' ORDER BY seq").fetchall()
    bodies = [json.loads(b"{" + bytes(body)) for (body,) in rows]
    return [body["data"] | {"type": body["type"]} for body in bodies if body["type"] == "write"]


def write_and_look(site: Path) -> None:
    """Every kind of write, and what is refused."""
    table = vigil("read", site, "board").stdout
    assert "Setpoint" in table
    assert shows(site, "setpoint", 1)
    done = vigil("write", site, "board", "setpoint", "12.3", "--by", "duty-1")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout in (f"board setpoint: {one} -> 12.3, written and read back\n" for one in ("1", "1.0"))
    assert shows(site, "setpoint", 12.3)
    for point, text, seen in (
        ("flag", "true", True),
        ("total", "8001", 8001),
        ("relay", "off", False),
        ("relay", "on", True),
    ):
        assert vigil("write", site, "board", point, text).code == 0
        assert shows(site, point, seen)
    for point, text, why in (
        ("setpoint", "12.34", "the nearest are 12.3 and 12.4"),
        ("setpoint", "101", "only 0 to 100"),
        ("total", "9001", "only 0 to 9000"),
        ("setpoint", "much", "is not a number"),
        ("locked", "1", "profile and site file must both allow it"),
        ("mode", "test", "known here: auto, manual"),
    ):
        no = vigil("write", site, "board", point, text)
        assert no.code == 1
        assert why in no.stderr
    assert vigil("write", site, "board", "mode", "manual").code == 0
    no = vigil("write", site, "board", "setpoint", "5")
    assert "interlock not fulfilled, or cannot be told: mode == 'auto'" in no.stderr
    assert shows(site, "setpoint", 12.3)
    no = vigil("write", site, "board", "idle_speed", "900", "--confirm", "bord")
    assert (no.code, "nothing was written" in no.stderr) == (1, True)
    assert shows(site, "idle_speed", 50)
    assert vigil("write", site, "board", "idle_speed", "900", "--confirm", "board").code == 0
    assert shows(site, "idle_speed", 900)


def check_record(site: Path) -> None:
    """Two records for each write that went out, none for one that did not."""
    found = events(site)
    assert [each["result"] for each in found] == ["started", "done"] * 7
    first, second = found[:2]
    assert first["order"] == second["order"]
    assert str(first["by"]).startswith("duty-1 (")
    assert (first["point"], first["value"], first["via"]) == ("setpoint", "12.3", "local")
    assert second["after"] == "12.3"


def test_without_a_gateway(site: Path) -> None:
    write_and_look(site)
    check_record(site)


def test_through_the_running_gateway(site: Path, tmp_path: Path) -> None:
    with Vigil(tmp_path, "run", site) as gateway:
        gateway.wait_for("control_open")
        write_and_look(site)
        assert gateway.stop() == 0
    check_record(site)


def test_what_is_not_there_is_told(site: Path) -> None:
    for words, text in (
        (("read", site, "bord"), "there is no device bord (did you mean board?)"),
        (("read", site, "board", "setpont"), "board has no point setpont (did you mean setpoint?)"),
        (("write", site, "board", "setpont", "1"), "did you mean setpoint?"),
    ):
        done = vigil(*words)
        assert (done.code, done.stdout) == (2, "")
        assert text in done.stderr


def test_reading_what_does_not_answer_fails_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    with socket.create_server(("127.0.0.1", 0)) as mute:
        path.write_text(SITE.format(line=f'tcp: "127.0.0.1:{mute.getsockname()[1]}"'), encoding="utf-8")
        done = vigil("read", path, "board", "mode")
        assert "BadTimeout" in done.stdout
        assert (done.code, done.stderr) == (1, "vigil read: board does not answer\n")
    done = vigil("read", path, "board", "mode", "--json")
    assert json.loads(done.stdout)["points"][0]["status"] == "BadNoCommunication"
    assert done.code == 1
    assert "refused" in done.stderr


def test_reading_leaves_no_state_behind(site: Path) -> None:
    assert vigil("read", site, "board").code == 0
    assert not (site.parent / "state").exists()


def test_a_table_that_refreshes(site: Path, tmp_path: Path) -> None:
    with Vigil(tmp_path, "read", site, "board", "--watch", "--every", "0.2", "--lang", "zh") as watch:
        watch.wait_for("设定值")
        while watch.printed().count("设定值") < 3:
            assert watch.process is not None
            assert watch.process.poll() is None
        assert watch.stop(2) == 0
    assert "Traceback" not in watch.printed()
