"""Serves the control socket: JSON lines, one request after the other on each connection, everything bounded."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pwd
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

from gateway.control.path import NAME, short_path
from gateway.control.registry import Peer, Registry, Request, refuse_unknown
from gateway.model import Text
from gateway.ports import Refused
from gateway.wire import json_text
from gateway.wire.messages import Json

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 16
LONGEST_REQUEST = 64 * 1024
IDLE_S = 120.0
SEND_S = 5.0
_CREDENTIALS = struct.Struct("3i")

_BAD = Text("请求无法理解", "the request cannot be understood")
_LATE = Text("未在时限内完成，结果未知", "not finished in time; the outcome is not known")


async def serve_control(state_dir: Path, registry: Registry, opened: asyncio.Event | None = None) -> None:
    """Serve `control.sock` in `state_dir` until cancelled; `opened` is set once it takes requests. The store's lock
    says that nobody else does; without a socket the gateway does its work all the same."""
    path = state_dir / NAME
    try:
        listening = _listen(path)
    except OSError as error:
        log.error("control_unavailable path=%s reason=%s", path, error)
        return
    inode = path.stat().st_ino
    desk = _Desk(registry)
    server = await asyncio.start_unix_server(desk.take, sock=listening, limit=LONGEST_REQUEST)
    log.info("control_open path=%s", path)
    if opened is not None:
        opened.set()
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        server.close()
        await desk.close()
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == inode:
                path.unlink()


def _listen(path: Path) -> socket.socket:
    """The socket, not open to anybody else before it is listened on."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_path(path) as name:
            listening.bind(name)
            path.chmod(0o600)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


class _Desk:
    """The connections of the socket."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= MOST_CONNECTIONS:
            log.warning("control_full connections=%d", len(self._tasks))
            writer.close()
            return
        task = asyncio.create_task(self._serve(reader, writer), name="control-connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            peer = _peer(writer.get_extra_info("socket"))
            if peer.uid not in (0, os.geteuid()):
                log.warning("control_refused uid=%d", peer.uid)
                return
            while True:
                async with asyncio.timeout(IDLE_S):
                    line = await reader.readline()
                if not line.endswith(b"\n"):
                    return
                payload = json_text.dumps(await self._answer(line, peer)).encode() + b"\n"
                writer.write(payload)
                async with asyncio.timeout(SEND_S):
                    await writer.drain()
        except (TimeoutError, ConnectionError):
            log.debug("control_connection_given_up")
        except ValueError as error:
            log.warning("control_request_refused reason=%s", error)
        finally:
            writer.close()

    async def _answer(self, line: bytes, peer: Peer) -> Mapping[str, Json]:
        try:
            found = json_text.loads(line)
            json_text.check(found)
        except json_text.NotJson:
            return _no(None, "bad_request", _BAD)
        if not isinstance(found, Mapping):
            return _no(None, "bad_request", _BAD)
        number, name, args = found.get("id"), found.get("do"), found.get("args", {})
        number = number if isinstance(number, int) and not isinstance(number, bool) else None
        if number is None or not isinstance(name, str) or not isinstance(args, Mapping):
            return _no(number, "bad_request", _BAD)
        entry = self._registry.get(name)
        if entry is None:
            return _no(
                number, "unknown", Text("运行中的网关不认识这个命令", "the running gateway knows no such command")
            )
        try:
            refuse_unknown(args, entry.keys)
            async with asyncio.timeout(entry.answer_s):
                result = await entry.answer(Request(name, args, peer))
        except TimeoutError:
            log.warning("control_late do=%s", name)
            return _no(number, "timeout", _LATE)
        except Refused as refused:
            return _no(number, refused.error, refused.text)
        return {"id": number, "ok": True, "result": result}


def _no(number: int | None, error: str, text: Text) -> Mapping[str, Json]:
    return {"id": number, "ok": False, "error": error, "text": text.as_dict()}


def _peer(connection: socket.socket) -> Peer:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    try:
        return Peer(uid, pwd.getpwuid(uid).pw_name)
    except KeyError:
        return Peer(uid, f"uid-{uid}")
