"""How much may be logged: an SD card must not be worn out, nor a log filled, by one line that repeats.

Every event text has a budget of its own, and all that are not errors share one; what did not fit is counted, and the
count stands on the next line of that text that does.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

BURST_LINES = 20
"""Lines of one text at once ..."""
REFILL_S = 60.0
"""... and then one in this time."""
ALL_BURST_LINES = 1000
ALL_REFILL_S = 5.0
"""The same for all lines below ERROR together: about 17,000 lines a day, 3 MB."""
MOST_TEXTS = 500
"""Texts that are told apart; a library that writes its facts into the text must not grow memory."""
_OTHERS = ("", "")


@dataclass(slots=True)
class _Budget:
    left: float
    at: float
    swallowed: int = 0

    def take(self, now: float, burst: int, refill_s: float) -> bool:
        self.left = min(float(burst), self.left + (now - self.at) / refill_s)
        self.at = now
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True


class LogBudget(logging.Filter):
    """A filter for a handler; lets through what the budgets allow."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._texts: dict[tuple[str, str], _Budget] = {}
        self._all = _Budget(ALL_BURST_LINES, monotonic())

    def filter(self, record: logging.LogRecord) -> bool:
        now = self._monotonic()
        budget = self._budget((record.name, str(record.msg)), now)
        fits = budget.take(now, BURST_LINES, REFILL_S)
        if fits and record.levelno < logging.ERROR:
            fits = self._all.take(now, ALL_BURST_LINES, ALL_REFILL_S)
        if not fits:
            budget.swallowed += 1
            return False
        if budget.swallowed:
            record.msg = f"{record.getMessage()} not_logged={budget.swallowed}"
            record.args = ()
            budget.swallowed = 0
        return True

    def _budget(self, key: tuple[str, str], now: float) -> _Budget:
        known = self._texts.get(key)
        if known is None:
            if len(self._texts) >= MOST_TEXTS:
                key = _OTHERS
            known = self._texts.setdefault(key, _Budget(BURST_LINES, now))
        return known
