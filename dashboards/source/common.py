"""Panels that stand in more than one dashboard."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.source import palette, texts
from dashboards.source.influx import NOW, SITES, STANDING, Query, open_alarms, refs
from dashboards.source.page import cell, url
from dashboards.source.panels import Look, Override, Scale, stat
from dashboards.source.tables import TIME, Column, reasons, table
from dashboards.source.vocabulary import KINDS, kind, kind_names
from gateway.model import Priority, ReadinessState, Text
from gateway.web.words import STATES

AGE = Scale(unit="dateTimeFromNow")
#: Grafana's word for a path that leads nowhere.
_NOT_THERE = "Not Found"


def site_column(lang: str) -> Column:
    return Column(
        name="site",
        title=texts.SITE,
        link=url("site", lang, site=cell("site")),
        link_title=Text("打开站点", "Open the site"),
        width=140,
    )


def device_column(lang: str) -> Column:
    """Leads to the dashboard of the device's kind; the row holds the kind once more, as it is, in `page`."""
    return Column(
        name="device",
        title=texts.DEVICE,
        link=url(cell("page"), lang, site=cell("site"), device=cell("device")),
        link_title=Text("打开设备", "Open the device"),
        width=140,
    )


def kind_column(lang: str, name: str = "kind") -> Column:
    return Column(name=name, title=texts.KIND, mappings=palette.words(kind_names(), lang), width=130)


def open_alarm_list(lang: str, *, where: str = SITES, height: int = 10, width: int = 24) -> build.Panel:
    """Every alarm that asks for somebody, the worst first."""
    subquery = open_alarms(where, lang=lang).replace('"rule")', '"rule", "kind")')
    query = (
        f'SELECT "level", "state", "text", "because", "kind" AS "page" FROM {subquery} '
        f'WHERE {STANDING} GROUP BY "site", "device", "rule"'
    )
    look = Look(
        title=Text("未恢复告警（设备告警）", "Open alarms (equipment)"),
        about=Text(
            "每条告警的最新状态，最严重的在前；不含已搁置、已抑制和已停用的。网关每 10 分钟重复一次未恢复的告警，"
            "“最近上报”更早说明站点失联，告警仍保留。",
            "Each alarm as it stands, the worst first, without those shelved, suppressed or out of service. A gateway "
            "repeats an open alarm every 10 minutes: if it was last heard longer ago, the site is silent, and the "
            "alarm stays listed.",
        ),
        width=width,
        height=height,
        empty=Text("没有未恢复的告警", "No open alarms"),
    )
    columns = [
        Column(name="level", title=texts.LEVEL, mappings=palette.levels(lang), coloured=True, width=90),
        site_column(lang),
        device_column(lang),
        Column(name="text", title=texts.ALARM),
        Column(name="state", title=texts.STATE, mappings=palette.words(palette.ALARM_STATES, lang), width=150),
        Column(name=TIME, title=texts.HEARD, scale=AGE, width=140),
        Column(name="because", title=Text("依据", "Because"), width=220),
        Column(name="rule", title=texts.RULE, width=170),
        Column(name="page"),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=("level", True))


def alarm_counts(lang: str, *, where: str = SITES, width: int = 3, height: int = 4) -> list[build.Panel]:
    """Open alarms, a number for each colour."""
    names = {
        Priority.CRITICAL: Text("红色告警", "Red alarms"),
        Priority.HIGH: Text("橙色告警", "Orange alarms"),
        Priority.MEDIUM: Text("黄色告警", "Yellow alarms"),
        Priority.LOW: Text("蓝色告警", "Blue alarms"),
    }
    about = Text(
        "未恢复的设备告警数，不含已搁置、已抑制和已停用的。设备告警不是公众预警。",
        "Open equipment alarms, without those shelved, suppressed or out of service. These are not public warnings.",
    )
    return [
        stat(
            lang,
            Look(title=names[priority], about=about, width=width, height=height, empty=texts.NONE),
            [Query(f'SELECT count("level") AS "alarms" FROM {open_alarms(where)} WHERE {STANDING} AND '
                   f'"level" = {priority.level}')],
            scale=Scale(steps=[(1, colour)]),
        )
        for priority, colour in palette.PRIORITY_COLOURS.items()
    ]  # fmt: skip


