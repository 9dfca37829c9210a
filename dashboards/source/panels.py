"""Panels as every dashboard uses them: title, what it says, what it shows where nothing is, unit and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from dashboards.source.influx import Query, data_source
from dashboards.source.palette import LINE, NO_COLOUR, Mappings
from dashboards.source.texts import NO_DATA, NONE
from gateway.model import Text

Step = tuple[float, str]
"""From this value on, this colour."""

TEXT = "text"
"""Grafana's colour of ordinary text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What every panel says of itself, and the room it takes of 24 columns."""

    title: Text
    about: Text
    width: int
    height: int
    empty: Text = NO_DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How numbers are shown. `base` is the colour below the first of `steps`."""

    unit: str = "none"
    decimals: int | None = None
    low: float | None = None
    high: float | None = None
    base: str = TEXT
    steps: Sequence[Step] = ()

    def thresholds(self, *, behind: bool = False) -> model.ThresholdsConfig:
        """`behind` where the colour lies behind the value: ordinary text has none there."""
        base = NO_COLOUR if behind and self.base == TEXT else self.base
        steps = [model.Threshold(None, base), *(model.Threshold(value, colour) for value, colour in self.steps)]
        return model.ThresholdsConfig(model.ThresholdsMode.ABSOLUTE, steps)


PLAIN = Scale()

Properties = Mapping[str, object]
Transformation = tuple[str, Mapping[str, object]]
"""Its id and its options."""

_MATCHERS = {"name": "byName", "query": "byFrameRefID", "regexp": "byRegexp"}


@dataclass(frozen=True, slots=True)
class Override:
    """Properties of one field, with `by="query"` of all fields of one query, with `by="regexp"` of fields so named."""

    of: str
    properties: Properties
    by: str = "name"

    def build(self) -> model.DashboardFieldConfigSourceOverrides:
        properties = [model.DynamicConfigValue(key, value) for key, value in self.properties.items()]
        matcher = model.MatcherConfig(_MATCHERS[self.by], self.of)
        return model.DashboardFieldConfigSourceOverrides(matcher=matcher, properties=properties)


class More(TypedDict, total=False):
    """What any panel may have besides."""

    colour: model.FieldColorModeId
    mappings: Mappings
    overrides: Sequence[Override]
    transform: Sequence[Transformation]
    interval: str | None


def panel(
    lang: str,
    type_: str,
    look: Look,
    queries: Sequence[Query],
    *,
    options: Mapping[str, object],
    custom: Mapping[str, object] | None = None,
    scale: Scale = PLAIN,
    **more: Unpack[More],
) -> build.Panel:
    """Any panel; the functions below know the options of their type."""
    colour = more.get("colour", model.FieldColorModeId.THRESHOLDS)
    fixed = LINE if colour is model.FieldColorModeId.SHADES else None
    defaults = model.FieldConfig(
        unit=scale.unit,
        decimals=scale.decimals,
        min_val=scale.low,
        max_val=scale.high,
        mappings=more.get("mappings", []),
        thresholds=scale.thresholds(behind=type_ == "stat"),
        color=model.FieldColor(colour, fixed),
        no_value=look.empty[lang],
        custom=dict(custom or {}),
    )
    overrides = [each.build() for each in more.get("overrides", ())]
    built = build.Panel().type(type_).title(look.title[lang]).description(look.about[lang]).span(look.width)
    built = built.height(look.height).options(dict(options)).targets(list(queries)).datasource(data_source())
    built = built.field_config(model.FieldConfigSource(defaults=defaults, overrides=overrides))
    if steps := more.get("transform"):
        built = built.transformations([model.DataTransformerConfig(id_val=id_, options=dict(o)) for id_, o in steps])
    interval = more.get("interval")
    return built if interval is None else built.interval(interval)


def _reduced(*, fields: str = "", values: bool = False, calc: str = "lastNotNull") -> dict[str, object]:
    return {"values": values, "calcs": [calc], "fields": fields, "limit": 50}


_ALL_BUT_TIME = "/^(?!Time$)/"


def stat(
    lang: str,
    look: Look,
    queries: Sequence[Query],
    *,
    scale: Scale = PLAIN,
    words: bool = False,
    rows: bool = False,
    names: bool = False,
    calc: str = "lastNotNull",
    **more: Unpack[More],
) -> build.Panel:
    """Large numbers, or words with `words`; `rows` shows one for each row instead of one for each series."""
    options = {
        "reduceOptions": _reduced(fields=_ALL_BUT_TIME if words else "", values=rows, calc=calc),
        "orientation": "auto",
        "textMode": "value_and_name" if names else "value",
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "center",
        "wideLayout": True,
        "showPercentChange": False,
    }
    return panel(lang, "stat", look, queries, options=options, scale=scale, **more)


def count(
    lang: str, title: Text, about: Text, query: str, *, width: int, height: int = 4, scale: Scale = PLAIN
) -> build.Panel:
    """How many there are of something: one large number, or a word for none."""
    look = Look(title=title, about=about, width=width, height=height, empty=NONE)
    return stat(lang, look, [Query(query)], scale=scale)


def gauge(lang: str, look: Look, queries: Sequence[Query], *, scale: Scale, **more: Unpack[More]) -> build.Panel:
    """A dial with its limits drawn."""
    options = {
        "reduceOptions": _reduced(),
        "orientation": "auto",
        "showThresholdLabels": True,
        "showThresholdMarkers": True,
        "sizing": "auto",
        "minVizWidth": 90,
        "minVizHeight": 90,
    }
    return panel(lang, "gauge", look, queries, options=options, scale=scale, **more)


_LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}


def trend(
    lang: str,
    look: Look,
    queries: Sequence[Query],
    *,
    scale: Scale = PLAIN,
    bars: bool = False,
    stacked: bool = False,
    **more: Unpack[More],
) -> build.Panel:
    """Values over time. Where nothing came there is a gap; limits are drawn as lines."""
    custom = {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "linear",
        "lineWidth": 1 if bars else 2,
        "fillOpacity": 70 if bars else 0,
        "spanNulls": False,
        "showPoints": "never" if bars else "auto",
        "pointSize": 4,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if scale.steps else "off"},
        "axisPlacement": "auto",
    }
    options = {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}}
    more.setdefault("colour", model.FieldColorModeId.SHADES)
    more.setdefault("interval", "1m")
    return panel(lang, "timeseries", look, queries, options=options, custom=custom, scale=scale, **more)


def timeline(lang: str, look: Look, queries: Sequence[Query], **more: Unpack[More]) -> build.Panel:
    """States over time, a line for each series; a gap where nothing was told."""
    options = {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.85,
        "perPage": 20,
        "legend": {**_LEGEND, "showLegend": False},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    more.setdefault("interval", "2m")
    custom = {"fillOpacity": 85, "lineWidth": 0, "spanNulls": False}
    return panel(
        lang,
        "state-timeline",
        look,
        queries,
        options=options,
        custom=custom,
        **more,
    )


def bars(
    lang: str, look: Look, queries: Sequence[Query], *, scale: Scale, names: str, **more: Unpack[More]
) -> build.Panel:
    """Horizontal bars, one for each row; `names` is the field that names them."""
    options = {
        "orientation": "horizontal",
        "xField": names,
        "showValue": "always",
        "stacking": "none",
        "groupWidth": 0.8,
        "barWidth": 0.9,
        "barRadius": 0.1,
        "fullHighlight": False,
        "xTickLabelRotation": 0,
        "xTickLabelSpacing": 0,
        "legend": {**_LEGEND, "showLegend": False},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    custom = {"fillOpacity": 85, "lineWidth": 0}
    return panel(lang, "barchart", look, queries, options=options, custom=custom, scale=scale, **more)
