"""What the page needs to know of a running site; given by the composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.model import MaybeValue, ReadinessState, Reason, Status
from gateway.settings.types import SiteSettings


@dataclass(frozen=True, slots=True)
class Sample:
    """A point as it stands: value (None where bad), status, source time in UTC ms (0: never polled)."""

    value: MaybeValue
    status: Status
    ts: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A device's readiness as it stands."""

    state: ReadinessState
    since: int
    score: int | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One bucket of a trend: UTC ms; lowest, mean and highest value in it, all None where nothing was usable."""

    ts: int
    low: float | None
    mean: float | None
    high: float | None


class SiteView(Protocol):
    """A running site, read only."""

    site: SiteSettings

    def site_state(self) -> ReadinessState: ...

    def standing(self, device: str) -> Standing | None: ...

    def latest(self, device: str) -> Mapping[str, Sample]: ...

    def changes(self) -> AsyncIterator[frozenset[str]]:
        """The ids of devices with something new, again and again; what is not fetched in time is merged, not queued."""
        ...

    async def trend(self, device: str, point: str, since_ms: int, until_ms: int, buckets: int) -> Sequence[TrendPoint]:
        """The local history of one number, oldest first."""
        ...