def device_list(lang: str, *, where: str = SITES, kind_name: str | None = None, height: int = 10) -> build.Panel:
    """Every device: whether it can be used now, and why not."""
    chosen = f" AND \"kind\" = '{kind_name}'" if kind_name else ""
    query = (
        'SELECT "state", "score", "reasons", "kind" AS "kind", "kind" AS "page" FROM '
        '(SELECT last("state") AS "state", "score" AS "score", "reasons" AS "reasons" '
        f'FROM "readiness" WHERE {NOW} AND {where}{chosen} GROUP BY "site", "device", "kind") GROUP BY "site", "device"'
    )
    look = Look(
        title=Text("设备可用状态与原因", "Readiness of the devices, and why"),
        about=Text(
            "5 分钟内最新的判断；站点或设备不再上报时为“状态不明”，绝不显示为可用。评分 100 为没有异常。",
            "The latest judgement of the last 5 minutes; a site or device that says nothing is unknown, never ready. "
            "A score of 100 means that nothing is wrong.",
        ),
        width=24,
        height=height,
        empty=Text("5 分钟内没有任何上报，状态不明", "Nothing was heard for 5 minutes: all unknown"),
    )
    nothing = palette.words({_NOT_THERE: (Text("—", "—"), None)}, lang)
    columns = [
        Column(name="state", title=texts.STATE, mappings=palette.states(lang), coloured=True, width=130),
        site_column(lang),
        device_column(lang),
        kind_column(lang),
        Column(name="score", title=texts.SCORE, scale=Scale(decimals=0), width=80,
               mappings=palette.nothing(Text("—", "—"), lang)),
        *(Column(name=f"reason_{n}", title=texts.REASONS[n - 1], mappings=nothing) for n in (1, 2, 3)),
        Column(name=TIME, title=texts.HEARD, scale=AGE, width=140),
        Column(name="reasons"),
        Column(name="page"),
    ]  # fmt: skip
    return table(lang, look, [Query(query, table=True)], columns, sort=("score", False), transform=[reasons(lang)])


#: What a site counts of each kind, in the order shown.
_COUNTS = ("ready", "degraded", "not_ready", "unknown", "in_use", "out_of_service", "usable", "required")


def kind_counts(lang: str, *, where: str = SITES, width: int = 12, height: int = 12) -> build.Panel:
    """How many of each kind are ready, degraded, ..., usable, against how many are required."""
    fields = ", ".join(f'sum("{name}") AS "{name}"' for name in _COUNTS)
    queries = []
    for number, (ref, name) in enumerate(zip(refs(len(KINDS)), KINDS, strict=True), start=1):
        last = ", ".join(f'last("{name}_{count}") AS "{count}"' for count in _COUNTS)
        # InfluxQL can give a row a number, but no word: the number stands for the kind.
        text = (
            f'SELECT sum("required") * 0 + {number} AS "kind", {fields}, '
            'sum("usable") - sum("required") AS "margin" '
            f'FROM (SELECT {last} FROM "site" WHERE {NOW} AND {where} GROUP BY "site")'
        )
        queries.append(Query(text, ref=ref, table=True))
    look = Look(
        title=Text("各类装备：可用数与应备数", "Equipment by kind, against what is required"),
        about=Text(
            "可用数包括可用、降级可用和使用中；余量为可用数减应备数，负数说明不够。状态不明的不计入可用。",
            "Usable are those ready, degraded or in use; the margin is usable less required, and below zero there are "
            "too few. What is unknown does not count as usable.",
        ),
        width=width,
        height=height,
        empty=Text("5 分钟内没有任何上报，状态不明", "Nothing was heard for 5 minutes: all unknown"),
    )
    numbers = {str(n): (kind(name).label, None) for n, name in enumerate(KINDS, start=1)}
    colours = {state.value: colour for state, colour in palette.STATE_COLOURS.items()}
    columns = [
        Column(name="kind", title=texts.KIND, mappings=palette.words(numbers, lang), width=130),
        Column(
            name="margin",
            title=Text("余量", "Margin"),
            scale=Scale(decimals=0, base=palette.RED, steps=[(0, palette.GREEN)]),
            coloured=True,
        ),
        Column(name="usable", title=Text("可用数", "Usable"), scale=Scale(decimals=0)),
        Column(name="required", title=Text("应备数", "Required"), scale=Scale(decimals=0)),
        *(
            Column(
                name=name,
                title=title,
                scale=Scale(decimals=0, base="transparent", steps=[(1, colours[name])]),
                coloured=True,
            )
            for name, title in (
                ("ready", _state(ReadinessState.READY)),
                ("degraded", _state(ReadinessState.DEGRADED)),
                ("not_ready", _state(ReadinessState.NOT_READY)),
                ("unknown", _state(ReadinessState.UNKNOWN)),
                ("in_use", _state(ReadinessState.IN_USE)),
                ("out_of_service", _state(ReadinessState.OUT_OF_SERVICE)),
            )
        ),
    ]
    return table(lang, look, queries, columns, sort=("margin", False), transform=[("merge", {})])


def _state(state: ReadinessState) -> Text:
    return STATES[state]


def by_query(ref: str, colour: str) -> Override:
    """All of one query in one colour."""
    return Override(ref, {"color": {"mode": "fixed", "fixedColor": colour}}, by="query")
