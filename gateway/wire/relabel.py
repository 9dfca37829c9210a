"""The times inside a body whose message was queued before the clock was known."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from gateway.wire.json_text import dumps

_TIMES = ("since", "valid_until", "shelved_until")
#: Members of an event's `data` that are times, where they are whole numbers.
_DATA_TIMES = ("from", "to", "since", "until", "ts")


def relabel(body: bytes, move: Callable[[int], int], *, synced: bool) -> bytes:
    """`body` with every time moved and `clock` as it is known now; an empty body stays empty."""
    if not body:
        return body
    members: dict[str, Any] = json.loads(b"{" + body, parse_float=Decimal)
    if "clock" in members:
        members["clock"] = "synced" if synced else "free"
    _move(members, _TIMES, move)
    for ack in members.get("acks", ()):
        _move(ack, ("ts",), move)
    if isinstance(members.get("data"), dict):
        _move(members["data"], _DATA_TIMES, move)
    return dumps(members).encode()[1:]


def _move(members: dict[str, Any], names: tuple[str, ...], move: Callable[[int], int]) -> None:
    for name in names:
        value = members.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            members[name] = move(value)
