"""A process that accepts rows until it is killed, and says what became of each: one line `<seq> <word>`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from gateway.ports import Confirmed
from gateway.store import StoreOptions, open_store


async def write(state_dir: Path, outbox_confirms: bool) -> None:
    store = open_store(state_dir, StoreOptions(commit_interval_s=0.005))
    tasks: set[asyncio.Task[None]] = set()

    async def report(seq: int, rank: int) -> None:
        await store.outbox.committed(seq)
        sys.stdout.write(f"{seq} {rank}\n")
        sys.stdout.flush()

    for step in range(1_000_000):
        rank = (2, 2, 2, 1, 2, 2, 0)[step % 7]
        row = store.outbox.accept(
            f"vigil/v1/a/gen-{step % 3}/x{rank}", b"y" * 300, ts=step, retain=rank == 1, rank=rank
        )
        if row is None:
            continue
        sys.stdout.write(f"{row.seq} used\n")
        sys.stdout.flush()
        task = asyncio.create_task(report(row.seq, rank))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        if outbox_confirms and step % 5 == 0:
            sys.stdout.write(f"{row.seq} confirmed\n")
            sys.stdout.flush()
            await store.outbox.confirm(Confirmed(store.outbox.id, ((row.seq, row.seq),)))
        if step % 3 == 0:
            await asyncio.sleep(0.0005)


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), sys.argv[2] == "confirm"))
