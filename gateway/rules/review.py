"""Does an expression make sense? It is tried on values of the types the vocabulary gives its names: CEL itself only
notices unknown names and wrong types when a value meets them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

from gateway.model import Text, ValueType
from gateway.rules.expressions import WORDS_OF_CEL, Expression, Plain, Token, compile_expression, tokens
from gateway.settings.problems import Place, Problems, suggest

TRIALS = 96
#: What an expression may call beside operators.
FUNCTIONS = frozenset({"size", "startsWith", "endsWith", "contains", "matches"})


@dataclass(slots=True)
class Names:
    """The names an expression may use: their types, and the words a text can be where they are fixed."""

    types: dict[str, ValueType]
    words: dict[str, frozenset[str]] = field(default_factory=dict)


_EXAMPLE = Text("例如 fuel_level < 20 && !running", "such as fuel_level < 20 && !running")
_NUMBER_EXAMPLE = Text("例如 battery_voltage / 2", "such as battery_voltage / 2")
_COMPARED = {
    ValueType.NUMBER: Text("与数比较，例如 fuel_level < 20", "compare it with a number, such as fuel_level < 20"),
    ValueType.STRING: Text("与词比较，例如 mode == 'auto'", "compare it with a word, such as mode == 'auto'"),
    ValueType.BOOLEAN: Text("直接写名字，或写 !名字", "write the name alone, or !name"),
}


def review(source: str, names: Names, place: Place, problems: Problems, wanted: ValueType | None) -> ValueType | None:
    """The type `source` gives; None with a problem at `place` where it gives none, or another than `wanted`."""
    try:
        expression = compile_expression(source)
    except ValueError as error:
        reason = str(error).partition("ERROR: ")[2].partition("\n")[0] or str(error)
        problems.add(place, Text(f"条件写法不对：{reason}", f"this is no expression: {reason}"), _EXAMPLE)
        return None
    before = len(problems)
    _refuse_unknown(expression, names, place, problems)
    _refuse_functions(source, place, problems)
    if len(problems) > before:
        return None
    _refuse_comparisons(tokens(source), names, place, problems)
    if len(problems) > before:
        return None
    found = {type(value) for value in _try(expression, names)}
    if len(found) != 1 or type(None) in found:
        problems.add(
            place,
            Text("这个条件的类型不对，算不出结果", "the types in this expression do not fit, it gives no result"),
            Text(
                "比较同一类的值，用 &&、||、! 连接真假值", "compare values of one type; join truths with &&, || and !"
            ),
        )
        return None
    kind = {bool: ValueType.BOOLEAN, float: ValueType.NUMBER, str: ValueType.STRING}.get(found.pop())
    if kind is None or (wanted is not None and kind is not wanted):
        expected = {
            ValueType.BOOLEAN: Text("这里应当得出真或假", "this must give true or false"),
            ValueType.NUMBER: Text("这里应当得出一个数", "this must give a number"),
        }
        useless = Text("结果无法使用", "the result is of no use")
        instead = _NUMBER_EXAMPLE if wanted is ValueType.NUMBER else _EXAMPLE
        problems.add(place, expected.get(wanted or ValueType.BOOLEAN, useless), instead)
        return None
    return kind


def _refuse_unknown(expression: Expression, names: Names, place: Place, problems: Problems) -> None:
    for name in expression.names:
        if name not in names.types:
            problems.add(
                place,
                Text(f"没有 {name} 这个测点、参数或定义", f"there is no point, fact or definition {name}"),
                suggest(name, names.types),
            )


def _refuse_functions(source: str, place: Place, problems: Problems) -> None:
    found = tokens(source)
    for token, following in pairwise(found):
        calls = token.kind == "name" and following.text == "(" and token.text not in WORDS_OF_CEL
        if calls and token.text not in FUNCTIONS:
            problems.add(
                place,
                Text(f"没有函数 {token.text}", f"there is no function {token.text}"),
                suggest(token.text, FUNCTIONS),
            )


def _refuse_comparisons(found: Sequence[Token], names: Names, place: Place, problems: Problems) -> None:
    """`mode == 'atuo'` and `running == 1` are never true, and `!=` always: CEL says nothing of either."""
    for index in range(len(found) - 2):
        left, sign, right = found[index : index + 3]
        if sign.text in ("==", "!="):
            for name, literal in ((left, right), (right, left)):
                _refuse_literal(name, literal, names, place, problems)
        elif sign.text == "in" and right.text == "[":
            for literal in found[index + 3 :]:
                if literal.text == "]":
                    break
                _refuse_literal(left, literal, names, place, problems)


def _refuse_literal(name: Token, literal: Token, names: Names, place: Place, problems: Problems) -> None:
    kind = names.types.get(name.text) if name.kind == "name" else None
    given = _literal_type(literal)
    if kind is None or given is None:
        return
    if kind is not given:
        problems.add(
            place,
            Text(f"{name.text} 不能与 {literal.text} 比较", f"{name.text} cannot be compared with {literal.text}"),
            _COMPARED[kind],
        )
    elif kind is ValueType.STRING:
        words, word = names.words.get(name.text), literal.text[1:-1]
        if words and word not in words:
            problems.add(
                place,
                Text(f"{name.text} 不会是 {word}", f"{name.text} is never {word}"),
                suggest(word, words),
            )


def _literal_type(token: Token) -> ValueType | None:
    if token.kind == "text":
        return ValueType.STRING
    if token.kind == "number":
        return ValueType.NUMBER
    return ValueType.BOOLEAN if token.text in ("true", "false") else None


def _try(expression: Expression, names: Names) -> Iterable[object]:
    """What it gives for a fair number of values; None where it fails."""
    found = tokens(expression.source)
    numbers = sorted(
        {0.0, 1.0} | {float(each.text) + step for each in found if each.kind == "number" for step in (-1, 0, 1)}
    )
    texts = sorted({"other"} | {each.text[1:-1] for each in found if each.kind == "text"})
    choices: Mapping[ValueType, Sequence[Plain]] = {
        ValueType.BOOLEAN: (False, True),
        ValueType.NUMBER: numbers,
        ValueType.STRING: texts,
    }
    columns = [choices[names.types[name]] for name in expression.names]
    size = 1
    for column in columns:
        size *= len(column)
    if size <= TRIALS:
        rows = list(product(*columns))
    else:
        dice = random.Random(expression.source)  # noqa: S311 - the same trials every time, nothing secret
        rows = [tuple(dice.choice(column) for column in columns) for _ in range(TRIALS)]
    for row in rows:
        try:
            value = expression.run(dict(zip(expression.names, row, strict=True)))
        except (RuntimeError, TypeError, ValueError):
            if "/" in expression.source and 0.0 in row:
                continue  # nothing divided by nothing compares with nothing, which is no fault of the types
            value = None
        yield value
