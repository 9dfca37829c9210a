"""Where a daemon's log goes: standard error, bounded; with priorities where the journal reads it."""

from __future__ import annotations

import logging
import os
import sys

from gateway.life.log_budget import LogBudget

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_JOURNAL_FORMAT = "%(levelname)s %(name)s %(message)s"
#: Syslog priorities (sd-daemon(3)); what is below DEBUG is not logged.
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class _JournalFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"<{_PRIORITIES.get(record.levelno, 6)}>{super().format(record)}"


def set_up_logging(level: str) -> None:
    """Constant event texts with facts behind them, on standard error."""
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(_JournalFormatter(_JOURNAL_FORMAT) if _is_journal() else logging.Formatter(_FORMAT))
    out.addFilter(LogBudget())
    logging.basicConfig(level=level.upper(), handlers=[out], force=True)


def _is_journal() -> bool:
    """Whether standard error is the stream the journal gave us (JOURNAL_STREAM, systemd.exec(5))."""
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def quiet_lines() -> None:
    """For commands that say themselves why a line cannot be used: no log of it beside that."""
    logging.getLogger("drivers").setLevel(logging.ERROR)
