"""The machine's own clock."""

from __future__ import annotations

import asyncio
import ctypes
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
        await asyncio.sleep(max(0.0, monotonic_s - time.monotonic()))
