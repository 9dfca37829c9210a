"""What rules know besides points: facts, the age of dates, the time of day.

`<date>_age` is the age of a date fact in days (negative for a day to come), `<text>_minute` the minute of the day of a
fact such as "20:00", `time_of_day` the minute of the day at the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from gateway.model import MaybeValue, Value, ValueType
from gateway.rules.expressions import Plain
from gateway.settings.types import DeviceSettings, SiteSettings, VocabularyFact

TIME_OF_DAY = "time_of_day"
SILENT_FOR = "silent_for"
"""Seconds since the device last gave a usable value."""
GOOD_POLLS = "good_polls"
"""How many readings in a row gave something usable, up to `GOOD_POLLS_MOST`."""
GOOD_POLLS_MOST = 10
POLL_INTERVAL = "poll_interval"
"""Seconds."""
AGE, MINUTE = "_age", "_minute"
OUT_OF_RANGE = "points_out_of_range"
"""The points outside their limits, as one text; empty where there are none."""
OUT_OF_RANGE_SAMPLES = "out_of_range_samples"
"""How many readings in a row have been so, of the point that has been so longest."""
BUILT_IN: Mapping[str, ValueType] = {
    OUT_OF_RANGE: ValueType.STRING,
    OUT_OF_RANGE_SAMPLES: ValueType.NUMBER,
    TIME_OF_DAY: ValueType.NUMBER,
    SILENT_FOR: ValueType.NUMBER,
    GOOD_POLLS: ValueType.NUMBER,
    POLL_INTERVAL: ValueType.NUMBER,
}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def plain(value: MaybeValue) -> Plain | None:
    """A value as expressions take it: every number a double."""
    if value is None or isinstance(value, bool | str):
        return value
    return float(value) if isinstance(value, int | Decimal) else value


def facts_of(site: SiteSettings, device: DeviceSettings) -> dict[str, Value]:
    """The facts a device is judged with: its own, else the site's where they are facts of its kind too (the mode of a
    shelter is no selector of a pump)."""
    known = site.kinds[device.kind].facts
    return {**{name: value for name, value in site.facts.items() if name in known}, **device.facts}


def fact_types(facts: Mapping[str, VocabularyFact]) -> dict[str, ValueType]:
    """Every name the facts of a kind give, with its type."""
    types: dict[str, ValueType] = {}
    for name, fact in facts.items():
        types[name] = fact.type
        if fact.is_date:
            types[name + AGE] = ValueType.NUMBER
        elif fact.type is ValueType.STRING and not fact.words:
            types[name + MINUTE] = ValueType.NUMBER
    return types


def standing(facts: Mapping[str, Value]) -> dict[str, Plain]:
    """What facts give that time does not change."""
    known: dict[str, Plain] = {}
    for name, value in facts.items():
        given = plain(value)
        if given is None:
            continue
        known[name] = given
        if isinstance(given, str) and (match := _CLOCK.fullmatch(given)):
            known[name + MINUTE] = float(match[1]) * 60 + float(match[2])
    return known


def dates_of(facts: Mapping[str, Value], vocabulary: Mapping[str, VocabularyFact]) -> dict[str, date]:
    """The date facts that are given."""
    return {
        name: date.fromisoformat(str(value))
        for name, value in facts.items()
        if name in vocabulary and vocabulary[name].is_date
    }


def passing(dates: Mapping[str, date], names: Iterable[str], ts: int, zone: tzinfo) -> dict[str, Plain]:
    """What time alone changes among `names`, at `ts` (UTC ms) in the site's time zone."""
    local = datetime.fromtimestamp(ts / 1000, UTC).astimezone(zone)
    known: dict[str, Plain] = {}
    for name in names:
        if name == TIME_OF_DAY:
            known[name] = float(local.hour * 60 + local.minute)
        elif name.endswith(AGE) and name.removesuffix(AGE) in dates:
            known[name] = float((local.date() - dates[name.removesuffix(AGE)]).days)
    return known
