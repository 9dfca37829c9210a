"""What has come from the broker and waits to be written; bounded, so that a slow database slows the broker."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

from gateway.mqtt import Link, Message


class Arrival(NamedTuple):
    """A message and the link that must acknowledge it."""

    link: Link
    message: Message


class Inbox:
    """First in, first out; one writer takes, links put."""

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._arrivals: deque[Arrival] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self.is_closed = False

    def __len__(self) -> int:
        return len(self._arrivals)

    async def put(self, arrival: Arrival) -> None:
        """Wait for room. After `close` nothing is taken in: what is not acknowledged comes again."""
        while (len(self._arrivals) >= self._max_messages or self._bytes >= self._max_bytes) and not self.is_closed:
            self._room.clear()
            await self._room.wait()
        if not self.is_closed:
            self._arrivals.append(arrival)
            self._bytes += len(arrival.message.payload)
            self._filled.set()

    async def take(self, timeout_s: float | None) -> Arrival | None:
        """The next arrival; None when `timeout_s` has passed, or when closed and empty."""
        if not self._arrivals and not self.is_closed:
            self._filled.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._filled.wait()
            except TimeoutError:
                return None
        if not self._arrivals:
            return None
        arrival = self._arrivals.popleft()
        self._bytes -= len(arrival.message.payload)
        self._room.set()
        return arrival

    def close(self) -> None:
        self.is_closed = True
        self._filled.set()
        self._room.set()
