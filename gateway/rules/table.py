"""`docs/rules.md`: the shipped rules as tables, made from their packs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.model import Text
from gateway.rules.expressions import substitute
from gateway.rules.types import Combine, Formula, Level, Pack, Rule
from gateway.settings.durations import duration_text

_HEAD = """\
# Shipped rules

Made from `config/rules/` by `python -m gateway.cli.schema`; do not edit. A site names the packs it wants under `rules:`
and changes single values under `rule_overrides:`. `vigil rules list CONFIG` shows what holds for each device,
`vigil rules test` runs the cases that stand beside each rule; docs/writing-rules.md says how to write them.

- A rule has one or more levels. The condition makes it hold; it ends when "cleared by" is met and the condition is no
  longer true (that alone where nothing stands there). "For" is how long the condition must be true. Readiness follows
  at once; on and off only delay announcing.
- A rule that cannot be told (a point is bad or old) neither raises nor clears.
- `+R` is one priority higher at response level I or II. For assets of criticality C all are one lower, save those
  marked *safety*.
- *Again after*: an alarm that is acknowledged and still active then is announced again.
- *Latched* alarms stay until an operator resets them. While a *spreading* rule of a device holds, what depends on the
  device is not ready.
- A rule holds for a device that has its points and facts; of several alternatives it takes those the device has.
"""
_COLUMNS = "| rule | code | priority | readiness | condition | cleared by | for | on / off | text | to do | role |"
_MARKS = (("raises", "+R"), ("safety", "safety"), ("latched", "latched"), ("spreads", "spreading"))


def page(packs: Iterable[Pack]) -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for pack in packs for line in _pack(pack))]).rstrip() + "\n"


def _pack(pack: Pack) -> list[str]:
    lines = [f"## `{pack.name}`", "", f"{pack.label.zh} / {pack.label.en}", ""]
    if pack.in_use is not None:
        lines += [f"In use while {_formula(pack.in_use)}.", ""]
    names = [(name, _formula(formula)) for name, formula in pack.define.items()]
    names += [
        (name, f"{window.take.value} of {_formula(window.of)} over {duration_text(window.over_s)}")
        for name, window in pack.windows.items()
    ]
    if names:
        lines += ["| name | is |", "|---|---|", *(f"| `{name}` | {what} |" for name, what in names), ""]
    lines += [_COLUMNS, "|" + "---|" * 11]
    for rule in pack.rules:
        lines += _rule(rule)
    if pack.waiting:
        lines += ["", "Not there yet:", "", *(f"- {each.code}: {_both(each.reason)}" for each in pack.waiting)]
    return [*lines, ""]


def _rule(rule: Rule) -> list[str]:
    marks = [mark for attribute, mark in _MARKS if getattr(rule, attribute)]
    if rule.again_s:
        marks.append(f"again after {duration_text(rule.again_s)}")
    when = "" if rule.when is None else f"; only while {_formula(rule.when, rule.limits)}"
    if rule.when_for_s:
        when += f" for {duration_text(rule.when_for_s)}"
    lines = []
    for index, level in enumerate(reversed(rule.levels)):
        first = index == 0
        cells = [
            f"`{rule.name}`" + (f" ({', '.join(marks)})" if marks else "") if first else "",
            ", ".join(rule.codes) if first else "",
            level.priority.value,
            level.effect.value,
            _formula(level.raise_, rule.limits) + when,
            "-" if level.clear is None else _formula(level.clear, rule.limits),
            duration_text(level.for_s) if level.for_s else "-",
            _delays(level),
            _both(level.text or rule.text) if first or level.text else "",
            _both(rule.action) if first else "",
            rule.role if first else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if rule.source is not None:
        lines[0] = lines[0].replace(f" | {rule.role} |", f" Source: {_both(rule.source)}. | {rule.role} |")
    return lines


def _delays(level: Level) -> str:
    parts = [duration_text(each) if each else "0" for each in (level.on_s, level.off_s)]
    return " / ".join(parts) if level.on_s or level.off_s else "-"


def _formula(formula: Formula, limits: Mapping[str, float] | None = None) -> str:
    values = {name: f"{value:g}" for name, value in (limits or {}).items()}
    sign = {Combine.FIRST: ", else ", Combine.ANY: " or ", Combine.ALL: " and "}[formula.combine]
    return sign.join(f"`{substitute(part, values)}`" for part in formula.parts).replace("|", "\\|")


def _both(text: Text) -> str:
    return f"{text.zh} / {text.en}"
