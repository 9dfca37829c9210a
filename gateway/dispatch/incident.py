"""What is known of one alarm on its way to people: what is to be said on which channel, and what was said there.

Times are board milliseconds: wall time as it was when the gateway started, run on by the monotonic clock, so that
setting the clock moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from gateway.model import AlarmCondition, AlarmState, Priority, Suppression

_STANDING = (
    AlarmCondition.UNACK,
    AlarmCondition.ACKED,
    AlarmCondition.LATCHED_UNACK,
    AlarmCondition.LATCHED_ACKED,
)


def stands(alarm: AlarmState) -> bool:
    """It holds, or is latched: somebody has to go there."""
    return alarm.condition in _STANDING


def waits_for_ack(alarm: AlarmState) -> bool:
    """It stands and nobody (or not enough people) has acknowledged it."""
    return stands(alarm) and not alarm.condition.is_acked


def is_kept_back(alarm: AlarmState) -> bool:
    """Shelved, suppressed or out of service: nobody is told."""
    return alarm.suppression is not Suppression.NONE


class What(StrEnum):
    """What is said of an alarm."""

    RAISED = "raised"
    WORSENED = "worsened"
    ESCALATED = "escalated"
    """Nobody acknowledged it in time."""
    REPEATED = "repeated"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Pending:
    """To be said on a channel, not before `due`. `planned` is when that was decided."""

    what: What
    due: int
    planned: int


@dataclass(frozen=True, slots=True)
class Told:
    """The last that was said on a channel."""

    at: int
    priority: Priority
    stands: bool
    """Whether it said that the alarm holds."""
    since: int
    """The incident it was said of (`AlarmState.since`)."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One alarm, as far as people are to hear or have heard of it."""

    alarm: AlarmState
    began: int
    """The incident began (board time)."""
    called: int
    """People were first called in this round: the time to acknowledge runs from here."""
    round: int = 0
    """Counts the calls: a new incident, a higher priority, the end of a shelf."""
    pending: Mapping[str, Pending] = field(default_factory=lambda: MappingProxyType({}))
    """By channel."""
    told: Mapping[str, Told] = field(default_factory=lambda: MappingProxyType({}))
    """By channel: the log of what was sent."""
    steps: frozenset[tuple[int, str]] = frozenset()
    """Escalations that were told in this round: minutes after the call (ms), channel."""

    @property
    def key(self) -> str:
        """`gen-1/battery_low`."""
        return self.alarm.key

    @property
    def is_done(self) -> bool:
        """Nothing is left to say, and nobody believes that it still holds."""
        return not self.pending and not stands(self.alarm) and not any(told.stands for told in self.told.values())


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing to be said of one alarm on one channel."""

    key: str
    channel: str
    what: What
    due: int
    planned: int
    priority: Priority
    device: str
    step: int = 0
    """ESCALATED: milliseconds after the call."""
    round: int = 0

    @property
    def id(self) -> str:
        """The same for the same thing, also after a restart."""
        return f"{self.key}|{self.channel}|{self.what}|{self.round}|{self.step}|{self.planned}"
