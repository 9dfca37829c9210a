"""Rules as the engine sees them: resolved, frozen, with no trace of the file but their pack's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from gateway.model import Priority, Text, Value
from gateway.rules.readiness import Effect
from gateway.rules.review import Names

#: The kind of a pack whose rules hold for devices of every kind.
ANY_KIND = "any"


class Take(StrEnum):
    """What a window keeps of the values seen in its time."""

    MEAN = "mean"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    RANGE = "range"
    """Maximum less minimum; 0 is a frozen value."""
    CHANGE = "change"
    """Last less first."""
    RISE = "rise"
    """Last less minimum."""
    FALL = "fall"
    """Maximum less last."""
    INCREASE = "increase"
    """Sum of the upward steps of a counter; a step down is a reset."""
    TREND = "trend"
    """What a straight line through the values gained from the first to the last of them."""


class Combine(StrEnum):
    """How several expressions make one definition."""

    FIRST = "first"
    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Formula:
    """One expression, or several of which a device keeps those whose points it has."""

    parts: tuple[str, ...]
    combine: Combine = Combine.FIRST


@dataclass(frozen=True, slots=True)
class Window:
    """A named figure over the last `over_s` seconds of a formula; no figure before `least_s` of them were seen.
    Values count only while `when` holds."""

    name: str
    of: Formula
    take: Take
    over_s: float
    least_s: float
    when: Formula | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a rule. The condition must hold for `for_s`; announcing waits `on_s` more, and `off_s` at the end."""

    priority: Priority
    raise_: Formula
    clear: Formula | None
    """None: when the raising condition is false."""
    effect: Effect
    for_s: float = 0.0
    on_s: float = 0.0
    off_s: float = 0.0
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Part of a case: set and ramp points, let time pass, then look."""

    set: Mapping[str, Value | None]
    """None is a bad value."""
    ramp: Mapping[str, tuple[float, float]]
    facts: Mapping[str, Value]
    for_s: float
    expect: str
    """A priority, `none` or `cannot_tell`: what the condition says."""
    announced: str | None
    """A priority or `none`: what would be announced."""
    outside: frozenset[str] = frozenset()
    """Points outside their limits, from this step to the next."""


@dataclass(frozen=True, slots=True)
class Case:
    """A story a rule has to tell right."""

    facts: Mapping[str, Value]
    at: str
    """Local time the case begins at, on 1 June 2026."""
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A named condition over the points and facts of one kind; `levels` run from the highest priority down."""

    name: str
    kind: str
    codes: tuple[str, ...]
    text: Text
    action: Text
    role: str
    source: Text | None
    levels: tuple[Level, ...]
    when: Formula | None = None
    """Judged only while this holds; a level that was held clears when it ends."""
    when_for_s: float = 0.0
    again_s: float = 0.0
    """An alarm that is still active so long after it was raised, and acknowledged, is announced again; 0: never."""
    latched: bool = False
    """The alarm stays until an operator resets it; readiness follows the condition."""
    safety: bool = False
    """Danger to people: criticality C does not lower it, a work order does not disarm it."""
    raises: bool = False
    """One priority higher at response level I or II (`+R`)."""
    spreads: bool = False
    """While it holds, what depends on the device is not ready either."""
    limits: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    each: tuple[str, ...] = ()
    """The points `it` stands for."""
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A rule of the library that needs something not there yet."""

    code: str
    reason: Text


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of one kind. `define` in the order in which definitions may use each other."""

    name: str
    kind: str
    label: Text
    define: Mapping[str, Formula]
    windows: Mapping[str, Window]
    in_use: Formula | None
    rules: tuple[Rule, ...]
    waiting: tuple[Waiting, ...] = ()
    names: Names = field(default_factory=lambda: Names({}), compare=False)
    """What its expressions may use."""


@dataclass(frozen=True, slots=True)
class Override:
    """One value a site changed: `battery_low`, `levels.medium.on`, `10m`, `20m`."""

    rule: str
    key: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Everything a site judges by."""

    packs: tuple[Pack, ...] = ()
    overrides: tuple[Override, ...] = ()

    def of_kind(self, kind: str) -> tuple[Pack, ...]:
        """The packs that hold for devices of `kind`."""
        return tuple(pack for pack in self.packs if pack.kind in (kind, ANY_KIND))
