"""One dashboard for each kind of equipment: the few quantities that matter, with their limits and their quality."""

from __future__ import annotations

from collections.abc import Mapping

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.source import palette, texts
from dashboards.source.common import AGE, device_list, open_alarm_list, site_column
from dashboards.source.influx import DEVICES, NOW, RANGE, Query
from dashboards.source.instruments import INSTRUMENTS, PER_12_V, Autonomy, Gauge, Instrument
from dashboards.source.page import CITY, COUNTY, EQUIPMENT, SITE_VARIABLE, TOWN, Page, Variable, devices_of
from dashboards.source.panels import Look, Override, Scale, gauge, timeline, trend
from dashboards.source.tables import TIME, Column, table
from dashboards.source.vocabulary import kind, label, point, unit
from gateway.model import Text, ValueType

FRESH = Variable(
    "fresh",
    Text("数值不早于", "Values not older than"),
    Text(
        "更早的数值不显示。只有上报周期设得更长的站点才需要加大。",
        "Older values are not shown. Sites that report less often need more.",
    ),
    values=((Text("5 分钟", "5 min"), "5m"), (Text("15 分钟", "15 min"), "15m"), (Text("1 小时", "1 h"), "1h")),
)
NOMINAL = Variable(
    "nominal",
    Text("电池标称电压", "Nominal battery voltage"),
    Text("用于把电池电压折算到 12 伏再与限值比较。", "Battery voltages are compared with limits as if at 12 V."),
    values=((Text("24 V", "24 V"), "24"), (Text("12 V", "12 V"), "12"), (Text("48 V", "48 V"), "48")),
)
_WINDOW = "time > now() - $fresh"


def pages(lang: str) -> list[Page]:
    return [_page(lang, name, instrument) for name, instrument in INSTRUMENTS.items()]


def _page(lang: str, name: str, instrument: Instrument) -> Page:
    title = kind(name).label
    has_battery = any(each.per_12_v for each in instrument.gauges)
    inputs = {each.name: each for part in instrument.autonomy for each in part.inputs}
    made = Page(
        name,
        EQUIPMENT,
        lang,
        title,
        Text(
            f"{title.zh}：每台的可用状态与原因、关键量及其限值、续航，以及每个测点的质量。",
            f"{title.en}: readiness and why, the quantities that matter with their limits, autonomy, and the quality "
            "of each point.",
        ),
        (
            CITY,
            COUNTY,
            TOWN,
            SITE_VARIABLE,
            devices_of(name),
            FRESH,
            *([NOMINAL] if has_battery else []),
            *(Variable(each.name, each.title, each.about, text=each.value) for each in inputs.values()),
        ),
        back=(
            ("site", Text("返回站点", "Back to the site")),
            ("overview", Text("一张图", "Overview")),
            ("alarms", Text("告警", "Alarms")),
        ),
    )
    made.add(device_list(lang, where=DEVICES, kind_name=name, height=7))
    if instrument.words:
        made.add(_words(lang, name, instrument))
    dials = [_dial(lang, name, each) for each in instrument.gauges]
    dials += [_autonomy(lang, name, each) for each in instrument.autonomy]
    made.add(*_in_lines(dials, 4))
    made.row(Text("走势与限值", "Trends and limits"))
    made.add(*_in_lines([_trend(lang, name, each) for each in instrument.gauges], 3))
    made.row(Text("测点质量", "Quality of the points"))
    made.add(_qualities(lang, name), _quality_line(lang, name), _quality_counts(lang))
    made.row(Text("告警", "Alarms"))
    made.add(open_alarm_list(lang, where=f"{DEVICES} AND \"kind\" = '{name}'", height=8))
    return made


def _in_lines(panels: list[build.Panel], per_line: int) -> list[build.Panel]:
    """The same panels, each line filling the width."""
    for start in range(0, len(panels), per_line):
        line = panels[start : start + per_line]
        for index, each in enumerate(line):
            share = 24 // len(line)
            each.span(24 - share * (len(line) - 1) if index == len(line) - 1 else share)
    return panels


def _scale(name: str, each: Gauge) -> Scale:
    return Scale(
        unit=unit(point(name, each.point).unit),
        decimals=each.decimals,
        low=each.low,
        high=each.high,
        base=each.base,
        steps=each.steps,
    )


def _value(name: str, each: Gauge, aggregate: str) -> tuple[Text, str]:
    """What it is called and how it is asked for."""
    text, query = label(name, each.point), f'{aggregate}("{each.point}")'
    if each.per_12_v:
        return Text(f"{text.zh}（折算到 12 V）", f"{text.en} (as at 12 V)"), f"{query}{PER_12_V}"
    return text, query


def _dial(lang: str, name: str, each: Gauge) -> build.Panel:
    text, value = _value(name, each, "last")
    query = f'SELECT {value} AS "value" FROM "{name}" WHERE {_WINDOW} AND {DEVICES} GROUP BY "site", "device"'
    look = Look(
        title=text,
        about=each.about,
        width=6,
        height=7,
        empty=Text("没有新的有效值", "No fresh valid value"),
    )
    return gauge(lang, look, [Query(query, alias="$tag_site / $tag_device")], scale=_scale(name, each))


def _autonomy(lang: str, name: str, each: Autonomy) -> build.Panel:
    fields = ", ".join(f'last("{field}") AS "{field}"' for field in each.points)
    query = (
        f'SELECT {each.hours} AS "hours" FROM (SELECT {fields} FROM "{name}" WHERE {_WINDOW} AND {DEVICES} '
        f'GROUP BY "site", "device"){" WHERE " + each.only if each.only else ""} GROUP BY "site", "device"'
    )
    look = Look(
        title=each.title,
        about=each.about,
        width=6,
        height=7,
        empty=each.empty,
    )
    scale = Scale(unit="suffix: h", decimals=1, low=0, high=each.high, base=each.base, steps=each.steps)
    return gauge(lang, look, [Query(query, alias="$tag_site / $tag_device")], scale=scale)


