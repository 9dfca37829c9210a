"""The life of an alarm on its two axes: condition and suppression (ISA-18.2 / IEC 62682, OPC UA Part 9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from gateway.model.judgement import Priority
from gateway.model.readings import Text, Value


class AlarmCondition(StrEnum):
    """The condition axis of an alarm (ISA-18.2 / IEC 62682 states, OPC UA Part 9 axes)."""

    NORMAL = "NORMAL"
    UNACK = "UNACK"
    """Holds, nobody acknowledged it."""
    ACKED = "ACKED"
    RTN_UNACK = "RTN_UNACK"
    """Ended before it was acknowledged."""
    LATCHED_UNACK = "LATCHED_UNACK"
    """Ended, but stays until somebody resets it, after acknowledging it."""
    LATCHED_ACKED = "LATCHED_ACKED"

    @property
    def is_active(self) -> bool:
        return self in (AlarmCondition.UNACK, AlarmCondition.ACKED)

    @property
    def is_acked(self) -> bool:
        """Nothing is left to acknowledge."""
        return self in (AlarmCondition.NORMAL, AlarmCondition.ACKED, AlarmCondition.LATCHED_ACKED)


class Suppression(StrEnum):
    """The other axis: whether an alarm is announced at all. The condition runs on beneath."""

    NONE = "NONE"
    SHELVED = "SHELVED"
    SUPPRESSED = "SUPPRESSED"
    """By design: its parent is lost, its machine is stopped, maintenance."""
    OUT_OF_SERVICE = "OUT_OF_SERVICE"


class AlarmEvent(StrEnum):
    """What happened to an alarm: the first five come from its rule, the next from people, then time and logic."""

    RAISE = "raise"
    WORSEN = "worsen"
    """A higher level: back to UNACK."""
    EASE = "ease"
    """A lower level, still active."""
    RETURN = "return"
    STALE = "stale"
    """Whether its rule can tell changed; nothing else did."""
    ACK = "ack"
    RESET = "reset"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    OUT_OF_SERVICE = "out_of_service"
    BACK_IN_SERVICE = "back_in_service"
    SHELF_ENDED = "shelf_ended"
    SUPPRESS = "suppress"
    RELEASE = "release"
    AGAIN = "again"
    """Still active long after somebody acknowledged it: back to UNACK."""
    CONFIRM = "confirm"
    """Present data show what so far only old data had said."""
    REMOVE = "remove"
    """Its rule or device is no longer in the configuration."""


@dataclass(frozen=True, slots=True)
class Ack:
    """One acknowledgement of an alarm (or one of the two that a shelf needs). `ts` is UTC ms."""

    by: str
    ts: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class AlarmState:
    """One alarm, a rule of one device (or of `_gateway`), as it stands. Every time is UTC ms."""

    device: str
    rule: str
    kind: str
    priority: Priority
    """While active; afterwards the last one it was active at."""
    text: Text
    action: Text
    role: str
    condition: AlarmCondition = AlarmCondition.NORMAL
    since: int = 0
    """The incident began; a return and a new raise before it was acknowledged belong to one incident."""
    because: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    acks: tuple[Ack, ...] = ()
    acks_needed: int = 1
    occurrences: int = 0
    """How often it was raised in this incident."""
    raised_at: int = 0
    """The last time it was raised or got worse."""
    is_stale: bool = False
    """Its rule cannot tell now: the state is what it was when it could."""
    is_first_out: bool = False
    """The first alarm of its device within the first-out window; the others of the window are consequences."""
    first_out: str | None = None
    """The rule of the alarm that this one followed within the window."""
    shelved_until: int | None = None
    shelf: tuple[Ack, ...] = ()
    """Who shelved it, or asked to; in force once `shelved_until` is set."""
    shelf_asked_until: int | None = None
    """The end that the first of two people asked for; their word lapses then."""
    is_suppressed: bool = False
    suppressed_by: str = ""
    """`work_order`, `device_silent`, `line <id>` or `parent <id>`."""
    work_order: str | None = None
    """Out of service by this order."""
    is_historical: bool = False
    """Old data raised it, and present data have not confirmed it yet: nobody was told."""

    @property
    def key(self) -> str:
        """`gen-1/battery_low`."""
        return f"{self.device}/{self.rule}"

    @property
    def suppression(self) -> Suppression:
        """The one of its suppressions that lasts longest."""
        if self.work_order is not None:
            return Suppression.OUT_OF_SERVICE
        if self.is_suppressed:
            return Suppression.SUPPRESSED
        return Suppression.SHELVED if self.shelved_until is not None else Suppression.NONE


@dataclass(frozen=True, slots=True)
class Transition:
    """One step in the life of an alarm, as journalled: `after` is the whole alarm as it stood then."""

    number: int
    """Counts all transitions of a site; never repeats or runs back."""
    ts: int
    event: AlarmEvent
    before: AlarmCondition
    was: Suppression
    after: AlarmState
    by: str = ""
    """The person; empty where a rule, time or logic did it."""
    note: str = ""
    is_historical: bool = False
    """Told of data that was too old to announce: recorded, and no message to people."""

    @property
    def is_announcement(self) -> bool:
        """People hear of the alarm now: it was raised or got worse, or what kept it back ended while it still holds and
        nobody acknowledged it."""
        after = self.after
        if after.condition is not AlarmCondition.UNACK or after.suppression is not Suppression.NONE:
            return False
        if self.is_historical:
            return False
        news = (AlarmEvent.RAISE, AlarmEvent.WORSEN, AlarmEvent.AGAIN, AlarmEvent.CONFIRM)
        return self.event in news or self.was is not Suppression.NONE
