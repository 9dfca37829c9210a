"""A clock that a test turns by hand."""

from __future__ import annotations

import asyncio


class HandClock:
    """`gateway.ports.Clock` of a machine that has just booted: `wall` is what its own clock shows."""

    def __init__(self, wall_ms: int, *, up_s: float = 20.0, synced: bool = False) -> None:
        self.up_s = up_s
        self.offset_ms = wall_ms - round(up_s * 1000)
        self.synced = synced

    def monotonic(self) -> float:
        return self.up_s

    def wall_ms(self) -> int:
        return self.offset_ms + round(self.up_s * 1000)

    def set(self, wall_ms: int, *, synced: bool = False) -> None:
        """Somebody sets the clock: a time server, or a hand."""
        self.offset_ms = wall_ms - round(self.up_s * 1000)
        self.synced = synced

    async def sleep_until(self, monotonic_s: float) -> None:
        self.up_s = max(self.up_s, monotonic_s)
        await asyncio.sleep(0)


class RunningClock(HandClock):
    """The same, but time goes by."""

    def __init__(self, wall_ms: int, *, up_s: float = 20.0, synced: bool = False) -> None:
        self._began = asyncio.get_running_loop().time()
        super().__init__(wall_ms, up_s=up_s, synced=synced)

    @property
    def up_s(self) -> float:
        return self._up_s + asyncio.get_running_loop().time() - self._began

    @up_s.setter
    def up_s(self, value: float) -> None:
        self._up_s = value
        self._began = asyncio.get_running_loop().time()

    async def sleep_until(self, monotonic_s: float) -> None:
        await asyncio.sleep(max(0.0, monotonic_s - self.up_s))
