"""The symbolic link a client opens as its serial port, and who made it: the link of a process that was killed stays
behind, and may lead to somebody else's terminal by now.

`bus` leads to `.bus.<process>-<start>` beside it, and that to the pseudo-terminal.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

log = logging.getLogger(__name__)

_START_FIELD = 22 - 3
"""`starttime` of proc(5), counted behind the name of the process, which may hold anything."""


class PortLink:
    """The link at `path` that this process makes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._own = path.with_name(f".{path.name}.{os.getpid()}-{_started(os.getpid())}")

    def lead_to(self, device: str) -> None:
        """Put the link there, so that a client never sees the path missing; OSError where that cannot be."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if is_left_behind(self.path):
            remove_left_behind(self.path)
        for link, target in ((self._own, device), (self.path, self._own.name)):
            fresh = link.with_name(f"{link.name}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(target)
            fresh.replace(link)

    def remove(self) -> None:
        """Take it away, unless another has put its own there."""
        if self.path.is_symlink() and self.path.readlink() == Path(self._own.name):
            self.path.unlink()
        self._own.unlink(missing_ok=True)


def is_left_behind(path: Path) -> bool:
    """Whether the link at `path` was made by a process that is gone."""
    maker = _maker(path)
    return maker is not None and _started(maker[0]) != maker[1]


def remove_left_behind(path: Path) -> None:
    """Remove such a link and say whose it was."""
    maker = _maker(path)
    if maker is not None:
        log.warning("stale_port_removed path=%s left_by_pid=%d", path, maker[0])
        path.with_name(str(path.readlink())).unlink(missing_ok=True)
        path.unlink()


def _maker(path: Path) -> tuple[int, int] | None:
    """Process and start time of who made the link; None where it is none of ours."""
    if not path.is_symlink():
        return None
    named = re.fullmatch(rf"\.{re.escape(path.name)}\.(\d+)-(\d+)", str(path.readlink()))
    return (int(named[1]), int(named[2])) if named else None


def _started(process: int) -> int:
    """When a process started, in ticks since boot; -1 where there is none."""
    try:
        state = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return -1
    return int(state.rpartition(")")[2].split()[_START_FIELD])
