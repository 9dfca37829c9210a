"""One meaning per colour, in every panel; never colour alone: each also has a word, most a sign.

The colours stay apart for people who see no red or no green (a test simulates both).
"""

from __future__ import annotations

from collections.abc import Mapping

from grafana_foundation_sdk.models import dashboard as model

from gateway.model import Priority, ReadinessState, Text
from gateway.web.words import PRIORITIES, SIGNS, STATES, STATUSES

RED = "#CF1B2B"
"""Cannot do its job now; priority critical."""
ORANGE = "#F2801D"
"""Will probably fail when needed; priority high."""
YELLOW = "#F5D90A"
"""Reduced or overdue; priority medium."""
BLUE = "#1C55B5"
"""Notice; priority low."""
GREEN = "#12B886"
"""Ready, good."""
GREY = "#6F747C"
"""Not known: never good, never bad."""
PURPLE = "#DB6FD0"
"""At work: in use, running."""
DARK = "#3E3A36"
"""Taken out by a person: out of service, shelved, retired."""

STATE_COLOURS: Mapping[ReadinessState, str] = {
    ReadinessState.READY: GREEN,
    ReadinessState.DEGRADED: YELLOW,
    ReadinessState.NOT_READY: RED,
    ReadinessState.UNKNOWN: GREY,
    ReadinessState.IN_USE: PURPLE,
    ReadinessState.OUT_OF_SERVICE: DARK,
    ReadinessState.RETIRED: DARK,
}
#: Map markers: a shape for each state as well, by Grafana's own symbols.
STATE_SYMBOLS: Mapping[ReadinessState, str] = {
    ReadinessState.READY: "img/icons/marker/circle.svg",
    ReadinessState.DEGRADED: "img/icons/marker/triangle.svg",
    ReadinessState.NOT_READY: "img/icons/marker/cross.svg",
    ReadinessState.UNKNOWN: "img/icons/marker/square.svg",
}
PRIORITY_COLOURS: Mapping[Priority, str] = {
    Priority.CRITICAL: RED,
    Priority.HIGH: ORANGE,
    Priority.MEDIUM: YELLOW,
    Priority.LOW: BLUE,
}

LINE = "#9048FC"
"""Series that are only told apart: shades of it mean nothing."""
NO_COLOUR = "transparent"

ValueMapping = model.ValueMap | model.RangeMap | model.RegexMap | model.SpecialValueMap
Mappings = list[ValueMapping]


def words(found: Mapping[str, tuple[Text, str | None]], lang: str) -> Mappings:
    """Value mapping from what stands in the database to a word and a colour."""
    results = {
        raw: model.ValueMappingResult(text=text[lang], color=colour, index=index)
        for index, (raw, (text, colour)) in enumerate(found.items())
    }
    return [model.ValueMap(results)]


def nothing(text: Text, lang: str, colour: str = GREY) -> Mappings:
    """What is shown where a cell has no value."""
    result = model.ValueMappingResult(text=text[lang], color=colour)
    match = model.SpecialValueMatch.NULL_AND_NAN
    return [model.SpecialValueMap(model.DashboardSpecialValueMapOptions(match=match, result=result))]


NOT_KNOWN = Text("状态不明", "Unknown")


def states(lang: str) -> Mappings:
    """The states of readiness; a missing one is unknown, never ready."""
    found = {
        state.value: (Text(f"{SIGNS[state]} {STATES[state].zh}", f"{SIGNS[state]} {STATES[state].en}"), colour)
        for state, colour in STATE_COLOURS.items()
    }
    return words(found, lang) + nothing(Text(f"? {NOT_KNOWN.zh}", f"? {NOT_KNOWN.en}"), lang)


def levels(lang: str) -> Mappings:
    """`level` of an alarm: its priority, 0 in NORMAL."""
    found: dict[str, tuple[Text, str | None]] = {
        str(each.level): (Text(PRIORITIES[each].zh, PRIORITIES[each].en), colour)
        for each, colour in PRIORITY_COLOURS.items()
    }
    found["0"] = (Text("已恢复", "normal"), NO_COLOUR)
    return words(found, lang)


ALARM_STATES = {
    "NORMAL": (Text("正常", "normal"), None),
    "UNACK": (Text("未确认", "not acknowledged"), None),
    "ACKED": (Text("已确认", "acknowledged"), None),
    "RTN_UNACK": (Text("已恢复，未确认", "over, not acknowledged"), None),
    "LATCHED_UNACK": (Text("已闭锁，未确认", "latched, not acknowledged"), None),
    "LATCHED_ACKED": (Text("已闭锁，待复位", "latched, to be reset"), None),
}
SUPPRESSIONS = {
    "NONE": (Text("—", "—"), None),
    "SHELVED": (Text("已搁置", "shelved"), DARK),
    "SUPPRESSED": (Text("已抑制", "suppressed"), DARK),
    "OUT_OF_SERVICE": (Text("已停用", "out of service"), DARK),
}


def statuses(lang: str) -> Mappings:
    """Quality of a point: good is green, uncertain yellow, bad grey, since nothing is known then."""
    found = {status.name: (text, _quality_colour(status.name)) for status, text in STATUSES.items()}
    rest: Mappings = [
        model.RegexMap(model.DashboardRegexMapOptions(f"^{word}.*$", model.ValueMappingResult(text="$&", color=colour)))
        for word, colour in (("Uncertain", YELLOW), ("Bad", GREY))
    ]
    return words(found, lang) + rest


def _quality_colour(status: str) -> str:
    return GREEN if status.startswith("Good") else YELLOW if status.startswith("Uncertain") else GREY


def flags(lang: str, true: tuple[Text, str | None], false: tuple[Text, str | None]) -> Mappings:
    return words({"true": true, "false": false}, lang)
