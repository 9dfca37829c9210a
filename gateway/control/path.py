"""Where the socket lies, whatever the length of its path: the kernel takes 107 bytes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

NAME = "control.sock"
_LONGEST = 107


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name of `path` that the kernel takes, good inside the block; OSError where its folder is not there."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
