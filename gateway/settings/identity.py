"""What tells one device from another: places to read once after connecting, and what must be found there."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.model import Point, ReportPolicy, Text, Value
from gateway.settings.nodes import Listing, Node, Scalar, Section
from gateway.settings.problems import Problems
from gateway.settings.protocol import ProtocolModel
from gateway.settings.reading import keys_of, read_options, refuse_missing, refuse_unknown
from gateway.settings.types import IdentityMark

EQUALS = "equals"
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
                Text('{at: "holding:0", equals: 7}', '{at: "holding:0", equals: 7}'),
            )
            continue
        refuse_unknown(item, [*keys_of(protocol.point_options), EQUALS], problems)
        options = read_options(protocol.point_options, item, problems)
        if EQUALS not in item.entries:
            refuse_missing(item, EQUALS, problems)
            continue
        wanted = _wanted(item.get(EQUALS), problems)
        if options is None or not wanted:
            continue
        sources = protocol.points(f"identity_{first + len(marks)}", options)
        if len(sources) != 1:
            problems.add(item.place, Text("这里只能是一个值", "one value is expected here"))
            continue
        source = sources[0]
        marks.append(IdentityMark(Point(source.name, source.type, "", 1.0, _ONCE, source.options), wanted, of_model))
    return tuple(marks)


def _wanted(node: Node | None, problems: Problems) -> tuple[Value, ...]:
    items: Sequence[Node] = node.items if isinstance(node, Listing) else [node] if node is not None else []
    values: list[Value] = []
    for each in items:
        if not isinstance(each, Scalar) or each.value is None:
            problems.add(each.place, Text("写一个值或一列值", "write a value or a list of values"))
        else:
            values.append(each.value)
    return tuple(values)
