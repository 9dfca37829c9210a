"""A link whose other side is a function: what was sent in, pieces with their delays out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from drivers.links import Receiver

Side = Callable[[bytes], Iterable[tuple[float, bytes]]]


class ScriptedLink:
    name = "scripted"
    has_peer = True

    def __init__(self, side: Side) -> None:
        self.side = side
        self.sent: list[tuple[float, bytes]] = []
        self.opened = 0
        self.opening_fails = False
        self.opening_s = 0.0
        self._receiver: Receiver | None = None

    @property
    def is_open(self) -> bool:
        return self._receiver is not None

    async def open(self, receiver: Receiver) -> None:
        self.opened += 1
        await asyncio.sleep(self.opening_s)
        if self.opening_fails:
            raise OSError("not there")
        self._receiver = receiver

    def write(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.sent.append((loop.time(), data))
        for delay, piece in self.side(data):
            loop.call_later(delay, self.deliver, piece)

    def deliver(self, data: bytes) -> None:
        if self._receiver is not None:
            self._receiver.received(data)

    def lose(self) -> None:
        receiver, self._receiver = self._receiver, None
        assert receiver
        receiver.lost("gone")

    def drain(self) -> bytes:
        return b""

    def close(self) -> None:
        self._receiver = None
