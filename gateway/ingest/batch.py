"""One write to the database: messages, their rows, and which of them the sites may hear about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.ingest.dead_letters import FactLetter, Letter, MessageLetter
from gateway.ingest.intake import EMPTY, Taken
from gateway.ports import Fact

Origin = TypeVar("Origin")
"""What came: whatever the owner of the batch needs to acknowledge one message."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch is written: at a size, at an age, when nothing more comes, or when the receive window is full."""

    facts: int = 5000
    bytes: int = 2_000_000
    messages: int = 1000
    age_s: float = 0.2
    quiet_s: float = 0.01
    """A broker sends no more than its window before it is acknowledged, and on MQTT 3.1.1 that window is not known
    (mosquitto: 20): silence may mean that it is full."""


class Batch(Generic[Origin]):
    """Grows until it is full, is written once, then tells what may be confirmed."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._taken: list[Taken] = []
        self._owners: list[int] = []
        self._malformed: list[tuple[int, MessageLetter]] = []
        self._bytes = 0
        self.origins: list[Origin] = []
        self.facts: list[Fact] = []
        self.empty = 0

    @property
    def is_full(self) -> bool:
        limits = self._limits
        return len(self.facts) >= limits.facts or self._bytes >= limits.bytes or len(self.origins) >= limits.messages

    def add(self, origin: Origin, taken: Taken, topic: str, payload: bytes) -> None:
        number = len(self.origins)
        self.origins.append(origin)
        self._taken.append(taken)
        self._bytes += len(payload)
        if taken is EMPTY:
            self.empty += 1
        if taken.fault:
            self._malformed.append((number, MessageLetter(topic, payload, taken.fault)))
        self.facts += taken.facts
        self._owners += [number] * len(taken.facts)

    @property
    def malformed(self) -> int:
        return len(self._malformed)

    def letters(self, rejected: dict[int, str]) -> list[tuple[int, Letter]]:
        """What goes to dead letters, each with the number of its message; `rejected` is by place in `facts`."""
        refused = [(self._owners[place], FactLetter(self.facts[place], rejected[place])) for place in sorted(rejected)]
        return [*self._malformed, *refused]

    def confirmed(self, unsafe: Iterable[int] = ()) -> dict[tuple[str, str], list[tuple[int, int]]]:
        """(site, outbox) -> merged ranges of sequence numbers, without those of the `unsafe` messages."""
        spoilt = {self._taken[number].id for number in unsafe}
        numbers: dict[tuple[str, str], set[int]] = {}
        for taken in self._taken:
            if taken.id.outbox and taken.id not in spoilt:
                numbers.setdefault((taken.site, taken.id.outbox), set()).add(taken.id.seq)
        return {key: merge(sorted(found)) for key, found in numbers.items()}


def merge(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as inclusive ranges."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = ranges[-1][0], number
        else:
            ranges.append((number, number))
    return ranges
