"""Report by exception: what of one reading is due to be sent.

A point is due when its status changed, when its value changed by more than the deadband since it was sent, and at least
every `every_s` while it is polled, whatever its status; `poll` makes it due with every reading. The counts of the
device's points by quality are due when they change and every 60 s. Only monotonic time counts here: setting the clock
neither delays nor repeats anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import eq
from typing import cast

from gateway.model import MaybeValue, Point, QualityCount, Reading, Report, Status, Value

QUALITY_EVERY_S = 60.0
MAX_GROUPS = 256
"""Sets of points polled together that are remembered; a plan that keeps changing must not grow memory."""

_GOOD = Status.Good
_WAITING = Status.BadWaitingForInitialData


class _Group:
    """One set of points that is polled together, and what its last reading said."""

    __slots__ = ("due", "indexes", "is_good", "is_plain", "points", "sent_at", "statuses", "values", "version")

    def __init__(self, points: tuple[str, ...], indexes: tuple[int, ...], *, is_plain: bool) -> None:
        self.points = points
        self.indexes = indexes
        self.is_plain = is_plain
        """No point has a deadband or is sent with every poll: what was read last is what was sent last."""
        self.is_good = False
        self.sent_at = 0.0
        self.values: tuple[MaybeValue, ...] = ()
        self.statuses: tuple[Status, ...] = ()
        self.due = 0.0
        self.version = -1


@dataclass(slots=True)
class Counts:
    """The books: `polled` = `sent` + `unchanged`, in points."""

    polled: int = 0
    sent: int = 0
    unchanged: int = 0
    messages: int = 0


@dataclass(frozen=True, slots=True)
class _Policy:
    """What of the points' policies is needed with every reading, in their order."""

    names: Mapping[str, int]
    every: Sequence[float]
    bands: Sequence[float | None]
    polls: Sequence[bool]


_MOST_POLICIES = 64
_policies: dict[int, tuple[Sequence[Point], _Policy]] = {}


def _policy_of(points: Sequence[Point]) -> _Policy:
    """Devices that share their points share it."""
    known = _policies.get(id(points))
    if known is not None and known[0] is points:
        return known[1]
    policy = _Policy(
        names={point.name: index for index, point in enumerate(points)},
        # Half an interval early, since waiting for the next poll would make it late.
        every=[max(0.0, point.report.every_s - point.interval_s / 2) for point in points],
        bands=[point.report.deadband for point in points],
        polls=[point.report.poll for point in points],
    )
    if len(_policies) >= _MOST_POLICIES:
        _policies.clear()
    _policies[id(points)] = points, policy
    return policy


