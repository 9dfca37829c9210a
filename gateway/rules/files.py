"""The keys of a rule pack, one model for each mapping in it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.settings.files import Version
from gateway.settings.values import BothLanguages, Duration, FileModel, Number, Snake, Truth, Words

Code = Annotated[str, Field(pattern=r"^[A-Z]{2,4}-\d{2}$")]
PriorityName = Literal["critical", "high", "medium", "low"]
Expected = Literal["critical", "high", "medium", "low", "none", "cannot_tell"]
ZERO = 0.0


class FormulaKeys(FileModel):
    """Several expressions; a device keeps those whose points it has."""

    first: Annotated[tuple[Words, ...] | None, Field(description="The first that can be told.")] = None
    any: Annotated[tuple[Words, ...] | None, Field(description="True when one of them is.")] = None
    all: Annotated[tuple[Words, ...] | None, Field(description="True when all of them are.")] = None


FormulaText = Words | FormulaKeys


class WindowKeys(FileModel):
    """A figure over the last hours or days."""

    of: Annotated[FormulaText, Field(description="The value.", examples=["fuel_level"])]
    take: Annotated[
        Literal["mean", "minimum", "maximum", "range", "change", "rise", "fall", "increase", "trend"],
        Field(description="What is kept of it.", examples=["mean"]),
    ]
    over: Annotated[Duration, Field(description="Over how long.", examples=["1h"])]
    least: Annotated[Duration | None, Field(description="No figure before this much was seen.")] = None
    when: Annotated[FormulaText | None, Field(description="Values count only while this holds.")] = None


class LevelKeys(FileModel):
    """One step of a rule."""

    priority: Annotated[PriorityName, Field(description="How bad it is.", examples=["high"])]
    raise_: Annotated[
        FormulaText, Field(alias="raise", description="The condition.", examples=["battery_voltage < 12.4 * n"])
    ]
    clear: Annotated[FormulaText | None, Field(description="When it is over; not `raise` where this is absent.")] = None
    effect: Annotated[
        Literal["none", "degraded", "not_ready"] | None,
        Field(description="On readiness; by priority where absent: critical not_ready, high degraded, else none."),
    ] = None
    for_: Annotated[Duration | None, Field(alias="for", description="How long the condition must be true.")] = None
    on: Annotated[Duration | None, Field(description="How long announcing waits.")] = None
    off: Annotated[Duration | None, Field(description="How long announcing the end waits.")] = None
    text: Annotated[BothLanguages | None, Field(description="Where it differs from the rule's.")] = None


class StepKeys(FileModel):
    """Set or ramp points, let time pass, look."""

    set: Annotated[dict[Snake, Any], Field(default_factory=dict, description="Point: value, or `bad`.")]
    facts: Annotated[dict[Snake, Any], Field(default_factory=dict, description="Facts that change with this step.")]
    ramp: Annotated[
        dict[Snake, tuple[Number, Number]], Field(default_factory=dict, description="Point: [from, to] over `for`.")
    ]
    outside: Annotated[
        tuple[Snake, ...], Field(description="Points outside their limits, from this step to the next.")
    ] = ()
    for_: Annotated[Duration | None, Field(alias="for", description="How long; one sample where absent.")] = None
    expect: Annotated[Expected, Field(description="What the condition says.", examples=["high"])]
    announced: Annotated[
        Literal["critical", "high", "medium", "low", "none"] | None, Field(description="What is announced.")
    ] = None


class CaseKeys(FileModel):
    """A story the rule has to tell right; it begins on 1 June 2026."""

    facts: Annotated[dict[Snake, Any], Field(default_factory=dict)]
    at: Annotated[
        str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Local time it begins at.", examples=["22:00"])
    ] = "10:00"
    steps: Annotated[tuple[StepKeys, ...], Field(min_length=1)]


class RuleKeys(FileModel):
    """One rule."""

    codes: Annotated[tuple[Code, ...], Field(description="Rows of the rule library it comes from.")] = ()
    text: Annotated[BothLanguages, Field(description="What is the matter.")]
    action: Annotated[BothLanguages, Field(description="What to do.")]
    role: Annotated[Snake, Field(description="Who is told.", examples=["maintenance"])]
    source: Annotated[BothLanguages | None, Field(description="Where the numbers come from.")] = None
    limits: Annotated[
        dict[Snake, Number], Field(default_factory=dict, description="Numbers the conditions use by name.")
    ]
    each: Annotated[tuple[Snake, ...], Field(description="Points `it` stands for, one after the other.")] = ()
    when: Annotated[FormulaText | None, Field(description="Judged only while this holds.")] = None
    when_for: Annotated[Duration | None, Field(description="... and has held this long.")] = None
    levels: Annotated[tuple[LevelKeys, ...], Field(min_length=1)]
    again: Annotated[
        Duration | None,
        Field(description="Acknowledged and still active after this time, the alarm is announced again."),
    ] = None
    latched: Annotated[Truth, Field(description="The alarm stays until an operator resets it.")] = False
    safety: Annotated[Truth, Field(description="Danger to people: never lowered, never disarmed.")] = False
    raises: Annotated[Truth, Field(description="One priority higher at response level I or II.")] = False
    spreads: Annotated[Truth, Field(description="What depends on the device is then not ready either.")] = False
    cases: Annotated[tuple[CaseKeys, ...], Field(description="Stories it has to tell right.")] = ()


class WaitingKeys(FileModel):
    """A rule of the library that is not there yet."""

    code: Code
    reason: BothLanguages


class PackFile(FileModel):
    """The rules of one kind of equipment."""

    version: Version
    kind: Annotated[Snake, Field(description="Kind of the vocabulary, or `any`.", examples=["generator"])]
    name: Annotated[BothLanguages, Field(examples=[{"zh": "发电机组规则", "en": "Generator rules"}])]
    define: Annotated[
        dict[Snake, FormulaText], Field(default_factory=dict, description="Expressions the rules use by name.")
    ]
    windows: Annotated[dict[Snake, WindowKeys], Field(default_factory=dict)]
    in_use: Annotated[FormulaText | None, Field(description="When the equipment is running for real.")] = None
    rules: dict[Snake, RuleKeys]
    waiting: tuple[WaitingKeys, ...] = ()


class LevelOverride(FileModel):
    """What a site may change of a level."""

    raise_: Annotated[FormulaText | None, Field(alias="raise")] = None
    clear: FormulaText | None = None
    effect: Literal["none", "degraded", "not_ready"] | None = None
    for_: Annotated[Duration | None, Field(alias="for")] = None
    on: Duration | None = None
    off: Duration | None = None
    enabled: Truth = True


class RuleOverride(FileModel):
    """What a site may change of a rule, under its name in `rule_overrides`."""

    enabled: Truth = True
    role: Snake | None = None
    limits: Annotated[dict[Snake, Number], Field(default_factory=dict)]
    when: FormulaText | None = None
    when_for: Duration | None = None
    again: Duration | None = None
    latched: Truth | None = None
    levels: Annotated[dict[PriorityName, LevelOverride], Field(default_factory=dict)]
