"""A Modbus TCP server with one table of holding registers that a test sets."""

from __future__ import annotations

import asyncio
import struct
from typing import Self


class Registers:
    """`values` are read by function 3 at any unit, from register 0; what lies behind them reads 0."""

    def __init__(self, *values: int) -> None:
        self.values = list(values)
        self.answers = 0
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                transaction, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                function, first, count = struct.unpack(">BHH", await reader.readexactly(length - 1))
                told = [*self.values, *[0] * (first + count)][first : first + count]
                data = struct.pack(f">BB{count}H", function, 2 * count, *told)
                writer.write(struct.pack(">HHHB", transaction, 0, len(data) + 1, unit) + data)
                self.answers += 1
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
