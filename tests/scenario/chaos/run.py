"""One run of chaos: quiet, faults in a seeded order, quiet again, and the verdict."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from tests.scenario.chaos.faults import FAULTS, Fault
from tests.scenario.chaos.stage import Stage
from tests.scenario.chaos.verdict import Verdict, judge

WARM_UP_S = 3.0
SETTLE_S = 150.0
"""Longest time for the last row to arrive: a row is sent again after 30 s, then after 60 s."""


class Dice(random.Random):
    """All waits of a run are drawn with `uniform`; they last `pace` times as long as elsewhere."""

    pace = 1.0

    def uniform(self, a: float, b: float) -> float:
        return a + (super().uniform(a, b) - a) * self.pace


def shuffled(dice: random.Random) -> Iterator[Fault]:
    """Every fault once in random order, over and over."""
    while True:
        faults = list(FAULTS)
        dice.shuffle(faults)
        yield from faults


def run(folder: Path, seed: int, *, for_s: float, most: int | None = None, pace: float = 1.0) -> Verdict:
    """Break things for `for_s` seconds, or `most` times, and judge. AssertionError names what does not add up."""
    dice = Dice(seed)
    dice.pace = pace
    with Stage(folder) as stage:
        try:
            return _run(stage, dice, for_s, most)
        except AssertionError as error:
            shutil.copytree(stage.disk.folder, folder / "state-kept", ignore=shutil.ignore_patterns("filler"))
            error.add_note(f"seed {seed}\n" + "\n".join(stage.story))
            raise


def _run(stage: Stage, dice: random.Random, for_s: float, most: int | None) -> Verdict:
    stage.recorder.wait_until(lambda heard: any(topic.endswith("/stored") for _, topic, _ in heard))
    time.sleep(WARM_UP_S)
    until = time.monotonic() + for_s
    for number, fault in enumerate(shuffled(dice)):
        if time.monotonic() > until or number == most:
            break
        stage.note(fault.__name__)
        fault(stage, dice)
        time.sleep(dice.uniform(0.0, 1.5))
    stage.note("quiet")
    wait_until_drained(stage)
    assert stage.stop_gateway() == 0, stage.gateway.printed()[-3000:]
    for worker in stage.ingests:
        assert worker.stop() == 0, worker.printed()[-3000:]
    stage.note("judged")
    return judge(stage)


def wait_until_drained(stage: Stage) -> None:
    """Until everything that was held when things had become quiet is confirmed."""
    time.sleep(2)  # what was waiting for a full disk or a commit comes to the disk first
    stage.taps.harvest()
    owed = set().union(*stage.taps.held.values())
    give_up = time.monotonic() + SETTLE_S
    while owed:
        assert time.monotonic() < give_up, f"{len(owed)} rows are still held: {explain(stage, min(owed))}"
        assert stage.gateway.process is not None
        assert stage.gateway.process.poll() is None, stage.gateway.printed()[-3000:]
        time.sleep(0.5)
        stage.taps.harvest()
        owed &= set().union(*stage.taps.held.values())


def explain(stage: Stage, seq: int) -> str:
    """What is known of a row that never left: itself, how often it was said, how often it was called stored."""
    said, called = [], 0
    for number, (_, topic, payload) in enumerate(stage.recorder.snapshot()):
        if topic.endswith("/_gateway/stored"):
            called += sum(first <= seq <= last for first, last in payload["done"])
        elif payload.get("id", "").endswith(f"-{seq:06d}"):
            said.append((number, "backlog" if "backlog" in payload else "live"))
    return f"{stage.taps.accepted.get(seq)} was said {said} and called stored {called} times"
