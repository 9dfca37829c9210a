"""Lines over TCP and UDP."""

from __future__ import annotations

import asyncio
from typing import cast

from gateway.sim.servers.bus import Bus


class TcpLine:
    """One listening socket. Port 0 takes a free one, kept over a cut."""

    def __init__(self, bus: Bus, host: str, port: int) -> None:
        self.bus = bus
        self.host = host
        self.port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()

    @property
    def endpoint(self) -> str:
        return f"tcp:{self.host}:{self.port}"

    async def open(self) -> None:
        """OSError where the address is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self.bus, self._connections), self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse new connections, drop those there are."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for transport in tuple(self._connections):
            transport.abort()
        await server.wait_closed()


class _Connection(asyncio.Protocol):
    def __init__(self, bus: Bus, connections: set[asyncio.Transport]) -> None:
        self._bus = bus
        self._framing = bus.framing()
        self._connections = connections
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if self._transport is not None:
            self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        for reply in self._bus.replies(self._framing, data):
            loop.call_later(reply.delay_s, self._send, reply.data)

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


class UdpLine:
    """One datagram socket; every datagram is one request."""

    def __init__(self, bus: Bus, host: str, port: int) -> None:
        self.bus = bus
        self.host = host
        self.port = port
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def endpoint(self) -> str:
        return f"udp:{self.host}:{self.port}"

    async def open(self) -> None:
        """OSError where the address is taken."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self.bus), local_addr=(self.host, self.port)
        )
        self.port = self._transport.get_extra_info("sockname")[1]

    async def close(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
            await asyncio.sleep(0)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        for reply in self._bus.replies(self._bus.framing(), data):
            loop.call_later(reply.delay_s, self._send, reply.data, addr)

    def _send(self, data: bytes, address: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, address)
