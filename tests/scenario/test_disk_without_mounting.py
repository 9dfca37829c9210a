"""Where nothing may be mounted, chaos fills the disk by a limit on file sizes: the store must feel it, and recover."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import TextIO

from tests.scenario.chaos.full_disk import Disk


def test_a_limit_on_file_sizes_is_a_full_disk(tmp_path: Path) -> None:
    with Disk(tmp_path / "state", may_mount=False) as disk:
        assert not disk.is_small
        command = [sys.executable, "-m", "tests.unit.store.writing_child", str(disk.folder), "keep"]
        # what it says goes to a pipe: a file would feel the limit, too
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said: Queue[str] = Queue()
        assert child.stdout
        listening = threading.Thread(target=listen, args=(child.stdout, said))
        listening.start()
        try:
            wait_for(said, is_commit)
            disk.fill(child.pid)
            wait_for(said, lambda line: line.startswith("store_write_failed"))
            assert child.poll() is None
            disk.free()
            wait_for(said, lambda line: line.startswith("store_write_recovered"))
            wait_for(said, is_commit)
        finally:
            child.kill()
            child.wait()
            listening.join()
            child.stdout.close()


def listen(lines: TextIO, said: Queue[str]) -> None:
    for line in lines:
        said.put(line)


def is_commit(line: str) -> bool:
    """Whether the child says that a row is on disk: its number and rank."""
    return line.split()[-1] in ("0", "1", "2")


def wait_for(said: Queue[str], is_wanted: Callable[[str], bool]) -> None:
    give_up = time.monotonic() + 60
    while not is_wanted(said.get(timeout=60)):
        assert time.monotonic() < give_up
