"""A device whose values cannot be those of its profile: perhaps another model, another word order, another unit id.

Looked at in every poll; said once when it begins and once when it ends. Values keep their own status: each that cannot
be is marked anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gateway.model import Answer, Fault, FaultKind, Job, Status
from gateway.ports import DevicePlan, Values

DOUBTFUL_SHARE = 0.2
"""From this share of a device's points on its model is doubted; from half of it down, no longer."""
POLLS = 3
"""So many polls in a row say so, not one burst."""

_ODD = frozenset(
    (
        Status.UncertainEngineeringUnitsExceeded,
        Status.BadOutOfRange,
        Status.BadDecodingError,
        Status.BadConfigurationError,
    )
)
_SILENT = frozenset((Status.BadTimeout, Status.BadNoCommunication, Status.BadWaitingForInitialData))

#: Device, and its points that cannot be, where they are too many; None when they no longer are.
TellDoubt = Callable[[str, Mapping[str, Status] | None], None]


class DoubtedPlan:
    """gateway.ports.DevicePlan around `plan`, of a device with so many points."""

    def __init__(self, plan: DevicePlan, points: int, tell: Callable[[Mapping[str, Status] | None], None]) -> None:
        self._plan = plan
        self._points = points
        self._tell = tell
        self._odd: dict[str, Status] = {}
        self._polls = 0
        self._is_doubted = False
        self.jobs = plan.jobs
        self.together = plan.together
        self.refused = plan.refused

    def decode(self, outcomes: Sequence[tuple[Job, Answer | Fault]], now: float) -> Values:
        """What the device says."""
        values = self._plan.decode(outcomes, now)
        if self._odd or any(values.statuses):
            self._look(values, _unread(outcomes))
        return values

    def _look(self, values: Values, unread: set[str]) -> None:
        said = [each for each in zip(values.points, values.statuses, strict=True) if each[0] not in unread]
        for name, status in said:
            if status in _ODD:
                self._odd[name] = status
            elif status not in _SILENT:
                self._odd.pop(name, None)
        if all(status in _SILENT for _, status in said):
            return  # a silent device says neither
        share = len(self._odd) / self._points
        self._polls = self._polls + 1 if share >= DOUBTFUL_SHARE else 0
        if not self._is_doubted and self._polls >= POLLS:
            self._is_doubted = True
            self._tell(dict(self._odd))
        elif self._is_doubted and share <= DOUBTFUL_SHARE / 2:
            self._is_doubted = False
            self._tell(None)


def _unread(outcomes: Sequence[tuple[Job, Answer | Fault]]) -> set[str]:
    """Points of which nothing was heard: silent, down, or only broken frames. That says something of the line."""
    return {
        point
        for job, outcome in outcomes
        if isinstance(outcome, Fault) and outcome.kind is not FaultKind.REFUSED
        for point in job.points
    }
