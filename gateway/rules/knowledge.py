"""What is known of one device: its points and facts, and what definitions and windows make of them, by name.

What has no value is left out. Times are sample times in UTC milliseconds; nothing here looks at a clock.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, tzinfo
from typing import Any

from gateway.model import MaybeValue, Status
from gateway.rules.bind import Binding, BoundWindow
from gateway.rules.expressions import Plain
from gateway.rules.facts import (
    AGE,
    GOOD_POLLS,
    GOOD_POLLS_MOST,
    OUT_OF_RANGE,
    OUT_OF_RANGE_SAMPLES,
    POLL_INTERVAL,
    SILENT_FOR,
    TIME_OF_DAY,
    passing,
    plain,
)
from gateway.rules.outside import Outside
from gateway.rules.windows import Accumulator

_NUMBERS = frozenset((int, float))


class _WindowState:
    __slots__ = ("accumulator", "bound", "bucket", "last")

    def __init__(self, bound: BoundWindow) -> None:
        self.bound = bound
        window = bound.window
        self.accumulator = Accumulator(window.take, window.over_s, window.least_s)
        self.last: Plain | None = None
        self.bucket = -1


class Knowledge:
    """Values by name, kept up to date reading by reading. Of the points only those in `asked` are kept, and what rules
    ask for besides."""

    def __init__(
        self, binding: Binding, asked: Iterable[str], dates: Mapping[str, date], zone: tzinfo, interval_s: float
    ) -> None:
        self._binding = binding
        self._dates = dates
        self._zone = zone
        self.values: dict[str, Plain] = {**binding.facts, POLL_INTERVAL: interval_s}
        for name, bound in binding.define:
            self._set(name, bound.value(self.values), set())
        self._windows = tuple(_WindowState(bound) for bound in binding.windows)
        self._watched = self._all_asked(asked)
        self._passing = tuple(name for name in self._watched if name == TIME_OF_DAY or name.endswith(AGE))
        self._last: tuple[Sequence[str], Sequence[MaybeValue]] | None = None
        self._places_in: Sequence[str] = ()
        self._places: list[tuple[int, str]] = []
        """Where the watched ones stand among the points read last."""
        self._calm: dict[str, tuple[float, float]] = {}
        """Between which values a point may move without any rule having to look at it."""
        self._minute = -1
        self._usable_at: int | None = None
        self._silent_ms = 0
        """For how long nothing of the device was usable; goes on where it was after an outage."""
        self._good_polls = 0
        self._silence_watched = SILENT_FOR in self._watched or GOOD_POLLS in self._watched
        self._range_watched = OUT_OF_RANGE in self._watched
        self._outside = Outside()

    def take(
        self,
        ts: int,
        points: Sequence[str],
        values: Sequence[MaybeValue],
        statuses: Sequence[Status] = (),
        *,
        is_reading: bool = True,
    ) -> set[str]:
        """Take in values (None where bad) at `ts`; the names whose value changed in a way that matters to a rule."""
        changed: set[str] = set()
        if self._silence_watched:
            self._note_silence(ts, values, changed, is_reading=is_reading)
        self._take_points(points, values, changed)
        if self._range_watched and statuses:
            self._note_range(points, statuses, changed)
        if ts // 60_000 != self._minute:
            self._minute = ts // 60_000
            for name, value in passing(self._dates, self._passing, ts, self._zone).items():
                self._set(name, value, changed)
        for name, bound in self._binding.define:
            if not changed.isdisjoint(bound.names):
                self._set(name, bound.value(self.values), changed)
        for window in self._windows:
            self._feed(window, ts, changed)
        return changed

    @property
    def has_outside(self) -> bool:
        """Whether a point is outside its limits, or was when it could last be read."""
        return bool(self._outside)

    def carry_over(self, before: Knowledge) -> None:
        """Go on from where `before`, the same device under other rules or facts, stands now."""
        made = before._binding.facts.keys() | {name for name, _ in before._binding.define}
        points = before.values.keys() - made - self.values.keys()
        self.values.update({name: before.values[name] for name in points if name in self._watched})
        for name, bound in self._binding.define:
            self._set(name, bound.value(self.values), set())
        self._outside.carry_over(before._outside, self._binding.points)
        self._good_polls = before._good_polls
        self._go_on(before.export())

    def pause(self, step_ms: int) -> None:
        """After an outage, or a step of the clock by `step_ms`: what is remembered lies as far back as before."""
        self._calm.clear()
        if self._usable_at is not None:
            self._usable_at += step_ms
        for window in self._windows:
            window.accumulator.shift(step_ms)

    def export(self) -> dict[str, Any]:
        """What has to survive a restart, as JSON."""
        windows = {each.bound.window.name: each.accumulator.export() for each in self._windows}
        return {"windows": windows, "silent_ms": self._silent_ms, "outside": self._outside.export()}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on after an outage with what `export` gave; what is no longer there is passed over."""
        self._outside.restore(kept.get("outside", {}), self._binding.points)
        self._go_on(kept)

    def _go_on(self, kept: Mapping[str, Any]) -> None:
        for window in self._windows:
            window.accumulator.restore(kept.get("windows", {}).get(window.bound.window.name, ()))
        self._usable_at, self._silent_ms = None, kept.get("silent_ms", 0)

    def _take_points(self, points: Sequence[str], values: Sequence[MaybeValue], changed: set[str]) -> None:
        last = self._last
        if last is not None and last[0] is points and last[1] == values:
            return
        self._last = (points, values)
        known = self.values
        if self._places_in is not points:
            self._places_in = points
            self._places = [(index, name) for index, name in enumerate(points) if name in self._watched]
        calm = self._calm
        for index, name in self._places:
            value = values[index]
            between = calm.get(name)
            if between is not None:
                if type(value) in _NUMBERS and between[0] < value < between[1]:  # type: ignore[operator]  # numbers
                    known[name] = float(value)  # type: ignore[arg-type]
                    continue
                del calm[name]
            self._set(name, plain(value), changed)
            cuts = self._binding.cuts.get(name)
            if cuts is not None and type(now := known.get(name)) is float:
                calm[name] = _between(cuts, now)

    def _note_silence(self, ts: int, values: Sequence[MaybeValue], changed: set[str], *, is_reading: bool) -> None:
        is_good = any(value is not None for value in values)
        if is_good:
            self._usable_at = ts
        elif self._usable_at is None:
            self._usable_at = ts - self._silent_ms
        if is_reading:
            self._good_polls = min(self._good_polls + 1, GOOD_POLLS_MOST) if is_good else 0
        self._silent_ms = max(0, ts - self._usable_at)
        self._set(SILENT_FOR, self._silent_ms / 1000, changed)
        self._set(GOOD_POLLS, float(self._good_polls), changed)

    def _note_range(self, points: Sequence[str], statuses: Sequence[Status], changed: set[str]) -> None:
        self._outside.note(points, statuses)
        names, samples = self._outside.told() or (None, None)
        self._set(OUT_OF_RANGE, names, changed)
        self._set(OUT_OF_RANGE_SAMPLES, samples, changed)

    def _feed(self, state: _WindowState, ts: int, changed: set[str]) -> None:
        bound, known = state.bound, self.values
        value = bound.of.value(known) if bound.when is None or bound.when.truth(known) else None
        if isinstance(value, float):
            state.accumulator.add(ts, value)
        bucket = state.accumulator.bucket(ts)
        if value == state.last and bucket == state.bucket:
            return
        state.last, state.bucket = value, bucket
        self._set(bound.window.name, state.accumulator.figure(ts), changed)

    def _set(self, name: str, value: Plain | None, changed: set[str]) -> None:
        known = self.values
        if value is None:
            if known.pop(name, None) is not None:
                changed.add(name)
        elif known.get(name) != value:
            known[name] = value
            changed.add(name)

    def _all_asked(self, asked: Iterable[str]) -> frozenset[str]:
        """Every name that anything here depends on."""
        binding = self._binding
        names = set(asked)
        for bound in (*(bound for _, bound in binding.define), *binding.in_use):
            names |= bound.names
        for window in binding.windows:
            names |= window.of.names | (window.when.names if window.when is not None else frozenset())
        return frozenset(names)


def _between(cuts: Sequence[float], value: float) -> tuple[float, float]:
    """The cuts around `value`; nothing lies between them where it is one of them."""
    above = bisect_right(cuts, value)
    below = cuts[above - 1] if above else -math.inf
    return below, (value if below == value else cuts[above] if above < len(cuts) else math.inf)
