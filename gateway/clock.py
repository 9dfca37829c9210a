"""The machine's own clock."""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import time


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), as far as it is read; the rest is room for the kernel."""

    _fields_ = (("modes", ctypes.c_uint), ("rest", ctypes.c_byte * 508))


_TIME_ERROR = 5
_CHECK_EVERY_S = 10.0


class SystemClock:
    """Implements `gateway.ports.Clock` on Linux. `synced` is the kernel's own word (adjtimex), asked every 10 s."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._checked_at = float("-inf")
        self._synced = False
        self._sleepers: dict[asyncio.AbstractEventLoop, Sleepers] = {}

    monotonic = staticmethod(time.monotonic)

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    @property
    def synced(self) -> bool:
        now = time.monotonic()
        if now - self._checked_at >= _CHECK_EVERY_S:
            self._checked_at = now
            state = self._libc.adjtimex(ctypes.byref(_Timex()))
            self._synced = 0 <= state < _TIME_ERROR
        return self._synced

    async def sleep_until(self, monotonic_s: float) -> None:
        now = time.monotonic()
        if monotonic_s <= now:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        sleepers = self._sleepers.get(loop)
        if sleepers is None:
            self._sleepers = {loop: Sleepers(loop)}  # one loop at a time
            sleepers = self._sleepers[loop]
        await sleepers.until(monotonic_s, now)


class Sleepers:
    """Wakes all who sleep until the same time with one timer: hundreds of lines are asked at common ticks."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._asleep: dict[float, list[asyncio.Future[None]]] = {}
        self._times: list[float] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")

    def until(self, at: float, now: float) -> asyncio.Future[None]:
        """Done at `at`; both are monotonic seconds."""
        sleeper: asyncio.Future[None] = self._loop.create_future()
        others = self._asleep.get(at)
        if others is not None:
            others.append(sleeper)
            return sleeper
        self._asleep[at] = [sleeper]
        heapq.heappush(self._times, at)
        if at < self._timer_at:
            self._set(at, now)
        return sleeper

    def _set(self, at: float, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_later(at - now, self._ring)

    def _ring(self) -> None:
        now = max(time.monotonic(), self._timer_at)
        times = self._times
        while times and times[0] <= now:
            for sleeper in self._asleep.pop(heapq.heappop(times)):
                if not sleeper.done():
                    sleeper.set_result(None)
        self._timer, self._timer_at = None, float("inf")
        if times:
            self._set(times[0], now)
