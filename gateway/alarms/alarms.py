"""All alarms of a site: what rules, people, time and logic make of them. Pure: it proposes transitions, and takes them
on once they are journalled (`apply`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from gateway.alarms import refusals
from gateway.alarms.alarm import AlarmRule, Heard, Key, Place, Rules, follow, move, untouched, worst_first
from gateway.alarms.orders import carry_out, off_the_shelf
from gateway.alarms.suppression import SILENT, Site, Surroundings, cause
from gateway.model import (
    AlarmCondition,
    AlarmEvent,
    AlarmState,
    Suppression,
    Transition,
    Verdict,
)
from gateway.ports import AlarmOrder
from gateway.settings.types import AlarmSettings

OLD_MS = 15 * 60_000
"""Data older than this announce nothing (domain: replayed data must not announce old alarms)."""
FIRST_OUT_MS = 10_000
"""Alarms of one device within this time follow from the first."""
STALE_MS = 60_000
"""A rule that cannot tell for this long makes its alarm stale; shorter gaps are no news."""


class Alarms:
    """Times are UTC ms, `now_s` monotonic seconds: shelves end, and alarms are announced again, by the latter, so that
    setting the clock moves none."""

    def __init__(
        self, rules: Rules, places: Mapping[str, Place], settings: AlarmSettings, around: Surroundings
    ) -> None:
        self._rules = rules
        self._settings = settings
        self._lost: set[str] = set()
        self._site = Site(places, self.find, self.knows, around, self._lost)
        self._states: dict[Key, AlarmState] = {}
        self._open: dict[Key, None] = {}
        """Alarms that time or logic may change."""
        self._unsure: dict[Key, float] = {}
        """Whose rule cannot tell, since when (monotonic s)."""
        self._shelf_ends: dict[Key, float] = {}
        self._raised_s: dict[Key, float] = {}
        """When each was raised, in monotonic seconds."""
        self._heads: dict[str, tuple[str, int]] = {}
        """The alarm of each device that was first lately, and when it was raised."""

    # what is known

    def find(self, device: str, rule: str) -> AlarmState | None:
        """The alarm as it stands; None where nothing ever happened to it, or no rule makes it."""
        return self._states.get((device, rule))

    def knows(self, device: str, rule: str) -> bool:
        """Whether a rule makes this alarm."""
        return (device, rule) in self._rules

    def states(self) -> Iterable[AlarmState]:
        """Every alarm to which something ever happened."""
        return self._states.values()

    def listed(self) -> list[AlarmState]:
        """Every alarm that is not NORMAL, or is kept from being announced; the worst first."""
        return worst_first(self.open())

    def open(self) -> list[AlarmState]:
        """The same in no order."""
        return [self._states[key] for key in self._open]

    def restore(self, states: Iterable[AlarmState], now_ms: int, now_s: float) -> None:
        """Go on with what was journalled."""
        for state in states:
            self._take(state, now_ms, now_s)
            if state.is_first_out and state.raised_at > self._heads.get(state.device, ("", 0))[1]:
                self._heads[state.device] = state.rule, state.raised_at

    def replace(self, rules: Rules, places: Mapping[str, Place], settings: AlarmSettings) -> None:
        """These hold from now on; `orphans` are those no rule makes any more."""
        self._rules, self._settings = rules, settings
        self._site = replace(self._site, places=places)
        self._lost.intersection_update(places)

    # what may happen

    def hear(self, verdict: Verdict, now_ms: int, now_s: float) -> Transition | None:
        """What a verdict makes of its alarm."""
        key = verdict.device, verdict.rule
        rule = self._rules.get(key)
        if rule is None:
            return None
        if verdict.rule == SILENT:
            (self._lost.add if verdict.level is not None else self._lost.discard)(verdict.device)
        if verdict.unsure:
            self._unsure.setdefault(key, now_s)
        else:
            self._unsure.pop(key, None)
        state = self._state(key)
        heard = Heard(verdict, now_ms - verdict.ts > OLD_MS)
        found = follow(state, rule, heard, self._settings, self._head(state, verdict.ts))
        if found is None or found.event not in (AlarmEvent.RAISE, AlarmEvent.WORSEN) or found.after.is_suppressed:
            return found
        why = cause(found.after, rule, self._site, is_new=True)
        return replace(found, after=replace(found.after, is_suppressed=True, suppressed_by=why)) if why else found

    def order(self, order: AlarmOrder, ts: int) -> Transition:
        """What a person's order makes of an alarm; Refused where it may not be."""
        key = order.device, order.rule
        rule = self._rules.get(key)
        if rule is None:
            raise refusals.no_such_alarm(order.device[:40], order.rule[:64])
        return carry_out(self._state(key), rule, order, ts, self._settings)

    def due(self, now_ms: int, now_s: float) -> Iterator[Transition]:
        """What time and logic make of alarms; each is to be applied before the next is asked for."""
        for key in tuple(self._open):
            found = self._look(key, now_ms, now_s)
            if found is not None:
                yield found

    def orphans(self, ts: int) -> Iterator[Transition]:
        """The alarms that no rule makes any more."""
        for key, state in tuple(self._states.items()):
            if key not in self._rules:
                gone = AlarmState(
                    state.device, state.rule, state.kind, state.priority, state.text, state.action, state.role
                )
                yield move(state, AlarmEvent.REMOVE, ts, gone)

    def apply(self, transition: Transition, now_ms: int, now_s: float) -> None:
        """It is journalled: it holds from now on."""
        after = transition.after
        if transition.event is AlarmEvent.REMOVE:
            self._forget((after.device, after.rule))
            return
        self._take(after, now_ms, now_s)
        if transition.event is AlarmEvent.RAISE and after.is_first_out:
            self._heads[after.device] = after.rule, transition.ts

    def moved(self, since_ms: int, shift_ms: int) -> list[AlarmState]:
        """Times from `since_ms` on were provisional and move; the alarms that changed by it."""

        def at(ts: int) -> int:
            return ts + shift_ms if ts >= since_ms else ts

        changed = []
        for key, state in tuple(self._states.items()):
            after = replace(
                state,
                since=at(state.since),
                raised_at=at(state.raised_at),
                acks=tuple(replace(ack, ts=at(ack.ts)) for ack in state.acks),
                shelf=tuple(replace(ack, ts=at(ack.ts)) for ack in state.shelf),
                shelved_until=at(state.shelved_until) if state.shelved_until is not None else None,
                shelf_asked_until=at(state.shelf_asked_until) if state.shelf_asked_until is not None else None,
            )
            if after != state:
                self._states[key] = after
                changed.append(after)
        self._heads = {device: (rule, at(ts)) for device, (rule, ts) in self._heads.items()}
        return changed

    # inside

    def _state(self, key: Key) -> AlarmState:
        found = self._states.get(key)
        if found is not None:
            return found
        place = self._site.places.get(key[0])
        return untouched(key[0], place.kind if place is not None else "gateway", self._rules[key])

    def _head(self, state: AlarmState, ts: int) -> str | None:
        """The alarm of the device that came first, if that was within the window and it is another."""
        rule, at = self._heads.get(state.device, ("", 0))
        return rule if rule and rule != state.rule and 0 <= ts - at <= FIRST_OUT_MS else None

    def _look(self, key: Key, now_ms: int, now_s: float) -> Transition | None:
        state, rule = self._states[key], self._rules.get(key)
        if rule is None:
            return None
        if state.shelved_until is not None and now_s >= self._shelf_ends[key]:
            return move(state, AlarmEvent.SHELF_ENDED, now_ms, off_the_shelf(state))
        why = cause(state, rule, self._site, is_new=state.is_suppressed)
        if why != state.suppressed_by and (why == "" or state.condition is not AlarmCondition.NORMAL):
            event = AlarmEvent.SUPPRESS if why else AlarmEvent.RELEASE
            return move(state, event, now_ms, replace(state, is_suppressed=bool(why), suppressed_by=why))
        if state.is_historical and state.condition is AlarmCondition.UNACK and self._is_confirmed(key, now_ms):
            after = replace(state, is_historical=False, raised_at=now_ms)
            return move(state, AlarmEvent.CONFIRM, now_ms, after)
        if self._is_due_again(state, rule, now_s):
            after = replace(state, condition=AlarmCondition.UNACK, acks=(), raised_at=now_ms)
            return move(state, AlarmEvent.AGAIN, now_ms, after)
        since = self._unsure.get(key)
        is_stale = since is not None and (state.is_stale or now_s - since >= STALE_MS / 1000)
        if is_stale is not state.is_stale and state.condition is not AlarmCondition.NORMAL:
            return move(state, AlarmEvent.STALE, now_ms, replace(state, is_stale=is_stale))
        return None

    def _is_due_again(self, state: AlarmState, rule: AlarmRule, now_s: float) -> bool:
        """Acknowledged long ago, and still there."""
        key = state.device, state.rule
        is_quiet = state.condition is not AlarmCondition.ACKED or state.suppression is not Suppression.NONE
        if not rule.again_s or is_quiet or key in self._unsure:
            return False
        return now_s - self._raised_s[key] >= rule.again_s

    def _is_confirmed(self, key: Key, now_ms: int) -> bool:
        return key not in self._unsure and now_ms - self._site.around.sampled_at(key[0]) <= OLD_MS

    def _take(self, state: AlarmState, now_ms: int, now_s: float) -> None:
        key = state.device, state.rule
        if state.condition is AlarmCondition.NORMAL and state.is_stale:
            state = replace(state, is_stale=False)
        before = self._states.get(key)
        if before is None or before.raised_at != state.raised_at:
            self._raised_s[key] = now_s - max(0, now_ms - state.raised_at) / 1000
        self._states[key] = state
        if state.condition is AlarmCondition.NORMAL and state.suppression is Suppression.NONE:
            self._open.pop(key, None)
        else:
            self._open[key] = None
        if state.shelved_until is None:
            self._shelf_ends.pop(key, None)
        else:
            left_s = min(max(0.0, (state.shelved_until - now_ms) / 1000), self._settings.longest_shelf_s)
            self._shelf_ends.setdefault(key, now_s + left_s)

    def _forget(self, key: Key) -> None:
        self._states.pop(key, None)
        self._open.pop(key, None)
        self._unsure.pop(key, None)
        self._shelf_ends.pop(key, None)
        self._raised_s.pop(key, None)
