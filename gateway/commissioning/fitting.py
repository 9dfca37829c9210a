"""How well a profile fits what a unit answers, where no identity register tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.model import Status
from gateway.ports import Values

_DOUBTFUL = frozenset(
    (Status.UncertainEngineeringUnitsExceeded, Status.BadOutOfRange, Status.BadDecodingError, Status.BadDeviceFailure)
)


@dataclass(frozen=True, slots=True)
class Fit:
    """Counts of a profile's points as one unit gives them. `by_identity`: its identity registers were found."""

    profile: str
    by_identity: bool
    good: int
    doubtful: int
    """Out of range, no word for the number, no digits."""
    refused: int
    """Addresses the unit does not have."""
    other: int
    telling: int = 0
    """Good numbers and words other than 0: many devices answer 0 for places they do not have, and any number makes a
    flag true."""
    depth: int = 0
    """How many profiles it builds on; a model comes before the family it is of."""

    @property
    def total(self) -> int:
        return self.good + self.doubtful + self.refused + self.other

    @property
    def is_likely(self) -> bool:
        """Good enough to be proposed: it has every address, and most of what stands there makes sense."""
        return self.by_identity or (self.refused == 0 and self.good >= 0.7 * self.total > 0)

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """Best last: identity, how many points say something (one that makes no sense weighs as much as three that do),
        the model before its family, the shorter list."""
        return self.by_identity, self.telling - 3 * (self.doubtful + self.refused), self.depth, -self.total


def fit_of(profile: str, values: Values, depth: int = 0) -> Fit:
    """From one poll of a unit by the profile."""
    statuses = values.statuses
    good = sum(status is Status.Good for status in statuses)
    doubtful = sum(status in _DOUBTFUL for status in statuses)
    refused = sum(status is Status.BadConfigurationError for status in statuses)
    other = len(statuses) - good - doubtful - refused
    telling = sum(
        status is Status.Good and not isinstance(value, bool) and bool(value)
        for value, status in zip(values.values, statuses, strict=True)
    )
    return Fit(profile, False, good, doubtful, refused, other, telling, depth)


def best_first(fits: Sequence[Fit]) -> list[Fit]:
    """Those worth proposing."""
    return sorted((fit for fit in fits if fit.is_likely), key=lambda fit: fit.rank, reverse=True)
