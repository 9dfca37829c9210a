"""Byte transports: serial port, TCP and UDP. They move bytes and say when the way is gone; nothing here knows a frame.

A link is opened, used and closed many times in its life. It gives its receiver every byte as it comes and says once
that it was lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import termios
from dataclasses import dataclass
from typing import Literal, Protocol

import serial
from serial.rs485 import RS485Settings

_READ = 4096
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


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """A serial port. `path` is best a stable name (`/dev/serial/by-id/...`): it is looked up again at each opening."""

    path: str
    baudrate: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1
    bytesize: Literal[7, 8] = 8
    rs485: bool = False
    """The kernel drives RTS as driver enable (TIOCSRS485)."""
    rts_delay_s: float = 0.0
    """With `rs485`: seconds between switching and sending, and after sending."""
    low_latency: bool = True

    @property
    def char_s(self) -> float:
        """Seconds one character takes on the wire."""
        bits = 1 + self.bytesize + (self.parity != "N") + self.stopbits
        return bits / self.baudrate


class SerialLink:
    """A serial port read by the event loop."""

    def __init__(self, settings: SerialSettings) -> None:
        self.settings = settings
        self._port: serial.Serial | None = None
        self._fd = -1
        self._receiver: Receiver | None = None
        self._unsent = b""

    @property
    def name(self) -> str:
        return self.settings.path

    @property
    def is_open(self) -> bool:
        return self._port is not None

    async def open(self, receiver: Receiver) -> None:
        settings = self.settings
        try:
            port = serial.Serial(
                settings.path,
                settings.baudrate,
                bytesize=settings.bytesize,
                parity=settings.parity,
                stopbits=settings.stopbits,
                timeout=0,
                write_timeout=0,
                exclusive=True,
            )
        except (ValueError, termios.error) as error:
            raise OSError(f"the port does not take these settings: {error}") from error
        try:
            self._prepare(port)
        except (OSError, ValueError) as error:
            port.close()
            raise OSError(f"RS-485 mode: {error}") from error
        self._port = port
        self._fd = port.fileno()
        self._receiver = receiver
        self._unsent = b""
        asyncio.get_running_loop().add_reader(self._fd, self._readable)

    def _prepare(self, port: serial.Serial) -> None:
        settings = self.settings
        if settings.rs485:
            delay = settings.rts_delay_s or None
            port.rs485_mode = RS485Settings(delay_before_tx=delay, delay_before_rx=delay)
        if settings.low_latency:
            # ptys and most USB drivers but FTDI's have no such mode
            with contextlib.suppress(OSError, ValueError):
                port.set_low_latency_mode(True)

    def _readable(self) -> None:
        data = self._read()
        if data and self._receiver is not None:
            self._receiver.received(data)

    def _read(self) -> bytes:
        try:
            data = os.read(self._fd, _READ)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._lose(error.strerror or str(error))
            return b""
        if not data:
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            if any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0)):
                self._lose("hung up")
        return data

    def drain(self) -> bytes:
        drained = b""
        while self._port is not None and (data := self._read()):
            drained += data
            if len(drained) > 16 * _READ:
                break
        return drained

    def write(self, data: bytes) -> None:
        if self._port is None:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = os.write(self._fd, data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._lose(error.strerror or str(error))
            return
        if sent < len(data):
            self._unsent = data[sent:]
            asyncio.get_running_loop().add_writer(self._fd, self._writable)

    def _writable(self) -> None:
        data, self._unsent = self._unsent, b""
        asyncio.get_running_loop().remove_writer(self._fd)
        self.write(data)

    def _lose(self, why: str) -> None:
        receiver = self._receiver
        self.close()
        if receiver is not None:
            receiver.lost(why)

    def close(self) -> None:
        port, self._port = self._port, None
        self._receiver = None
        if port is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._fd)
        loop.remove_writer(self._fd)
        # the kernel would wait for unsent bytes, up to 30 s
        with contextlib.suppress(termios.error):
            termios.tcflush(self._fd, termios.TCIOFLUSH)
        self._fd = -1
        with contextlib.suppress(OSError):
            port.close()


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
