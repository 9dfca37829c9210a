"""Panels as every dashboard uses them: title, what it says, what it shows where nothing is, unit and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from dashboards.source.influx import DATASOURCE, Query
from dashboards.source.palette import LINE, NO_COLOUR, Mappings
from dashboards.source.texts import NO_DATA
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

    def thresholds(self, *, behind: bool = False) -> dict[str, object]:
        """`behind` where the colour lies behind the value: ordinary text has none there."""
        base = NO_COLOUR if behind and self.base == TEXT else self.base
        steps: list[dict[str, object]] = [{"value": None, "color": base}]
        steps += [{"value": value, "color": colour} for value, colour in self.steps]
        return {"mode": "absolute", "steps": steps}


PLAIN = Scale()

Properties = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Override:
    """Properties of one field, with `by="query"` of all fields of one query, with `by="regexp"` of fields so named."""

    of: str
    properties: Properties
    by: str = "name"


def panel(
    lang: str,
    type_: str,
    look: Look,
    queries: Sequence[Query],
    *,
    options: Mapping[str, object],
    custom: Mapping[str, object] | None = None,
    scale: Scale = PLAIN,
    colour: str = "thresholds",
    mappings: Mappings | None = None,
    overrides: Sequence[Override] = (),
    transform: Sequence[tuple[str, Mapping[str, object]]] = (),
    links: Sequence[Mapping[str, object]] = (),
    interval: str | None = None,
) -> build.Panel:
    """Any panel; the functions below know the options of their type."""
    defaults = model.FieldConfig(
        unit=scale.unit,
        decimals=scale.decimals,
        min_val=scale.low,
        max_val=scale.high,
        mappings=mappings or [],
        thresholds=scale.thresholds(behind=type_ == "stat"),
        color={"mode": colour} | ({"fixedColor": LINE} if colour == "shades" else {}),
        links=[dict(link) for link in links],
        no_value=look.empty[lang],
        custom=dict(custom or {}),
    )
    matchers = {"name": "byName", "query": "byFrameRefID", "regexp": "byRegexp"}
    found = [
        {
            "matcher": {"id": matchers[each.by], "options": each.of},
            "properties": [{"id": key, "value": value} for key, value in each.properties.items()],
        }
        for each in overrides
    ]
    built = build.Panel().type(type_).title(look.title[lang]).description(look.about[lang]).span(look.width)
    built = built.height(look.height).options(dict(options)).targets(list(queries))
    built = built.datasource({"type": "influxdb", "uid": DATASOURCE})
    built = built.field_config(model.FieldConfigSource(defaults=defaults, overrides=found))
    if transform:
        built = built.transformations(
            [model.DataTransformerConfig(id_val=id_, options=dict(o)) for id_, o in transform]
        )
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
    **more: object,
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
    return panel(lang, "stat", look, queries, options=options, scale=scale, **more)  # type: ignore[arg-type]


def gauge(lang: str, look: Look, queries: Sequence[Query], *, scale: Scale, **more: object) -> build.Panel:
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
    return panel(lang, "gauge", look, queries, options=options, scale=scale, **more)  # type: ignore[arg-type]


_LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}


def trend(
    lang: str,
    look: Look,
    queries: Sequence[Query],
    *,
    scale: Scale = PLAIN,
    bars: bool = False,
    stacked: bool = False,
    interval: str | None = "1m",
    **more: object,
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
    more.setdefault("colour", "shades")
    return panel(
        lang, "timeseries", look, queries, options=options, custom=custom, scale=scale, interval=interval, **more
    )  # type: ignore[arg-type]


def timeline(
    lang: str, look: Look, queries: Sequence[Query], *, mappings: Mappings, interval: str = "2m", **more: object
) -> build.Panel:
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
    custom = {"fillOpacity": 85, "lineWidth": 0, "spanNulls": False}
    return panel(
        lang,
        "state-timeline",
        look,
        queries,
        options=options,
        custom=custom,
        mappings=mappings,
        interval=interval,
        **more,  # type: ignore[arg-type]
    )


def bars(lang: str, look: Look, queries: Sequence[Query], *, scale: Scale, names: str, **more: object) -> build.Panel:
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
    return panel(lang, "barchart", look, queries, options=options, custom=custom, scale=scale, **more)  # type: ignore[arg-type]
