"""What an explanation of a rule consists of; made by `gateway.rules.explain`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.model import Priority, Text, Value
from gateway.rules.types import Override
from gateway.wire.messages import Json


class Says(StrEnum):
    """The answer of a rule or a condition."""

    TRUE = "true"
    FALSE = "false"
    CANNOT_TELL = "cannot_tell"
    NOT_JUDGED = "not_judged"
    """The device lacks points or facts it needs, or the site switched it off."""


class Sort(StrEnum):
    """What a name in a condition stands for."""

    POINT = "point"
    FACT = "fact"
    DEFINITION = "definition"
    WINDOW = "window"
    BUILT_IN = "built_in"


@dataclass(frozen=True, slots=True)
class Named:
    """A name a condition asks for, and how it stands. `status`, `is_stale` and `age_ms` are those of a point."""

    name: str
    sort: Sort
    value: Value | None
    """None: it has no value that may be used."""
    label: Text | None = None
    unit: str = ""
    word: Text | None = None
    """What the value is called, where it is a word."""
    status: str | None = None
    is_stale: bool = False
    age_ms: int | None = None
    formula: str | None = None
    """What a definition or a window is made of."""


@dataclass(frozen=True, slots=True)
class Decider:
    """A part of a condition that made it say what it says; `names` are the points, facts and figures in it."""

    text: str
    says: Says
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delay:
    """A delay that runs: `for` (before it holds), `on`, `off` (before it is announced, and announced as over) or
    `when_for` (of the mask). `ends` is UTC ms; None while time stands still because nothing can be told."""

    what: str
    lasts_s: float
    ends: int | None


@dataclass(frozen=True, slots=True)
class Mask:
    """`when`: the rule is judged only while this holds."""

    condition: str
    says: Says
    is_armed: bool
    deciders: tuple[Decider, ...]
    delays: tuple[Delay, ...]


@dataclass(frozen=True, slots=True)
class LevelNow:
    """One level as it stands: the raising condition with what it says, and, while held, the clearing one."""

    priority: Priority
    """As it is here and now: response level and criticality are in it."""
    text: Text
    effect: str
    condition: str
    says: Says
    deciders: tuple[Decider, ...]
    clear: str | None
    is_over: Says | None
    """What the clearing condition says; None where the level is not held or has none of its own."""
    is_held: bool
    is_announced: bool
    since: int | None
    delays: tuple[Delay, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One rule of one device at `ts` (UTC ms). `levels` run from the highest priority down."""

    device: str
    rule: str
    ts: int
    says: Says
    level: Priority | None
    """The level that is held; also while nothing can be told."""
    announced: Priority | None
    since: int | None
    text: Text
    action: Text
    why: Text
    """The answer in one sentence."""
    mask: Mask | None
    levels: tuple[LevelNow, ...]
    names: tuple[Named, ...]
    missing: tuple[str, ...]
    """Names without a value that may be used: points that are bad or old, windows that saw too little. Of a rule that
    is not judged, what the device does not have."""
    overrides: tuple[Override, ...]


def as_json(told: Explanation) -> dict[str, Json]:
    """The same for programs; texts as `{"zh", "en"}`, times in UTC ms."""
    found = _plain(told)
    if not isinstance(found, dict):
        raise AssertionError("an explanation is a mapping")
    return found


def _plain(value: object) -> Json:
    if isinstance(value, Text):
        return value.as_dict()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return {name: _plain(getattr(value, name)) for name in fields}
    return value  # type: ignore[return-value]
