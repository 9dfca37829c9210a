"""Byte transports: what a link is, and TCP and UDP. They move bytes and say when the way is gone; nothing here knows a
frame.

A link is opened, used and closed many times in its life. It gives its receiver every byte as it comes and says once
that it was lost.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from typing import Protocol

_READ = 4096
_MOST_DRAINED = 16 * _READ
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}


class Receiver(Protocol):
    """Who uses a link."""

    def received(self, data: bytes) -> None: ...

    def lost(self, why: str) -> None:
        """The link closed itself; not called for `close`."""
        ...


class Link(Protocol):
    """One way to the field."""

    @property
    def name(self) -> str:
        """The endpoint as a person writes it."""
        ...

    @property
    def is_open(self) -> bool: ...

    @property
    def has_peer(self) -> bool:
        """Whether an open link shows that the other side is there; datagrams are sent to nobody as well."""
        ...

    async def open(self, receiver: Receiver) -> None:
        """OSError where it is not there."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of `data`; a failure is told through `lost`."""
        ...

    def drain(self) -> bytes:
        """What came and was not handed over yet."""
        ...

    def close(self) -> None:
        """Now, without waiting; what was not sent is lost."""
        ...


class SocketLink:
    """A TCP connection without Nagle's delay, with keepalive; or with `datagrams` a UDP socket that takes those of its
    server alone. Read and written without a transport between: half the work for each answer."""

    def __init__(self, host: str, port: int, *, datagrams: bool = False) -> None:
        self._host = host
        self._port = port
        self._datagrams = datagrams
        self._socket: socket.socket | None = None
        self._receiver: Receiver | None = None
        self._unsent = b""

    @property
    def name(self) -> str:
        return f"{self._host}:{self._port}"

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    @property
    def has_peer(self) -> bool:
        return not self._datagrams

    async def open(self, receiver: Receiver) -> None:
        opened = await _connect(self._host, self._port, socket.SOCK_DGRAM if self._datagrams else socket.SOCK_STREAM)
        if not self._datagrams:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEPALIVE.items():
                opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        self._socket, self._receiver, self._unsent = opened, receiver, b""
        asyncio.get_running_loop().add_reader(opened, self._readable)

    def write(self, data: bytes) -> None:
        if self._socket is None:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._lose(error.strerror or str(error))
            return
        if sent < len(data):
            self._unsent = data[sent:]
            asyncio.get_running_loop().add_writer(self._socket, self._writable)

    def _writable(self) -> None:
        data, self._unsent = self._unsent, b""
        if self._socket is not None:
            asyncio.get_running_loop().remove_writer(self._socket)
        self.write(data)

    def _readable(self) -> None:
        data = self._read()
        if data is not None and self._receiver is not None:
            self._receiver.received(data)

    def _read(self) -> bytes | None:
        """What came; None where nothing did or the way is gone."""
        if self._socket is None:
            return None
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return None
        except OSError as error:
            self._lose(error.strerror or str(error))
            return None
        if not data and not self._datagrams:
            self._lose("closed by the other side")
            return None
        return data

    def drain(self) -> bytes:
        drained = b""
        while len(drained) <= _MOST_DRAINED and (data := self._read()) is not None:
            drained += data
        return drained

    def _lose(self, why: str) -> None:
        receiver = self._receiver
        self.close()
        if receiver is not None:
            receiver.lost(why)

    def close(self) -> None:
        closing, self._socket, self._receiver = self._socket, None, None
        if closing is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(closing)
        loop.remove_writer(closing)
        closing.close()


async def _connect(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """A connected socket that never blocks: the first address that answers; the error of the last one otherwise."""
    loop = asyncio.get_running_loop()
    failure = OSError(f"no address for {host}")
    for family, address in await _addresses(host, port, kind):
        connecting = socket.socket(family, kind)
        try:
            connecting.setblocking(False)
            await loop.sock_connect(connecting, address)
        except OSError as error:
            connecting.close()
            failure = OSError(error.errno, os.strerror(error.errno)) if error.errno else error
        except BaseException:
            connecting.close()
            raise
        else:
            return connecting
    raise failure


async def _addresses(
    host: str, port: int, kind: socket.SocketKind
) -> Sequence[tuple[socket.AddressFamily, tuple[object, ...]]]:
    """Where `host` is; one given as numbers needs no name server, and no thread to ask one."""
    try:
        found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=kind)
    return [(family, address) for family, _, _, _, address in found]
