"""A TCP proxy that can become a black hole: what is sent vanishes, nothing is closed, nobody is told."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Self

from tests.servers import free_port


class Proxy:
    """Passes bytes to `target`. After `swallow` every byte is read and thrown away; `heal` cuts what was open, as a
    router does that has forgotten its connections."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._swallows = False
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def swallow(self) -> None:
        self._swallows = True

    def heal(self) -> None:
        self._swallows = False
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    async def _cut(self) -> None:
        cut = list(self._open)
        for task in cut:
            task.cancel()
        await asyncio.gather(*cut, return_exceptions=True)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._join(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            if self._swallows:
                await self._copy(reader, None)
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            writers.append(far_writer)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._copy(reader, far_writer))
                group.create_task(self._copy(far_reader, writer))
        except* OSError:
            pass
        finally:
            for each in writers:
                each.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None) -> None:
        while data := await reader.read(65536):
            if writer is not None and not self._swallows:
                writer.write(data)
                await writer.drain()
        if not self._swallows:
            raise ConnectionResetError("one side has closed")
        await asyncio.get_running_loop().create_future()  # a black hole passes no goodbye on

    def __enter__(self) -> Self:
        self._thread.start()
        serving = asyncio.start_server(self._take, "127.0.0.1", self.port)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            self._server.close()
            await self._cut()

        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
