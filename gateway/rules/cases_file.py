"""Cases as a pack writes them: values checked against the vocabulary like those of a site file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from gateway.model import Text, Value, ValueType
from gateway.rules.files import CaseKeys, StepKeys
from gateway.rules.types import Case, Step
from gateway.settings.facts import read_facts
from gateway.settings.nodes import Section, find
from gateway.settings.problems import Problems, suggest
from gateway.settings.types import Kind, VocabularyPoint

BAD = "bad"


def read_cases(
    cases: Iterable[CaseKeys], root: Section, path: tuple[str | int, ...], kind: Kind | None, problems: Problems
) -> tuple[Case, ...]:
    """The cases of one rule; problems where a point, fact or value cannot be."""
    return tuple(_case(each, root, (*path, "cases", index), kind, problems) for index, each in enumerate(cases))


def _case(keys: CaseKeys, root: Section, path: tuple[str | int, ...], kind: Kind | None, problems: Problems) -> Case:
    facts: dict[str, Value] = {}
    if kind is not None:
        facts = {name: fact.default for name, fact in kind.facts.items() if fact.default is not None}
        facts |= _facts(root, path, kind, problems)
    steps = tuple(_step(each, root, (*path, "steps", index), kind, problems) for index, each in enumerate(keys.steps))
    return Case(MappingProxyType(facts), keys.at, steps)


def _facts(root: Section, path: tuple[str | int, ...], kind: Kind | None, problems: Problems) -> dict[str, Value]:
    section, _, complete = find(root, (*path, "facts"))
    if kind is None or not complete or not isinstance(section, Section):
        return {}
    return read_facts(section, kind.facts, problems)


def _step(keys: StepKeys, root: Section, path: tuple[str | int, ...], kind: Kind | None, problems: Problems) -> Step:
    points: Mapping[str, VocabularyPoint] = {} if kind is None else kind.points
    for group, given in (("set", keys.set), ("ramp", keys.ramp)):
        for name, value in given.items():
            place = find(root, (*path, group, name))[1]
            point = points.get(name)
            if kind is None:
                continue
            if point is None:
                problems.add(place, Text(f"没有测点 {name}", f"there is no point {name}"), suggest(name, points))
            elif group == "set" and not _fits(value, point):
                hint = suggest(value, point.words) or Text("写这个测点类型的值", "write a value of the point's type")
                problems.add(place, Text(f"{name} 不会是 {value}", f"{name} is never {value}"), hint)
    values = {name: None if value == BAD else value for name, value in keys.set.items()}
    return Step(
        MappingProxyType(values),
        MappingProxyType(dict(keys.ramp)),
        MappingProxyType(_facts(root, path, kind, problems)),
        keys.for_ or 0.0,
        keys.expect,
        keys.announced,
        frozenset(keys.outside),
    )


def _fits(value: Any, point: VocabularyPoint) -> bool:
    if value == BAD:
        return True
    if point.type is ValueType.BOOLEAN:
        return isinstance(value, bool)
    if point.type is ValueType.NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and (not point.words or value in point.words)
