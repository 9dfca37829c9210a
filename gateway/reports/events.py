"""Events in words: what people did and what happened, without anything that only programs need. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from gateway.model import Text, Transition
from gateway.reports import words
from gateway.reports.document import Table
from gateway.reports.journal import Happening
from gateway.reports.names import Called, Names
from gateway.reports.tables import DEVICE, TIME, Column, joined, table

GAP = "gap"
#: The notice itself, on its way to whoever listens by MQTT; the event `notice` says that it was sent.
MESSAGE = "message"
FACT, WRITE = "fact", "write"
#: UTC ms since September 2001; no other number of an event is so large.
_A_TIME = 10**12
#: Members of writes and of facts that are values, as JSON texts.
_VALUES = frozenset({"value", "before", "after"})
#: Members that list devices.
_DEVICES = frozenset({"added", "removed", "changed", "lost"})
ALARMS = "alarms"

Titles = Mapping[str, Text]
"""What alarms are called, by `device/rule`."""


class _Act(NamedTuple):
    ts: int
    number: int
    by: str
    where: str
    what: str
    told: str


_COLUMNS: tuple[tuple[Column[_Act], int], ...] = (
    (Column(TIME, lambda act, names: names.when(act.ts)), 16),
    (Column(Text("何人", "Who"), lambda act, _names: act.by or "-"), 13),
    (Column(DEVICE, lambda act, _names: act.where), 21),
    (Column(Text("事项", "What"), lambda act, _names: act.what), 25),
    (Column(Text("说明", "Remarks"), lambda act, _names: act.told or "-"), 25),
)


def acts_table(steps: Iterable[Transition], happenings: Iterable[Happening], titles: Titles, names: Names) -> Table:
    """What people did to alarms, and events, in the order they happened."""
    acts = [
        _Act(
            each.ts,
            each.number,
            each.by,
            names.of_device(each.after.device),
            _colon(names.say(words.step_word(each.event)), names.say(each.after.text), names),
            each.note,
        )
        for each in steps
        if each.by
    ]
    acts += [
        _Act(
            each.ts,
            each.number,
            each.by,
            names.of_device(each.device),
            names.say(words.event_word(each.event)),
            told(each, titles, names),
        )
        for each in happenings
        if each.event != MESSAGE
    ]
    return table(sorted(acts), names, *_COLUMNS)


def gap_told(gap: Happening, names: Names) -> str:
    """From when to when, how many messages, and why."""

    def at(key: str) -> str:
        ts = gap.data.get(key)
        return names.when(ts) if isinstance(ts, int) else names.say(words.UNKNOWN)

    count, reason = gap.data.get("count"), str(gap.data.get("why") or "")
    why = names.say(words.GAP_REASONS.get(reason) or Text(reason, reason)) if reason else names.say(words.UNKNOWN)
    lost = names.say(words.UNKNOWN) if count is None else str(count)
    return names.say(
        Text(
            f"{at('from')} 至 {at('to')}，缺 {lost} 条，原因 {why}",
            f"{at('from')} to {at('to')}, messages lost: {lost}, reason {why}",
        )
    )


def told(happening: Happening, titles: Titles, names: Names) -> str:
    """The members of an event in words, but who did it."""
    found = []
    for key, value in happening.data.items():
        if key in words.HIDDEN or value in ("", None, []):
            continue
        said = _member(happening, key, value, titles, names)
        if said is not None:
            label = words.MEMBERS.get(key) or Text(key, key)
            if happening.event == FACT and key == "name":
                label = words.MEMBERS[FACT]
            found.append(_colon(names.say(label), said, names))
    return joined(found, names)


def _member(happening: Happening, key: str, value: Any, titles: Titles, names: Names) -> str | None:
    """None for what has no words: tables that are looked up in the journal."""
    if isinstance(value, list):
        return _list(key, value, titles, names)
    called = _called(happening, names)
    if key in _VALUES and happening.event in (FACT, WRITE):
        value = _read(value)
        if called is not None:
            return names.shown(called, value)
    if isinstance(value, bool):
        return names.say(Text("是", "yes") if value else Text("否", "no"))
    if isinstance(value, int) and value >= _A_TIME:
        return names.when(value)
    if not isinstance(value, int | float | str):
        return None
    if called is not None and (happening.event, key) in ((FACT, "name"), (WRITE, "point")):
        return names.say(called.label)
    word = words.VALUES.get(key, {}).get(value) if isinstance(value, str) else None
    return str(value) if word is None else names.say(word)


def _called(happening: Happening, names: Names) -> Called | None:
    """What a write or a fact is about."""
    if happening.event == FACT:
        return names.fact(happening.device, str(happening.data.get("name")))
    return names.point(happening.device, str(happening.data.get("point"))) if happening.event == WRITE else None


def _read(value: Any) -> Any:
    """What a JSON text says; anything else is itself."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _list(key: str, value: list[Any], titles: Titles, names: Names) -> str | None:
    of: Mapping[bool, Callable[[str], str]] = {
        True: names.of_device,
        False: lambda alarm: _alarm(alarm, titles, names),
    }
    if key not in _DEVICES | {ALARMS} or not all(isinstance(each, str) for each in value):
        return None
    return names.say(Text("、", ", ")).join(of[key in _DEVICES](each) for each in value)


def _alarm(key: str, titles: Titles, names: Names) -> str:
    """`东侧发电机（gen-1）启动失败`; by its own name where the journal has it no more."""
    title = titles.get(key)
    if title is None:
        return key
    return f"{names.of_device(key.partition('/')[0])}{names.say(Text('', ' '))}{names.say(title)}"


def _colon(one: str, other: str, names: Names) -> str:
    return f"{one}{names.say(Text('：', ': '))}{other}"
