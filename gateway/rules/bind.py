"""Which rules hold for one device: those whose names it can give, with its facts and limits put in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.model import Value
from gateway.rules.condition import Delays
from gateway.rules.expressions import Expression, Plain, compile_expression, filled, joined
from gateway.rules.facts import AGE, BUILT_IN, dates_of, standing
from gateway.rules.types import Combine, Formula, Level, Pack, Rule, Window
from gateway.settings.types import Kind


@dataclass(frozen=True, slots=True)
class Bound:
    """A formula with the parts this device can give, in order of trust."""

    expressions: tuple[Expression, ...]
    names: frozenset[str]
    parts: tuple[Expression, ...] = ()
    """Of an `any`: what it was joined of."""

    def value(self, known: Mapping[str, Plain]) -> Plain | None:
        """The first part that can be told."""
        for expression in self.expressions:
            found = expression.value(known)
            if found is not None:
                return found
        return None

    def truth(self, known: Mapping[str, Plain]) -> bool | None:
        found = self.value(known)
        return found if isinstance(found, bool) else None


@dataclass(frozen=True, slots=True)
class BoundLevel:
    level: Level
    raise_: Bound
    clear: Bound | None
    delays: Delays


@dataclass(frozen=True, slots=True)
class BoundWindow:
    window: Window
    of: Bound
    when: Bound | None


@dataclass(frozen=True, slots=True)
class BoundRule:
    rule: Rule
    levels: tuple[BoundLevel, ...]
    when: Bound | None
    names: frozenset[str]
    """Every name it depends on."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What one device is judged by."""

    facts: Mapping[str, Plain]
    define: tuple[tuple[str, Bound], ...]
    windows: tuple[BoundWindow, ...]
    in_use: tuple[Bound, ...]
    rules: tuple[BoundRule, ...]
    idle: tuple[Rule, ...]
    """Rules that do not hold for the device: it lacks their points or facts."""
    cuts: Mapping[str, tuple[float, ...]]
    """Of names that are only ever compared with numbers: these, in order. Between two of them no answer changes."""
    points: frozenset[str] = frozenset()


def bind(packs: Iterable[Pack], kind: Kind | None, points: Iterable[str], facts: Mapping[str, Value]) -> Binding:
    """The binding of a device with these points and facts."""
    packs, points = tuple(packs), tuple(points)
    known = standing(facts)
    dates = dates_of(facts, kind.facts) if kind is not None else {}
    given = {*points, *known, *BUILT_IN, *(name + AGE for name in dates)}
    define: list[tuple[str, Bound]] = []
    windows: list[BoundWindow] = []
    in_use: list[Bound] = []
    rules: list[BoundRule] = []
    idle: list[Rule] = []
    for pack in packs:
        own = set(given)
        for name, formula in pack.define.items():
            if (bound := _bound(formula, own)) is not None:
                define.append((name, bound))
                own.add(name)
        for window in pack.windows.values():
            if (figure := _window(window, own)) is not None:
                windows.append(figure)
                own.add(window.name)
        if pack.in_use is not None and (bound := _bound(pack.in_use, own)) is not None:
            in_use.append(bound)
        for rule in pack.rules:
            held = _rule(rule, own)
            if held is None:
                idle.append(rule)
            else:
                rules.append(held)
    bounds = [bound for _, bound in define] + in_use
    for figure in windows:
        bounds += [figure.of] if figure.when is None else [figure.of, figure.when]
    for held in rules:
        bounds += [part for level in held.levels for part in (level.raise_, level.clear) if part is not None]
        bounds += [] if held.when is None else [held.when]
    return Binding(
        MappingProxyType(known),
        tuple(define),
        tuple(windows),
        tuple(in_use),
        tuple(rules),
        tuple(idle),
        _cuts(bounds),
        frozenset(points),
    )


def _cuts(bounds: Iterable[Bound]) -> Mapping[str, tuple[float, ...]]:
    expressions = {expression for bound in bounds for expression in bound.expressions}
    others = {name for expression in expressions if expression.comparison is None for name in expression.names}
    found: dict[str, set[float]] = {}
    for expression in expressions:
        if expression.comparison is not None and expression.names[0] not in others:
            found.setdefault(expression.names[0], set()).add(expression.comparison[1])
    return MappingProxyType({name: tuple(sorted(cuts)) for name, cuts in found.items()})


def _bound(formula: Formula, given: set[str], limits: Mapping[str, float] = MappingProxyType({})) -> Bound | None:
    filled_in = (filled(part, limits) for part in formula.parts)
    parts = [part for part in filled_in if given.issuperset(compile_expression(part).names)]
    if not parts:
        return None
    each = tuple(compile_expression(part) for part in parts) if formula.combine is Combine.ANY else ()
    if formula.combine is not Combine.FIRST:
        parts = [joined(parts, "||" if formula.combine is Combine.ANY else "&&")]
    expressions = tuple(compile_expression(part) for part in parts)
    return Bound(expressions, frozenset(name for one in expressions for name in one.names), each)


def _window(window: Window, given: set[str]) -> BoundWindow | None:
    of = _bound(window.of, given)
    when = None if window.when is None else _bound(window.when, given)
    if of is None or (window.when is not None and when is None):
        return None
    return BoundWindow(window, of, when)


def _rule(rule: Rule, given: set[str]) -> BoundRule | None:
    when = None if rule.when is None else _bound(rule.when, given, rule.limits)
    levels = tuple(bound for level in rule.levels if (bound := _level(level, given, rule.limits)) is not None)
    if not levels or (rule.when is not None and when is None):
        return None
    names = frozenset(name for each in levels for part in (each.raise_, each.clear) if part for name in part.names)
    return BoundRule(rule, levels, when, names | (when.names if when is not None else frozenset()))


def _level(level: Level, given: set[str], limits: Mapping[str, float]) -> BoundLevel | None:
    raise_ = _bound(level.raise_, given, limits)
    clear = None if level.clear is None else _bound(level.clear, given, limits)
    if raise_ is None or (level.clear is not None and clear is None):
        return None
    delays = Delays(int(level.for_s * 1000), int(level.on_s * 1000), int(level.off_s * 1000))
    return BoundLevel(level, raise_, clear, delays)
