"""What happened to one alarm, from the journal of the site."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.model import AlarmCondition, AlarmEvent, Priority
from gateway.store import Store
from gateway.store.trail import AT_ONCE

LAST = 2 * AT_ONCE
"""Entries of the journal that are looked through, the newest."""
MOST_STEPS = 50
_END_OF_TIME = 1 << 62


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the life of an alarm; `by` is empty where a rule, time or logic did it. `ts` is UTC ms."""

    ts: int
    event: AlarmEvent
    priority: Priority
    condition: AlarmCondition
    by: str
    note: str


History: TypeAlias = Callable[[str, str], Awaitable[Sequence[Step]]]
"""Device and rule; the newest first."""


def history_of(store: Store) -> History:
    """Reads the journal of `store`."""

    async def read(device: str, rule: str) -> Sequence[Step]:
        newest = await store.trail.last_before(_END_OF_TIME)
        if newest is None:
            return ()
        mark = f'"rule":"{rule}"'.encode()
        found: list[Step] = []
        for after in range(max(0, newest.number - LAST), newest.number, AT_ONCE):
            entries = await store.trail.read(after, AT_ONCE)
            marked = [each.body for each in entries if each.number <= after + AT_ONCE and mark in each.body]
            told = [each for each in map(json.loads, marked) if each["type"] == "alarm"]
            found += [_step(each) for each in told if _is_of(each["after"], device, rule)]
        return tuple(found[: -MOST_STEPS - 1 : -1])

    return read


def _is_of(after: Mapping[str, Any], device: str, rule: str) -> bool:
    return (after["device"], after["rule"]) == (device, rule)


def _step(told: Mapping[str, Any]) -> Step:
    after = told["after"]
    return Step(
        ts=told["ts"],
        event=AlarmEvent(told["event"]),
        priority=Priority(after["priority"]),
        condition=AlarmCondition(after["condition"]),
        by=told.get("by", ""),
        note=told.get("note", ""),
    )
