"""How fast one channel may go: three notices at once and then one every so often, back-off while it fails. Pure."""

from __future__ import annotations

from dataclasses import dataclass

BURST = 3
"""Notices that may go at once."""
FIRST_RETRY_MS = 2_000
LAST_RETRY_MS = 600_000
LOUD_TRIES = 2
"""Failures in a row after which a channel is said to fail."""


@dataclass(slots=True)
class Pace:
    """The books of one channel; times are board milliseconds."""

    pace_ms: int
    spare: float = float(BURST)
    at: int = 0
    tries: int = 0
    """Failures in a row."""
    failing_since: int | None = None
    retry_at: int = 0
    sent: int = 0
    failed: int = 0
    """Notices that were given up or refused."""

    @property
    def is_failing(self) -> bool:
        """It failed more than once in a row."""
        return self.tries >= LOUD_TRIES

    def room(self, now: int) -> int:
        """How many notices may go now."""
        if self.pace_ms <= 0:
            return BURST
        self.spare = min(float(BURST), self.spare + max(0, now - self.at) / self.pace_ms)
        self.at = max(self.at, now)
        return int(self.spare + 1e-9)

    def next_at(self, now: int) -> int:
        """When the next notice may go, `now` where it may at once."""
        ready = now if self.room(now) else now + max(1, round((1 - self.spare) * self.pace_ms))
        return max(ready, self.retry_at)

    def took(self, now: int) -> int | None:
        """A notice went out; since when the channel had failed before it, where that had been said."""
        since = self.failing_since if self.is_failing else None
        self._spend(now)
        self.sent += 1
        self.tries, self.failing_since, self.retry_at = 0, None, 0
        return since

    def failed_at(self, now: int, after_s: float | None) -> bool:
        """A notice did not go out; True when the channel is to be said to fail from now on."""
        self.tries += 1
        self.failing_since = now if self.failing_since is None else self.failing_since
        wait = min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** min(self.tries - 1, 20))
        self.retry_at = now + max(wait, round((after_s or 0.0) * 1000))
        return self.tries == LOUD_TRIES

    def refused(self, now: int) -> None:
        """The channel works but will not have this notice."""
        self._spend(now)
        self.failed += 1
        self.tries, self.failing_since, self.retry_at = 0, None, 0

    def _spend(self, now: int) -> None:
        self.room(now)
        self.spare = max(0.0, self.spare - 1)
