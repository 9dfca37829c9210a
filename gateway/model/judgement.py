"""What is made of readings: verdicts of rules, and readiness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.model.readings import Text, Value


class Priority(StrEnum):
    """Alarm priorities and their equipment colours: 红 critical, 橙 high, 黄 medium, 蓝 low (ISA-18.2)."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def level(self) -> int:
        return {"critical": 4, "high": 3, "medium": 2, "low": 1}[self.value]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of a device at `ts`: at which priority its condition holds, and whether that can be told."""

    device: str
    rule: str
    ts: int
    level: Priority | None
    """The condition holds now, hysteresis included; None while it does not."""
    announced: Priority | None
    """The same after the delays for announcing it and its end."""
    unsure: bool
    """Cannot tell now; `level` is what it was when it could be told."""
    since: int
    """UTC ms: `level` is what it is since then."""
    because: Mapping[str, Value]
    """The values the condition looked at when `level` last changed."""
    text: Text | None = None
    """Of the level that is announced."""


class ReadinessState(StrEnum):
    READY = "ready"
    DEGRADED = "degraded"
    NOT_READY = "not_ready"
    UNKNOWN = "unknown"
    IN_USE = "in_use"
    OUT_OF_SERVICE = "out_of_service"
    RETIRED = "retired"

    @property
    def is_usable(self) -> bool:
        return self in (ReadinessState.READY, ReadinessState.DEGRADED, ReadinessState.IN_USE)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a device is not simply ready: a rule that holds, or `unknown` facts about named points."""

    rule: str
    priority: Priority
    text: Text


@dataclass(frozen=True, slots=True)
class Readiness:
    """The judgement on one device at `ts`; `score` 0..100, None while unknown; reasons in order of weight."""

    device: str
    ts: int
    state: ReadinessState
    since: int
    valid_until: int
    score: int | None
    reasons: tuple[Reason, ...] = ()
