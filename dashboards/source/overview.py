"""一张图: where something is wrong, seen in three seconds."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.source import palette, texts
from dashboards.source.common import (
    AGE,
    alarm_counts,
    device_column,
    kind_column,
    kind_counts,
    open_alarm_list,
    site_column,
)
from dashboards.source.influx import HOUR, NOW, OPEN, SITES, Query, open_alarms, refs
from dashboards.source.page import CITY, COUNTY, FLEET, SITE_VARIABLE, TOWN, Page, cell, url
from dashboards.source.panels import Look, Scale, count, panel, stat
from dashboards.source.tables import TIME, Column, table
from gateway.model import ReadinessState, Text
from gateway.web.words import SIGNS, STATES

_MAPPED = (ReadinessState.READY, ReadinessState.DEGRADED, ReadinessState.NOT_READY)
"""Drawn in this order, each above the one before it, all above the grey ground."""


def page(lang: str) -> Page:
    made = Page(
        "overview",
        FLEET,
        lang,
        Text("一张图", "Overview"),
        Text(
            "所有站点此刻是否可用、哪里有告警、哪里失联；点站点进入下一层。",
            "Whether every site could be used now, where alarms are open, who is silent; a click leads down.",
        ),
        (CITY, COUNTY, TOWN, SITE_VARIABLE),
        back=(
            ("alarms", Text("告警", "Alarms")),
            ("gateway", Text("网关运行", "Fleet")),
            ("site", Text("站点", "Site")),
        ),
        since="now-1h",
    )
    made.add(*_sites_by_state(lang), *alarm_counts(lang, width=2), _silent(lang), _newest(lang))
    made.add(_map(lang), kind_counts(lang, width=12, height=14))
    made.add(open_alarm_list(lang, height=9))
    made.add(_site_list(lang), _silent_list(lang))
    made.row(Text("近一小时的变化", "What changed in the last hour"))
    made.add(_changes(lang), _new_alarms(lang))
    return made


def _latest_sites(lang: str, window: str = NOW) -> str:
    return (
        f'(SELECT last("state") AS "state", "lat" AS "lat", "lon" AS "lon", "name_{lang}" AS "name" '
        f'FROM "site" WHERE {window} AND {SITES} GROUP BY "site")'
    )


def _sites_by_state(lang: str) -> list[build.Panel]:
    found = []
    for state in (ReadinessState.READY, ReadinessState.DEGRADED, ReadinessState.NOT_READY, ReadinessState.UNKNOWN):
        title = Text(f"{SIGNS[state]} {STATES[state].zh}站点", f"{SIGNS[state]} Sites {STATES[state].en.lower()}")
        about = Text(
            "站点数，按 5 分钟内最新的站点状态；失联站点计入状态不明。",
            "Number of sites by their state of the last 5 minutes; silent sites count as unknown.",
        )
        query = f'SELECT count("state") AS "sites" FROM {_latest_sites(lang)} WHERE "state" = \'{state.value}\''
        scale = Scale(steps=[(1, palette.STATE_COLOURS[state])])
        found.append(count(lang, title, about, query, width=3, scale=scale))
    return found


_IS_SILENT = "\"rule\" = 'site_silent'"


def _silent(lang: str) -> build.Panel:
    title = Text("失联站点", "Silent sites")
    about = Text(
        "网关 3 分钟以上没有上报的站点数。",
        "Sites whose gateway has said nothing for more than 3 minutes.",
    )
    query = f'SELECT count("level") AS "sites" FROM {open_alarms(f"{SITES} AND {_IS_SILENT}")} WHERE "level" > 0'
    return count(lang, title, about, query, width=2, scale=Scale(steps=[(1, palette.GREY)]))


def _newest(lang: str) -> build.Panel:
    look = Look(
        title=Text("最新数据", "Newest data"),
        about=Text(
            "5 分钟内写入的状态判断条数；没有数据说明中心的采集或数据库停了，本页其余内容都不可信。",
            "Judgements written in the last 5 minutes; none means that ingest or database stand still and nothing on "
            "this page can be trusted.",
        ),
        width=2,
        height=4,
        empty=Text("中断", "Stopped"),
    )
    query = f'SELECT count("ready") AS "rows" FROM "readiness" WHERE {NOW} AND {SITES}'
    return stat(lang, look, [Query(query)], scale=Scale(base=palette.GREY, steps=[(1, palette.GREEN)], decimals=0))


def _map(lang: str) -> build.Panel:
    """Every site known in a week is drawn grey; those whose state is known now are drawn over it in their colour."""
    week = refs(1 + len(_MAPPED))
    queries = [Query(f'SELECT "state", "lat", "lon", "name" FROM {_latest_sites(lang, OPEN)} GROUP BY "site"',
                     ref=week[0], table=True)]  # fmt: skip
    layers = [_layer(lang, week[0], ReadinessState.UNKNOWN, size=8)]
    for ref, state in zip(week[1:], _MAPPED, strict=True):
        text = (
            f'SELECT "state", "lat", "lon", "name" FROM {_latest_sites(lang)} '
            f'WHERE "state" = \'{state.value}\' GROUP BY "site"'
        )
        queries.append(Query(text, ref=ref, table=True))
        layers.append(_layer(lang, ref, state, size=11))
    look = Look(
        title=Text("站点分布", "Map of the sites"),
        about=Text(
            "颜色和形状表示站点状态。灰色表示现状不明：一周内出现过的站点都先画成灰色，5 分钟内确知状态的才着色。",
            "Colour and shape tell a site's state. Grey means that nothing is known: every site of the last week is "
            "drawn grey, and only one whose state of the last 5 minutes is known gets a colour over it.",
        ),
        width=12,
        height=14,
        empty=Text("没有带位置的站点", "No site with a place"),
    )
    options = {
        "view": {"id": "fit", "lat": 36.0, "lon": 102.0, "zoom": 6, "allLayers": True, "padding": 10},
        "controls": {"showZoom": True, "mouseWheelZoom": True, "showAttribution": True, "showScale": True},
        "basemap": {"type": "default", "name": Text("底图", "Base map")[lang], "config": {}},
        "layers": layers,
        "tooltip": {"mode": "details"},
    }
    columns = [
        site_column(lang),
        Column(name="name", title=texts.NAME),
        Column(name="state", title=texts.STATE, mappings=palette.states(lang)),
        Column(name="lat", title=Text("纬度", "Latitude")),
        Column(name="lon", title=Text("经度", "Longitude")),
    ]
    return panel(lang, "geomap", look, queries, options=options, overrides=[each.override(lang) for each in columns])


def _layer(lang: str, ref: str, state: ReadinessState, size: int) -> dict[str, object]:
    return {
        "type": "markers",
        "name": f"{SIGNS[state]} {STATES[state][lang]}",
        "filterData": {"id": "byRefId", "options": ref},
        "location": {"mode": "coords", "latitude": "lat", "longitude": "lon"},
        "tooltip": True,
        "config": {
            "showLegend": True,
            "style": {
                "color": {"fixed": palette.STATE_COLOURS[state]},
                "size": {"fixed": size, "min": 2, "max": 15},
                "symbol": {"mode": "fixed", "fixed": palette.STATE_SYMBOLS[state]},
                "symbolAlign": {"horizontal": "center", "vertical": "center"},
                "opacity": 1,
            },
        },
    }


def _site_list(lang: str) -> build.Panel:
    known = (
        'SELECT "name" FROM '
        f'(SELECT last("name_{lang}") AS "name" FROM "site" WHERE {OPEN} AND {SITES} GROUP BY "site") GROUP BY "site"'
    )
    now = f'SELECT "state" FROM {_latest_sites(lang)} GROUP BY "site"'
    look = Look(
        title=Text("站点清单", "Sites"),
        about=Text(
            "一周内出现过的所有站点；5 分钟内没有状态的显示为状态不明。",
            "Every site of the last week; one without a state in the last 5 minutes is unknown.",
        ),
        width=14,
        height=9,
    )
    columns = [
        Column(name="state", title=texts.STATE, mappings=palette.states(lang), coloured=True, width=140),
        site_column(lang),
        Column(name="name", title=texts.NAME, link=url("site", lang, site=cell("site"))),
    ]
    queries = [Query(known, ref="A", table=True), Query(now, ref="B", table=True)]
    join = ("joinByField", {"byField": "site", "mode": "outer"})
    return table(lang, look, queries, columns, sort=("state", False), transform=[join])


def _silent_list(lang: str) -> build.Panel:
    query = (
        f'SELECT "text", "because" FROM {open_alarms(f"{SITES} AND {_IS_SILENT}", lang=lang)} '
        'WHERE "level" > 0 GROUP BY "site"'
    )
    look = Look(
        title=Text("失联站点清单", "Silent sites, and how"),
        about=Text(
            "由中心判断：连接断开还是连着但不上报。先打电话到现场，检查网关的电源和网络。",
            "Judged at the centre: whether the connection is lost, or there but mute. Call the site and check the "
            "gateway's power and network.",
        ),
        width=10,
        height=9,
        empty=Text("没有失联站点", "No site is silent"),
    )
    columns = [
        site_column(lang),
        Column(name="text", title=Text("情况", "What is the case")),
        Column(name="because", title=Text("依据", "Because"), width=200),
        Column(name=TIME, title=texts.HEARD, scale=AGE, width=130),
    ]
    return table(lang, look, [Query(query, table=True)], columns)


def _changes(lang: str) -> build.Panel:
    query = (
        'SELECT "before", "now", "kind" AS "kind", "kind" AS "page" FROM '
        '(SELECT first("state") AS "before", last("state") AS "now" '
        f'FROM "readiness" WHERE {HOUR} AND {SITES} GROUP BY "site", "device", "kind") '
        'WHERE "before" != "now" GROUP BY "site", "device"'
    )
    look = Look(
        title=Text("可用状态变化的设备", "Devices whose readiness changed"),
        about=Text("与一小时前相比状态不同的设备。", "Devices whose state is not what it was an hour ago."),
        width=12,
        height=9,
        empty=Text("一小时内没有变化", "Nothing changed in the last hour"),
    )
    columns = [
        site_column(lang),
        device_column(lang),
        kind_column(lang),
        Column(name="before", title=Text("一小时前", "An hour ago"), mappings=palette.states(lang), coloured=True),
        Column(name="now", title=Text("现在", "Now"), mappings=palette.states(lang), coloured=True),
        Column(name="page"),
    ]
    return table(lang, look, [Query(query, table=True)], columns)


def _new_alarms(lang: str) -> build.Panel:
    subquery = open_alarms(SITES, lang=lang, window=HOUR).replace('"rule")', '"rule", "kind")')
    query = f'SELECT "level", "state", "text", "kind" AS "page" FROM {subquery} GROUP BY "site", "device", "rule"'
    look = Look(
        title=Text("有动静的告警", "Alarms that moved"),
        about=Text(
            "一小时内产生、确认、恢复或仍未恢复的告警，每条一行，显示最新状态。",
            "Alarms that were raised, acknowledged, ended or stand in the last hour, each as it is now.",
        ),
        width=12,
        height=9,
        empty=Text("一小时内没有告警", "No alarm in the last hour"),
    )
    columns = [
        Column(name="level", title=texts.LEVEL, mappings=palette.levels(lang), coloured=True, width=90),
        site_column(lang),
        device_column(lang),
        Column(name="text", title=texts.ALARM),
        Column(name="state", title=texts.STATE, mappings=palette.words(palette.ALARM_STATES, lang)),
        Column(name=TIME, title=texts.WHEN, scale=AGE, width=130),
        Column(name="rule"),
        Column(name="page"),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=(TIME, True))
