"""A serial port as the endpoint of a link: opened by its stable name, ours alone, given up when it is unplugged."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import select
import termios
from dataclasses import dataclass
from typing import Literal

import serial
from serial.rs485 import RS485Settings

from drivers.links import Opened

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


class SerialEndpoint:
    """A serial port; `has_peer`: it is plugged in."""

    has_peer = True

    def __init__(self, settings: SerialSettings) -> None:
        self.settings = settings

    @property
    def name(self) -> str:
        return self.settings.path

    async def open(self) -> Opened:
        port = await self._open_exclusively()
        try:
            self._prepare(port)
        except (OSError, ValueError) as error:
            port.close()
            raise OSError(f"RS-485 mode: {error}") from error
        descriptor = port.fileno()
        return Opened(descriptor, lambda: _why_ended(descriptor), lambda: _shut(port))

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


def _why_ended(descriptor: int) -> str | None:
    """A port reads empty where nothing came, and where it is gone."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    gone = select.POLLHUP | select.POLLERR | select.POLLNVAL
    return "hung up" if any(event & gone for _, event in poll.poll(0)) else None


def _shut(port: serial.Serial) -> None:
    # the kernel would wait for unsent bytes, up to 30 s
    with contextlib.suppress(termios.error):
        termios.tcflush(port.fileno(), termios.TCIOFLUSH)
    with contextlib.suppress(OSError):
        port.close()
