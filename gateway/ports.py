"""The few Protocols with I/O or time behind them. Everything else is plain functions and data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.errors import GatewayError
from gateway.model import AlarmState, Answer, Fault, Job, MaybeValue, Priority, Status, Text, Transition, Value


class Clock(Protocol):
    """Monotonic time schedules, wall time labels."""

    def monotonic(self) -> float:
        """Seconds; never steps."""
        ...

    def wall_ms(self) -> int:
        """UTC milliseconds; steps when somebody sets the clock."""
        ...

    @property
    def synced(self) -> bool:
        """Whether `wall_ms` is to be believed (NTP, or a trusted hardware clock)."""
        ...

    async def sleep_until(self, monotonic_s: float) -> None: ...


class Line(Protocol):
    """One thing that can be busy: owns port, framing, silences and late windows. One request at a time per caller;
    the scheduler picks what runs next, the line executes it."""

    async def run(self, job: Job, deadline: float) -> Answer | Fault:
        """Send `job`, give its answer or its fault; never later than `deadline` (monotonic seconds), never raises for
        what the field does."""
        ...

    def rests_until(self, unit: int) -> float:
        """Monotonic seconds before which `unit` may not be asked (late window after a time-out); 0 where it may."""
        ...

    def reach(self) -> bool | None:
        """Whether the way to the field is there: False since an attempt to open it failed, None where that is not
        known. Begins to open a line again that is closed, in the background, as often as is polite; returns at once."""
        ...

    def counters(self) -> Mapping[str, int]:
        """Counts since start: requests, answers, and each reason a frame was discarded for (`discarded_crc`, ...)."""
        ...

    async def close(self) -> None: ...


class Values(NamedTuple):
    """Decoded points of one poll, in parallel; the shape of `gateway.model.Reading` without device and time."""

    points: tuple[str, ...]
    values: tuple[MaybeValue, ...]
    statuses: tuple[Status, ...]


class DevicePlan(Protocol):
    """How one device is read: compiled once from its points by the protocol, owns what was learnt about the device
    since (addresses it refuses, gaps it does not like). Pure: no I/O, no clock but the times it is given."""

    def jobs(self) -> Sequence[Job]:
        """The requests as they stand now, those of each interval by themselves; each is due every `job.interval_s`. The
        same object until something was learnt."""
        ...

    def together(self, due: Sequence[Job]) -> Sequence[Job]:
        """What to ask for all of `due`, which are whole intervals of `jobs()` that fall due at the same time."""
        ...

    def refused(self, job: Job, code: int, now: float) -> Sequence[Job]:
        """What to ask instead, at once, after the device refused `job`: its pieces, or nothing if it stays refused."""
        ...

    def decode(self, outcomes: Sequence[tuple[Job, Answer | Fault]], now: float) -> Values:
        """Values and statuses of all points of the poll's jobs; faults become statuses."""
        ...


class Refused(GatewayError):
    """An order that is answered with no: `error` is a fixed word for programs, `text` is for people."""

    def __init__(self, error: str, text: Text) -> None:
        super().__init__(text.en, text.zh)
        self.error = error
        self.text = text


class Unwritable(GatewayError):
    """A value that cannot be written to a point as it is; `text` says why and what could be."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en, text.zh)
        self.text = text


class PointAccess(Protocol):
    """Single points of one device, by hand: each read or written by one job of its own. Pure."""

    def read(self, point: str) -> Job:
        """The job that reads `point` and nothing else; KeyError where there is none."""
        ...

    def decode(self, point: str, answer: Answer) -> tuple[MaybeValue, Status]:
        """What the answer to `read(point)` says."""
        ...

    def write(self, point: str, value: Value) -> Job:
        """The job that makes `point` read as exactly `value`; Unwritable where none can."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """One accepted message in the outbox.

    `body` is the payload's JSON members after `id` and `ts`, without the opening brace, with the closing one:
    the message on the wire is `{"id":"<outbox>-<seq>","ts":<ts>,` + body (gateway.wire.frame).
    """

    seq: int
    ts: int
    topic: str
    body: bytes
    retain: bool
    rank: int
    """0 alarm and event, 1 readiness and status, 2 telemetry; lower goes first and is dropped last."""
    held: bool = False
    """Not to be given out yet: `ts` is provisional until the clock is known (`gateway.timekeeping.keeper`)."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Somebody else's word that these sequence ranges (inclusive) of `outbox` are safe."""

    outbox: str
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """One row for a time-series database: what one message says of one series at one time (UTC ms)."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: Mapping[str, bool | float | str]
    ts: int


class Sink(Protocol):
    """A database at the centre. Returns only after it has the facts for good."""

    async def write(self, facts: Sequence[Fact]) -> None:
        """Store all facts; SinkUnavailable (nothing may be assumed), SinkRejected (the others are stored)."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class AlarmOrder:
    """What a person asks of one alarm (`device` may be `_gateway` or `_site`).

    `act` is ack, reset, shelve, unshelve, out_of_service or return; `by` and `role` are of a checked credential.
    """

    act: str
    device: str
    rule: str
    by: str
    role: str
    note: str = ""
    for_s: float | None = None
    """Shelve: for how long; always needed there."""
    work_order: str = ""
    """Out of service: by which order; always needed there."""


class AlarmDesk(Protocol):
    """The alarms of the running site, for whoever shows them and for whoever acts on them."""

    def alarms(self) -> Sequence[AlarmState]:
        """Every alarm that is not NORMAL, or is kept from being announced; the worst first."""
        ...

    async def order(self, order: AlarmOrder) -> AlarmState:
        """Do it; the alarm as it stands then, on disk already. Refused, with the reason in both languages."""
        ...


class Announcer(Protocol):
    """The way from alarms to people. What is to be said is planned before a transition is on disk, and kept in its own
    transaction; nobody is told before that."""

    def plan(self, transition: Transition) -> Mapping[str, bytes | None]:
        """The documents to keep with the transition (None deletes one). Pure but for what it remembers; never fails."""
        ...

    def told(self, transition: Transition) -> None:
        """The transition and what was planned for it are on disk: go on."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to the people behind one channel, ready to be read. Equal ids are the same notice, tried again."""

    id: str
    channel: str
    priority: Priority
    title: str
    short: str
    """One paragraph, as an SMS."""
    long: str
    """Several lines, the title not among them."""
    alarms: tuple[str, ...]
    """`gen-1/battery_low`, the worst first; all that the notice counts."""
    calls: tuple[str, ...] = ()
    """Those of them that stand and wait for somebody to acknowledge them."""


class Notifier(Protocol):
    """One way to people."""

    async def send(self, notice: Notice) -> None:
        """Return once the other side has taken it. NotifyRetry (nothing may be assumed), NotifyRejected (never)."""
        ...

    async def close(self) -> None:
        """Let go of everything, in bounded time; nothing is sent afterwards."""
        ...
