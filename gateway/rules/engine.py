"""The rules of one device, kept up to date reading by reading. Only what depends on a changed value is looked at again.

Times are sample times in UTC milliseconds; nothing here looks at a clock.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from types import MappingProxyType
from typing import Any

from gateway.model import MaybeValue, Priority, Status, Value, Verdict
from gateway.rules.bind import Binding, BoundLevel, BoundRule, BoundWindow
from gateway.rules.condition import Condition, Delays
from gateway.rules.expressions import Plain
from gateway.rules.facts import (
    AGE,
    OUT_OF_RANGE,
    OUT_OF_RANGE_SAMPLES,
    POLL_INTERVAL,
    SILENT_FOR,
    TIME_OF_DAY,
    passing,
    plain,
)
from gateway.rules.readiness import Holding
from gateway.rules.severity import severity
from gateway.rules.windows import Accumulator

NOTHING = object()
_NUMBERS = frozenset((int, float))
OUTSIDE = frozenset({Status.UncertainEngineeringUnitsExceeded, Status.BadOutOfRange})


@dataclass(frozen=True, slots=True)
class RuleNow:
    """One rule of a device as it stands, for whoever explains it. `levels` run from the highest priority down."""

    bound: BoundRule
    armed: Condition
    levels: tuple[tuple[BoundLevel, Condition, Priority], ...]
    """With the priority each has here and now."""
    verdict: Verdict | None
    known: Mapping[str, Plain]
    """Everything that has a value."""


class _RuleState:
    __slots__ = ("armed", "bound", "conditions", "shown", "verdict")

    def __init__(self, bound: BoundRule) -> None:
        self.bound = bound
        self.conditions = tuple(Condition() for _ in bound.levels)
        self.armed = Condition()
        self.shown: object = NOTHING
        self.verdict: Verdict | None = None

    @property
    def is_waiting(self) -> bool:
        return self.armed.is_waiting or any(each.is_waiting for each in self.conditions)


class _WindowState:
    __slots__ = ("accumulator", "bound", "bucket", "last")

    def __init__(self, bound: BoundWindow) -> None:
        self.bound = bound
        window = bound.window
        self.accumulator = Accumulator(window.take, window.over_s, window.least_s)
        self.last: Plain | None = None
        self.bucket = -1


class DeviceRules:
    """The rules of one device and everything they remember."""

    def __init__(
        self, device: str, binding: Binding, dates: Mapping[str, date], zone: tzinfo, interval_s: float = 1.0
    ) -> None:
        self.device = device
        self.binding = binding
        self._define = dict(binding.define)
        self._dates = dates
        self._zone = zone
        self._known: dict[str, Plain] = {**binding.facts, POLL_INTERVAL: interval_s}
        for name, bound in binding.define:
            self._set_in(self._known, name, bound.value(self._known), set())
        self._states = tuple(_RuleState(bound) for bound in binding.rules)
        self._windows = tuple(_WindowState(bound) for bound in binding.windows)
        self._by_name = self._index()
        self._watched = self._asked()
        self._passing = tuple(name for name in self._watched if name == TIME_OF_DAY or name.endswith(AGE))
        self._waiting: set[int] = set(range(len(self._states)))
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
        self._silent_watched = SILENT_FOR in self._watched
        self._range_watched = OUT_OF_RANGE in self._watched
        self._outside: dict[str, int] = {}
        """Readings in a row in which a point was outside its limits."""
        self._use_names = frozenset(name for bound in binding.in_use for name in bound.names)
        self.in_use = self._look_in_use()
        """Whether it is running for real now."""

    def update(
        self, ts: int, points: Sequence[str], values: Sequence[MaybeValue], statuses: Sequence[Status] = ()
    ) -> list[Verdict]:
        """Take in values (None where bad) at `ts`; the verdicts that changed. `statuses` may be left out where they are
        what they were, save while `has_outside`."""
        changed = self._take_points(ts, points, values)
        if self._range_watched and statuses:
            self._note_range(points, statuses, changed)
        if ts // 60_000 != self._minute:
            self._minute = ts // 60_000
            self._set_all(passing(self._dates, self._passing, ts, self._zone), changed)
        for name, bound in self.binding.define:
            if not changed.isdisjoint(bound.names):
                self._set(name, bound.value(self._known), changed)
        for window in self._windows:
            self._feed(window, ts, changed)
        if not changed.isdisjoint(self._use_names):
            self.in_use = self._look_in_use()
        due = self._waiting.copy()
        for name in changed:
            due.update(self._by_name.get(name, ()))
        found = []
        for index in sorted(due):
            verdict = self._judge(index, ts)
            if verdict is not None:
                found.append(verdict)
        return found

    @property
    def has_outside(self) -> bool:
        """Whether a point is outside its limits."""
        return bool(self._outside)

    def verdicts(self) -> tuple[Verdict, ...]:
        """What every rule says now; rules not yet looked at are left out."""
        return tuple(state.verdict for state in self._states if state.verdict is not None)

    def now(self, rule: str) -> RuleNow:
        """How one rule stands; KeyError where the device is not judged by it."""
        for state in self._states:
            if state.bound.rule.name == rule:
                levels = tuple(
                    (bound, condition, self._priority(bound, state.bound))
                    for bound, condition in zip(state.bound.levels, state.conditions, strict=True)
                )
                return RuleNow(state.bound, state.armed, levels, state.verdict, MappingProxyType(self._known))
        raise KeyError(rule)

    def holding(self) -> list[Holding]:
        """The rules whose condition holds now, with their effect on readiness."""
        held = []
        for state in self._states:
            for bound, condition in zip(state.bound.levels, state.conditions, strict=True):
                if condition.held:
                    rule = state.bound.rule
                    priority = self._priority(bound, state.bound)
                    held.append(Holding(rule.name, priority, bound.level.effect, bound.level.text or rule.text))
                    break
        return held

    def spreads(self) -> list[Holding]:
        """Those of `holding` that make what depends on the device not ready."""
        names = {state.bound.rule.name for state in self._states if state.bound.rule.spreads}
        return [each for each in self.holding() if each.rule in names]

    def rebound(self, binding: Binding, dates: Mapping[str, date]) -> DeviceRules:
        """The same device with other facts; points and states stay as they are."""
        fresh = DeviceRules(self.device, binding, dates, self._zone, float(self._known[POLL_INTERVAL]))
        fresh.carry_over(self)
        return fresh

    def carry_over(self, before: DeviceRules) -> None:
        """Go on from where `before`, the same device under other rules or facts, stands now."""
        points = before._known.keys() - before.binding.facts.keys() - self._define.keys() - self._known.keys()
        self._known.update({name: before._known[name] for name in points if name in self._watched})
        for name, bound in self.binding.define:
            self._set_in(self._known, name, bound.value(self._known), set())
        self._restore_states(before.export())
        self.in_use = self._look_in_use()

    def pause(self, step_ms: int = 0) -> None:
        """After an outage or a step of the clock by `step_ms`: nobody knows what was between."""
        self._calm.clear()
        if self._usable_at is not None:
            self._usable_at += step_ms
        for state in self._states:
            for condition in (state.armed, *state.conditions):
                condition.pause()

    def export(self) -> dict[str, Any]:
        """What has to survive a restart, as JSON."""
        rules = {
            state.bound.rule.name: {
                "armed": _row(state.armed),
                **{
                    bound.level.priority.value: _row(condition)
                    for bound, condition in zip(state.bound.levels, state.conditions, strict=True)
                },
            }
            for state in self._states
            if any(_is_worth_keeping(each) for each in (state.armed, *state.conditions))
        }
        windows = {each.bound.window.name: each.accumulator.export() for each in self._windows}
        return {"rules": rules, "windows": windows, "silent_ms": self._silent_ms}

    def settle(self, rule: str, announced: Priority | None) -> None:
        """After an outage: `rule` had announced this, whatever was kept of it, which may be older. Where the two agree,
        what was kept says more (delays under way) and stays."""
        state = next((each for each in self._states if each.bound.rule.name == rule), None)
        if state is None:
            return
        pairs = list(zip(state.bound.levels, state.conditions, strict=True))
        kept = next((bound for bound, condition in pairs if condition.announced), None)
        if (None if kept is None else self._priority(kept, state.bound)) is announced:
            return
        is_below = False
        for bound, condition in pairs:
            if not is_below and announced is self._priority(bound, state.bound):
                condition.settle(announced=True)
                state.armed.settle(announced=True)
                is_below = True
            elif not is_below and condition.announced:
                condition.settle(announced=False)

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on after an outage with what `export` gave; what is no longer there is passed over."""
        self._restore_states(kept)
        self.pause()

    def _restore_states(self, kept: Mapping[str, Any]) -> None:
        rules: Mapping[str, Any] = kept.get("rules", {})
        for state in self._states:
            rows = rules.get(state.bound.rule.name, {})
            _fill(state.armed, rows.get("armed"))
            for bound, condition in zip(state.bound.levels, state.conditions, strict=True):
                _fill(condition, rows.get(bound.level.priority.value))
        for window in self._windows:
            window.accumulator.restore(kept.get("windows", {}).get(window.bound.window.name, ()))
        self._usable_at, self._silent_ms = None, kept.get("silent_ms", 0)

    def _look_in_use(self) -> bool:
        return any(bound.truth(self._known) is True for bound in self.binding.in_use)

    def _take_points(self, ts: int, points: Sequence[str], values: Sequence[MaybeValue]) -> set[str]:
        changed: set[str] = set()
        if self._silent_watched:
            self._note_silence(ts, values, changed)
        last = self._last
        if last is not None and last[0] is points and last[1] == values:
            return changed
        self._last = (points, values)
        known = self._known
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
            self._set_in(known, name, plain(value), changed)
            cuts = self.binding.cuts.get(name)
            if cuts is not None and type(now := known.get(name)) is float:
                calm[name] = _between(cuts, now)
        return changed

    def _note_silence(self, ts: int, values: Sequence[MaybeValue], changed: set[str]) -> None:
        if any(value is not None for value in values):
            self._usable_at = ts
        elif self._usable_at is None:
            self._usable_at = ts - self._silent_ms
        self._silent_ms = max(0, ts - self._usable_at)
        self._set(SILENT_FOR, self._silent_ms / 1000, changed)

    def _note_range(self, points: Sequence[str], statuses: Sequence[Status], changed: set[str]) -> None:
        """Which points are outside their limits; one that is bad for another reason stays what it was."""
        outside = self._outside
        for name, status in zip(points, statuses, strict=True):
            if status in OUTSIDE:
                outside[name] = outside.get(name, 0) + 1
            elif status.is_good:
                outside.pop(name, None)
        self._set(OUT_OF_RANGE, ", ".join(sorted(outside)), changed)
        self._set(OUT_OF_RANGE_SAMPLES, float(max(outside.values(), default=0)), changed)

    def _set(self, name: str, value: Plain | None, changed: set[str]) -> None:
        self._set_in(self._known, name, value, changed)

    @staticmethod
    def _set_in(known: dict[str, Plain], name: str, value: Plain | None, changed: set[str]) -> None:
        if value is None:
            if known.pop(name, None) is not None:
                changed.add(name)
        elif known.get(name) != value:
            known[name] = value
            changed.add(name)

    def _set_all(self, values: Mapping[str, Plain], changed: set[str]) -> None:
        for name, value in values.items():
            self._set(name, value, changed)

    def _feed(self, state: _WindowState, ts: int, changed: set[str]) -> None:
        bound, known = state.bound, self._known
        value = bound.of.value(known) if bound.when is None or bound.when.truth(known) else None
        if isinstance(value, float):
            state.accumulator.add(ts, value)
        bucket = state.accumulator.bucket(ts)
        if value == state.last and bucket == state.bucket:
            return
        state.last, state.bucket = value, bucket
        self._set(bound.window.name, state.accumulator.figure(ts), changed)

    def _judge(self, index: int, ts: int) -> Verdict | None:
        state, known = self._states[index], self._known
        armed: bool | None = True
        moved = state.shown is NOTHING
        if state.bound.when is not None:
            delays = Delays(int(state.bound.rule.when_for_s * 1000))
            truth = state.bound.when.truth(known)
            moved = state.armed.look(truth, ts, delays) or moved
            armed = None if truth is None else state.armed.held
        for bound, condition in zip(state.bound.levels, state.conditions, strict=True):
            truth = _truth(bound, condition, known) if armed else armed
            moved = condition.look(truth, ts, bound.delays) or moved
        if not moved:
            self._waiting.discard(index)
            return None
        if state.is_waiting:
            self._waiting.add(index)
        else:
            self._waiting.discard(index)
        return self._tell(state, ts)

    def _tell(self, state: _RuleState, ts: int) -> Verdict | None:
        held = announced = None
        unsure = False
        for bound, condition in zip(state.bound.levels, state.conditions, strict=True):
            unsure = unsure or condition.unsure
            if held is None and condition.held:
                held = bound
            if announced is None and condition.announced:
                announced = bound
        level = None if held is None else self._priority(held, state.bound)
        told = None if announced is None else self._priority(announced, state.bound)
        shown = (level, told, unsure)
        if shown == state.shown:
            return None
        previous = state.verdict
        same = previous is not None and previous.level is level
        since = previous.since if previous is not None and same else self._since(state, held, ts)
        because = previous.because if previous is not None and same else self._because(held)
        state.shown = shown
        text = None if announced is None else announced.level.text
        state.verdict = Verdict(self.device, state.bound.rule.name, ts, level, told, unsure, since, because, text)
        return state.verdict

    @staticmethod
    def _since(state: _RuleState, held: BoundLevel | None, ts: int) -> int:
        for bound, condition in zip(state.bound.levels, state.conditions, strict=True):
            if bound is held and condition.since is not None:
                return condition.since
        return ts

    def _because(self, held: BoundLevel | None) -> Mapping[str, Value]:
        """The values that made it hold; of several alternatives those that did, and points in place of flags made
        of them."""
        if held is None:
            return {}
        parts = [part for part in held.raise_.parts if part.truth(self._known)] or held.raise_.expressions
        names: dict[str, None] = {}
        for part in parts:
            self._trace(part.names, names)
        return {name: self._known[name] for name in sorted(names) if name in self._known}

    def _trace(self, found: Iterable[str], names: dict[str, None]) -> None:
        for name in found:
            define = self._define.get(name)
            if define is not None and isinstance(self._known.get(name), bool):
                told = next((each for each in define.expressions if each.value(self._known) is not None), None)
                self._trace(told.names if told is not None else (), names)
            elif name not in self.binding.facts:
                names[name] = None

    def _priority(self, bound: BoundLevel, rule: BoundRule) -> Priority:
        facts = self.binding.facts
        return severity(bound.level.priority, rule.rule, facts.get("response_level"), facts.get("criticality"))

    def _index(self) -> dict[str, tuple[int, ...]]:
        by_name: dict[str, list[int]] = {}
        for index, state in enumerate(self._states):
            for name in state.bound.names:
                by_name.setdefault(name, []).append(index)
        return {name: tuple(indexes) for name, indexes in by_name.items()}

    def _asked(self) -> frozenset[str]:
        """Every name that anything here depends on."""
        binding = self.binding
        bounds: list[Iterable[str]] = [bound.names for _, bound in binding.define]
        bounds += [bound.names for bound in binding.in_use]
        for window in binding.windows:
            bounds += [window.of.names, window.when.names if window.when is not None else ()]
        return frozenset(name for names in [*bounds, self._by_name] for name in names)


def _truth(bound: BoundLevel, condition: Condition, known: Mapping[str, Plain]) -> bool | None:
    """What the level's condition says: to raise, or while held to stay."""
    if not condition.held or bound.clear is None:
        return bound.raise_.truth(known)
    over = bound.clear.truth(known)
    return None if over is None else not over


def _is_worth_keeping(condition: Condition) -> bool:
    return condition.held or condition.announced or condition.is_waiting


def _row(condition: Condition) -> list[Any]:
    return [
        condition.held,
        condition.announced,
        condition.since,
        condition.true_since,
        condition.pending_since,
        condition.looked_at,
    ]


def _fill(condition: Condition, row: Sequence[Any] | None) -> None:
    if row is not None:
        condition.held, condition.announced, condition.since = row[0], row[1], row[2]
        condition.true_since, condition.pending_since, condition.looked_at = row[3], row[4], row[5]


def _between(cuts: Sequence[float], value: float) -> tuple[float, float]:
    """The cuts around `value`; nothing lies between them where it is one of them."""
    above = bisect_right(cuts, value)
    below = cuts[above - 1] if above else -math.inf
    return below, (value if below == value else cuts[above] if above < len(cuts) else math.inf)
