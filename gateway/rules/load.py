"""Reads rule packs: keys, then every expression against the vocabulary, with the place of whatever is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.model import Priority, Text, ValueType
from gateway.rules.cases_file import read_cases
from gateway.rules.expressions import filled, substitute
from gateway.rules.facts import BUILT_IN, fact_types
from gateway.rules.files import FormulaKeys, LevelKeys, PackFile, RuleKeys, WindowKeys
from gateway.rules.readiness import Effect
from gateway.rules.review import Names, review
from gateway.rules.types import ANY_KIND, Combine, Formula, Level, Pack, Rule, Take, Waiting, Window
from gateway.settings import texts
from gateway.settings.document import read
from gateway.settings.nodes import Section, find
from gateway.settings.problems import Place, Problems, suggest
from gateway.settings.reading import read_section
from gateway.settings.types import Kind

IT = "it"
EFFECTS: Mapping[Priority, Effect] = {
    Priority.CRITICAL: Effect.NOT_READY,
    Priority.HIGH: Effect.DEGRADED,
    Priority.MEDIUM: Effect.NONE,
    Priority.LOW: Effect.NONE,
}
#: How much of a window must have been seen before it gives a figure, as a share of its length.
LEAST = {Take.MEAN: 0.5, Take.TREND: 0.25, Take.RANGE: 1.0}


def read_pack(
    path: Path,
    name: str,
    vocabulary: Mapping[str, Kind],
    own: Mapping[str, Mapping[str, ValueType]],
    problems: Problems,
) -> Pack | None:
    """One pack; None with problems. `own` gives the points of a site's devices by kind, beside the vocabulary's."""
    before = len(problems)
    root, _ = read(path, problems, None if name.startswith("builtin/") else str(path))
    if root is None:
        return None
    keys = read_section(PackFile, root, problems)
    kind: str = keys.get("kind", ANY_KIND)
    if kind != ANY_KIND and kind not in vocabulary:
        problems.add(root.place_of("kind"), texts.no_kind(kind), suggest(kind, [*vocabulary, ANY_KIND]))
    if len(problems) > before:
        return None
    return _Reader(name, keys, root, _names(kind, vocabulary, own), vocabulary, problems).pack()


def _names(kind: str, vocabulary: Mapping[str, Kind], own: Mapping[str, Mapping[str, ValueType]]) -> Names:
    names = Names(dict(BUILT_IN))
    known = vocabulary.get(kind)
    if known is None:
        shared = set.intersection(*(set(each.facts) for each in vocabulary.values()))
        facts = {name: fact for name, fact in next(iter(vocabulary.values())).facts.items() if name in shared}
        points: Mapping[str, Any] = {}
    else:
        facts, points = dict(known.facts), known.points
    names.types |= own.get(kind, {})
    names.types |= {name: point.type for name, point in points.items()} | fact_types(facts)
    for name, each in [*points.items(), *facts.items()]:
        if each.words:
            names.words[name] = frozenset(each.words)
    return names


class _Reader:
    """Turns the keys of one pack into rules."""

    def __init__(
        self,
        name: str,
        keys: Mapping[str, Any],
        root: Section,
        names: Names,
        vocabulary: Mapping[str, Kind],
        problems: Problems,
    ) -> None:
        self._name = name
        self._keys = keys
        self._kind: str = keys["kind"]
        self._root = root
        self._names = names
        self._vocabulary = vocabulary
        self._problems = problems

    def pack(self) -> Pack | None:
        """The pack, or None with problems."""
        before = len(self._problems)
        define = {}
        for name, given in self._keys["define"].items():
            formula, kind = self._formula(given, ("define", name), None)
            self._claim(name, ("define", name), kind or ValueType.BOOLEAN)
            define[name] = formula
        windows = {name: self._window(name, given) for name, given in self._keys["windows"].items()}
        in_use = self._condition(self._keys["in_use"], ("in_use",))
        rules = tuple(self._rule(name, given) for name, given in self._keys["rules"].items())
        if len(self._problems) > before:
            return None
        waiting = tuple(Waiting(each.code, each.reason) for each in self._keys["waiting"])
        return Pack(
            self._name,
            self._kind,
            self._keys["name"],
            MappingProxyType(define),
            MappingProxyType(windows),
            in_use,
            rules,
            waiting,
            self._names,
        )

    def _rule(self, name: str, keys: RuleKeys) -> Rule:
        path = ("rules", name)
        limits = dict(keys.limits)
        for limit in limits:
            if limit in self._names.types:
                self._say((*path, "limits", limit), _taken(limit))
        for index, point in enumerate(keys.each):
            if point not in self._names.types:
                self._say(
                    (*path, "each", index),
                    Text(f"没有测点 {point}", f"there is no point {point}"),
                    suggest(point, self._names.types),
                )
        levels = [self._level(each, keys, (*path, "levels", index)) for index, each in enumerate(keys.levels)]
        priorities = [each.priority for each in levels]
        if len(set(priorities)) < len(priorities):
            self._say((*path, "levels"), Text("同一级别写了两次", "one priority stands twice"))
        kind = self._vocabulary.get(self._kind)
        cases = read_cases(keys.cases, self._root, path, kind, self._problems)
        return Rule(
            name=name,
            kind=self._kind,
            codes=keys.codes,
            text=_text(keys.text),
            action=_text(keys.action),
            role=keys.role,
            source=None if keys.source is None else _text(keys.source),
            levels=tuple(sorted(levels, key=lambda each: -each.priority.level)),
            when=self._condition(keys.when, (*path, "when"), limits),
            when_for_s=keys.when_for or 0.0,
            again_s=keys.again or 0.0,
            latched=keys.latched,
            safety=keys.safety,
            raises=keys.raises,
            spreads=keys.spreads,
            each=keys.each,
            limits=MappingProxyType(limits),
            cases=cases,
        )

    def _level(self, keys: LevelKeys, rule: RuleKeys, path: tuple[str | int, ...]) -> Level:
        priority = Priority(keys.priority)
        raise_ = self._condition(keys.raise_, (*path, "raise"), rule.limits, rule.each, Combine.ANY)
        clear = self._condition(keys.clear, (*path, "clear"), rule.limits, rule.each, Combine.ALL)
        return Level(
            priority=priority,
            raise_=raise_ or Formula(("false",)),
            clear=clear,
            effect=EFFECTS[priority] if keys.effect is None else Effect(keys.effect),
            for_s=keys.for_ or 0.0,
            on_s=keys.on or 0.0,
            off_s=keys.off or 0.0,
            text=None if keys.text is None else _text(keys.text),
        )

    def _window(self, name: str, keys: WindowKeys) -> Window:
        path = ("windows", name)
        of, _ = self._formula(keys.of, (*path, "of"), ValueType.NUMBER)
        when = self._condition(keys.when, (*path, "when"))
        self._claim(name, path, ValueType.NUMBER)
        take = Take(keys.take)
        least = keys.over * LEAST.get(take, 0.0) if keys.least is None else keys.least
        return Window(name, of, take, keys.over, least, when)

    def _condition(
        self,
        given: str | FormulaKeys | None,
        path: tuple[str | int, ...],
        limits: Mapping[str, float] = MappingProxyType({}),
        each: Iterable[str] = (),
        combine: Combine = Combine.FIRST,
    ) -> Formula | None:
        if given is None:
            return None
        return self._formula(given, path, ValueType.BOOLEAN, limits, each, combine)[0]

    def _formula(
        self,
        given: str | FormulaKeys,
        path: tuple[str | int, ...],
        wanted: ValueType | None,
        limits: Mapping[str, float] = MappingProxyType({}),
        each: Iterable[str] = (),
        combine: Combine = Combine.FIRST,
    ) -> tuple[Formula, ValueType | None]:
        try:
            formula = formula_of(given, each, combine)
        except ValueError:
            self._say(path, Text("只写 first、any、all 中的一个", "write one of first, any and all"))
            return Formula(()), None
        place = self._place(path)
        kinds = {review(filled(part, limits), self._names, place, self._problems, wanted) for part in formula.parts}
        if len(kinds) > 1 and None not in kinds:
            self._say(path, Text("各个表达式的类型不同", "these expressions give different types"))
        return formula, next(iter(kinds), None)

    def _claim(self, name: str, path: tuple[str | int, ...], kind: ValueType) -> None:
        if name in self._names.types:
            self._say(path, _taken(name))
        self._names.types[name] = kind

    def _place(self, path: Iterable[str | int]) -> Place:
        return find(self._root, path)[1]

    def _say(self, path: Iterable[str | int], text: Text, hint: Text | None = None) -> None:
        self._problems.add(self._place(path), text, hint)


def formula_of(
    given: str | FormulaKeys,
    each: Iterable[str] = (),
    combine: Combine = Combine.FIRST,
) -> Formula:
    """The formula of a text or of several; one that speaks of `it` stands for all of `each`."""
    if isinstance(given, str):
        parts: tuple[str, ...] = (given,)
        how = combine
    else:
        found = [(how, getattr(given, how.value)) for how in Combine if getattr(given, how.value)]
        if len(found) != 1:
            raise ValueError("one of first, any and all")
        how, parts = found[0]
    points = tuple(each)
    if points:
        parts = tuple(dict.fromkeys(substitute(part, {IT: point}) for part in parts for point in points))
    return Formula(parts, how if len(parts) > 1 else Combine.FIRST)


def _text(given: Any) -> Text:
    return given if isinstance(given, Text) else given.text()


def _taken(name: str) -> Text:
    return Text(f"{name} 已经是测点、参数或定义的名字", f"{name} is already the name of a point, fact or definition")
