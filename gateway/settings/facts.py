"""Facts: what a person knows about a device or site, typed by the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from gateway.model import Text, Value, ValueType
from gateway.settings.nodes import Node, Scalar, Section
from gateway.settings.problems import Problems, suggest
from gateway.settings.types import VocabularyFact

#: Facts about the situation, not about one asset: given for the site they hold for its devices too.
SITUATION = ("response_level", "season", "mode")


def read_facts(section: Section, known: Mapping[str, VocabularyFact], problems: Problems) -> dict[str, Value]:
    """The facts of a `facts` section that are right; problems for the others."""
    values = {}
    for key, entry in section.entries.items():
        fact = known.get(str(key))
        if fact is None:
            problems.add(
                entry.key, Text(f"没有 {key} 这一项", f"there is no fact {key} for this kind"), suggest(key, known)
            )
            continue
        value = fact_value(fact, entry.value, problems)
        if value is not None:
            values[fact.name] = value
    return values


def fact_value(fact: VocabularyFact, node: Node, problems: Problems) -> Value | None:
    """The value of one fact; None with a problem where it has not the vocabulary's type."""
    value = node.value if isinstance(node, Scalar) else None
    unit = f" {fact.unit}" if fact.unit else ""
    if fact.type is ValueType.NUMBER:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
        text = Text(
            f"应当是数{f'，单位{unit}' if unit else ''}", f"a number{f' in{unit}' if unit else ''} is expected here"
        )
        hint = Text("只写数，不写单位", "write the number alone, without its unit")
        problems.add(node.place, text, hint)
        return None
    if fact.type is ValueType.BOOLEAN:
        if isinstance(value, bool):
            return value
        hint = Text("写 true 或 false，不加引号", "write true or false, without quotes")
        problems.add(node.place, Text("应当是 true 或 false", "true or false is expected here"), hint)
        return None
    if fact.is_date:
        return _date(value, node, problems)
    if not isinstance(value, str):
        problems.add(
            node.place,
            Text("这里应当是文字", "a text is expected here"),
            suggest("", fact.words) or Text('用引号括起来，例如 "7"', 'put it into quotes, such as "7"'),
        )
        return None
    if fact.words and value not in fact.words:
        problems.add(
            node.place,
            Text(f"{value} 不在可选范围内", f"{value} is none of the possible words"),
            suggest(value, fact.words),
        )
        return None
    return value


def _date(value: object, node: Node, problems: Problems) -> str | None:
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    problems.add(node.place, Text("应当是日期", "a date is expected here"), Text("写成 2026-05-01", "write 2026-05-01"))
    return None
