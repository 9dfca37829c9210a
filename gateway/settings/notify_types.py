"""Who is told of alarms, how and when, as the rest of the product sees it: resolved, in seconds.

Defaults are those of the field: grouping as Prometheus Alertmanager does it (wait 30 s, then every 5 min, repeat after
4 h, at once where it is critical), acknowledgement within 5, 15 and 60 min.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from gateway.model import Priority

GROUP_WAIT_S: Mapping[Priority, float] = MappingProxyType(
    {Priority.CRITICAL: 0.0, Priority.HIGH: 30.0, Priority.MEDIUM: 30.0, Priority.LOW: 30.0}
)
GROUP_INTERVAL_S: Mapping[Priority, float] = MappingProxyType(
    {Priority.CRITICAL: 0.0, Priority.HIGH: 300.0, Priority.MEDIUM: 300.0, Priority.LOW: 300.0}
)
REPEAT_INTERVAL_S = 4 * 3600.0
ACK_WITHIN_S: Mapping[Priority, float] = MappingProxyType(
    {Priority.CRITICAL: 300.0, Priority.HIGH: 900.0, Priority.MEDIUM: 3600.0}
)
BACKUP_AFTER_S = 60.0
GIVE_UP_S = 3 * 86400.0
PACE_S = 10.0
SOUND_S = 300.0


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One way to people. `kind` is apprise, mqtt or annunciator."""

    name: str
    kind: str
    language: str
    """`zh`, `en` or `both`."""
    form: str
    """`short` (one paragraph) or `long`."""
    pace_s: float
    """Three notices may go at once, further ones in this distance: what comes in between is told together."""
    urls_file: Path | None = None
    """apprise: one address on each line; read with every notice, so that it may be changed."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which alarms are meant: those that fit every list that is not empty."""

    devices: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    priorities: frozenset[Priority] = frozenset()
    roles: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who is told as well when nobody acknowledged in time; `to` empty: those who were told already, once more."""

    after_s: float
    to: tuple[str, ...] = ()
    priorities: frozenset[Priority] = frozenset()
    """For alarms of these; empty for all."""


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """Alarms that fit `match` go to the channels `to`; the first route that fits is taken, and the next where
    `goes_on`."""

    match: Match
    to: tuple[str, ...]
    backup: tuple[str, ...] = ()
    """Told instead, in this order, while one of `to` does not work."""
    group_wait_s: Mapping[Priority, float] = field(default_factory=lambda: GROUP_WAIT_S)
    group_interval_s: Mapping[Priority, float] = field(default_factory=lambda: GROUP_INTERVAL_S)
    repeat_interval_s: float = REPEAT_INTERVAL_S
    escalate: tuple[Escalation, ...] = ()
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Inhibit:
    """While an alarm of `source` stands, those of `target` are not told: of the same device, or of the whole site."""

    source: Match
    target: Match
    same_device: bool = True


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which alarms of `priorities` wait; minutes of the day in the site's time zone, `end` may lie before
    `start`."""

    start: int
    end: int
    priorities: frozenset[Priority]


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """The way from alarms to people."""

    channels: Mapping[str, ChannelSettings]
    routes: tuple[RouteSettings, ...]
    inhibit: tuple[Inhibit, ...] = ()
    quiet: Quiet | None = None
    backup_after_s: float = BACKUP_AFTER_S
    """How long a channel may fail before others are told instead."""
    give_up_s: float = GIVE_UP_S
    """How long what could not be sent is tried."""


@dataclass(frozen=True, slots=True)
class AnnunciatorSettings:
    """A horn or lamp on a coil: sounds for new alarms of `priorities`, `sound_s` at most."""

    device: str
    point: str
    priorities: frozenset[Priority]
    sound_s: float = SOUND_S
    silence_s: float | None = None
    """A silenced horn sounds again after this time if nobody has acknowledged; None: with the next new alarm only."""


DEFAULT_ESCALATION = tuple(Escalation(after_s, (), frozenset({priority})) for priority, after_s in ACK_WITHIN_S.items())
"""Where a route says nothing: once more, when the time to acknowledge is over."""
