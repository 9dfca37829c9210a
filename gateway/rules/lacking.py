"""What a device would need for a rule it is not judged by."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.rules.bind import Binding
from gateway.rules.expressions import compile_expression, filled
from gateway.rules.facts import BUILT_IN
from gateway.rules.types import Formula, Pack, Rule


def lacking(rule: Rule, packs: Iterable[Pack], binding: Binding) -> tuple[str, ...]:
    """The points and facts the device does not have, of the rule and of the definitions it uses; of several
    alternatives all. `packs` are those of its kind."""
    pack = next(each for each in packs if rule in each.rules)
    given = {*binding.points, *binding.facts, *BUILT_IN, *(name for name, _ in binding.define)}
    given |= {each.window.name for each in binding.windows}
    formulas = {**pack.define, **{name: window.of for name, window in pack.windows.items()}}
    wanted: dict[str, None] = {}
    seen: set[str] = set()

    def look(formula: Formula) -> None:
        for part in formula.parts:
            for name in compile_expression(filled(part, rule.limits)).names:
                if name in given or name in seen:
                    continue
                seen.add(name)
                if name in formulas:
                    look(formulas[name])
                else:
                    wanted[name] = None

    for level in rule.levels:
        look(level.raise_)
        if level.clear is not None:
            look(level.clear)
    if rule.when is not None:
        look(rule.when)
    return tuple(wanted)
