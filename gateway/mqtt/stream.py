"""The socket below an MQTT link: opened without ever blocking the loop, cut into packets on the way in and buffered on
the way out, because paho reads byte by byte and writes packet by packet."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gateway.mqtt.failures import LinkFailed, LinkFault, failure_of
from gateway.mqtt.packets import split
from gateway.settings.types import MqttSettings, Tls

_Result = TypeVar("_Result")
_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]

READ_BYTES = 65536
USER_TIMEOUT_MS = 20_000
"""TCP_USER_TIMEOUT, tcp(7): how long sent bytes may stay unacknowledged before the kernel gives up."""


class Stream:
    """A connected non-blocking socket in the shape paho expects of one."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._packets: deque[bytes] = deque()
        self._rest = b""
        self._handed = b""
        self._taken = 0
        self._outbox = bytearray()
        self._may_read = False
        self.is_over = False
        """Whether the other side has ended the stream, or it broke: `recv` tells paho so."""
        self.error: OSError | None = None
        """Why the stream ended, where the operating system said so."""
        self.received = 0
        """Bytes read since the start: progress, as seen by who watches for silence."""

    def next_packet(self) -> bytes | None:
        """The next whole packet; asks the socket only when none is left, once after each `allow_read`."""
        while not self._packets:
            if not (self._may_read or self._is_pending) or self.is_over:
                return None
            self._may_read = False
            self._fill()
        return self._packets.popleft()

    def _fill(self) -> None:
        try:
            data = self._sock.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            self.error = error
            self.is_over = True
            return
        self.is_over = not data
        self.received += len(data)
        packets, self._rest = split(self._rest + data)
        self._packets.extend(packets)

    def hand(self, packet: bytes) -> None:
        """Let paho read `packet`."""
        self._handed = packet
        self._taken = 0

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes of what was handed; nothing or the error once the stream is over."""
        start = self._taken
        if start >= len(self._handed):
            if not self.is_over:
                raise BlockingIOError
            if self.error is not None:
                raise self.error
            return b""
        self._taken = start + size
        return self._handed[start : self._taken]

    def allow_read(self) -> None:
        """The socket is readable: the next packet may be asked of it. Spares a call that would say it is empty."""
        self._may_read = True

    @property
    def has_input(self) -> bool:
        """Whether packets or bytes wait here that the selector does not know of."""
        return bool(self._packets) or self._is_pending

    @property
    def _is_pending(self) -> bool:
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def send(self, data: bytes | bytearray) -> int:
        """Takes everything; `flush` puts it on the wire. Bounded by the windows of the link above."""
        self._outbox += data
        return len(data)

    def flush(self) -> bool:
        """Write what is buffered; False if the socket takes no more for now."""
        while self._outbox:
            try:
                count = self._sock.send(self._outbox)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            except OSError as error:
                self.error = self._last_words() or error
                raise
            del self._outbox[:count]
        return True

    def _last_words(self) -> OSError | None:
        """The alert a peer sent before it closed: it says more than the failed write."""
        if isinstance(self._sock, ssl.SSLSocket):
            try:
                self._sock.recv(1)
            except ssl.SSLError as error:
                return error
            except OSError:
                return None
        return None

    def close(self) -> None:
        """Close, with one try to write what is buffered (the DISCONNECT, as a rule)."""
        with contextlib.suppress(OSError):
            self.flush()
        self._sock.close()

    def fileno(self) -> int:
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:
        self._sock.setblocking(flag)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """All that had to touch disk or name servers."""

    password: str | None
    context: ssl.SSLContext | None
    addresses: Sequence[_Address]


async def open_stream(settings: MqttSettings, timeout_s: float) -> tuple[Stream, str | None]:
    """A connected stream (TLS done) and the password as it stands in its file now. Raises LinkFailed; the caller sets
    the deadline as a whole, `timeout_s` is shared out among the addresses of the broker.

    Name servers and disks are asked in a daemon thread, so that a hung one holds up neither the loop nor the exit.
    """
    prepared = await _in_daemon_thread(lambda: _prepare(settings))
    sock = await _connect(prepared.addresses, timeout_s / len(prepared.addresses))
    try:
        if prepared.context is not None:
            sock = await _shake_hands(prepared.context, sock, settings.host)
    except BaseException:
        sock.close()
        raise
    return Stream(sock), prepared.password


def _prepare(settings: MqttSettings) -> _Prepared:
    try:
        password = _first_line(settings.password_file) if settings.password_file else None
        context = _context(settings.tls) if settings.tls else None
    except (OSError, ValueError) as error:
        raise LinkFailed(LinkFault.LOCAL_FILE, str(error)) from error
    try:
        addresses = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise LinkFailed(LinkFault.NAME, str(error)) from error
    except OSError as error:
        raise failure_of(error) from error
    return _Prepared(password, context, addresses)


def _first_line(file: Path) -> str:
    return file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca_file)
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context


async def _connect(addresses: Sequence[_Address], timeout_s: float) -> socket.socket:
    """The first address that answers within `timeout_s`; the error of the last one otherwise."""
    loop = asyncio.get_running_loop()
    failure = LinkFailed(LinkFault.NAME, "no address")
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
            async with asyncio.timeout(timeout_s):
                await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = failure_of(error)
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


async def _shake_hands(context: ssl.SSLContext, sock: socket.socket, host: str) -> ssl.SSLSocket:
    loop = asyncio.get_running_loop()
    try:
        wrapped = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    except (OSError, ValueError) as error:
        raise LinkFailed(LinkFault.TLS, str(error)) from error
    try:
        while True:
            try:
                wrapped.do_handshake()
            except ssl.SSLWantReadError:
                await _ready(loop.add_reader, loop.remove_reader, wrapped)
            except ssl.SSLWantWriteError:
                await _ready(loop.add_writer, loop.remove_writer, wrapped)
            else:
                return wrapped
    except OSError as error:
        wrapped.close()
        failure = failure_of(error)
        if failure.fault is LinkFault.LOST:
            raise LinkFailed(LinkFault.TLS_NOT_SPOKEN, failure.detail) from error
        raise failure from error
    except BaseException:
        wrapped.close()
        raise


async def _ready(watch: Callable[..., object], unwatch: Callable[[socket.socket], object], sock: socket.socket) -> None:
    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    watch(sock, _settle, waiter)
    try:
        await waiter
    finally:
        unwatch(sock)


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


async def _in_daemon_thread(work: Callable[[], _Result]) -> _Result:
    """`work`'s result or its LinkFailed. The default executor would be joined at exit, this thread is not."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[_Result] = loop.create_future()

    def settle(result: _Result | None, failure: LinkFailed | None) -> None:
        if waiter.done():
            return
        if failure is not None:
            waiter.set_exception(failure)
        else:
            waiter.set_result(result)  # type: ignore[arg-type]  # None only beside a failure

    def run() -> None:
        result: _Result | None = None
        failure: LinkFailed | None = None
        try:
            result = work()
        except LinkFailed as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="mqtt-resolve", daemon=True).start()
    return await waiter
