"""One kept HTTP connection for POST requests, over the standard library's client.

The client blocks, so it runs in a thread; every wait in it is bounded, and giving up from outside severs the socket
under it, so that no thread outlives its request by more than a connect.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.errors import SinkUnavailable
from gateway.ingest.aside import run_aside

CONNECT_TIMEOUT_S = 5.0
SOCKET_TIMEOUT_S = 15.0
REQUEST_TIMEOUT_S = 40.0
#: What is read of an answer; more is cut and costs the connection.
MAX_ANSWER_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    retry_after: str | None


class _Link:
    """A connection that can be given up from another thread."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self.connection = connection
        self.is_used = False
        self.is_severed = False

    def sever(self) -> None:
        self.is_severed = True
        if (sock := self.connection.sock) is not None:
            with suppress(OSError):  # it is gone already
                sock.shutdown(socket.SHUT_RDWR)


class KeptConnection:
    """POST to one origin; not for concurrent use."""

    def __init__(self, url: str, request_timeout_s: float = REQUEST_TIMEOUT_S) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._tls = parts.hostname or "localhost", parts.port, parts.scheme == "https"
        self._prefix = parts.path.rstrip("/")
        self._request_timeout_s = request_timeout_s
        self._idle: _Link | None = None

    async def post(self, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request and its answer; SinkUnavailable where none came within the deadline."""
        link, self._idle = self._idle or _Link(self._open()), None
        is_done = False
        try:
            async with asyncio.timeout(self._request_timeout_s):
                answer = await run_aside(lambda: _exchange(link, self._prefix + target, body, headers))
            is_done = True
        except TimeoutError as error:
            raise SinkUnavailable(f"{self._host}: no answer in time") from error
        except http.client.HTTPException as error:
            raise SinkUnavailable(f"{self._host}: broken answer ({type(error).__name__}: {error})") from error
        except OSError as error:
            raise SinkUnavailable(f"{self._host}: {error}") from error
        finally:
            if not is_done:
                link.sever()
        self._idle = link
        return answer

    def close(self) -> None:
        if self._idle is not None:
            self._idle.connection.close()
            self._idle = None

    def _open(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=CONNECT_TIMEOUT_S)


def _exchange(link: _Link, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    connection = link.connection
    is_whole = False
    try:
        try:
            answer = _ask(connection, target, body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            connection.close()
            if not link.is_used or link.is_severed:
                raise
            answer = _ask(connection, target, body, headers)  # a kept connection that the server had closed meanwhile
        link.is_used = is_whole = True
        return answer
    finally:
        if link.is_severed or not is_whole:
            connection.close()


def _connect(connection: http.client.HTTPConnection) -> None:
    connection.connect()
    connection.sock.settimeout(SOCKET_TIMEOUT_S)


def _ask(connection: http.client.HTTPConnection, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    if connection.sock is None:
        _connect(connection)
    is_sent = False
    try:
        connection.request("POST", target, body, dict(headers))
        is_sent = True
    except (BrokenPipeError, ConnectionResetError):
        pass  # a server that will not read the body may still have said why
    response = connection.getresponse()
    answer = Answer(response.status, response.read(MAX_ANSWER_BYTES), response.getheader("Retry-After"))
    if not (is_sent and response.isclosed()):
        connection.close()
    return answer
