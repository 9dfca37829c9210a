"""What a protocol tells settings about itself: its keys and what they mean. Passed in from the composition root, so
that settings knows no protocol by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel

from gateway.model import Text, ValueType
from gateway.settings.types import DeviceSettings, LineSettings

SERIAL = "serial:"
"""What the endpoint of a serial port starts with; a profile's `line` keys are factory settings of such a port."""


class Wrong(ValueError):
    """A bad value, said in both languages; validators of option models raise it. `hint` says what to write instead."""

    def __init__(self, text: Text, hint: Text | None = None) -> None:
        super().__init__(text.en)
        self.text = text
        self.hint = hint


@dataclass(frozen=True, slots=True)
class SourcePoint:
    """One point a point entry gives (one, or one per word of `bits`)."""

    name: str
    type: ValueType
    options: object
    words: tuple[str, ...] = ()
    """The words a STRING point can take, where its encoding fixes them (`enum`)."""
    read_only: Text | None = None
    """Why the point can never be written; None where it can, if that is allowed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong that shows only when a line's devices are seen together. `key` is a path below the device or
    point entry, empty for the entry itself; without `device` it is about the line."""

    device: str | None
    point: str | None
    key: str
    text: Text | str
    hint: Text | str


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request of a plan, as `vigil check --plan` prints it. `first` is zero-based as on the wire."""

    device: str
    table: str
    first: int
    count: int
    points: int
    interval_s: float
    wire_ms: float


@dataclass(frozen=True, slots=True)
class LinePlan:
    """All requests of a line and the share of its time they take (1.0 = always busy)."""

    line: str
    requests: tuple[PlannedRequest, ...]
    load: float


class ProtocolModel(Protocol):
    """The keys of one protocol. The three models hold only the protocol's own keys, forbid others, and are frozen."""

    name: str
    line_options: type[BaseModel]
    device_options: type[BaseModel]
    point_options: type[BaseModel]

    def endpoint(self, line: BaseModel) -> str:
        """What two lines may not share: `serial:/dev/ttyUSB0`, `tcp:10.0.0.5:502`."""
        ...

    def points(self, name: str, options: BaseModel) -> Sequence[SourcePoint]:
        """The points one entry of `points:` stands for."""
        ...

    def review(self, line: LineSettings, devices: Sequence[DeviceSettings]) -> Sequence[Finding]:
        """What cannot be: overlaps, addresses past the end, unknown `scale_from`, a plan that does not fit."""
        ...

    def plan(self, line: LineSettings, devices: Sequence[DeviceSettings]) -> LinePlan: ...


Protocols = Mapping[str, ProtocolModel]
