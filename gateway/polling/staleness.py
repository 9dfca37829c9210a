"""When a value is too old to be believed, and what stands for a point that was never polled."""

from __future__ import annotations

from gateway.model import Reading, Status

_POLLS = 3
_LEAST_S = 5.0


def stale_after_s(interval_s: float) -> float:
    """Age at which a point polled every `interval_s` is unknown: 3 polls, at least 5 s."""
    return max(_LEAST_S, _POLLS * interval_s)


def never_polled(device: str, points: tuple[str, ...], ts: int) -> Reading:
    """The reading of points that were not asked for yet."""
    return Reading(device, ts, points, (None,) * len(points), (Status.BadWaitingForInitialData,) * len(points))
