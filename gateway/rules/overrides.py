"""What a site file changes of a rule: single values, under the rule's name in `rule_overrides`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from gateway.model import Text, ValueType
from gateway.rules.expressions import filled
from gateway.rules.files import FormulaKeys, LevelOverride, RuleOverride
from gateway.rules.load import formula_of
from gateway.rules.readiness import Effect
from gateway.rules.review import review
from gateway.rules.types import Combine, Formula, Level, Override, Pack, Rule
from gateway.settings.durations import duration_text
from gateway.settings.nodes import Section, find
from gateway.settings.problems import Problems, suggest
from gateway.settings.reading import keys_of, read_section


@dataclass(frozen=True, slots=True)
class Overridden:
    """A rule as the site wants it, None where it wants none; and what that changed."""

    rule: Rule | None
    changes: tuple[Override, ...]


def override(rule: Rule, pack: Pack, section: Section, problems: Problems) -> Overridden:
    """`rule` with the values of `section`; problems where they do not fit it."""
    return _Editor(rule, pack, section, problems).edit()


class _Editor:
    def __init__(self, rule: Rule, pack: Pack, section: Section, problems: Problems) -> None:
        self._rule = rule
        self._pack = pack
        self._section = section
        self._problems = problems
        self._changes: list[Override] = []

    def edit(self) -> Overridden:
        keys = read_section(RuleOverride, self._section, self._problems)
        if not keys.get("enabled", True):
            self._note("enabled", "true", "false")
            return Overridden(None, tuple(self._changes))
        rule = self._limits(keys.get("limits") or {})
        changes: dict[str, Any] = {}
        if keys.get("role"):
            self._note("role", rule.role, keys["role"])
            changes["role"] = keys["role"]
        if keys.get("latched") is not None:
            self._note("latched", _word(rule.latched), _word(keys["latched"]))
            changes["latched"] = keys["latched"]
        if keys.get("again") is not None:
            self._note("again", duration_text(rule.again_s), duration_text(keys["again"]))
            changes["again_s"] = keys["again"]
        if keys.get("when_for") is not None:
            self._note("when_for", duration_text(rule.when_for_s), duration_text(keys["when_for"]))
            changes["when_for_s"] = keys["when_for"]
        if keys.get("when") is not None:
            changes["when"] = self._formula(keys["when"], rule.when, ("when",), Combine.FIRST)
        changes["levels"] = self._levels(rule, keys.get("levels") or {})
        return Overridden(replace(rule, **changes) if changes["levels"] else None, tuple(self._changes))

    def _limits(self, given: Mapping[str, float]) -> Rule:
        rule = self._rule
        for name, value in given.items():
            if name not in rule.limits:
                self._problems.add(
                    find(self._section, ("limits", name))[1],
                    Text(f"规则 {rule.name} 没有限值 {name}", f"rule {rule.name} has no limit {name}"),
                    suggest(name, rule.limits),
                )
            else:
                self._note(f"limits.{name}", f"{rule.limits[name]:g}", f"{value:g}")
        self._rule = replace(rule, limits=MappingProxyType(dict(rule.limits) | dict(given)))
        return self._rule

    def _levels(self, rule: Rule, given: Mapping[str, LevelOverride]) -> tuple[Level, ...]:
        there = {level.priority.value for level in rule.levels}
        for name in given:
            if name not in there:
                self._problems.add(
                    find(self._section, ("levels", name))[1],
                    Text(f"规则 {rule.name} 没有级别 {name}", f"rule {rule.name} has no level {name}"),
                    suggest(name, there),
                )
        levels = []
        for level in rule.levels:
            keys = given.get(level.priority.value)
            if keys is None:
                levels.append(level)
            elif not keys.enabled:
                self._note(f"levels.{level.priority.value}.enabled", "true", "false")
            else:
                levels.append(self._level(level, keys))
        return tuple(levels)

    def _level(self, level: Level, keys: LevelOverride) -> Level:
        name = level.priority.value
        changes: dict[str, Any] = {}
        for key, field in (("for", "for_s"), ("on", "on_s"), ("off", "off_s")):
            value = getattr(keys, keys_of(LevelOverride)[key])
            if value is not None:
                self._note(f"levels.{name}.{key}", duration_text(getattr(level, field)), duration_text(value))
                changes[field] = value
        if keys.effect is not None:
            self._note(f"levels.{name}.effect", level.effect.value, keys.effect)
            changes["effect"] = Effect(keys.effect)
        if keys.raise_ is not None:
            changes["raise_"] = self._formula(keys.raise_, level.raise_, ("levels", name, "raise"), Combine.ANY)
        if keys.clear is not None:
            changes["clear"] = self._formula(keys.clear, level.clear, ("levels", name, "clear"), Combine.ALL)
        return replace(level, **changes)

    def _formula(
        self, given: str | FormulaKeys, before: Formula | None, path: tuple[str, ...], combine: Combine
    ) -> Formula | None:
        place = find(self._section, path)[1]
        try:
            formula = formula_of(given, self._rule.each, combine)
        except ValueError:
            self._problems.add(
                place,
                Text("只写 first、any、all 中的一个", "write one of first, any and all"),
                Text("例如 any: [fuel_level < 20]", "such as any: [fuel_level < 20]"),
            )
            return before
        for part in formula.parts:
            review(filled(part, self._rule.limits), self._pack.names, place, self._problems, ValueType.BOOLEAN)
        self._note(".".join(path), _shown(before), _shown(formula))
        return formula

    def _note(self, key: str, before: str, after: str) -> None:
        self._changes.append(Override(self._rule.name, key, before, after))


def _shown(formula: Formula | None) -> str:
    return "-" if formula is None else " | ".join(formula.parts)


def _word(value: bool) -> str:
    return "true" if value else "false"
