"""A Modbus TCP server whose units answer, or do not, as a test wants; it counts what each was asked."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from typing import Self


class ModbusUnits:
    """Every holding register of unit `u` holds `holds[u]`, else 100 * u; a unit not in `answering` is silent."""

    def __init__(self, *answering: int) -> None:
        self.answering = set(answering)
        self.holds: dict[int, int] = {}
        self.asked: Counter[int] = Counter()
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._news = asyncio.Event()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def wait_asked(self, unit: int, more: int = 1, timeout_s: float = 20) -> None:
        """Until `unit` was asked `more` times from now on."""
        enough = self.asked[unit] + more
        async with asyncio.timeout(timeout_s):
            while self.asked[unit] < enough:
                self._news.clear()
                await self._news.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while True:
                head = await reader.readexactly(7)
                transaction, _, length, unit = struct.unpack(">HHHB", head)
                function, _, count = struct.unpack(">BHH", await reader.readexactly(length - 1))
                self.asked[unit] += 1
                self._news.set()
                if unit in self.answering:
                    data = struct.pack(f">BB{count}H", function, 2 * count, *[self.holds.get(unit, 100 * unit)] * count)
                    writer.write(struct.pack(">HHHB", transaction, 0, len(data) + 1, unit) + data)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._open.discard(writer)
            writer.close()

    async def mend(self) -> None:
        """Listen again after a `cut`, at the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = self.port
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def cut(self) -> None:
        """Break all connections and refuse new ones."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await self._server.wait_closed()
