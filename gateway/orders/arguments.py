"""What stands in `args` of orders, checked before anybody believes it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.model import Text
from gateway.ports import Refused
from gateway.settings.durations import parse_duration
from gateway.settings.protocol import Wrong
from gateway.wire.messages import Json

LONGEST_NOTE = 500
LONGEST_ORDER = 64
_RULE = re.compile(r"[a-z][a-z0-9_]{0,63}")


def rule_of(args: Mapping[str, Json]) -> str:
    """`rule`: the snake_case name of a rule."""
    rule = args.get("rule")
    if not isinstance(rule, str) or not _RULE.fullmatch(rule):
        raise Refused("bad_request", Text("args 里要有 rule（规则名）", "`rule`, the name of a rule, is expected"))
    return rule


def note_of(args: Mapping[str, Json]) -> str:
    """`note`: a line of text; empty where it is absent."""
    return _line(args, "note", LONGEST_NOTE)


def work_order_of(args: Mapping[str, Json]) -> str:
    """`order`: the number of a work order; empty where it is absent."""
    return _line(args, "order", LONGEST_ORDER)


def length_of(args: Mapping[str, Json]) -> float | None:
    """`for`: a duration such as `2h`, in seconds; None where it is absent."""
    given = args.get("for")
    if given is None:
        return None
    try:
        seconds = parse_duration(given)
    except Wrong:
        seconds = 0.0
    if seconds <= 0:
        raise Refused("bad_request", Text("for 要写成 30m、2h、1d", "`for` is a duration such as 30m, 2h or 1d"))
    return seconds


def _line(args: Mapping[str, Json], key: str, longest: int) -> str:
    value = args.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise Refused(
            "bad_request",
            Text(
                f"{key} 应当是一行文字，至多 {longest} 字", f"`{key}` is one line of text, at most {longest} characters"
            ),
        )
    return value.strip()
