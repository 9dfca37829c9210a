"""What the service manager is told, on real sockets."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.life.service_manager import ServiceManager
from gateway.life.vital_signs import LONGEST_COMMIT_S, LONGEST_TURN_S, report_life, status_line, stuck


class Life:
    """A gateway whose signs of life are set by hand."""

    def __init__(self) -> None:
        self.turned = 1000.0
        self.late = 0.0
        self.connected: bool | None = True
        self.language = "en"

    def now(self) -> float:
        return 1000.0

    def turned_at(self) -> float:
        return self.turned

    def store_late_s(self) -> float:
        return self.late

    def standing(self) -> tuple[str, int, int, bool | None, int]:
        return self.language, 12, 1, self.connected, 40


@pytest.fixture(params=["path", "abstract"])
def listening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    name = str(tmp_path / "n") if request.param == "path" else "@vigil-test-" + secrets.token_hex(6)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name[1:] if name.startswith("@") else name)
        sock.setblocking(False)
        yield name, sock


async def heard(sock: socket.socket) -> dict[str, str]:
    message = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 4096), 20)
    return dict(line.partition("=")[::2] for line in message.decode().splitlines())


def test_nobody_is_told_where_nobody_listens(tmp_path: Path) -> None:
    assert not ServiceManager({}).tell(READY="1")
    assert not ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell(READY="1")
    assert not ServiceManager({"NOTIFY_SOCKET": "vsock:2:1"}).tell(READY="1")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_known_from_the_environment(facts: dict[str, str], expected: float | None) -> None:
    assert ServiceManager(facts).watchdog_s == expected


async def test_life_is_told_from_start_to_end(listening: tuple[str, socket.socket]) -> None:
    name, sock = listening
    manager = ServiceManager({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000"})
    life = Life()
    telling = asyncio.create_task(report_life(life, manager))
    status = "12 devices, 1 silent; uplink connected; 40 messages wait for confirmation"
    assert await heard(sock) == {"READY": "1", "STATUS": status}
    assert await heard(sock) == {"WATCHDOG": "1", "STATUS": status}
    telling.cancel()
    while (message := await heard(sock)) != {"STOPPING": "1"}:
        assert "WATCHDOG" in message


async def test_a_stuck_gateway_is_not_fed_and_says_so_once(
    listening: tuple[str, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    name, sock = listening
    manager = ServiceManager({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000"})
    life = Life()
    life.late = LONGEST_COMMIT_S + 1
    telling = asyncio.create_task(report_life(life, manager))
    assert "READY" in await heard(sock)
    await asyncio.sleep(0.1)
    with pytest.raises(BlockingIOError):
        sock.recv(4096)
    assert [record.getMessage() for record in caplog.records] == ["watchdog_not_fed stuck=store"]
    life.late = 0.0
    assert "WATCHDOG" in await heard(sock)
    telling.cancel()


def test_polls_and_store_must_both_move() -> None:
    life = Life()
    assert stuck(life) is None
    life.turned = 1000.0 - LONGEST_TURN_S - 1
    assert stuck(life) == "polls"
    life.turned, life.late = 1000.0, LONGEST_COMMIT_S + 1
    assert stuck(life) == "store"


@pytest.mark.parametrize(("connected", "words"), [(True, "上行已连接"), (False, "上行中断"), (None, "无上行")])
def test_the_status_line_speaks_the_language_of_the_site(connected: bool | None, words: str) -> None:
    life = Life()
    life.language, life.connected = "zh", connected
    assert status_line(life) == f"设备 12 台，无应答 1 台；{words}；待确认 40 条"