def _trend(lang: str, name: str, each: Gauge) -> build.Panel:
    text, value = _value(name, each, "mean")
    query = (
        f'SELECT {value} AS "value" FROM "{name}" WHERE {RANGE} AND {DEVICES} '
        'GROUP BY time($__interval), "site", "device" fill(null)'
    )
    look = Look(title=text, about=each.about, width=8, height=8)
    return trend(lang, look, [Query(query, alias="$tag_site / $tag_device")], scale=_scale(name, each), interval="2m")


def _words(lang: str, name: str, instrument: Instrument) -> build.Panel:
    """Switches and states of every device, side by side."""
    fields = ", ".join(f'last("{each.point}") AS "{each.point}"' for each in instrument.words)
    query = f'SELECT {fields} FROM "{name}" WHERE {_WINDOW} AND {DEVICES} GROUP BY "site", "device"'
    look = Look(
        title=Text("开关与状态", "Switches and states"),
        about=Text(
            "最新的有效值；设备没有该测点或质量无效时为空。",
            "The latest valid values; empty where a device has no such point, or a bad one.",
        ),
        width=24,
        height=6,
        empty=Text("没有新的有效值", "No fresh valid value"),
    )
    columns = [site_column(lang), Column(name="device", title=texts.DEVICE)]
    for each in instrument.words:
        known = point(name, each.point)
        if known.type is ValueType.BOOLEAN:
            mappings = palette.flags(
                lang, (Text("是", "yes"), each.colours.get("true")), (Text("否", "no"), each.colours.get("false"))
            )
        else:
            mappings = palette.words(
                {word: (text, each.colours.get(word, each.otherwise)) for word, text in known.words.items()}, lang
            )
        empty = palette.nothing(Text("—", "—"), lang, "transparent")
        columns.append(Column(name=each.point, title=known.label, mappings=mappings + empty, coloured=True))
    return table(lang, look, [Query(query, table=True)], columns, sort=("site", False))


def _qualities(lang: str, name: str) -> build.Panel:
    query = (
        'SELECT "status" FROM (SELECT last("status") AS "status" FROM "point_quality" '
        f'WHERE time > now() - 24h AND {DEVICES} GROUP BY "site", "device", "point") '
        'GROUP BY "site", "device", "point"'
    )
    names: Mapping[str, tuple[Text, None]] = {each.name: (each.label, None) for each in kind(name).points.values()}
    look = Look(
        title=Text("各测点的质量", "Quality of each point"),
        about=Text(
            "近一天质量不是一直正常的测点及其最新质量；不在此列的测点一直正常。无效的测点没有数值。",
            "Points whose quality was not good all day, as they are now; a point that is not listed was always good. "
            "A bad point has no value.",
        ),
        width=10,
        height=9,
        empty=Text("近一天全部正常", "All were good all day"),
    )
    columns = [
        site_column(lang),
        Column(name="device", title=texts.DEVICE),
        Column(name="point", title=Text("测点", "Point"), mappings=palette.words(names, lang)),
        Column(name="status", title=Text("质量", "Quality"), mappings=palette.statuses(lang), coloured=True),
        Column(name=TIME, title=Text("自", "Since"), scale=AGE),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=("status", False))


def _quality_line(lang: str, name: str) -> build.Panel:
    query = f'SELECT "status" FROM "point_quality" WHERE {RANGE} AND {DEVICES} GROUP BY "device", "point"'
    look = Look(
        title=Text("质量变化", "Quality over time"),
        about=Text(
            "每个出过问题的测点一行：绿为正常，黄为存疑，灰为无效。",
            "A line for each point that had trouble: green good, yellow uncertain, grey bad.",
        ),
        width=8,
        height=9,
        empty=Text("这段时间全部正常", "All were good in this time"),
    )
    names = [
        Override(f"/ {each.name}$", {"displayName": f"${{__field.labels.device}} {each.label[lang]}"}, by="regexp")
        for each in kind(name).points.values()
        if each.name in {gauge.point for gauge in INSTRUMENTS[name].gauges}
    ]
    alias = "$tag_device / $tag_point"
    return timeline(lang, look, [Query(query, alias=alias)], mappings=palette.statuses(lang), overrides=names)


def _quality_counts(lang: str) -> build.Panel:
    query = (
        f'SELECT last("good") AS "good", last("uncertain") AS "uncertain", last("bad") AS "bad", '
        f'last("worst") AS "worst" FROM "quality" WHERE {NOW} AND {DEVICES} GROUP BY "site", "device"'
    )
    look = Look(
        title=Text("测点数", "Points"),
        about=Text("5 分钟内质量为正常、存疑、无效的测点数。", "Points good, uncertain and bad in the last 5 minutes."),
        width=6,
        height=9,
        empty=Text("5 分钟内没有质量数据", "No quality was reported in the last 5 minutes"),
    )
    number = Scale(decimals=0)
    columns = [
        Column(name="device", title=texts.DEVICE),
        Column(name="good", title=Text("正常", "Good"), scale=number),
        Column(name="uncertain", title=Text("存疑", "Uncertain"), scale=number),
        Column(name="bad", title=Text("无效", "Bad"), scale=number),
        Column(name="worst", title=Text("最差", "Worst"), mappings=palette.statuses(lang), coloured=True),
        Column(name="site"),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=("bad", True))
