"""What one alarm becomes when its rule speaks: raised, worse, eased, returned. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.alarms.table import advance
from gateway.model import AlarmCondition, AlarmEvent, AlarmState, Priority, Text, Transition, Verdict
from gateway.settings.types import AlarmSettings

Key = tuple[str, str]
"""Device (or `_gateway`) and rule."""


class Level(Protocol):
    @property
    def priority(self) -> Priority: ...


class AlarmRule(Protocol):
    """What alarms have to know of a rule (gateway.rules.types.Rule); levels from the highest priority down."""

    @property
    def name(self) -> str: ...
    @property
    def text(self) -> Text: ...
    @property
    def action(self) -> Text: ...
    @property
    def role(self) -> str: ...
    @property
    def latched(self) -> bool: ...
    @property
    def again_s(self) -> float: ...
    @property
    def safety(self) -> bool: ...
    @property
    def levels(self) -> tuple[Level, ...]: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device stands: its kind, its line, and what it is of no use without."""

    kind: str
    line: str = ""
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """A verdict, and whether it was too old to announce anything when it was heard."""

    verdict: Verdict
    is_old: bool


def untouched(device: str, kind: str, rule: AlarmRule) -> AlarmState:
    """An alarm of which nothing is known yet."""
    return AlarmState(
        device, rule.name, kind, rule.levels[0].priority, rule.text, rule.action, rule.role, acks_needed=0
    )


def event_of(state: AlarmState, announced: Priority | None) -> AlarmEvent | None:
    """What it means that the rule now announces this; None where that is no news."""
    if not state.condition.is_active:
        return AlarmEvent.RAISE if announced is not None else None
    if announced is None:
        return AlarmEvent.RETURN
    if announced is state.priority:
        return None
    return AlarmEvent.WORSEN if announced.level > state.priority.level else AlarmEvent.EASE


def move(state: AlarmState, event: AlarmEvent, ts: int, after: AlarmState, **told: str | bool) -> Transition:
    """The transition from `state`; its number is given when it is journalled."""
    return Transition(0, ts, event, state.condition, state.suppression, after, **told)  # type: ignore[arg-type]


def follow(
    state: AlarmState, rule: AlarmRule, heard: Heard, settings: AlarmSettings, head: str | None
) -> Transition | None:
    """What the rule's verdict makes of the alarm, None where nothing. `head` is the alarm of its device that was first
    within the window, if there is one."""
    verdict = heard.verdict
    event = event_of(state, verdict.announced)
    if event is None:
        return None
    condition = _next(state, rule, event)
    after = replace(state, condition=condition)
    priority = verdict.announced
    if priority is not None:
        after = replace(
            after, priority=priority, text=verdict.text or rule.text, action=rule.action, role=rule.role,
            because=verdict.because,
        )  # fmt: skip
    if event in (AlarmEvent.RAISE, AlarmEvent.WORSEN):
        after = _anew(after, heard, settings)
    if event is AlarmEvent.RAISE:
        after = _incident(state, after, heard, head)
    is_historical = heard.is_old or (state.is_historical and event in (AlarmEvent.EASE, AlarmEvent.RETURN))
    return move(state, event, verdict.ts, after, is_historical=is_historical)


def _next(state: AlarmState, rule: AlarmRule, event: AlarmEvent) -> AlarmCondition:
    condition = advance(state.condition, event, is_latched=rule.latched)
    if condition is None:
        raise AssertionError(f"{event} in {state.condition} is no step")
    return condition


def _anew(after: AlarmState, heard: Heard, settings: AlarmSettings) -> AlarmState:
    """To be acknowledged again. What one person shelved does not hide what needs two."""
    after = replace(
        after, acks=(), acks_needed=settings.acks_needed(after.priority), raised_at=heard.verdict.ts,
        is_historical=heard.is_old,
    )  # fmt: skip
    if len(after.shelf) < settings.shelvers_needed(after.priority):
        after = replace(after, shelved_until=None, shelf=(), shelf_asked_until=None)
    return after


def _incident(before: AlarmState, after: AlarmState, heard: Heard, head: str | None) -> AlarmState:
    """A new incident, or one more occurrence of one that nobody acknowledged."""
    verdict = heard.verdict
    goes_on = before.condition in (AlarmCondition.RTN_UNACK, AlarmCondition.LATCHED_UNACK)
    return replace(
        after,
        since=before.since if goes_on else min(verdict.since, verdict.ts),
        occurrences=before.occurrences + 1 if goes_on else 1,
        is_stale=False,
        is_first_out=head is None,
        first_out=head,
    )


def worst_first(states: Iterable[AlarmState]) -> list[AlarmState]:
    """What is kept from being announced last; then by priority, what nobody acknowledged, what was first, and age."""
    return sorted(
        states,
        key=lambda each: (
            each.suppression != "NONE",
            each.condition is AlarmCondition.NORMAL,
            -each.priority.level,
            each.condition.is_acked,
            not each.is_first_out,
            each.since,
            each.key,
        ),
    )


Rules = Mapping[Key, AlarmRule]
