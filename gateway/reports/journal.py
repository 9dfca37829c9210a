"""The journal as reports read it: transitions of alarms, events, changes of readiness, starts. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.alarms.keeping import from_entry
from gateway.model import AlarmEvent, AlarmState, Text, Transition
from gateway.store import Entry

CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of a device (or `_gateway`, `_site`), as journalled."""

    number: int
    ts: int
    device: str
    event: str
    data: Mapping[str, Any]

    @property
    def by(self) -> str:
        """Who did it; empty where nobody is named."""
        return str(self.data.get("by") or "")


@dataclass(frozen=True, slots=True)
class Turn:
    """The readiness of a device changed; `before` None with the first one after a start."""

    number: int
    ts: int
    device: str
    before: str | None
    state: str
    reasons: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """A gateway began to run."""

    number: int
    ts: int
    version: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """So many events and changes of readiness before this one came too fast to be kept."""

    number: int
    ts: int
    count: int


@dataclass(frozen=True, slots=True)
class Journal:
    """Everything in the order of its numbers. `first` and `last` are the numbers of the first and last entry there is,
    `begins` when the first one was (UTC ms), `head` the hash of the last."""

    steps: tuple[Transition, ...] = ()
    happenings: tuple[Happening, ...] = ()
    turns: tuple[Turn, ...] = ()
    starts: tuple[Started, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    first: int = 0
    last: int = 0
    begins: int = 0
    head: str = ""

    def covers(self, ts: int) -> bool:
        """Whether nothing from `ts` on has been let go of."""
        return self.first <= 1 or self.begins <= ts

    def titles(self) -> dict[str, Text]:
        """What each alarm was last called, by `device/rule`."""
        return {step.after.key: step.after.text for step in self.steps}

    def standing(self, until: int) -> dict[tuple[str, str], AlarmState]:
        """Every alarm as it stood at `until`, by device and rule."""
        found: dict[tuple[str, str], AlarmState] = {}
        for step in self.steps:
            if step.ts <= until:
                key = step.after.device, step.after.rule
                found[key] = step.after
                if step.event is AlarmEvent.REMOVE:
                    del found[key]
        return found


@dataclass(slots=True)
class _Gathered:
    steps: list[Transition] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    starts: list[Started] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def read_journal(entries: Iterable[Entry]) -> Journal:
    """All entries, oldest first. Times that were provisional when they were written are put right."""
    kept = list(entries)
    bodies = [json.loads(entry.body) for entry in kept]
    shifts = [
        (entry.number, body["since"], body["shift_ms"])
        for entry, body in zip(kept, bodies, strict=True)
        if body["type"] == CLOCK
    ]
    found = _Gathered()
    begins = 0
    for entry, body in zip(kept, bodies, strict=True):
        ts = entry.ts + sum(shift for number, since, shift in shifts if entry.number < number and entry.ts >= since)
        begins = begins or ts
        _gather(found, entry, body, ts)
    if not kept:
        return Journal()
    return Journal(
        tuple(found.steps),
        tuple(found.happenings),
        tuple(found.turns),
        tuple(found.starts),
        tuple(found.skipped),
        kept[0].number,
        kept[-1].number,
        begins,
        kept[-1].hash.hex(),
    )


def _gather(found: _Gathered, entry: Entry, body: Mapping[str, Any], ts: int) -> None:
    if "skipped" in body:
        found.skipped.append(Skipped(entry.number, ts, body["skipped"]))
    match body["type"]:
        case "event":
            found.happenings.append(Happening(entry.number, ts, body["device"], body["event"], body["data"]))
        case "readiness":
            reasons = tuple(Text(**reason["text"]) for reason in body["reasons"])
            found.turns.append(Turn(entry.number, ts, body["device"], body["before"], body["state"], reasons))
        case "start":
            found.starts.append(Started(entry.number, ts, body["version"]))
        case _:
            step = from_entry(entry)
            if step is not None:
                found.steps.append(replace(step, ts=ts))
