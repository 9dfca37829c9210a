"""The time that dispatch goes by: wall time as it was at the start, run on by the monotonic clock."""

from __future__ import annotations

from gateway.ports import Clock


class BoardTime:
    """Milliseconds that setting the clock does not move, and that are close to UTC after a restart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._base = clock.wall_ms()

    def now(self) -> int:
        return self._base + round((self._clock.monotonic() - self._began) * 1000)
