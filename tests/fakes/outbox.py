"""An outbox in memory, with the promises of the real one but none of its durability."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.errors import StoreUnavailable
from gateway.ports import Confirmed, Row

OUTBOX = "9c41f07be2a3"


class MemoryOutbox:
    """`accept` is what the store does; the rest is what the uplink asks for."""

    def __init__(self, first: int = 1) -> None:
        self.rows: dict[tuple[int, int], Row] = {}
        self.retained: dict[str, Row] = {}
        self.aside: dict[int, str] = {}
        self.next = first
        self.unreadable = 0
        """How many times yet reading fails."""
        self.pages = 0
        """How often it was read."""
        self.changed = asyncio.Event()

    @property
    def id(self) -> str:
        return OUTBOX

    @property
    def seqs(self) -> list[int]:
        return sorted(seq for _, seq in self.rows)

    def accept(
        self, topic: str, *, retain: bool = False, rank: int = 2, body: bytes = b'"v":{}}', ts: int | None = None
    ) -> Row:
        row = Row(self.next, 1_763_764_800_000 + self.next if ts is None else ts, topic, body, retain, rank)
        self.next += 1
        self.rows[row.rank, row.seq] = row
        if retain:
            self.retained[topic] = row
        return row

    async def backlog(self, after: tuple[int, int], limit: int) -> Sequence[Row]:
        self.pages += 1
        await asyncio.sleep(0)
        if self.unreadable:
            self.unreadable -= 1
            raise StoreUnavailable("the disk is full")
        # insertion order is the order of sequence numbers, but not of ranks
        if not any(rank != 2 for rank, _ in self.rows):
            found = []
            for key, row in self.rows.items():
                if key > after:
                    found.append(row)
                    if len(found) == limit:
                        break
            return found
        return [self.rows[key] for key in sorted(self.rows) if key > after][:limit]

    async def newest_retained(self) -> Sequence[Row]:
        await asyncio.sleep(0)
        return list(self.retained.values())

    async def confirm(self, confirmed: Confirmed) -> None:
        assert confirmed.outbox == OUTBOX
        await asyncio.sleep(0)
        for first, last in confirmed.ranges:
            for seq in range(first, last + 1):
                for rank in (0, 1, 2):
                    self.rows.pop((rank, seq), None)
        self.changed.set()

    async def set_aside(self, seq: int, reason: str) -> None:
        self.aside[seq] = reason
        for rank in (0, 1, 2):
            self.rows.pop((rank, seq), None)
        self.changed.set()

    async def wait_until_empty(self) -> None:
        while self.rows:
            self.changed.clear()
            await self.changed.wait()
