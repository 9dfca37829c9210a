"""What tells one device from another: places to read once after connecting, and what must be found there."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.model import Point, ReportPolicy, Text, Value, ValueType
from gateway.settings.nodes import Listing, Node, Scalar, Section
from gateway.settings.problems import Problems
from gateway.settings.protocol import ProtocolModel
from gateway.settings.reading import keys_of, read_options, refuse_missing, refuse_unknown
from gateway.settings.types import IdentityMark

EQUALS, BEGINS = "equals", "begins"
_EXAMPLE = Text('例如 {at: "holding:0", equals: 7}', 'such as {at: "holding:0", equals: 7}')
_EQUALS_EXAMPLE = Text("写一个值或一列值，例如 equals: [7, 9]", "write a value or several, such as equals: [7, 9]")
_BEGINNING = Text("写出开头的文字", "write the text it begins with"), Text("例如 begins: AB", "such as begins: AB")
_NO_TEXT = Text("begins 只用于文字", "begins is for texts alone")
_TEXT_EXAMPLE = Text(
    '例如 {at: "holding:0", type: "string:8", begins: AB}', 'such as {at: "holding:0", type: "string:8", begins: AB}'
)
_ONCE = ReportPolicy()


def read_identity(
    listing: Node | None, protocol: ProtocolModel, problems: Problems, first: int = 0, *, of_model: bool = True
) -> tuple[IdentityMark, ...]:
    """The entries of an `identity:` list that could be read; marks are numbered from `first`."""
    marks: list[IdentityMark] = []
    for item in listing.items if isinstance(listing, Listing) else ():
        if not isinstance(item, Section):
            problems.add(
                item.place,
                Text("要写成“键: 值”", "an entry is written as `key: value`"),
                _EXAMPLE,
            )
            continue
        refuse_unknown(item, [*keys_of(protocol.point_options), EQUALS, BEGINS], problems)
        options = read_options(protocol.point_options, item, problems)
        begins = _beginning(item.get(BEGINS), problems)
        if EQUALS not in item.entries and begins is None:
            refuse_missing(item, EQUALS, problems, _EXAMPLE)
            continue
        wanted = _wanted(item.get(EQUALS), problems) if begins is None else ()
        if options is None or not (wanted or begins):
            continue
        sources = protocol.points(f"identity_{first + len(marks)}", options)
        if len(sources) != 1:
            problems.add(item.place, Text("这里只能是一个值", "one value is expected here"), _EXAMPLE)
            continue
        source = sources[0]
        if begins and source.type is not ValueType.STRING:
            problems.add(item.place, _NO_TEXT, _TEXT_EXAMPLE)
            continue
        point = Point(source.name, source.type, "", 1.0, _ONCE, source.options)
        marks.append(IdentityMark(point, wanted, of_model, begins or ""))
    return tuple(marks)


def _beginning(node: Node | None, problems: Problems) -> str | None:
    """The text, empty where it is none; None where there is no such key."""
    if node is None:
        return None
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value:
        return node.value
    problems.add(node.place, *_BEGINNING)
    return ""


def _wanted(node: Node | None, problems: Problems) -> tuple[Value, ...]:
    items: Sequence[Node] = node.items if isinstance(node, Listing) else [node] if node is not None else []
    values: list[Value] = []
    for each in items:
        if not isinstance(each, Scalar) or each.value is None:
            problems.add(each.place, Text("这里应当是值", "a value is expected here"), _EQUALS_EXAMPLE)
        else:
            values.append(each.value)
    return tuple(values)
