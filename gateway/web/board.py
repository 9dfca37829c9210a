"""How alarms are laid out for people: what is open first, what is kept from being announced in folds of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.model import AlarmCondition, AlarmState, Priority, Suppression


@dataclass(frozen=True, slots=True)
class Group:
    """An alarm and, where it was the first of its device, those that followed from it."""

    first: AlarmState
    followers: tuple[AlarmState, ...] = ()

    @property
    def urgency(self) -> tuple[bool, int, int]:
        """That of the most urgent of them."""
        return min(urgency(each) for each in (self.first, *self.followers))


@dataclass(frozen=True, slots=True)
class Board:
    """All alarms, each in one place, the most urgent first everywhere."""

    open: tuple[Group, ...]
    stale: tuple[AlarmState, ...]
    """Open, but their rules cannot tell now."""
    shelved: tuple[AlarmState, ...]
    suppressed: tuple[AlarmState, ...]
    out_of_service: tuple[AlarmState, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """What a badge says: open alarms that nobody keeps from being announced."""

    open: int
    unacked: int
    worst: Priority | None
    """Of those not acknowledged, else of all open."""


def urgency(alarm: AlarmState) -> tuple[bool, int, int]:
    """Sorts the unacknowledged first, then the worst, then the newest."""
    return alarm.condition.is_acked, -alarm.priority.level, -alarm.since


def is_open(alarm: AlarmState) -> bool:
    """Whether it asks for somebody."""
    return alarm.condition is not AlarmCondition.NORMAL and alarm.suppression is Suppression.NONE


def arrange(alarms: Iterable[AlarmState]) -> Board:
    """Every alarm in its place."""
    open_: list[AlarmState] = []
    stale: list[AlarmState] = []
    kept: dict[Suppression, list[AlarmState]] = {each: [] for each in Suppression}
    for alarm in sorted(alarms, key=urgency):
        if is_open(alarm):
            (stale if alarm.is_stale else open_).append(alarm)
        else:
            kept[alarm.suppression].append(alarm)
    return Board(
        _grouped(open_),
        tuple(stale),
        tuple(kept[Suppression.SHELVED]),
        tuple(kept[Suppression.SUPPRESSED]),
        tuple(kept[Suppression.OUT_OF_SERVICE]),
    )


def tally(alarms: Sequence[AlarmState]) -> Tally:
    """How many are open and the worst of them."""
    found = [alarm for alarm in alarms if is_open(alarm)]
    unacked = [alarm for alarm in found if not alarm.condition.is_acked]
    worst = max(unacked or found, key=lambda alarm: alarm.priority.level, default=None)
    return Tally(len(found), len(unacked), worst.priority if worst else None)


def _grouped(alarms: Sequence[AlarmState]) -> tuple[Group, ...]:
    """Those that followed stand under the alarm they followed from, where that is here."""
    firsts = {alarm.key for alarm in alarms if alarm.is_first_out}
    followers: dict[str, list[AlarmState]] = {}
    heads = []
    for alarm in alarms:
        first = f"{alarm.device}/{alarm.first_out}"
        if alarm.first_out is not None and first in firsts and first != alarm.key:
            followers.setdefault(first, []).append(alarm)
        else:
            heads.append(alarm)
    groups = [Group(alarm, tuple(followers.get(alarm.key, ()))) for alarm in heads]
    return tuple(sorted(groups, key=lambda group: group.urgency))
