"""Why is this rule true, false or not to be told now? For the command line and the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.flow.snapshot import Snapshot
from gateway.model import Priority, Text
from gateway.rules.bind import Binding, Bound, BoundLevel
from gateway.rules.condition import Condition
from gateway.rules.engine import RuleNow
from gateway.rules.explanation import Decider, Delay, Explanation, LevelNow, Mask, Named, Says, Sort
from gateway.rules.expressions import Plain
from gateway.rules.facts import BUILT_IN
from gateway.rules.judge import GATEWAY, Judge
from gateway.rules.lacking import lacking
from gateway.rules.parts import Part, deciding, split
from gateway.rules.types import Override, Rule
from gateway.rules.why import sentence
from gateway.settings.durations import duration_text
from gateway.settings.types import Kind


def explain(judge: Judge, snapshot: Snapshot, device: str, rule: str, now: float, ts: int) -> Explanation:
    """The rule as it stands at `now` (monotonic seconds) and `ts` (UTC ms); KeyError for an unknown device or rule."""
    view = _View(judge, snapshot, device, now)
    try:
        found = judge.rules(device).now(rule)
    except KeyError:
        return _not_judged(view, rule, ts)
    return _judged(view, found, ts)


def rules_of(judge: Judge, device: str) -> tuple[str, ...]:
    """The rules `device` (or `_gateway`) is judged by, in the order of their packs; KeyError for an unknown device."""
    return tuple(bound.rule.name for bound in judge.rules(device).binding.rules)


class _View:
    """One device, its names and where their values come from."""

    def __init__(self, judge: Judge, snapshot: Snapshot, device: str, now: float) -> None:
        self.judge, self.device, self.now = judge, device, now
        self.binding: Binding = judge.rules(device).binding
        self._snapshot = snapshot
        settings = next((each for each in judge.settings.devices if each.id == device), None)
        self.kind_name = "gateway" if settings is None else settings.kind
        self.kind: Kind | None = judge.settings.kinds.get(self.kind_name)
        self.points = {point.name: point for point in settings.points} if settings is not None else {}
        self._define = dict(self.binding.define)
        self._windows = {each.window.name: each for each in self.binding.windows}

    def overrides(self, rule: str) -> tuple[Override, ...]:
        return tuple(each for each in self.judge.book.overrides if each.rule == rule)

    def formula(self, name: str, known: Mapping[str, Plain]) -> str | None:
        """What a definition or a window is made of."""
        if name in self._define:
            return _told(self._define[name], known)
        if name not in self._windows:
            return None
        window = self._windows[name]
        text = f"{window.window.take.value}({_told(window.of, known)}, {duration_text(window.window.over_s)})"
        return text if window.when is None else f"{text} when {_told(window.when, known)}"

    def asks(self, name: str) -> tuple[str, ...]:
        """The names a definition or a window is made of."""
        if name in self._define:
            return tuple(sorted(self._define[name].names))
        if name in self._windows:
            window = self._windows[name]
            return tuple(sorted(window.of.names | (window.when.names if window.when is not None else frozenset())))
        return ()

    def closure(self, names: Iterable[str]) -> tuple[str, ...]:
        """These names and all they are made of."""
        found: dict[str, None] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop(0)
            if name not in found:
                found[name] = None
                waiting += self.asks(name)
        return tuple(found)

    def named(self, name: str, known: Mapping[str, Plain]) -> Named:
        value = known.get(name)
        vocabulary = self.kind.points.get(name) if self.kind is not None else None
        label = vocabulary.label if vocabulary is not None else None
        unit = vocabulary.unit if vocabulary is not None else ""
        words: Mapping[str, Text] = vocabulary.words if vocabulary is not None else {}
        if name in self.points:
            point = self.points[name]
            latest = self._snapshot.point(self.device, name, self.now)
            age = None if latest.at is None else max(0, round((self.now - latest.at) * 1000))
            shown = None if latest.value is None or not latest.is_usable else latest.value
            is_stale = latest.stale and latest.at is not None
            status, word = latest.status.name, words.get(str(shown))
            return Named(name, Sort.POINT, shown, point.label or label, point.unit, word, status, is_stale, age)
        if name in self._define or name in self._windows:
            sort = Sort.WINDOW if name in self._windows else Sort.DEFINITION
            return Named(name, sort, value, formula=self.formula(name, known))
        if name in BUILT_IN:
            return Named(name, Sort.BUILT_IN, value)
        if self.kind is not None and name in self.kind.facts:
            fact = self.kind.facts[name]
            return Named(name, Sort.FACT, value, fact.label, fact.unit, fact.words.get(str(value)))
        if self.device == GATEWAY and vocabulary is not None:
            return Named(name, Sort.POINT, value, label, unit, words.get(str(value)))
        return Named(name, Sort.FACT, value)

    def missing(self, names: Iterable[str], known: Mapping[str, Plain]) -> tuple[str, ...]:
        """Those that have no value and are not themselves made of something that has none."""
        without = [name for name in names if name not in known]
        return tuple(name for name in without if not any(asked in without for asked in self.asks(name)))

    def deciders(self, bound: Bound, known: Mapping[str, Plain]) -> tuple[Decider, ...]:
        """The smallest parts that decide, definitions opened up to what decides them."""
        found: dict[str, Decider] = {}
        for part in deciding(split(_told(bound, known)), known):
            for each in self._opened(part, known):
                says = _says(each.truth(known))
                found.setdefault(each.source, Decider(each.source, says, each.names))
        return tuple(found.values())

    def _opened(self, part: Part, known: Mapping[str, Plain]) -> Iterator[Part]:
        if part.source not in self._define:
            yield part
            return
        for inner in deciding(split(_told(self._define[part.source], known)), known):
            yield from self._opened(inner, known)


def _told(bound: Bound, known: Mapping[str, Plain]) -> str:
    """The part of a formula that can be told; the first where none can."""
    told = (each for each in bound.expressions if each.value(known) is not None)
    return next(told, bound.expressions[0]).source


def _says(truth: bool | None) -> Says:
    return Says.CANNOT_TELL if truth is None else Says.TRUE if truth else Says.FALSE


def _judged(view: _View, found: RuleNow, ts: int) -> Explanation:
    bound, known = found.bound, found.known
    rule = bound.rule
    mask = _mask(view, found)
    levels = tuple(_level(view, rule, each, condition, priority, known) for each, condition, priority in found.levels)
    held = next((each for each in levels if each.is_held), None)
    announced = next((each.priority for each in levels if each.is_announced), None)
    unsure = found.verdict is None or found.verdict.unsure
    says = Says.CANNOT_TELL if unsure else _says(held is not None)
    names = view.closure(sorted(bound.names))
    missing = view.missing(names, known)
    since = held.since if held is not None else found.verdict.since if found.verdict is not None else None
    text = held.text if held is not None else rule.text
    why = sentence(says, mask, levels, held, missing, lambda name: view.named(name, known))
    return Explanation(
        view.device, rule.name, ts, says, held.priority if held is not None else None, announced, since,
        text, rule.action, why, mask, levels, tuple(view.named(name, known) for name in names), missing,
        view.overrides(rule.name),
    )  # fmt: skip


def _mask(view: _View, found: RuleNow) -> Mask | None:
    when = found.bound.when
    if when is None:
        return None
    armed, lasts_s = found.armed, found.bound.rule.when_for_s
    delays = (_delay("when_for", armed.true_since, lasts_s, armed),) if armed.true_since is not None and lasts_s else ()
    says = _says(when.truth(found.known))
    return Mask(_told(when, found.known), says, armed.held, view.deciders(when, found.known), delays)


def _level(
    view: _View, rule: Rule, bound: BoundLevel, condition: Condition, priority: Priority, known: Mapping[str, Plain]
) -> LevelNow:
    level = bound.level
    clear = bound.clear if condition.held else None
    delays = []
    if condition.true_since is not None:
        delays.append(_delay("for", condition.true_since, level.for_s, condition))
    if condition.pending_since is not None:
        what, lasts_s = ("on", level.on_s) if condition.held else ("off", level.off_s)
        delays.append(_delay(what, condition.pending_since, lasts_s, condition))
    return LevelNow(
        priority=priority,
        text=level.text or rule.text,
        effect=level.effect.value,
        condition=_told(bound.raise_, known),
        says=_says(bound.raise_.truth(known)),
        deciders=view.deciders(bound.raise_, known),
        clear=None if bound.clear is None else _told(bound.clear, known),
        is_over=None if clear is None else _says(clear.truth(known)),
        is_held=condition.held,
        is_announced=condition.announced,
        since=condition.since,
        delays=tuple(delays),
    )


def _delay(what: str, begun: int, lasts_s: float, condition: Condition) -> Delay:
    return Delay(what, lasts_s, None if condition.unsure else begun + int(lasts_s * 1000))


def _not_judged(view: _View, name: str, ts: int) -> Explanation:
    """A rule the device lacks points or facts for, or that the site switched off; KeyError where there is none."""
    rule = next((each for each in view.binding.idle if each.name == name), None)
    overrides = view.overrides(name)
    if rule is None:
        if not overrides:
            raise KeyError(name)
        off = Text("本站已停用这条规则", "this site switched the rule off")
        return Explanation(
            view.device, name, ts, Says.NOT_JUDGED, None, None, None, off, off, off, None, (), (), (), overrides
        )
    missing = lacking(rule, view.judge.book.of_kind(view.kind_name), view.binding)
    why = Text(f"不适用：设备没有 {'、'.join(missing)}", f"not judged: the device has no {', '.join(missing)}")
    return Explanation(
        view.device, name, ts, Says.NOT_JUDGED, None, None, None, rule.text, rule.action, why, None, (), (), missing,
        overrides,
    )  # fmt: skip
