"""Values with status and source time, and the requests and answers they come from.

Status names and numbers are OPC UA StatusCodes (OPC 10000-4, table of common StatusCodes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

#: A usable value. Decimal only where a scaled integer has more digits than a float holds.
Value: TypeAlias = bool | int | float | Decimal | str
#: A value as decoded: None where the status is bad.
MaybeValue: TypeAlias = Value | None

NOTHING: Mapping[str, object] = MappingProxyType({})


class Status(IntEnum):
    """OPC UA StatusCode. `name` is what is published; the top two bits are the severity."""

    Good = 0x00000000
    UncertainEngineeringUnitsExceeded = 0x40940000
    BadUnexpectedError = 0x80010000
    BadResourceUnavailable = 0x80040000
    BadDecodingError = 0x80070000
    BadTimeout = 0x800A0000
    BadNoCommunication = 0x80310000
    BadWaitingForInitialData = 0x80320000
    BadOutOfRange = 0x803C0000
    BadConfigurationError = 0x80890000
    BadDeviceFailure = 0x808B0000
    BadSensorFailure = 0x808C0000
    BadOutOfService = 0x808D0000

    @property
    def is_good(self) -> bool:
        return self < 0x40000000

    @property
    def is_uncertain(self) -> bool:
        return 0x40000000 <= self < 0x80000000

    @property
    def is_bad(self) -> bool:
        return self >= 0x80000000

    @property
    def is_usable(self) -> bool:
        """Good or uncertain: the value may be used and is published under `v`."""
        return self < 0x80000000


def is_same(one: MaybeValue, other: MaybeValue) -> bool:
    """Whether two values mean the same: numbers by what they are written as, never a number for a truth value."""
    if isinstance(one, (bool, str)) or isinstance(other, (bool, str)) or one is None or other is None:
        return type(one) is type(other) and one == other
    left, right = (each if isinstance(each, Decimal) else Decimal(repr(each)) for each in (one, other))
    return left == right


class ValueType(StrEnum):
    """What a point carries, whatever its encoding on the wire."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Text:
    """Words an operator sees, in both languages."""

    zh: str
    en: str

    def __getitem__(self, language: str) -> str:
        return self.zh if language == "zh" else self.en

    def as_dict(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True)
class ReportPolicy:
    """When a point is sent: every poll, or on a change beyond `deadband` and at least every `every_s` seconds."""

    every_s: float = 60.0
    deadband: float | None = None
    poll: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One named quantity of a device. `options` belongs to the protocol and is opaque to the core."""

    name: str
    type: ValueType
    unit: str
    interval_s: float
    report: ReportPolicy
    options: object
    limits: tuple[float, float] | None = None
    """Engineering limits; outside them a value is UncertainEngineeringUnitsExceeded."""
    label: Text | None = None
    words: Mapping[str, Text] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Reading:
    """What one poll of one device gave.

    `points`, `values` and `statuses` run in parallel: one entry for each point the poll was to read, always.
    `values[i]` is None exactly where `statuses[i]` is bad. `points` is one shared tuple per set of points that is
    polled together, so that consumers may key what they precompute by its identity.
    """

    device: str
    ts: int
    """UTC milliseconds when the poll's last answer arrived, or when the failure was established."""
    points: tuple[str, ...]
    values: tuple[MaybeValue, ...]
    statuses: tuple[Status, ...]


class FaultKind(StrEnum):
    """How one request failed."""

    TIMEOUT = "timeout"
    """The line is up, the unit did not answer in time (or is backed off)."""
    REFUSED = "refused"
    """The unit answered with an exception; `Fault.code` is the protocol's code."""
    FRAME = "frame"
    """Something came, but no frame that could be believed."""
    DOWN = "down"
    """The line is not there: port missing, connection refused."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A request that gave no value; a value of the field, not an exception. `at` is monotonic seconds."""

    kind: FaultKind
    at: float
    code: int = 0
    detail: str = ""


class Answer(NamedTuple):
    """A believed answer: the payload of one request. `at` is monotonic seconds of its last byte."""

    data: bytes
    at: float


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One request, planned once and sent many times.

    `request` is what the protocol puts on the wire for `unit`, without the line's framing. `spare` asks for the same
    data in a frame of another length (or nothing): a line sends it after a time-out, so that the late answer to
    `request` cannot be taken for the answer to it. `wire_ms` is the computed time on the line, without turnaround.
    """

    unit: int
    request: bytes
    points: tuple[str, ...]
    interval_s: float
    timeout_s: float
    wire_ms: float
    spare: bytes | None = None
    plan: object = None
    """The protocol's own notes on how to decode the answer."""


class Quality(Enum):
    """The three classes of OPC UA quality, as counted in `q`."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class QualityCount:
    """How the points of a device stand: counts and the worst status name (`Good` if all are)."""

    good: int
    uncertain: int
    bad: int
    worst: str


@dataclass(frozen=True, slots=True)
class Report:
    """What of one reading is due to be sent; becomes one telemetry message."""

    device: str
    ts: int
    values: Mapping[str, Value]
    """`v`: every usable value that is due."""
    uncertain: Mapping[str, Status]
    bad: Mapping[str, Status]
    recovered: tuple[str, ...] = ()
    quality: QualityCount | None = None
    unchanged: int = 0
    """How many points of the reading were not due; for the books: polled = sent + unchanged."""
