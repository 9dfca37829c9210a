"""Byte transports: what a link is, and TCP and UDP. They move bytes and say when the way is gone; nothing here knows a
frame.

A link is opened, used and closed many times in its life. It gives its receiver every byte as it comes and says once
that it was lost.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Protocol

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

    async def open(self, receiver: Receiver) -> None:
        """OSError where it is not there."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of `data`; a failure is told through `lost`."""
        ...

    def drain(self) -> bytes:
        """What came and was not handed over yet; empty where the transport always hands over at once."""
        ...

    def close(self) -> None:
        """Now, without waiting; what was not sent is lost."""
        ...


class _Stream(asyncio.Protocol):
    """One TCP connection of a link."""

    def __init__(self, link: TcpLink, receiver: Receiver) -> None:
        self._link = link
        self._receiver = receiver
        self.data_received = receiver.received  # type: ignore[method-assign]  # one call less for every answer

    def connection_lost(self, exc: Exception | None) -> None:
        if self._link.forget(self):
            self._receiver.lost(str(exc) if exc else "closed by the other side")


class TcpLink:
    """A TCP connection without Nagle's delay, with keepalive."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._stream: _Stream | None = None

    @property
    def name(self) -> str:
        return f"{self._host}:{self._port}"

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    async def open(self, receiver: Receiver) -> None:
        transport, stream = await asyncio.get_running_loop().create_connection(
            lambda: _Stream(self, receiver), self._host, self._port
        )
        if transport.is_closing():
            raise OSError("accepted and closed at once")
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE.items():
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        self._transport = transport
        self._stream = stream

    def forget(self, stream: _Stream) -> bool:
        """Whether `stream` was the connection in use."""
        if stream is not self._stream:
            return False
        self._transport = self._stream = None
        return True

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def drain(self) -> bytes:
        return b""

    def close(self) -> None:
        transport, self._transport, self._stream = self._transport, None, None
        if transport is not None:
            transport.abort()


class _Datagrams(asyncio.DatagramProtocol):
    """The socket of a UDP link."""

    def __init__(self, link: UdpLink, receiver: Receiver) -> None:
        self._link = link
        self._receiver = receiver

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:  # noqa: ARG002
        self._receiver.received(data)

    def error_received(self, exc: Exception) -> None:
        """An ICMP answer: nobody is there."""
        if self._link.forget(self):
            self._receiver.lost(str(exc))


class UdpLink:
    """A connected UDP socket: takes datagrams of its server alone."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._transport: asyncio.DatagramTransport | None = None
        self._protocol: _Datagrams | None = None

    @property
    def name(self) -> str:
        return f"{self._host}:{self._port}"

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    async def open(self, receiver: Receiver) -> None:
        self._transport, self._protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(self, receiver), remote_addr=(self._host, self._port)
        )

    def forget(self, protocol: _Datagrams) -> bool:
        """Whether `protocol` was the socket in use; it is closed."""
        if protocol is not self._protocol:
            return False
        self.close()
        return True

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(data)

    def drain(self) -> bytes:
        return b""

    def close(self) -> None:
        transport, self._transport, self._protocol = self._transport, None, None
        if transport is not None:
            transport.abort()
