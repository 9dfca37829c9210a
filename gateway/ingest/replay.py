"""Trying dead letters again, after somebody has cured what killed them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.errors import SinkRejected
from gateway.ingest.dead_letters import DeadLetters, FactLetter, Letter, MessageLetter, read_segment
from gateway.ingest.intake import take
from gateway.ports import Fact, Sink

ROWS_AT_ONCE = 5000


@dataclass(slots=True)
class Replayed:
    """What a replay came to. `again` letters went back to the dead letters with their new reasons."""

    rows: int = 0
    again: int = 0
    damaged: int = 0


async def replay(dead_letters: DeadLetters, sink: Sink, at_ms: int) -> Replayed:
    """Write every dead letter there is now. A file goes only when all of it is in the database or in a newer file, so
    that stopping at any moment loses nothing; SinkUnavailable stops it."""
    result = Replayed()
    for segment in await asyncio.to_thread(dead_letters.close_segments):
        letters, damaged = await asyncio.to_thread(read_segment, segment)
        again: list[Letter] = []
        for first in range(0, len(letters), ROWS_AT_ONCE):
            refused, rows = await _write(letters[first : first + ROWS_AT_ONCE], sink)
            again += refused
            result.rows += rows
        if again:
            await asyncio.to_thread(dead_letters.keep, again, at_ms)
        if damaged:
            await asyncio.to_thread(dead_letters.set_aside, segment, damaged)
        await asyncio.to_thread(segment.unlink, missing_ok=True)
        result.again += len(again)
        result.damaged += len(damaged)
    return result


async def _write(letters: Sequence[Letter], sink: Sink) -> tuple[list[Letter], int]:
    """The letters that are still dead, and how many rows were written."""
    dead: list[Letter] = []
    facts: list[Fact] = []
    for letter in letters:
        if isinstance(letter, FactLetter):
            facts.append(letter.fact)
            continue
        taken = take(letter.topic, letter.payload)
        if taken.fault:
            dead.append(MessageLetter(letter.topic, letter.payload, taken.fault))
        facts += taken.facts
    reasons: dict[int, str] = {}
    try:
        await sink.write(facts)
    except SinkRejected as error:
        reasons = error.reasons
    dead += [FactLetter(facts[place], reason) for place, reason in sorted(reasons.items())]
    return dead, len(facts) - len(reasons)
