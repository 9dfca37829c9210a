"""How many backlog rows may be in flight, so that a slow link has no queue in which live rows would wait."""

from __future__ import annotations

TARGET_DELAY_S = 0.25
"""How much longer than at its best an answer may take before the backlog steps back."""


class Pace:
    """Grows by one for each window that comes back in time, halves when answers come late."""

    def __init__(self, most: int) -> None:
        self.most = max(most, 1)
        self.limit = min(4, self.most)
        self._best_s = float("inf")
        self._answers = 0
        self._rests_until = 0.0

    def note(self, sent_at: float, answered_at: float) -> None:
        """Learn from one answer; times in monotonic seconds."""
        took_s = answered_at - sent_at
        self._best_s = min(self._best_s, took_s)
        if took_s - self._best_s > TARGET_DELAY_S:
            if answered_at >= self._rests_until:
                self.limit = max(self.limit // 2, 1)
                self._rests_until = answered_at + took_s  # what is in flight now could not know yet
            return
        self._answers += 1
        if self._answers >= self.limit:
            self._answers = 0
            self.limit = min(self.limit + 1, self.most)
