"""What the outbox is still to be told: confirmations and refusals, in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from gateway.ports import Confirmed
from gateway.uplink.outbox import Outbox
from gateway.uplink.spans import Range, Spans

MOST_ASIDE = 1000


class Books:
    """Collects while the outbox writes, so that its transactions grow with the traffic."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._confirmed = Spans()
        self._aside: dict[int, str] = {}
        self._has_news = asyncio.Event()

    def holds(self, seq: int) -> bool:
        """Whether the outbox is about to forget `seq`."""
        return seq in self._confirmed or seq in self._aside

    def confirm(self, ranges: Iterable[Range]) -> None:
        for first, last in ranges:
            self._confirmed.add(first, last)
            self._has_news.set()

    def set_aside(self, seq: int, reason: str) -> bool:
        """False where too many wait already: the row stays in the outbox and will be refused again."""
        if len(self._aside) >= MOST_ASIDE:
            return False
        self._aside[seq] = reason
        self._has_news.set()
        return True

    async def keep(self) -> None:
        """Write whenever there is something to write, as long as this runs."""
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            await self.write()

    async def write(self) -> None:
        """Tell the outbox everything that is known now."""
        ranges = tuple(self._confirmed)
        if ranges:
            await self._outbox.confirm(Confirmed(self._outbox.id, ranges))
            for first, last in ranges:
                self._confirmed.remove(first, last)
        for seq, reason in list(self._aside.items()):
            await self._outbox.set_aside(seq, reason)
            del self._aside[seq]
