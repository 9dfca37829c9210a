"""How far a search has come, on a terminal."""

from __future__ import annotations

import time
from typing import TextIO

from gateway.model import Text

_BAR = 24
_STATE = Text("[{bar}] {what}  找到 {found}  约剩 {left}", "[{bar}] {what}  found {found}  about {left} left")


class Progress:
    """A bar on a terminal; nothing elsewhere."""

    def __init__(self, out: TextIO, total: int, language: str) -> None:
        self._out = out
        self._total = total
        self._language = language
        self._done = 0
        self._began = time.monotonic()
        self._shows = out.isatty()

    def step(self, what: str, found: int) -> None:
        """Another unit is about to be asked."""
        if self._shows:
            share = min(1.0, self._done / self._total)
            bar = ("#" * round(_BAR * share)).ljust(_BAR, ".")
            state = _STATE[self._language].format(bar=bar, what=f"{what:<14}", found=found, left=self._left(share))
            self._out.write(f"\r{state} \x1b[K")
            self._out.flush()
        self._done += 1

    def _left(self, share: float) -> str:
        if not share:
            return "-"
        left = (time.monotonic() - self._began) * (1 - share) / share
        minutes, seconds = divmod(round(left), 60)
        return f"{minutes}:{seconds:02}" if minutes else f"{seconds} s"

    def clear(self) -> None:
        """Leave the line empty."""
        if self._shows:
            self._out.write("\r\x1b[K")
            self._out.flush()
