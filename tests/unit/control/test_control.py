"""The control socket with a real client and with strangers who send anything."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.control import ControlClient, ControlFailed, Refused, Registry, Request, serve_control
from gateway.control import server as control_server
from gateway.control.path import short_path
from gateway.model import Text
from gateway.wire.messages import Json

NO = Text("不行", "No")


async def echo(request: Request) -> Mapping[str, Json]:
    return {"said": request.word("say"), "by": request.peer.name}


async def refuse(request: Request) -> Mapping[str, Json]:
    raise Refused("not_allowed", NO)


async def sleep(request: Request) -> Mapping[str, Json]:
    await asyncio.sleep(60)
    return {}


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Path]:
    registry = Registry()
    registry.register("echo", echo, ("say",))
    registry.register("refuse", refuse, ())
    registry.register("sleep", sleep, (), answer_s=0.05)
    opened = asyncio.Event()
    task = asyncio.create_task(serve_control(folder, registry, opened))
    try:
        async with asyncio.timeout(10):
            await opened.wait()
        yield folder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def asked(folder: Path, name: str, args: Mapping[str, object]) -> Mapping[str, object]:
    with ControlClient(folder) as client:
        return client.ask(name, args)


async def test_requests_are_answered_in_turn(tmp_path: Path) -> None:
    def several() -> list[object]:
        with ControlClient(tmp_path) as client:
            return [client.ask("echo", {"say": f"第 {n}"})["said"] for n in range(3)]

    async with serving(tmp_path):
        assert await asyncio.to_thread(several) == ["第 0", "第 1", "第 2"]


@pytest.mark.parametrize(
    ("name", "args", "error"),
    [
        ("refuse", {}, "not_allowed"),
        ("nothing", {}, "unknown"),
        ("sleep", {}, "timeout"),
        ("echo", {}, "bad_request"),
        ("echo", {"say": 5}, "bad_request"),
        ("echo", {"say": "x" * 300}, "bad_request"),
        ("echo", {"say": "x", "loud": True}, "bad_request"),
        ("refuse", {"say": "x"}, "bad_request"),
    ],
)
async def test_no_comes_with_a_word_and_both_languages(
    name: str, args: Mapping[str, object], error: str, tmp_path: Path
) -> None:
    async with serving(tmp_path):
        with pytest.raises(ControlFailed) as caught:
            await asyncio.to_thread(asked, tmp_path, name, args)
    assert caught.value.error == error
    assert caught.value.text.zh
    assert caught.value.text.en


async def test_a_key_that_changes_nothing_is_named_with_those_that_do(tmp_path: Path) -> None:
    async with serving(tmp_path):
        with pytest.raises(ControlFailed) as caught:
            await asyncio.to_thread(asked, tmp_path, "echo", {"say": "x", "lo\tud": True})
    assert caught.value.text.en == "`args` takes no `lo\\tud` here; it takes say"
    assert "lo\\tud" in caught.value.text.zh


async def test_only_the_owner_may_open_it_and_it_goes_with_the_gateway(tmp_path: Path) -> None:
    (tmp_path / "control.sock").write_text("left over by a power cut")
    async with serving(tmp_path):
        mode = (tmp_path / "control.sock").stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
    assert not (tmp_path / "control.sock").exists()
    with pytest.raises(ControlFailed) as caught:
        await asyncio.to_thread(asked, tmp_path, "echo", {"say": "x"})
    assert caught.value.error == "unreachable"


async def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    async with serving(folder):
        assert (await asyncio.to_thread(asked, folder, "echo", {"say": "x"}))["said"] == "x"


async def say(folder: Path, data: bytes) -> bytes:
    """What comes back for these bytes until the other end closes or a line is complete."""
    with short_path(folder / "control.sock") as name:
        reader, writer = await asyncio.open_unix_connection(name)
    writer.write(data)
    try:
        async with asyncio.timeout(10):
            return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"hello\n",
        b"[]\n",
        b"{}\n",
        b'{"id": 1}\n',
        b'{"id": true, "do": "echo"}\n',
        b'{"id": 1, "do": 5}\n',
        b'{"id": 1, "do": "echo", "args": []}\n',
        b'{"id": 1, "id": 2, "do": "echo"}\n',
        b'{"id": 1, "do": "echo", "args": {"say": 1e999}}\n',
        b'{"id": 1, "do": "\xff"}\n',
        b"[" * 5000 + b"\n",
    ],
)
async def test_nonsense_is_refused_and_the_next_is_served(line: bytes, tmp_path: Path) -> None:
    async with serving(tmp_path):
        answer = json.loads(await say(tmp_path, line))
        assert (answer["ok"], answer["error"]) == (False, "bad_request")
        good = json.loads(await say(tmp_path, b'{"id": 7, "do": "echo", "args": {"say": "x"}}\n'))
        assert (good["id"], good["ok"]) == (7, True)


async def test_a_request_without_end_ends_the_connection(tmp_path: Path) -> None:
    async with serving(tmp_path):
        assert await say(tmp_path, b"x" * (control_server.LONGEST_REQUEST * 3)) == b""
        assert json.loads(await say(tmp_path, b'{"id": 1, "do": "echo", "args": {"say": "x"}}\n'))["ok"]


async def test_connections_are_bounded(tmp_path: Path) -> None:
    async with serving(tmp_path):
        held = []
        for _ in range(control_server.MOST_CONNECTIONS):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(tmp_path / "control.sock"))
            held.append(connection)
            await say_nothing(connection)
        assert await say(tmp_path, b'{"id": 1, "do": "echo", "args": {"say": "x"}}\n') == b""
        for connection in held:
            connection.close()


async def say_nothing(connection: socket.socket) -> None:
    """Until the server has taken the connection up: it answers a first request."""
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, b"{}\n")
    async with asyncio.timeout(10):
        assert await loop.sock_recv(connection, 4096)
