"""A Modbus TCP board with holding registers and relays (coils) that a test turns and watches."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable
from typing import Self

READ_COILS, READ_HOLDING, WRITE_COIL, WRITE_COILS = 1, 3, 5, 15


class RelayBoard:
    """One unit; `registers` and `coils` are by address. `is_silent` makes it answer nothing."""

    def __init__(self) -> None:
        self.registers: dict[int, int] = {}
        self.coils: dict[int, bool] = {}
        self.is_silent = False
        self.switched: list[tuple[float, int, bool]] = []
        """Every write of a coil: monotonic seconds, address, on."""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._news = asyncio.Event()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def until(self, is_so: Callable[[], bool], timeout_s: float = 20) -> None:
        """Until something the board sees makes `is_so` true."""
        async with asyncio.timeout(timeout_s):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    def _answer(self, request: bytes) -> bytes:
        function, first, count = struct.unpack(">BHH", request[:5])
        if function == READ_HOLDING:
            words = [self.registers.get(first + n, 0) for n in range(count)]
            return struct.pack(f">BB{count}H", function, 2 * count, *words)
        if function == READ_COILS:
            bits = sum(self.coils.get(first + n, False) << n for n in range(count))
            size = (count + 7) // 8
            return struct.pack(">BB", function, size) + bits.to_bytes(size, "little")
        if function == WRITE_COIL:
            self._switch(first, count == 0xFF00)
            return request
        if function == WRITE_COILS:
            for n in range(count):
                self._switch(first + n, bool(request[6 + n // 8] >> (n % 8) & 1))
            return request[:5]
        return bytes([function | 0x80, 1])

    def _switch(self, address: int, on: bool) -> None:
        self.coils[address] = on
        self.switched.append((time.monotonic(), address, on))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                transaction, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                request = await reader.readexactly(length - 1)
                if not self.is_silent:
                    answer = self._answer(request)
                    writer.write(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer)
                self._news.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._open.discard(writer)
            writer.close()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await self._server.wait_closed()
