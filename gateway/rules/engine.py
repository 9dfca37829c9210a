"""The rules of one device, kept up to date reading by reading. Only what depends on a changed value is looked at again.

Times are sample times in UTC milliseconds; nothing here looks at a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from types import MappingProxyType
from typing import Any

from gateway.model import MaybeValue, Priority, Status, Value, Verdict
from gateway.rules.bind import Binding, BoundLevel, BoundRule
from gateway.rules.condition import Condition, Delays
from gateway.rules.expressions import Plain
from gateway.rules.knowledge import Knowledge
from gateway.rules.readiness import Holding
from gateway.rules.severity import severity

NOTHING = object()


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


class DeviceRules:
    """The rules of one device and everything they remember."""

    def __init__(
        self, device: str, binding: Binding, dates: Mapping[str, date], zone: tzinfo, interval_s: float = 1.0
    ) -> None:
        self.device = device
        self.binding = binding
        self._define = dict(binding.define)
        self._zone = zone
        self._interval_s = interval_s
        self._states = tuple(_RuleState(bound) for bound in binding.rules)
        self._by_name = self._index()
        self._knowledge = Knowledge(binding, self._by_name, dates, zone, interval_s)
        self._known: Mapping[str, Plain] = self._knowledge.values
        self._waiting: set[int] = set(range(len(self._states)))
        self._use_names = frozenset(name for bound in binding.in_use for name in bound.names)
        self.in_use = self._look_in_use()
        """Whether it is running for real now."""

    def update(
        self,
        ts: int,
        points: Sequence[str],
        values: Sequence[MaybeValue],
        statuses: Sequence[Status] = (),
        *,
        is_reading: bool = True,
    ) -> list[Verdict]:
        """Take in values (None where bad) at `ts`; the verdicts that changed. `statuses` may be left out where they are
        what they were, save while `has_outside`; `is_reading` is false where nothing was read and time alone passed."""
        changed = self._knowledge.take(ts, points, values, statuses, is_reading=is_reading)
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
        return self._knowledge.has_outside

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
        fresh = DeviceRules(self.device, binding, dates, self._zone, self._interval_s)
        fresh.carry_over(self)
        return fresh

    def carry_over(self, before: DeviceRules) -> None:
        """Go on from where `before`, the same device under other rules or facts, stands now."""
        self._knowledge.carry_over(before._knowledge)
        self._restore_states(before.export())
        self.in_use = self._look_in_use()

    def pause(self, step_ms: int = 0) -> None:
        """After an outage or a step of the clock by `step_ms`: nobody knows what was between."""
        self._knowledge.pause(step_ms)
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
        return {"rules": rules, **self._knowledge.export()}

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
        self._knowledge.restore(kept)
        self.pause()

    def _restore_states(self, kept: Mapping[str, Any]) -> None:
        rules: Mapping[str, Any] = kept.get("rules", {})
        for state in self._states:
            rows = rules.get(state.bound.rule.name, {})
            _fill(state.armed, rows.get("armed"))
            for bound, condition in zip(state.bound.levels, state.conditions, strict=True):
                _fill(condition, rows.get(bound.level.priority.value))

    def _look_in_use(self) -> bool:
        return any(bound.truth(self._known) is True for bound in self.binding.in_use)

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


def _truth(bound: BoundLevel, condition: Condition, known: Mapping[str, Plain]) -> bool | None:
    """What the level's condition says: to raise, or while held to stay. What would raise it keeps it, whatever a site's
    own number made of the clearing condition: a level must not come and go with every reading."""
    if not condition.held or bound.clear is None:
        return bound.raise_.truth(known)
    over = bound.clear.truth(known)
    if over:
        return bound.raise_.truth(known) is True
    return None if over is None else True


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
