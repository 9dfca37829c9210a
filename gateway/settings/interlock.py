"""The condition under which a point may be written: `mode == 'stop' and level > 1.5`.

Comparisons of points of the same device with literals, joined by `and`; nothing else, so that what it means can be seen
at a glance. What cannot be told counts as not fulfilled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from gateway.model import MaybeValue, Point, Text, Value, ValueType
from gateway.settings.protocol import Wrong
from gateway.settings.types import Clause

_CLAUSE = re.compile(
    r"\s*(?P<point>[a-z][a-z0-9_]*)\s*(?P<operator>==|!=|<=|>=|<|>)\s*"
    r"(?:'(?P<word>[^']*)'|\"(?P<quoted>[^\"]*)\"|(?P<truth>true|false)|(?P<number>-?\d{1,15}(?:\.\d{1,9})?))\s*",
    re.ASCII | re.DOTALL,
)
_MOST_CLAUSES = 8
EXAMPLE = Text("例如 mode == 'stop' and level > 1.5", "such as mode == 'stop' and level > 1.5")
_COMPARISONS = ("<", "<=", ">", ">=")


def parse_interlock(value: object) -> tuple[Clause, ...]:
    """The clauses of a condition, all of which must hold."""
    if not isinstance(value, str) or not value.strip():
        raise Wrong(Text("这里应当是条件", "a condition is expected here"), EXAMPLE)
    parts = re.split(r"\band\b(?=(?:[^'\"]|'[^']*'|\"[^\"]*\")*$)", value)
    if len(parts) > _MOST_CLAUSES:
        raise Wrong(
            Text(f"最多 {_MOST_CLAUSES} 个条件", f"at most {_MOST_CLAUSES} comparisons"),
            Text("只留下写入前必须成立的条件", "keep those that must hold before a write"),
        )
    return tuple(_parse_clause(part) for part in parts)


def _parse_clause(part: str) -> Clause:
    found = _CLAUSE.fullmatch(part)
    if found is None:
        raise Wrong(
            Text(f"{part.strip()!r} 不是“测点 比较 值”", f"{part.strip()!r} is no comparison of a point with a value"),
            EXAMPLE,
        )
    value: Value
    if found["truth"] is not None:
        value = found["truth"] == "true"
    elif found["number"] is not None:
        value = Decimal(found["number"])
    else:
        value = found["word"] if found["word"] is not None else found["quoted"]
    if found["operator"] in _COMPARISONS and not isinstance(value, Decimal):
        raise Wrong(
            Text("只有数能比大小", "only numbers can be compared by size"), Text("写 == 或 !=", "write == or !=")
        )
    return Clause(found["point"], found["operator"], value)


def misfit(clause: Clause, point: Point | None) -> Text | None:
    """Why `clause` cannot be about `point`; None where it can."""
    if point is None:
        return Text(f"没有测点 {clause.point}", f"there is no point {clause.point}")
    value = clause.value
    kind = (
        ValueType.BOOLEAN
        if isinstance(value, bool)
        else ValueType.STRING
        if isinstance(value, str)
        else ValueType.NUMBER
    )
    if kind is not point.type:
        return Text(f"{clause.point} 不能与 {value} 比较", f"{clause.point} cannot be compared with {value}")
    if isinstance(value, str) and point.words and value not in point.words:
        return Text(f"{clause.point} 没有 {value} 这个词", f"{clause.point} has no word {value}")
    return None


def unfulfilled(clauses: Sequence[Clause], values: Mapping[str, MaybeValue]) -> Clause | None:
    """The first clause that does not hold or cannot be told; None where all hold. `values` are good ones alone."""
    return next((clause for clause in clauses if not _holds(clause, values.get(clause.point))), None)


def _holds(clause: Clause, value: MaybeValue) -> bool:
    if value is None:
        return False
    wanted = clause.value
    if isinstance(wanted, (bool, str)) or isinstance(value, (bool, str)):
        if type(wanted) is not type(value):
            return False
        return (value == wanted) == (clause.operator == "==")
    found = value if isinstance(value, Decimal) else Decimal(repr(value))
    exact = Decimal(repr(wanted)) if isinstance(wanted, float) else Decimal(wanted)
    match clause.operator:
        case "==":
            return found == exact
        case "!=":
            return found != exact
        case "<":
            return found < exact
        case "<=":
            return found <= exact
        case ">":
            return found > exact
        case _:
            return found >= exact
