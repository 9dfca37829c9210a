"""TCP and UDP as endpoints of links."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.links import Opened

_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}


@dataclass(frozen=True, slots=True)
class NetworkEndpoint:
    """A TCP server, connected to without Nagle's delay and with keepalive; or with `datagrams` a UDP server, of which
    alone datagrams are taken."""

    host: str
    port: int
    datagrams: bool = False

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def has_peer(self) -> bool:
        return not self.datagrams

    async def open(self) -> Opened:
        opened = await _connect(self.host, self.port, socket.SOCK_DGRAM if self.datagrams else socket.SOCK_STREAM)
        if not self.datagrams:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEPALIVE.items():
                opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        return Opened(opened.fileno(), lambda: "closed by the other side", opened.close, self.datagrams)


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
