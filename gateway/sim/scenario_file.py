"""Scenario files, read and checked.

::

    schema: 1
    name: {zh: 停电, en: Power cut}
    repeat: 3m                                  # start over; without it once
    events:
      - {at: 20s, do: {mains: {power: fail}}}   # mains, weather, a device id, a kind (all of it)
      - {at: 30s, every: 1m, do: {warehouse: {door: open}, pump#2: {mode: manual}}}
      - {at: 60s, fault: silent, of: pump-1, for: 12s}   # of: a device id, a kind, a line id
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gateway.model import Text, Value
from gateway.settings.document import read
from gateway.settings.durations import parse_duration
from gateway.settings.nodes import Listing, Node, Scalar, Section
from gateway.settings.problems import Place, Problems, suggest
from gateway.settings.protocol import Wrong
from gateway.sim.faults import FaultName, LineFault
from gateway.sim.scenario import EMPTY, Change, Disturbance, Event, Scenario

#: Repetitions must not come faster than this.
SHORTEST_S = 0.1
_EVENT_KEYS = {"at", "every", "do", "fault", "of", "for", "share", "delay", "code"}
_FAULT_KEYS = {"of", "for", "share", "delay", "code"}
_NO_FAULT = "none"
_SAMPLE_EVENT = Text("{at: 20s, do: {mains: {power: fail}}}", "{at: 20s, do: {mains: {power: fail}}}")
_SAMPLE_DO = Text("{mains: {power: fail}}", "{mains: {power: fail}}")


def load_scenario(path: Path, language: str = "en") -> Scenario:
    """The scenario a file holds; ConfigError with every problem in it."""
    problems = Problems(language)
    root, _ = read(path, problems)
    scenario = _Reader(problems).scenario(root) if root is not None else EMPTY
    problems.raise_any()
    return scenario


class _Reader:
    """Turns the tree of a file into a scenario; what cannot be is said and left out."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def scenario(self, root: Section) -> Scenario:
        self._known(root, {"schema", "name", "repeat", "events"})
        if root.get("schema") is None or _scalar(root, "schema") != 1:
            self._say(
                root.place_of("schema"), Text("schema 应为 1", "schema must be 1"), Text("schema: 1", "schema: 1")
            )
        name = root.section("name")
        text = Text(str(_scalar(name, "zh") or ""), str(_scalar(name, "en") or "")) if name else EMPTY.name
        listing = root.get("events")
        if not isinstance(listing, Listing):
            self._say(root.place_of("events"), Text("events 应为列表", "events must be a list"), _SAMPLE_EVENT)
            return EMPTY
        events = [event for item in listing.items if (event := self._event(item)) is not None]
        return Scenario(text, self._duration(root, "repeat", SHORTEST_S), tuple(events))

    def _event(self, node: Node) -> Event | None:
        if not isinstance(node, Section):
            self._say(
                node.place,
                Text("事件应为键值", "an event is a mapping"),
                _SAMPLE_EVENT,
            )
            return None
        self._known(node, _EVENT_KEYS)
        at_s = self._duration(node, "at", 0.0)
        if node.get("at") is None:
            self._say(node.key, Text("缺少 at", "at is missing"), Text("at: 20s", "at: 20s"))
        if ("do" in node.entries) == ("fault" in node.entries):
            self._say(node.key, Text("事件要有 do 或 fault 之一", "an event has either do or fault"), _SAMPLE_EVENT)
            return None
        actions = self._changes(node) if "do" in node.entries else self._disturbance(node)
        return Event(at_s or 0.0, self._duration(node, "every", SHORTEST_S), tuple(actions))

    def _changes(self, node: Section) -> Iterator[Change]:
        for key in sorted(_FAULT_KEYS & {str(key) for key in node.entries}):
            self._say(
                node.place_of(key), Text(f"{key} 只用于 fault", f"{key} belongs to a fault"), Text("删去", "remove it")
            )
        targets = node.section("do")
        if targets is None:
            self._say(
                node.place_of("do"),
                Text("do 应为键值", "do is a mapping"),
                Text("{mains: {power: fail}}", "{mains: {power: fail}}"),
            )
            return
        for target, entry in targets.entries.items():
            if not isinstance(entry.value, Section):
                self._say(entry.value.place, Text("应为键值", "a mapping is expected"), _SAMPLE_DO)
                continue
            for name, setting in entry.value.entries.items():
                value = setting.value
                if not isinstance(value, Scalar):
                    self._say(value.place, Text("应为单个值", "a single value is expected"))
                    continue
                yield Change(str(target), str(name), value.value, entry.key, setting.key, value.place)

    def _disturbance(self, node: Section) -> Iterator[Disturbance]:
        word, target = _scalar(node, "fault"), _scalar(node, "of")
        names = [name.value for name in FaultName]
        if word not in (*names, "none"):
            self._say(
                node.place_of("fault"),
                Text(f"没有叫 {word} 的故障", f"there is no fault {word}"),
                suggest(word, [*names, "none"]),
            )
            return
        if not isinstance(target, str):
            self._say(node.place_of("of"), Text("of 要写设备、类别或线路", "of names a device, a kind or a line"))
            return
        share, code = self._number(node, "share", 0.0, 1.0), self._number(node, "code", 1, 255)
        delay_s = self._duration(node, "delay", 0.0)
        fault = None
        if word != _NO_FAULT:
            fault = LineFault(
                FaultName(str(word)),
                delay_s=1.0 if delay_s is None else delay_s,
                code=4 if code is None else int(code),
                share=1.0 if share is None else share,
            )
        yield Disturbance(target, fault, self._duration(node, "for", 0.0), node.place_of("of"))

    def _duration(self, node: Section, key: str, shortest_s: float) -> float | None:
        value = _scalar(node, key)
        if node.get(key) is None:
            return None
        try:
            seconds = parse_duration(value)
        except Wrong as wrong:
            self._say(node.place_of(key), wrong.text, wrong.hint)
            return None
        if seconds < shortest_s:
            self._say(node.place_of(key), Text(f"短于 {shortest_s:g} s", f"shorter than {shortest_s:g} s"))
        return seconds

    def _number(self, node: Section, key: str, low: float, high: float) -> float | None:
        value = _scalar(node, key)
        if node.get(key) is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self._say(
                node.place_of(key),
                Text("数值不对", "not a number it can be"),
                Text(f"{low:g} .. {high:g}", f"{low:g} .. {high:g}"),
            )
            return None
        return float(value)

    def _known(self, node: Section, keys: set[str]) -> None:
        for key, entry in node.entries.items():
            if key not in keys:
                self._say(entry.key, Text(f"未知的键 {key}", f"unknown key {key}"), suggest(key, keys))

    def _say(self, place: Place, text: Text, hint: Text | None = None) -> None:
        self._problems.add(place, text, hint)


def _scalar(node: Section, key: str) -> Value | None:
    value = node.get(key)
    return value.value if isinstance(value, Scalar) else None
