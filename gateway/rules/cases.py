"""Tells the cases of rules through the engine, as a site would, and says where a rule answers wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.model import MaybeValue, Status, Text
from gateway.rules.bind import bind
from gateway.rules.engine import DeviceRules
from gateway.rules.facts import dates_of
from gateway.rules.types import Case, Pack, Rule, Step
from gateway.settings.types import Kind

ZONE = ZoneInfo("Asia/Shanghai")
SAMPLES = 60
NONE, CANNOT_TELL = "none", "cannot_tell"


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that went wrong, or that is missing; `step` counts from 1, 0 is the rule as a whole."""

    rule: str
    case: int
    step: int
    text: Text


def run_cases(pack: Pack, kinds: Mapping[str, Kind]) -> list[Failure]:
    """Every failure of a pack: wrong answers, and rules without a case that raises, clears and starves each."""
    return list(failures(pack, kinds))


def failures(pack: Pack, kinds: Mapping[str, Kind]) -> Iterator[Failure]:
    """The same, one after the other as they are found."""
    for rule in pack.rules:
        seen: set[tuple[str, str]] = set()
        for number, case in enumerate(rule.cases, 1):
            yield from _run(pack, rule, case, number, kinds.get(pack.kind), seen)
        yield from _missing(rule, seen)


def _run(
    pack: Pack, rule: Rule, case: Case, number: int, kind: Kind | None, seen: set[tuple[str, str]]
) -> Iterable[Failure]:
    points = tuple(sorted({name for step in case.steps for name in (*step.set, *step.ramp)}))
    alone = replace(pack, rules=(rule,))
    binding = bind([alone], kind, points, case.facts)
    if not binding.rules:
        names = ", ".join(points)
        yield Failure(
            rule.name, number, 0, Text(f"只有 {names} 时规则不适用", f"the rule does not hold with only {names}")
        )
        return
    dates = dates_of(case.facts, kind.facts) if kind is not None else {}
    engine = DeviceRules("case", binding, dates, ZONE)
    hour, minute = (int(part) for part in case.at.split(":"))
    ts = int(datetime(2026, 6, 1, hour, minute, tzinfo=ZONE).astimezone(UTC).timestamp() * 1000)
    values: dict[str, MaybeValue] = dict.fromkeys(points)
    before = NONE
    facts = dict(case.facts)
    for index, step in enumerate(case.steps, 1):
        if step.facts:
            facts |= step.facts
            changed = bind([alone], kind, points, facts)
            engine = engine.rebound(changed, dates_of(facts, kind.facts) if kind is not None else {})
        ts = _play(engine, step, values, points, ts)
        state = engine.verdicts()[0]
        level = NONE if state.level is None else state.level.value
        answer = CANNOT_TELL if level == NONE and state.unsure else level
        announced = NONE if state.announced is None else state.announced.value
        seen.add((before, level))
        if any(value is None for value in step.set.values()):
            seen.add((CANNOT_TELL, CANNOT_TELL))
        before = level
        if answer != step.expect:
            yield Failure(rule.name, number, index, _wrong(step.expect, answer))
        elif step.announced is not None and announced != step.announced:
            yield Failure(rule.name, number, index, _wrong(step.announced, announced))


def _play(engine: DeviceRules, step: Step, values: dict[str, MaybeValue], points: tuple[str, ...], ts: int) -> int:
    """Let the step's time pass in even samples; a step without time is one sample, a second later."""
    length_ms = int(step.for_s * 1000) or 1000
    count = SAMPLES if step.for_s else 1
    values.update(step.set)

    def look(at: int) -> None:
        statuses = tuple(_status(values[name], is_outside=name in step.outside) for name in points)
        engine.update(at, points, tuple(values[name] for name in points), statuses)

    if step.for_s:
        values.update({name: first for name, (first, _) in step.ramp.items()})
        look(ts)
    for sample in range(1, count + 1):
        share = sample / count
        values.update({name: first + (last - first) * share for name, (first, last) in step.ramp.items()})
        look(ts + int(length_ms * share))
    return ts + length_ms


def _status(value: MaybeValue, *, is_outside: bool) -> Status:
    if value is None:
        return Status.BadOutOfRange if is_outside else Status.BadNoCommunication
    return Status.UncertainEngineeringUnitsExceeded if is_outside else Status.Good


def _missing(rule: Rule, seen: set[tuple[str, str]]) -> Iterable[Failure]:
    for level in rule.levels:
        name = level.priority.value
        if not any(after == name for _, after in seen):
            yield Failure(rule.name, 0, 0, Text(f"没有触发 {name} 级的用例", f"no case raises level {name}"))
    if not any(before not in (NONE, CANNOT_TELL) and after == NONE for before, after in seen):
        yield Failure(rule.name, 0, 0, Text("没有恢复的用例", "no case clears it"))
    if (CANNOT_TELL, CANNOT_TELL) not in seen:
        yield Failure(rule.name, 0, 0, Text("没有坏数据的用例", "no case gives it bad data"))


def _wrong(expected: str, found: str) -> Text:
    return Text(f"应为 {expected}，实为 {found}", f"expected {expected}, found {found}")
