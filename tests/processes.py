"""The product as a user runs it: `vigil` as a child process, its output kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self


class Vigil:
    """One `vigil` command running; `out` and `err` are files in `folder`. `extra` adds to its environment."""

    def __init__(
        self, folder: Path, *arguments: str | Path, name: str | None = None, extra: Mapping[str, str] | None = None
    ) -> None:
        self.name = name or str(arguments[0])
        self.out = folder / f"{self.name}.out"
        self.err = folder / f"{self.name}.err"
        self.extra = dict(extra or {})
        self.arguments = [sys.executable, "-m", "gateway.cli", *map(str, arguments)]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        with self.out.open("ab") as out, self.err.open("ab") as err:
            environment = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1", **self.extra}
            self.process = subprocess.Popen(self.arguments, stdout=out, stderr=err, env=environment)
        return self

    def wait_for(self, text: str, timeout_s: float = 30, times: int = 1) -> None:
        """Until `text` stands in what it printed, so many times."""
        give_up = time.monotonic() + timeout_s
        while self.printed().count(text) < times:
            assert self.process is not None
            assert self.process.poll() is None, f"{self.name} ended: {self.printed()}"
            assert time.monotonic() < give_up, f"{self.name} never said {text!r}: {self.printed()}"
            time.sleep(0.02)

    def printed(self) -> str:
        return self.out.read_text() + self.err.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(20)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


def run(*arguments: str | Path, timeout_s: float = 60, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """One `vigil` command to its end."""
    command: Sequence[str] = [sys.executable, "-m", "gateway.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, cwd=cwd, check=False)
