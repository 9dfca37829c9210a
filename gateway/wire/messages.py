"""The payloads of every topic as frozen data. Times are UTC milliseconds; `labels` become database tags.

Messages that pass through the outbox carry `id` and `ts`; both are filled in by decoding and ignored when a body is
built, since the outbox gives them. `backlog` is true where the message was sent later than it was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from gateway.model import Ack, Priority, QualityCount, ReadinessState, Reason, Text, Value

#: What JSON can hold; the values of event data, command arguments and `because`.
Json: TypeAlias = Value | Mapping[str, "Json"] | tuple["Json", ...] | list["Json"] | None

ALARM_STATES = ("NORMAL", "UNACK", "ACKED", "RTN_UNACK", "LATCHED_UNACK", "LATCHED_ACKED")
SUPPRESSIONS = ("NONE", "SHELVED", "SUPPRESSED", "OUT_OF_SERVICE")


class MessageId(NamedTuple):
    """`<outbox>-<seq>`: twelve hex digits and a number with at least six digits. Equal ids are the same message."""

    outbox: str
    seq: int

    def __str__(self) -> str:
        return f"{self.outbox}-{self.seq:06d}"


NO_ID = MessageId("", 0)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The points of one poll that are due. A point under `uncertain` stands in `values` too, one under `bad` never."""

    kind: str
    labels: Mapping[str, str]
    synced: bool
    values: Mapping[str, Value]
    uncertain: Mapping[str, str]
    """Status names by point."""
    bad: Mapping[str, str]
    recovered: tuple[str, ...] = ()
    quality: QualityCount | None = None
    id: MessageId = NO_ID
    ts: int = 0
    backlog: bool = False


@dataclass(frozen=True, slots=True)
class DeviceReadiness:
    """Whether one device can be used right now. `score` is None while that is unknown."""

    kind: str
    labels: Mapping[str, str]
    state: ReadinessState
    since: int
    valid_until: int
    score: int | None
    reasons: tuple[Reason, ...] = ()
    id: MessageId = NO_ID
    ts: int = 0
    backlog: bool = False
    category: str = ""
    """What the device is stocked for; empty where that is nothing in particular."""


@dataclass(frozen=True, slots=True)
class KindCount:
    """How the devices of one kind stand at a site, and how many must be usable."""

    ready: int = 0
    degraded: int = 0
    not_ready: int = 0
    unknown: int = 0
    in_use: int = 0
    out_of_service: int = 0
    usable: int = 0
    required: int = 0


@dataclass(frozen=True, slots=True)
class SiteReadiness:
    """Roll-up of a site. `location` is latitude and longitude in degrees."""

    kind: str
    labels: Mapping[str, str]
    state: ReadinessState
    valid_until: int
    name: Text
    location: tuple[float, float] | None
    kinds: Mapping[str, KindCount]
    id: MessageId = NO_ID
    ts: int = 0
    backlog: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm as it stands now. `state` is one of ALARM_STATES, `suppression` one of SUPPRESSIONS."""

    device: str
    rule: str
    kind: str
    labels: Mapping[str, str]
    state: str
    active: bool
    acked: bool
    acks: tuple[Ack, ...]
    acks_needed: int
    suppression: str
    priority: Priority
    since: int
    because: Mapping[str, Json]
    text: Text
    action: Text
    id: MessageId = NO_ID
    ts: int = 0
    backlog: bool = False
    more: Mapping[str, Json] = field(default_factory=dict)
    """Members beside those above, where there is something to say: `stale`, `first_out`, `shelved_until` and such"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. A key of `data` carries one type of value in all events, since it names one field."""

    kind: str
    labels: Mapping[str, str]
    type: str
    data: Mapping[str, Json]
    id: MessageId = NO_ID
    ts: int = 0
    backlog: bool = False


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """`online` or `offline`; the last will says `offline` and nothing of what a connection learnt."""

    online: bool
    since: int | None = None
    version: str | None = None
    outbox: str | None = None
    config: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """From ingest: inclusive sequence ranges of `outbox` that are safe in the database or its dead letters."""

    outbox: str
    done: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Command:
    """A request of an operator; `auth` is a credential and never shown."""

    id: str
    cmd: str
    args: Mapping[str, Json]
    by: str
    auth: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to the command of the same id; `error` names the reason where `ok` is false."""

    id: str
    ok: bool
    error: str | None = None
    text: Text | None = None
    data: Mapping[str, Json] | None = None
    """What the command gave, such as the token of an arming."""


Message: TypeAlias = (
    Telemetry | DeviceReadiness | SiteReadiness | Alarm | Event | GatewayStatus | Stored | Command | Reply
)
