"""The power goes while the store writes, on a disk that forgets what was not synced."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.errors import StoreError
from gateway.ports import Confirmed
from gateway.store import Store, StoreOptions, open_store, sequence
from tests.fakes.power_cut import Mark, Step, Tape, recording

OPTIONS = StoreOptions(commit_interval_s=0.002, checkpoint_pages=8)
BUSY_STEPS = 150
LIVES = 3
CUTS = 20
"""Moments tried of each life."""


async def work(store: Store, tape: Tape, dice: random.Random) -> None:
    """What a gateway does to its store, with every promise written on the tape when it is made."""
    reports: set[asyncio.Task[None]] = set()

    async def report(seq: int) -> None:
        await store.outbox.committed(seq)
        tape.mark("committed", seq)

    for step in range(BUSY_STEPS):
        rank = dice.choice((2, 2, 2, 2, 1, 0))
        body = b"%d" % step * dice.randrange(1, 300)
        latest: dict[str, bytes | None] = {}
        with store.outbox._writer.lock:  # the number of a document and of its row are one promise
            number = store.outbox._sequence._next
            if rank == 0:
                latest = {"latest": b"%d" % number}
            row = store.outbox.accept(
                f"vigil/v1/a/d-{step % 3}/x{rank}", body, ts=step, retain=rank == 1, rank=rank, keep=latest or None
            )
        if row is None:  # the disk is behind: no number is reserved
            await asyncio.sleep(0.01)
            continue
        tape.mark("used", (row.seq, row.rank, row.body))
        task = asyncio.create_task(report(row.seq))
        reports.add(task)
        task.add_done_callback(reports.discard)
        store.history.record("d-1", step, {"x": float(step)}, {})
        if dice.random() < 0.1:
            store.history.seal()
        if dice.random() < 0.15:
            first = max(1, row.seq - dice.randrange(20))
            tape.mark("confirmed", (first, row.seq))
            await store.outbox.confirm(Confirmed(store.outbox.id, ((first, row.seq),)))
        if dice.random() < 0.3:
            await asyncio.sleep(dice.uniform(0, 0.004))
    await asyncio.gather(*reports)


def restore(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)


@dataclass(slots=True)
class Known:
    """All promises up to some moment, over several lives of the store."""

    used: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    """Rank and body of every number given out."""
    promised: set[int] = field(default_factory=set)
    """Committed, and not confirmed since."""
    confirmed: set[int] = field(default_factory=set)

    def after(self, steps: Sequence[Step]) -> Known:
        """The same after `steps` of another life; no number may come again."""
        known = Known(dict(self.used), set(self.promised), set(self.confirmed))
        for step in steps:
            if not isinstance(step, Mark):
                continue
            if step.word == "used":
                seq, rank, body = step.what
                assert seq not in known.used, f"number {seq} was used twice"
                known.used[seq] = rank, body
            elif step.word == "committed":
                known.promised.add(step.what)
            else:
                known.confirmed.update(range(step.what[0], step.what[1] + 1))
        known.promised -= known.confirmed
        return known


async def judge(folder: Path, known: Known) -> None:
    """Open what a cut has left: nothing promised may be missing, nothing may be there that never was."""
    store = open_store(folder, OPTIONS)
    try:
        assert store.damaged_file is None
        held = {row.seq: (row.rank, row.body) for row in await store.outbox.backlog((-1, -1), 1_000_000)}
        assert known.promised <= held.keys(), f"lost: {sorted(known.promised - held.keys())[:5]}"
        assert held.items() <= known.used.items()
        alarms = [seq for seq in known.promised if known.used[seq][0] == 0]
        if alarms:
            latest = int(store.documents.loaded("latest")["latest"])
            assert latest >= max(alarms)
            assert latest in held or latest in known.confirmed
        row = store.outbox.accept("vigil/v1/a/d-1/event", b"}", ts=1, retain=False, rank=0)
        assert row
        assert row.seq > max(known.used, default=0)
    finally:
        store.close()


async def live(folder: Path, dice: random.Random, *, synced: bool = True) -> Tape:
    """One life of the store in `folder`, from opening to closing, on tape."""
    with recording(folder) as tape:
        store = open_store(folder, OPTIONS)
        try:
            if not synced:
                for file in (store._telemetry, store.outbox._journal.file):
                    file.writer.execute("PRAGMA synchronous=OFF")
            await work(store, tape, dice)
        finally:
            store.close()
    return tape


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that numbers are reserved while the store works."""
    monkeypatch.setattr(sequence, "BLOCK", 64)


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_was_committed_outlives_power_cuts(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    known = Known()
    files: dict[str, bytes] = {}
    for life in range(LIVES):
        folder = tmp_path / f"life-{life}"
        restore(folder, files)
        tape = await live(folder, dice)
        for number in range(CUTS):
            at = dice.randrange(len(tape.steps) + 1)
            files, known_then = tape.cut(at, dice), known.after(tape.steps[:at])
            left = tmp_path / f"life-{life}-cut-{number}"
            restore(left, files)
            await judge(left, known_then)
        known = known_then  # the next life begins with what the last cut left


async def test_a_store_that_does_not_sync_would_be_caught(tmp_path: Path) -> None:
    dice = random.Random(3)
    restore(tmp_path / "life", {})
    tape = await live(tmp_path / "life", dice, synced=False)
    lost = 0
    for number in range(CUTS):
        at = dice.randrange(len(tape.steps) + 1)
        left = tmp_path / f"cut-{number}"
        restore(left, tape.cut(at, dice))
        try:
            await judge(left, Known().after(tape.steps[:at]))
        except (AssertionError, StoreError):
            lost += 1
    assert lost
