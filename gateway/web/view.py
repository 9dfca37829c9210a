"""What the page needs to know of a running site; given by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gateway.flow.snapshot import Snapshot
from gateway.model import Point, Reading
from gateway.ports import AlarmDesk, Clock
from gateway.rules.judge import Judge
from gateway.settings.types import SiteSettings
from gateway.store import Bucket
from gateway.web.history import History
from gateway.wire.messages import Command, Reply

Trend: TypeAlias = Callable[[str, str, int, int, int], Awaitable[Sequence[Bucket]]]
"""Device, point, since and until (UTC ms), number of buckets; oldest first."""
Tell: TypeAlias = Callable[[str, str, Mapping[str, str | int]], object]
"""Device (or `_gateway`, `_site`), event type, data: goes out as an event."""
Obey: TypeAlias = Callable[[str, Command], Awaitable[Reply]]
"""Device (or `_gateway`, `_site`) and a command with its credential to the answer."""
Silence: TypeAlias = Callable[[str], Awaitable[None]]
"""Who asks for it; Refused."""


@dataclass(frozen=True, slots=True)
class GatewayHealth:
    """The gateway's own points and how they stood when it last looked at itself (None: not yet)."""

    points: tuple[Point, ...]
    reading: Reading | None


@dataclass(frozen=True, slots=True)
class SiteView:
    """A running site: read only, except that what people do here is told as events."""

    site: SiteSettings
    snapshot: Snapshot
    judge: Judge
    clock: Clock
    trend: Trend
    health: Callable[[], GatewayHealth]
    tell: Tell
    version: str
    alarms: AlarmDesk
    """Shows the alarms and acts on them."""
    obey: Obey
    """Carries a command with its credential out, as over MQTT."""
    history: History
    """What happened to one alarm."""
    silence: Silence | None = None
    """Ends the siren; None where there is none."""


Look: TypeAlias = Callable[[], SiteView]
"""The site as it stands now; its settings and judge may be others than before, after a reload."""
