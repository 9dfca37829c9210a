"""How busy the lines are: the share of the last minute in which each was taken, beside what its plan needs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from gateway.health.itself import INTERVAL_S, LOADS, Source, line_prefix
from gateway.model import Value

WINDOW_S = 60.0
HIGHEST = "line_load"


class Occupied(Protocol):
    """Whoever asks on a line."""

    def taken_s(self) -> float:
        """Seconds for which the line was taken so far; never runs back."""
        ...


def line_load(
    asking: Mapping[str, Occupied], planned: Callable[[], Mapping[str, float]], monotonic: Callable[[], float]
) -> Source:
    """In %: of each line `line_<id>_load` over the last minute and, of `planned` shares, `line_<id>_load_planned`; the
    highest of all measured as `line_load`. Of a line's first seconds ten are counted at least."""
    windows: dict[str, _Window] = {}
    measured, expected = LOADS

    def ask() -> dict[str, Value]:
        now, shares = monotonic(), planned()
        loads: dict[str, Value] = {}
        highest = 0.0
        for name in windows.keys() - asking.keys():
            del windows[name]
        for name, line in asking.items():
            window = windows.get(name)
            if window is None or window.of is not line:
                window = windows[name] = _Window(line, now)
            percent = window.percent(now)
            highest = max(highest, percent)
            loads[f"{line_prefix(name)}{measured}"] = percent
            if name in shares:
                loads[f"{line_prefix(name)}{expected}"] = round(100 * shares[name], 1)
        return {HIGHEST: highest, **loads} if loads else {}

    return ask


class _Window:
    """What one line took at the times it was looked at, a minute back."""

    def __init__(self, of: Occupied, now: float) -> None:
        self.of = of
        self._seen = deque([(now, of.taken_s())])

    def percent(self, now: float) -> float:
        """The share since the look a minute ago, or since the first."""
        taken = self.of.taken_s()
        self._seen.append((now, taken))
        while len(self._seen) > 2 and now - self._seen[1][0] >= WINDOW_S:
            self._seen.popleft()
        since, before = self._seen[0]
        return round(100 * (taken - before) / max(now - since, INTERVAL_S), 1)