class Reporter:
    """Says what is due of one device. `report` takes its readings in the order they were taken."""

    def __init__(self, device: str, points: Sequence[Point]) -> None:
        self.device = device
        self.counts = Counts()
        policy = _policy_of(points)
        self._names, self._every, self._bands, self._polls = policy.names, policy.every, policy.bands, policy.polls
        self._always = any(policy.polls)
        self._sent: list[MaybeValue] = [None] * len(points)
        self._sent_statuses = [_WAITING] * len(points)
        self._due = [0.0] * len(points)
        self._version = 0
        self._groups: dict[int, _Group] = {}
        self._all_sent: _Group | None = None
        """The group sent as a whole with the last report, whose values and times are not noted yet."""
        self._tally = {_WAITING: len(points)} if points else {}
        self._tally_changed = True
        self._quality: QualityCount | None = None
        self._quality_due = 0.0
        interval_s = min((point.interval_s for point in points), default=0.0)
        self._quality_every = max(0.0, QUALITY_EVERY_S - interval_s / 2)

    def report(self, reading: Reading, now: float) -> Report | None:
        """What of `reading` is due at `now` (monotonic seconds), or None; marks it as sent."""
        size = len(reading.points)
        counts = self.counts
        counts.polled += size
        group = self._group(reading.points)
        same_statuses = reading.statuses == group.statuses and group.version == self._version
        if same_statuses and now < group.due and now < self._quality_due and reading.values == group.values:
            counts.unchanged += size
            return None
        if same_statuses and now < group.due and group.is_plain and group.is_good:
            values = self._changed(group, reading, now)
            return self._told(group, reading, now, values, {}, {}, [])

        self._note_sent()
        values = {}
        uncertain: dict[str, Status] = {}
        bad: dict[str, Status] = {}
        recovered: list[str] = []
        sent, statuses, due, bands, polls = self._sent, self._sent_statuses, self._due, self._bands, self._polls
        soonest = float("inf")
        for index, name, value, status in zip(
            group.indexes, reading.points, reading.values, reading.statuses, strict=True
        ):
            before = statuses[index]
            if status is before and now < due[index] and not polls[index]:
                old = sent[index]
                if value == old or (bands[index] is not None and _within(value, old, bands[index])):
                    if due[index] < soonest:
                        soonest = due[index]
                    continue
            if value is None:
                bad[name] = status
            else:
                values[name] = value
                if status is not _GOOD:
                    uncertain[name] = status
                elif before is not _GOOD:
                    recovered.append(name)
            if status is not before:
                self._count(before, status)
                statuses[index] = status
            sent[index] = value
            due[index] = moment = now + self._every[index]
            if moment < soonest:
                soonest = moment

        group.is_good = reading.statuses.count(_GOOD) == size
        group.due = 0.0 if self._always else soonest
        return self._told(group, reading, now, values, uncertain, bad, recovered)

    def _changed(self, group: _Group, reading: Reading, now: float) -> dict[str, Value]:
        """The values that are others than last time, all points being Good as before and none due by its time; where
        all are, what was sent when is noted only when it is asked for."""
        points, values = reading.points, cast("tuple[Value, ...]", reading.values)
        if not any(map(eq, values, group.values)):
            group.sent_at = now
            self._all_sent = group
            return dict(zip(points, values, strict=True))
        self._note_sent()
        found: dict[str, Value] = {}
        sent, due, every = self._sent, self._due, self._every
        for index, name, value, before in zip(group.indexes, points, values, group.values, strict=True):
            if value != before:
                found[name] = sent[index] = value
                due[index] = now + every[index]
        return found

    def _note_sent(self) -> None:
        """What was sent when, of the group that was last sent as a whole."""
        group, self._all_sent = self._all_sent, None
        if group is not None:
            sent, due, every = self._sent, self._due, self._every
            for index, value in zip(group.indexes, group.values, strict=True):
                sent[index] = value
                due[index] = group.sent_at + every[index]

    def _told(
        self,
        group: _Group,
        reading: Reading,
        now: float,
        values: dict[str, Value],
        uncertain: dict[str, Status],
        bad: dict[str, Status],
        recovered: list[str],
    ) -> Report | None:
        """The report of what was taken of `reading`, noted in the books; None where nothing was and no count is due."""
        counts, size = self.counts, len(reading.points)
        taken = len(values) + len(bad)
        if taken:
            self._version += 1
        group.values, group.statuses, group.version = reading.values, reading.statuses, self._version
        counts.sent += taken
        counts.unchanged += size - taken
        quality = self._due_quality(now)
        if not taken and quality is None:
            return None
        counts.messages += 1
        return Report(
            self.device, reading.ts, values, uncertain, bad, tuple(recovered), quality, unchanged=size - taken
        )

    def _group(self, points: tuple[str, ...]) -> _Group:
        group = self._groups.get(id(points))
        if group is None or group.points is not points:
            if len(self._groups) >= MAX_GROUPS:
                self._groups.clear()
            indexes = tuple([self._names[name] for name in points])
            is_plain = not any(self._polls[index] or self._bands[index] is not None for index in indexes)
            group = self._groups[id(points)] = _Group(points, indexes, is_plain=is_plain)
        return group

    def _count(self, before: Status, after: Status) -> None:
        self._tally_changed = True
        tally = self._tally
        tally[before] -= 1
        if not tally[before]:
            del tally[before]
        tally[after] = tally.get(after, 0) + 1

    def _due_quality(self, now: float) -> QualityCount | None:
        """The counts over all points of the device, where they are due."""
        if not self._tally_changed and now < self._quality_due:
            return None
        self._tally_changed = False
        tally = self._tally
        quality = QualityCount(
            good=sum(count for status, count in tally.items() if status.is_good),
            uncertain=sum(count for status, count in tally.items() if status.is_uncertain),
            bad=sum(count for status, count in tally.items() if status.is_bad),
            worst=max(tally, default=_GOOD).name,
        )
        if quality == self._quality and now < self._quality_due:
            return None
        self._quality = quality
        self._quality_due = now + self._quality_every
        return quality


def _within(value: MaybeValue, old: MaybeValue, band: float | None) -> bool:
    """Whether a number moved by no more than `band`; words, booleans and bad values have no distance."""
    if band is None or isinstance(value, (bool, str)) or isinstance(old, (bool, str)) or value is None or old is None:
        return False
    if type(value) is not type(old):
        return abs(float(value) - float(old)) <= band
    return bool(abs(value - old) <= band)  # type: ignore[operator]
