"""The one table of what may happen to an alarm, and the diagram made of it (ISA-18.2 / IEC 62682)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.model import AlarmCondition, AlarmEvent


class Guard(StrEnum):
    """What a step depends on beside condition and event."""

    ALWAYS = ""
    LATCHED = "latched rule"
    FREE = "not latched"
    ENOUGH = "enough people"
    MORE = "more people needed"


@dataclass(frozen=True, slots=True)
class Step:
    """One row: in `before`, `event` leads to `after` where the guard holds."""

    before: AlarmCondition
    event: AlarmEvent
    after: AlarmCondition
    guard: Guard = Guard.ALWAYS


NORMAL, UNACK, ACKED, RTN_UNACK, LATCHED_UNACK, LATCHED_ACKED = AlarmCondition

#: What changes the condition, or would.
CONDITION_STEPS: tuple[Step, ...] = (
    Step(NORMAL, AlarmEvent.RAISE, UNACK),
    Step(UNACK, AlarmEvent.ACK, ACKED, Guard.ENOUGH),
    Step(UNACK, AlarmEvent.ACK, UNACK, Guard.MORE),
    Step(UNACK, AlarmEvent.WORSEN, UNACK),
    Step(UNACK, AlarmEvent.EASE, UNACK),
    Step(UNACK, AlarmEvent.RETURN, RTN_UNACK, Guard.FREE),
    Step(UNACK, AlarmEvent.RETURN, LATCHED_UNACK, Guard.LATCHED),
    Step(UNACK, AlarmEvent.CONFIRM, UNACK),
    Step(ACKED, AlarmEvent.WORSEN, UNACK),
    Step(ACKED, AlarmEvent.AGAIN, UNACK),
    Step(ACKED, AlarmEvent.EASE, ACKED),
    Step(ACKED, AlarmEvent.RETURN, NORMAL, Guard.FREE),
    Step(ACKED, AlarmEvent.RETURN, LATCHED_ACKED, Guard.LATCHED),
    Step(RTN_UNACK, AlarmEvent.RAISE, UNACK),
    Step(RTN_UNACK, AlarmEvent.ACK, NORMAL, Guard.ENOUGH),
    Step(RTN_UNACK, AlarmEvent.ACK, RTN_UNACK, Guard.MORE),
    Step(LATCHED_UNACK, AlarmEvent.RAISE, UNACK),
    Step(LATCHED_UNACK, AlarmEvent.ACK, LATCHED_ACKED, Guard.ENOUGH),
    Step(LATCHED_UNACK, AlarmEvent.ACK, LATCHED_UNACK, Guard.MORE),
    Step(LATCHED_ACKED, AlarmEvent.RAISE, UNACK),
    Step(LATCHED_ACKED, AlarmEvent.RESET, NORMAL),
)

#: What moves on the other axis alone, whatever the condition is.
ASIDE = (
    AlarmEvent.SHELVE,
    AlarmEvent.UNSHELVE,
    AlarmEvent.SHELF_ENDED,
    AlarmEvent.OUT_OF_SERVICE,
    AlarmEvent.BACK_IN_SERVICE,
    AlarmEvent.SUPPRESS,
    AlarmEvent.RELEASE,
)

STEPS: tuple[Step, ...] = (
    *CONDITION_STEPS,
    *(Step(each, event, each) for each in AlarmCondition for event in ASIDE),
    *(Step(each, AlarmEvent.STALE, each) for each in AlarmCondition if each is not NORMAL),
    *(Step(each, AlarmEvent.REMOVE, NORMAL) for each in AlarmCondition),
)

_NEXT = {(step.before, step.event, step.guard): step.after for step in STEPS}


def advance(
    before: AlarmCondition, event: AlarmEvent, *, is_latched: bool = False, has_enough: bool = True
) -> AlarmCondition | None:
    """The condition after `event`; None where it is not allowed. `has_enough`: with this acknowledgement, enough people
    have acknowledged."""
    guards = (Guard.ALWAYS, Guard.LATCHED if is_latched else Guard.FREE, Guard.ENOUGH if has_enough else Guard.MORE)
    return next((_NEXT[before, event, guard] for guard in guards if (before, event, guard) in _NEXT), None)


def diagram() -> str:
    """The steps that people see, as a mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> NORMAL"]
    for step in CONDITION_STEPS:
        guard = f" [{step.guard}]" if step.guard else ""
        lines.append(f"    {step.before} --> {step.after}: {step.event}{guard}")
    return "\n".join(lines)


BEGIN, END = "<!-- state diagram: begin -->", "<!-- state diagram: end -->"


def with_diagram(page: str) -> str:
    """`page` with the diagram of today between its marks; ValueError where they are missing."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError("the page has no place for the diagram")
    return f"{head}{BEGIN}\n\n```mermaid\n{diagram()}\n```\n\n{END}{tail}"
