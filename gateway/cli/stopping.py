"""Ctrl-C while somebody is asked something."""

from __future__ import annotations

import signal
from types import FrameType


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def stop_at_once() -> None:
    """Ctrl-C ends the command also while it waits for an answer at the keyboard, where asyncio's own way of cancelling
    would wait for the answer."""
    signal.signal(signal.SIGINT, _stop)
