"""What a device was found to refuse, and for how long that is believed.

A refused read of several points is cut in two, and the halves are asked; so on down to single points. Then either a
single point stays refused and is set aside, or all pieces were answered, and what was refused is the gap between them
or the length of the read. Nothing is believed for ever: points set aside are asked again, rarely, and a device that was
booting gets all of them back as soon as one is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from drivers.modbus.address import Table
from drivers.modbus.plan import Span

#: Illegal function, illegal data address, illegal data value (Modbus Application Protocol V1.1b3, section 7).
REFUSALS = (1, 2, 3)
#: How long a point is set aside after it was refused once, twice, and more often in a row.
ASIDE_S = (60.0, 600.0, 3600.0)
#: How long gaps and lengths are believed.
BELIEF_S = 24 * 3600.0

Place: TypeAlias = tuple[Table, int, int]
"""Table, start and end of one point, or of several at the same place."""


@dataclass(slots=True)
class Aside:
    """A place the device refused: `until` monotonic seconds it is not asked, but for `probing`."""

    until: float
    probing: bool = False


@dataclass(slots=True)
class Trial:
    """A refused read that was cut in two. `waiting` are the places without an answer since."""

    table: Table
    cut: int | None
    """Where it was cut, if reads can be kept from crossing it."""
    has_gap: bool
    count: int
    waiting: set[Place]
    found_culprit: bool = False


@dataclass(slots=True)
class Learning:
    """All that is known of one device. `revision` changes whenever the reads have to be planned anew."""

    revision: int = 0
    aside: dict[Place, Aside] = field(default_factory=dict)
    _cuts: dict[tuple[Table, int], float] = field(default_factory=dict)
    """Until when each is believed."""
    _limits: dict[Table, tuple[int, float]] = field(default_factory=dict)
    _trials: dict[tuple[Table, int, int], Trial] = field(default_factory=dict)
    """By table, start and count of what was refused."""
    _answered: dict[Table, int] = field(default_factory=dict)
    """The longest read that was answered while something was tried."""
    _strikes: dict[Place, tuple[int, float]] = field(default_factory=dict)
    """How often in a row each was refused, and when last."""
    _probes_at_once: int = 1
    _next_event: float = float("inf")

    @property
    def is_settled(self) -> bool:
        """Nothing is being tried and nothing stands aside."""
        return not self._trials and not self.aside

    def cuts(self, table: Table) -> frozenset[int]:
        return frozenset(at for of, at in self._cuts if of is table)

    def longest(self, table: Table, limit: int) -> int:
        learnt = self._limits.get(table)
        return limit if learnt is None else min(limit, learnt[0])

    def split(self, table: Table, spans: Sequence[Span], count: int, now: float) -> int:
        """A read of `count` addresses over two or more distinct `spans` (in order) was refused: how many of them go
        into the first half. Until it is known why, no read crosses the cut."""
        first = _best_cut(spans)
        left_end = max(end for _, end in spans[:first])
        right_start = spans[first][0]
        trial = Trial(
            table,
            right_start if right_start >= left_end else None,
            right_start > left_end,
            count,
            {(table, start, end) for start, end in spans},
        )
        self._trials[table, spans[0][0], count] = trial
        if trial.cut is not None:
            self._cuts[table, trial.cut] = now + BELIEF_S
        self.revision += 1
        return first

    def set_aside(self, place: Place, now: float) -> None:
        """A single point was refused."""
        known = self.aside.get(place)
        if known is not None and not known.probing:
            return
        strikes, last = self._strikes.get(place, (0, now))
        if now - last > 2 * ASIDE_S[-1]:
            strikes = 0
        self._strikes[place] = strikes + 1, now
        self.aside[place] = Aside(now + ASIDE_S[min(strikes, len(ASIDE_S) - 1)])
        self._probes_at_once = 1
        self._schedule()
        for trial in self._trials.values():
            if place in trial.waiting:
                trial.waiting.discard(place)
                trial.found_culprit = True
        self.revision += 1
        self._conclude(now)

    def answered(self, reads: Iterable[tuple[Table, int, Iterable[Span]]], now: float) -> None:
        """These were read just now: table, count and the places of the points of each answered read."""
        places: set[Place] = set()
        for table, count, spans in reads:
            self._answered[table] = max(count, self._answered.get(table, 0))
            places.update((table, *span) for span in spans)
        for place in places:
            for trial in self._trials.values():
                trial.waiting.discard(place)
            if self.aside.pop(place, None) is not None:
                # the device has changed its mind about one point; let it about the others
                self._probes_at_once = min(64, 2 * self._probes_at_once)
                for other in self.aside.values():
                    other.until = min(other.until, now)
                self._schedule()
                self.revision += 1
        self._conclude(now)

    def advance(self, now: float) -> None:
        """Time went by: ask again what was set aside long enough, forget what is believed no longer."""
        if now < self._next_event:
            return
        due = [entry for entry in self.aside.values() if entry.until <= now and not entry.probing]
        for entry in due[: max(0, self._probes_at_once - sum(entry.probing for entry in self.aside.values()))]:
            entry.probing = True
            self.revision += 1
        for cut in [cut for cut, until in self._cuts.items() if until <= now]:
            del self._cuts[cut]
            self.revision += 1
        for table in [table for table, (_, until) in self._limits.items() if until <= now]:
            del self._limits[table]
            self.revision += 1
        self._schedule()

    def _conclude(self, now: float) -> None:
        """End the trials whose every place was answered or set aside."""
        for key, trial in [(key, trial) for key, trial in self._trials.items() if not trial.waiting]:
            del self._trials[key]
            if trial.has_gap and not trial.found_culprit:
                continue  # the gap is what the device refuses: the cut stays
            if trial.cut is not None:
                self._cuts.pop((trial.table, trial.cut), None)
            if not trial.found_culprit:
                # between what was answered and what was refused; half way, so that the true limit is soon found
                limit = (self._answered.get(trial.table, 0) + trial.count) // 2
                self._limits[trial.table] = max(1, min(limit, trial.count - 1)), now + BELIEF_S
            self.revision += 1
        self._schedule()

    def _schedule(self) -> None:
        """When `advance` has something to do next."""
        waiting = [entry.until for entry in self.aside.values() if not entry.probing]
        believed = [*self._cuts.values(), *(until for _, until in self._limits.values())]
        self._next_event = min([*waiting, *believed], default=float("inf"))


def _best_cut(spans: Sequence[Span]) -> int:
    """Where to cut: in the middle half of the points, at the widest gap, else where they touch, else anywhere."""
    middle = len(spans) / 2

    def merit(first: int) -> tuple[int, float]:
        gap = spans[first][0] - max(end for _, end in spans[:first])
        return gap, -abs(first - middle)

    quarter = len(spans) // 4
    choices = range(max(1, quarter), max(2, len(spans) - quarter))
    return max(choices, key=merit)
