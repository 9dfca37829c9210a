"""What the page needs to know of a running site; given by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gateway.flow.snapshot import Snapshot
from gateway.ports import Clock
from gateway.rules.judge import Judge
from gateway.settings.types import SiteSettings
from gateway.store import Bucket

Trend: TypeAlias = Callable[[str, str, int, int, int], Awaitable[Sequence[Bucket]]]
"""Device, point, since and until (UTC ms), number of buckets; oldest first."""


@dataclass(frozen=True, slots=True)
class SiteView:
    """A running site, read only."""

    site: SiteSettings
    snapshot: Snapshot
    judge: Judge
    clock: Clock
    trend: Trend
