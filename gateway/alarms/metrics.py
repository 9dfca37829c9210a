"""How well the alarms of a site serve the people there: the figures of ISA-18.2 and EEMUA 191, and their targets.

Fed with every transition; times are UTC ms. Bounded: of a storm the latest events count.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from itertools import pairwise
from statistics import quantiles

from gateway.model import (
    AlarmCondition,
    AlarmEvent,
    AlarmState,
    Priority,
    Suppression,
    Transition,
    Value,
)

WINDOW_MS = 10 * 60_000
FLOOD_BEGINS, FLOOD_ENDS = 10, 5
"""A flood begins with more announcements than this in the window, and ends below that."""
CHATTER_TIMES, CHATTER_MS = 3, 60_000
OFF_STEP_S = 5
"""Delays are proposed in steps of this."""
FLEETING_MS = 10_000
LONG_MS = DAY_MS = 24 * 3600_000
SHARE_MS = 7 * DAY_MS
LEAST_FOR_SHARE = 20
"""Shares of fewer announcements say nothing."""
MOST_EVENTS, MOST_ACKS = 20_000, 1_000
WORST = 10


class AlarmMetrics:
    """What `figures` gives goes by the names of the vocabulary of kind `gateway`."""

    def __init__(self) -> None:
        self._announced: deque[tuple[int, str, Priority]] = deque(maxlen=MOST_EVENTS)
        self._fleeting: deque[tuple[int, str]] = deque(maxlen=MOST_EVENTS)
        self._acks: deque[tuple[int, float]] = deque(maxlen=MOST_ACKS)
        """When an announced alarm was acknowledged, and after how many seconds."""
        self._raised: dict[str, deque[int]] = {}
        self._chattered: dict[str, tuple[int, int]] = {}
        """When an alarm last chattered, and the longest time between two raises then (ms)."""
        self._is_flood = False

    def note(self, transition: Transition) -> None:
        """One more transition, in order."""
        after, ts = transition.after, transition.ts
        if transition.event is AlarmEvent.REMOVE:
            self._raised.pop(after.key, None)
            self._chattered.pop(after.key, None)
        if transition.is_announcement:
            self._announced.append((ts, after.key, after.priority))
        if transition.is_historical:
            return
        if transition.event is AlarmEvent.RAISE:
            self._note_raise(after.key, ts)
        elif transition.event is AlarmEvent.RETURN and 0 <= ts - after.raised_at < FLEETING_MS:
            self._fleeting.append((ts, after.key))
        elif transition.event is AlarmEvent.ACK and after.condition.is_acked:
            self._acks.append((ts, max(0, ts - after.raised_at) / 1000))

    def figures(self, states: Iterable[AlarmState], now_ms: int) -> dict[str, Value]:
        """The figures at `now_ms`, without those of which too little happened to tell."""
        standing, acks = list(states), [taken for ts, taken in self._acks if ts > now_ms - SHARE_MS]
        shelves = [each.shelf[-1].ts for each in standing if each.shelved_until is not None and each.shelf]
        rate = self.rate(now_ms)
        return {
            "alarms_active": sum(each.condition.is_active for each in standing),
            "alarms_unacknowledged": sum(not each.condition.is_acked for each in standing),
            "alarms_shelved": len(shelves),
            "alarms_suppressed": sum(each.suppression is Suppression.SUPPRESSED for each in standing),
            "alarms_out_of_service": sum(each.suppression is Suppression.OUT_OF_SERVICE for each in standing),
            "alarms_uncertain": sum(each.is_stale for each in standing),
            "alarms_long_active": sum(_is_long_active(each, now_ms) for each in standing),
            "alarm_rate": rate,
            "alarm_flood": self.is_flood(rate),
            "alarms_chattering": len(self.chattering(now_ms)),
            "alarms_fleeting": sum(ts > now_ms - DAY_MS for ts, _ in self._fleeting),
            "alarm_shelf_age": round(max(0, now_ms - min(shelves)) / 1000) if shelves else 0,
            **{f"alarm_ack_time_p{which}": _percentile(acks, which) for which in (50, 95) if acks},
            **self._shares(now_ms),
        }

    def rate(self, now_ms: int) -> int:
        """Announcements of the last ten minutes."""
        count = 0
        for ts, _, _ in reversed(self._announced):
            if ts <= now_ms - WINDOW_MS:
                break
            count += 1
        return count

    def is_flood(self, rate: int) -> bool:
        """More than anybody can follow; ends only well below where it begins."""
        self._is_flood = rate >= FLOOD_ENDS if self._is_flood else rate > FLOOD_BEGINS
        return self._is_flood

    def worst(self, now_ms: int) -> list[tuple[str, int]]:
        """The alarms that were announced most in the last seven days, and how often."""
        return Counter(key for ts, key, _ in self._announced if ts > now_ms - SHARE_MS).most_common(WORST)

    def fleeting(self, now_ms: int) -> list[tuple[str, int]]:
        """The alarms that held for less than ten seconds in the last 24 h most often, and how often."""
        return Counter(key for ts, key in self._fleeting if ts > now_ms - DAY_MS).most_common(WORST)

    def chattering(self, now_ms: int) -> list[tuple[str, int]]:
        """The alarms that came three times in a minute, within the last ten minutes, each with the off-delay (s) that
        would have made one of them."""
        found = ((key, gap_ms) for key, (ts, gap_ms) in self._chattered.items() if now_ms - ts < WINDOW_MS)
        return sorted((key, OFF_STEP_S * (gap_ms // (1000 * OFF_STEP_S) + 1)) for key, gap_ms in found)

    def _note_raise(self, key: str, ts: int) -> None:
        times = self._raised.setdefault(key, deque(maxlen=CHATTER_TIMES))
        times.append(ts)
        if len(times) == CHATTER_TIMES and 0 <= ts - times[0] <= CHATTER_MS:
            self._chattered[key] = ts, max(after - before for before, after in pairwise(times))

    def _shares(self, now_ms: int) -> Mapping[str, Value]:
        recent = [(key, priority) for ts, key, priority in self._announced if ts > now_ms - SHARE_MS]
        if len(recent) < LEAST_FOR_SHARE:
            return {}
        priorities = Counter(priority for _, priority in recent)
        worst = sum(count for _, count in self.worst(now_ms))
        shares = {f"alarm_share_{each.value}": _percent(priorities[each], len(recent)) for each in Priority}
        return {"alarm_top10_share": _percent(worst, len(recent)), **shares}


def _is_long_active(state: AlarmState, now_ms: int) -> bool:
    return state.condition in (AlarmCondition.UNACK, AlarmCondition.ACKED) and now_ms - state.since > LONG_MS


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1)


def _percentile(found: list[float], which: int) -> float:
    return round(found[0] if len(found) == 1 else quantiles(found, n=100, method="inclusive")[which - 1], 1)
