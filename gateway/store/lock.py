"""The lock of a state directory: one process at a time works with a site's state, and with its lines."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from gateway.errors import StoreError


class StateInUse(StoreError):
    """Another process works with this state."""


def lock(state_dir: Path) -> int:
    """Take the lock, for `unlock`; StateInUse where another holds it, OSError where the directory cannot be used."""
    handle = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.geteuid() == 0:
            owner = state_dir.stat()
            os.fchown(handle, owner.st_uid, owner.st_gid)  # root looked in: the daemon's own user must get by
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise StateInUse(f"{state_dir}: in use by another process", f"{state_dir}：正被另一个进程使用") from error
    return handle


def unlock(handle: int) -> None:
    """Let go of the lock."""
    os.close(handle)


@contextlib.contextmanager
def hold_state(state_dir: Path) -> Iterator[None]:
    """Keep others off the site's lines without opening its state; StateInUse, StoreError where it cannot be used. Where
    no state is there yet, nobody works with it, and none is begun."""
    if not state_dir.exists():
        yield
        return
    try:
        handle = lock(state_dir)
    except OSError as error:
        raise StoreError(f"{state_dir}: {error}") from error
    try:
        yield
    finally:
        unlock(handle)
