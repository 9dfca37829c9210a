"""Which points of a device are outside their limits, and for how many readings in a row."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from gateway.model import Status

OUTSIDE = frozenset((Status.UncertainEngineeringUnitsExceeded, Status.BadOutOfRange))


class Outside:
    """A point that was outside and is bad for another reason now may be so still: of it nobody can tell."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._unseen: set[str] = set()
        """Those of which nobody can tell."""

    def __bool__(self) -> bool:
        """Whether a point is outside its limits, or was when it could last be read."""
        return bool(self._counts)

    def note(self, points: Sequence[str], statuses: Sequence[Status]) -> None:
        """Take in one reading."""
        counts, unseen = self._counts, self._unseen
        for name, status in zip(points, statuses, strict=True):
            if status in OUTSIDE:
                counts[name] = counts.get(name, 0) + 1
                unseen.discard(name)
            elif status.is_good:
                counts.pop(name, None)
                unseen.discard(name)
            elif name in counts:
                unseen.add(name)

    def told(self) -> tuple[str, float] | None:
        """The points that are outside, as one text, and readings in a row of the one that has been so longest; None
        where nobody can tell."""
        sure = self._counts.keys() - self._unseen
        if not sure and self._counts:
            return None
        return ", ".join(sorted(sure)), float(max((self._counts[name] for name in sure), default=0))

    def export(self) -> dict[str, int]:
        """What has to survive a restart, as JSON."""
        return dict(self._counts)

    def carry_over(self, before: Outside, points: Container[str]) -> None:
        """Go on with what `before`, the same device under other rules or facts, knows of these points."""
        self._counts = {name: count for name, count in before._counts.items() if name in points}
        self._unseen = before._unseen & self._counts.keys()

    def restore(self, kept: Mapping[str, Any], points: Container[str]) -> None:
        """Go on with those of `points` that were outside; how they are now has to be read first."""
        self._counts = {name: count for name, count in kept.items() if name in points}
        self._unseen = set(self._counts)
