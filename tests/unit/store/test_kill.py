"""kill -9 in the middle of writing: nothing reported committed is missing, no sequence number is used twice."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from gateway.store import open_store


def run_and_kill(state_dir: Path, after_lines: int, mode: str) -> list[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.store.writing_child", str(state_dir), mode],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout
    lines = [child.stdout.readline() for _ in range(after_lines)]
    child.kill()
    lines += child.stdout.readlines()
    child.stdout.close()
    child.wait()
    return [line for line in lines if line.endswith("\n")]


async def test_committed_rows_survive_and_numbers_never_repeat(tmp_path: Path) -> None:
    dice = random.Random(7)
    used: set[int] = set()
    unsaid: set[int] = set()
    committed: set[int] = set()
    confirmed: set[int] = set()
    for run in range(5):
        mode, last = "confirm" if run % 2 else "keep", 0
        for line in run_and_kill(tmp_path, dice.randrange(50, 1500), mode):
            number, word = line.split()
            if word == "used":
                assert int(number) not in used
                used.add(int(number))
                last = int(number)
            elif word == "confirmed":
                confirmed.add(int(number))
            else:
                committed.add(int(number))
        unsaid.add(last + 1)  # accepted, perhaps committed, and killed before it could be said
    assert len(committed) > 50
    store = open_store(tmp_path)
    held = {row.seq for row in await store.outbox.backlog((-1, -1), 1_000_000)}
    assert committed - confirmed <= held
    assert held <= used | unsaid
    row = store.outbox.accept("vigil/v1/a/gen-1/event", b"}", ts=1, retain=False, rank=0)
    assert row
    assert row.seq > max(used)
    store.close()
