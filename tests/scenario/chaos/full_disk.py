"""A disk for the gateway's state that can be full: a small tmpfs where mounting is allowed, else a limit on
file sizes."""

from __future__ import annotations

import errno
import resource
import subprocess
from pathlib import Path
from typing import Self

SIZE_MB = 192


class Disk:
    """`folder` is where the state lives."""

    def __init__(self, folder: Path, *, may_mount: bool = True) -> None:
        self.folder = folder
        folder.mkdir()
        self.is_small = may_mount and self._mount()
        self._filler = folder / "filler"
        self._limited: int | None = None

    def _mount(self) -> bool:
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "vigil-chaos", str(self.folder)]
        try:
            return subprocess.run(mounting, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False

    def fill(self, process: int) -> None:
        """From now on nothing more can be written, by `process` at least."""
        if self.is_small:
            with self._filler.open("wb", buffering=0) as file:
                block = bytes(1 << 20)
                while len(block) >= 512:
                    try:
                        file.write(block)
                    except OSError as error:
                        if error.errno != errno.ENOSPC:
                            raise
                        block = block[: len(block) // 2]
        else:
            self._limited = process
            resource.prlimit(process, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)
        if self._limited is not None:
            resource.prlimit(self._limited, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            self._limited = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_small:
            subprocess.run(["umount", "-l", str(self.folder)], check=False)
