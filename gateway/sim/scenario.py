"""Scenarios: at time t this happens. Handed out in order of time, the same every time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.model import Text, Value
from gateway.settings.problems import Place
from gateway.sim.faults import LineFault


@dataclass(frozen=True, slots=True)
class Change:
    """One input of one target, or a point of it that is held (let go where `value` is None)."""

    target: str
    name: str
    value: Value | None
    target_place: Place
    name_place: Place
    value_place: Place


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A fault on the way to `target`; off again after `for_s`, None for never, or at once where `fault` is None."""

    target: str
    fault: LineFault | None
    for_s: float | None
    place: Place


Action = Change | Disturbance


@dataclass(frozen=True, slots=True)
class Event:
    at_s: float
    every_s: float | None
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    name: Text
    repeat_s: float | None
    events: tuple[Event, ...]

    @property
    def actions(self) -> Iterator[Action]:
        for event in self.events:
            yield from event.actions


EMPTY = Scenario(Text("无剧本", "no scenario"), None, ())


class Script:
    """Hands out a scenario's actions as its time passes."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._queue: list[tuple[float, int, int]] = []
        self._start_round(0.0)

    def due(self, elapsed_s: float) -> list[Action]:
        """Every action whose time has come since the last call, in order of time, then of the file."""
        actions: list[Action] = []
        while self._queue and self._queue[0][0] <= elapsed_s + 1e-9:
            at_s, index, round_index = heapq.heappop(self._queue)
            if index == len(self._scenario.events):
                self._start_round(at_s, round_index + 1)
                continue
            event = self._scenario.events[index]
            actions.extend(event.actions)
            if event.every_s is not None:
                heapq.heappush(self._queue, (at_s + event.every_s, index, round_index))
        return actions

    def _start_round(self, start_s: float, round_index: int = 0) -> None:
        self._queue.clear()
        for index, event in enumerate(self._scenario.events):
            heapq.heappush(self._queue, (start_s + event.at_s, index, round_index))
        if self._scenario.repeat_s is not None:
            # Ends the round before anything else happens at that time.
            end = start_s + self._scenario.repeat_s
            heapq.heappush(self._queue, (end, len(self._scenario.events), round_index))
