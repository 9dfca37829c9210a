"""How long a line was taken: from each request that was given to it until it was done with it."""

from __future__ import annotations

from gateway.model import Answer, Fault, Job
from gateway.ports import Clock, Line


class Occupation:
    """Runs jobs on a line, one after the other, and adds up what they take."""

    __slots__ = ("_began", "_clock", "_line", "_taken_s")

    def __init__(self, line: Line, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._taken_s = 0.0
        self._began: float | None = None

    async def run(self, job: Job) -> Answer | Fault:
        """`job` on the line, with as long as it may take; also what is given up counts."""
        began = self._began = self._clock.monotonic()
        try:
            return await self._line.run(job, began + job.timeout_s + job.wire_ms / 1000)
        finally:
            self._began = None
            self._taken_s += self._clock.monotonic() - began

    def taken_s(self) -> float:
        """Seconds so far, the request under way among them; never runs back."""
        under_way = 0.0 if self._began is None else self._clock.monotonic() - self._began
        return self._taken_s + under_way
