"""A serial port as a link: opened by its stable name, read by the event loop, given up when it is unplugged."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import termios
from dataclasses import dataclass
from typing import Literal

import serial
from serial.rs485 import RS485Settings

from drivers.links import Receiver

_READ = 4096
_LOCK_WAITS_S = (0.05, 0.15, 0.3, 0.5)
_LOCKED = (errno.EAGAIN, errno.EBUSY)
IN_USE = "the port is used by another program"


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

    has_peer = True

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
        port = await self._open_exclusively()
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

    async def _open_exclusively(self) -> serial.Serial:
        """The port, ours alone. Whoever only looks at it (a service that knows modems, a program that just ends) is
        given a moment."""
        settings = self.settings
        for wait_s in (*_LOCK_WAITS_S, None):
            try:
                return serial.Serial(
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
            except OSError as error:
                if error.errno not in _LOCKED:
                    raise
                if wait_s is None:
                    raise OSError(IN_USE) from error
            await asyncio.sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

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
