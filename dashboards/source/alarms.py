"""Alarms: what stands, what was, how fast people answer, and whether the alarms themselves are any good."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.source import palette, texts
from dashboards.source.alarm_figures import actions, figures
from dashboards.source.common import AGE, alarm_counts, by_query, device_column, open_alarm_list, site_column
from dashboards.source.influx import DAY, DEVICES, RANGE, STANDING, Query, open_alarms, raised
from dashboards.source.page import CITY, COUNTY, DEVICE, FLEET, SITE_VARIABLE, TOWN, Page
from dashboards.source.panels import Look, Override, Scale, bars, count, stat, timeline, trend
from dashboards.source.tables import TIME, Column, table
from gateway.model import Text
from gateway.web.words import PRIORITIES

#: Targets of ISA-18.2 and EEMUA 191 as the field quotes them.
FLOOD = 10
"""More new alarms than this in ten minutes are more than one person can take in."""
STALE_LIMIT = 5
CHATTER = 3
"""Times in a minute."""

_RAISED_BY = ("groupBy", {"fields": {TIME: {"aggregations": [], "operation": "groupby"},
                                     "raised": {"aggregations": ["sum"], "operation": "aggregate"}}})  # fmt: skip
_SUM = "raised (sum)"


def page(lang: str) -> Page:
    made = Page(
        "alarms",
        FLEET,
        lang,
        Text("告警", "Alarms"),
        Text(
            "未恢复的告警、历史、确认用时，以及告警本身的质量（泛滥、抖动、长期未恢复、最多的规则）。",
            "Open alarms, history, how long acknowledging takes, and how good the alarms are (floods, chattering, "
            "stale ones, the worst rules).",
        ),
        (CITY, COUNTY, TOWN, SITE_VARIABLE, DEVICE),
        back=(("overview", Text("一张图", "Overview")), ("site", Text("站点", "Site"))),
        since="now-24h",
        refresh="1m",
    )
    made.add(*alarm_counts(lang, where=DEVICES), _unacknowledged(lang), _set_aside_count(lang), _stale(lang))
    made.add(_chatter_count(lang))
    made.add(open_alarm_list(lang, where=DEVICES, height=10))
    made.row(Text("历史", "History"))
    made.add(_history(lang), _summary(lang), _set_aside(lang), actions(lang))
    made.row(Text("确认用时", "Time to acknowledge"))
    made.add(_waited(lang), _waiting_list(lang))
    made.row(Text("告警质量", "Quality of the alarms"))
    made.add(figures(lang))
    made.add(_rate(lang), _floods(lang), _worst_period(lang), _chattering(lang), _top_rules(lang), _by_priority(lang))
    return made


def _standing(lang: str) -> str:
    return open_alarms(DEVICES, lang=lang)


def _unacknowledged(lang: str) -> build.Panel:
    title = Text("未确认", "Not acknowledged")
    about = Text(
        "未恢复且无人确认的告警数。时限：红 5 分钟（两人），橙 15 分钟，黄 60 分钟，蓝在交班时。",
        "Open alarms nobody acknowledged. Time allowed: red 5 min (two persons), orange 15 min, yellow 60 min, "
        "blue at the hand-over.",
    )
    query = f'SELECT count("level") AS "alarms" FROM {_standing(lang)} WHERE {STANDING} AND "acked" = false'
    return count(lang, title, about, query, width=3)


def _set_aside_count(lang: str) -> build.Panel:
    title = Text("已搁置或停用", "Set aside")
    about = Text("被搁置、抑制或停用的未恢复告警数。", "Open alarms that are shelved, suppressed or out of service.")
    query = f'SELECT count("level") AS "alarms" FROM {_standing(lang)} WHERE "level" > 0 AND "suppression" != \'NONE\''
    return count(lang, title, about, query, width=3, scale=Scale(steps=[(1, palette.DARK)]))


def _stale(lang: str) -> build.Panel:
    title = Text("超过一天未恢复", "Open for more than a day")
    about = Text(
        "24 小时内从未恢复过的告警数；目标少于 5 条。一直亮着的告警没人再看。",
        "Alarms that never returned to normal in 24 hours; target: fewer than 5. Nobody looks at what is always on.",
    )
    # An open alarm repeats its row every 10 minutes, 144 in a day; a few may be missing after a restart.
    query = (
        'SELECT count("n") AS "alarms" FROM (SELECT min("level") AS "lowest", count("level") AS "n" '
        f'FROM "alarm" WHERE {DAY} AND {DEVICES} GROUP BY "site", "device", "rule") '
        'WHERE "lowest" > 0 AND "n" >= 138'
    )
    return count(lang, title, about, query, width=3, scale=Scale(steps=[(STALE_LIMIT, palette.YELLOW)]))


def _chatters() -> str:
    return (
        f'(SELECT count("level") AS "times" FROM "alarm" WHERE {RANGE} AND {DEVICES} AND "state" = \'UNACK\' '
        'GROUP BY time(1m), "site", "device", "rule" fill(none))'
    )


def _chatter_count(lang: str) -> build.Panel:
    title = Text("抖动", "Chattering")
    about = Text(
        "一分钟内同一告警产生 3 次以上的分钟数；目标 0。应为该规则设更长的延时。",
        "Minutes in which one alarm was raised three times or more; target: 0. Its rule wants a longer delay.",
    )
    query = f'SELECT count("times") AS "minutes" FROM {_chatters()} WHERE "times" >= {CHATTER}'
    return count(lang, title, about, query, width=3, scale=Scale(steps=[(1, palette.YELLOW)]))


def _history(lang: str) -> build.Panel:
    look = Look(
        title=Text("告警历史", "History of the alarms"),
        about=Text(
            "每条告警一行，颜色为级别；空白为正常。站点失联期间保持最后的级别。",
            "A line for each alarm, coloured by priority; blank is normal. While a site is silent its last stands.",
        ),
        width=24,
        height=12,
        empty=Text("这段时间没有告警", "No alarm in this time"),
    )
    query = (
        f'SELECT last("level") AS "level" FROM "alarm" WHERE {RANGE} AND {DEVICES} '
        'GROUP BY time($__interval), "site", "device", "rule" fill(previous)'
    )
    alias = "$tag_site / $tag_device / $tag_rule"
    return timeline(lang, look, [Query(query, alias=alias)], mappings=palette.levels(lang))


def _summary(lang: str) -> build.Panel:
    subquery = (
        '(SELECT last("level") AS "level", last("state") AS "state", '
        f'last("text_{lang}") AS "text", max("level") AS "worst" '
        f'FROM "alarm" WHERE {RANGE} AND {DEVICES} GROUP BY "site", "device", "rule", "kind")'
    )
    query = f'SELECT "worst", "state", "text", "kind" AS "page" FROM {subquery} GROUP BY "site", "device", "rule"'
    look = Look(
        title=Text("这段时间的告警", "Alarms of this time"),
        about=Text(
            "所选时间内有过动静的每条告警：最高级别和最后状态。",
            "Each alarm that moved in the chosen time: its worst priority and its last state.",
        ),
        width=14,
        height=10,
        empty=Text("这段时间没有告警", "No alarm in this time"),
    )
    columns = [
        Column(name="worst", title=Text("最高级别", "Worst"), mappings=palette.levels(lang), coloured=True, width=100),
        site_column(lang),
        device_column(lang),
        Column(name="text", title=texts.ALARM),
        Column(name="state", title=texts.STATE, mappings=palette.words(palette.ALARM_STATES, lang)),
        Column(name="rule", title=texts.RULE),
        Column(name="page"),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=("worst", True))


def _set_aside(lang: str) -> build.Panel:
    query = (
        f'SELECT "level", "suppression", "text" FROM {_standing(lang)} '
        'WHERE "level" > 0 AND "suppression" != \'NONE\' GROUP BY "site", "device"'
    )
    look = Look(
        title=Text("已搁置、抑制、停用的告警", "Shelved, suppressed, out of service"),
        about=Text(
            "条件仍成立但不再提醒的告警。搁置最长 8 小时。",
            "Alarms whose condition holds but which do not announce themselves. Shelving lasts 8 hours at most.",
        ),
        width=10,
        height=10,
        empty=texts.FINE,
    )
    columns = [
        Column(name="level", title=texts.LEVEL, mappings=palette.levels(lang), coloured=True, width=90),
        Column(name="suppression", title=Text("处置", "How"), mappings=palette.words(palette.SUPPRESSIONS, lang)),
        site_column(lang),
        Column(name="device", title=texts.DEVICE),
        Column(name="text", title=texts.ALARM),
        Column(name=TIME, title=texts.HEARD, scale=AGE, width=130),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=("level", True))


def _waiting() -> str:
    """Subquery: minutes each alarm stood unacknowledged, to two minutes; the alarm of silence has nobody to ask."""
    return (
        '(SELECT count("level") * 2 AS "minutes" FROM '
        '(SELECT last("level") AS "level", last("acked") AS "acked", last("suppression") AS "suppression" '
        f'FROM "alarm" WHERE {RANGE} AND {DEVICES} AND "rule" != \'site_silent\' '
        'GROUP BY time(2m), "site", "device", "rule" fill(previous)) '
        f'WHERE {STANDING} AND "acked" = false GROUP BY "site", "device", "rule")'
    )


_MINUTES = Scale(unit="m", decimals=0, base="transparent",
                 steps=[(5, palette.BLUE), (15, palette.YELLOW), (60, palette.ORANGE)])  # fmt: skip


def _waited(lang: str) -> build.Panel:
    look = Look(
        title=Text("确认用时", "Time to acknowledge"),
        about=Text(
            "所选时间内一半、95 % 的告警未确认的时间不超过这么多分钟（含仍未确认的）。时限：红 5、橙 15、黄 60 分钟。",
            "Half, and 95 %, of the alarms in the chosen time stood unacknowledged no longer than this, those still "
            "waiting included. Time allowed: red 5, orange 15, yellow 60 min.",
        ),
        width=8,
        height=9,
        empty=texts.NONE,
    )
    query = f'SELECT percentile("minutes", 50) AS "half", percentile("minutes", 95) AS "most" FROM {_waiting()}'
    names = [
        Override("half", {"displayName": Text("一半不超过", "Half within")[lang]}),
        Override("most", {"displayName": Text("95 % 不超过", "95 % within")[lang]}),
    ]
    return stat(lang, look, [Query(query, table=True)], scale=_MINUTES, names=True, overrides=names)


def _waiting_list(lang: str) -> build.Panel:
    query = f'SELECT "minutes" FROM {_waiting()} GROUP BY "site", "device", "rule"'
    look = Look(
        title=Text("等待确认最久的告警", "Alarms that waited longest"),
        about=Text(
            "所选时间内每条告警处于未确认状态的分钟数（多次产生时相加）。",
            "Minutes each alarm stood unacknowledged in the chosen time, all its occurrences together.",
        ),
        width=16,
        height=9,
        empty=texts.FINE,
    )
    columns = [
        Column(name="minutes", title=Text("未确认时长", "Waited"), scale=_MINUTES, coloured=True, width=120),
        site_column(lang),
        Column(name="device", title=texts.DEVICE),
        Column(name="rule", title=texts.RULE),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=("minutes", True))


def _raised_rows() -> Query:
    return Query(
        f'SELECT "raised" FROM {raised(DEVICES)} WHERE "raised" > 0 GROUP BY "site", "device", "rule"', table=True
    )


def _rate(lang: str) -> build.Panel:
    look = Look(
        title=Text("每 10 分钟新告警数", "New alarms in 10 minutes"),
        about=Text(
            "目标约 1 条；超过 10 条为泛滥（虚线），一个人已处理不过来。按告警行数估算。",
            "About 1 is the target; more than 10 (dashed) is a flood no single person can handle. Counted from the "
            "alarm rows, an estimate.",
        ),
        width=12,
        height=9,
        empty=Text("这段时间没有新告警", "No new alarm in this time"),
    )
    scale = Scale(steps=[(FLOOD, palette.ORANGE)], decimals=0, low=0)
    return trend(lang, look, [_raised_rows()], scale=scale, bars=True, transform=[_RAISED_BY], interval=None)


def _floods(lang: str) -> build.Panel:
    look = Look(
        title=Text("泛滥的时段数", "Floods"),
        about=Text(
            "新告警超过 10 条的 10 分钟时段数；目标少于全部时段的 1 %，即一天不超过 1 个。",
            "Periods of 10 minutes with more than 10 new alarms; target: under 1 % of all, that is one a day at most.",
        ),
        width=3,
        height=9,
        empty=texts.NONE,
    )
    above = (
        "filterByValue",
        {
            "filters": [{"fieldName": _SUM, "config": {"id": "greater", "options": {"value": FLOOD}}}],
            "type": "include",
            "match": "all",
        },
    )
    scale = Scale(steps=[(2, palette.YELLOW)], decimals=0)
    return stat(lang, look, [_raised_rows()], scale=scale, calc="count", transform=[_RAISED_BY, above])


def _worst_period(lang: str) -> build.Panel:
    look = Look(
        title=Text("最多的 10 分钟", "Worst 10 minutes"),
        about=Text("10 分钟内新告警的最大数。", "The greatest number of new alarms in 10 minutes."),
        width=3,
        height=9,
        empty=texts.NONE,
    )
    scale = Scale(steps=[(FLOOD + 1, palette.ORANGE)], decimals=0)
    return stat(lang, look, [_raised_rows()], scale=scale, calc="max", transform=[_RAISED_BY])


def _chattering(lang: str) -> build.Panel:
    query = (
        f'SELECT max("times") AS "times" FROM {_chatters()} WHERE "times" >= {CHATTER} '
        'GROUP BY "site", "device", "rule"'
    )
    look = Look(
        title=Text("抖动的告警", "Chattering alarms"),
        about=Text(
            "一分钟内产生 3 次以上的告警及其最多次数；给规则加延时或回差。",
            "Alarms raised three times or more in a minute, and how often at most; give the rule a delay or deadband.",
        ),
        width=6,
        height=9,
        empty=texts.FINE,
    )
    columns = [
        Column(name="times", title=Text("每分钟次数", "In a minute"), scale=Scale(decimals=0), width=110),
        site_column(lang),
        Column(name="device", title=texts.DEVICE),
        Column(name="rule", title=texts.RULE),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=("times", True))


def _top_rules(lang: str) -> build.Panel:
    query = f'SELECT sum("raised") AS "raised" FROM {raised(DEVICES)} GROUP BY "rule"'
    look = Look(
        title=Text("最多的十条规则", "Top ten rules"),
        about=Text(
            "所选时间内产生告警最多的规则。每条规则目标不超过全部告警的 5 %；治好前几条，值班就安静了。",
            "Rules that raised most in the chosen time. Target: none above 5 % of all. Cure the first ones and the "
            "night is quiet.",
        ),
        width=14,
        height=10,
        empty=Text("这段时间没有新告警", "No new alarm in this time"),
    )
    order = ("sortBy", {"fields": {}, "sort": [{"field": "raised", "desc": True}]})
    return bars(
        lang,
        look,
        [Query(query, table=True)],
        scale=Scale(decimals=0, low=0, base=palette.LINE),
        names="rule",
        overrides=[
            Column(name="raised", title=Text("次数", "Times")).override(lang),
            Column(name="rule", title=texts.RULE).override(lang),
        ],
        transform=[order, ("limit", {"limitField": 10})],
    )


def _by_priority(lang: str) -> build.Panel:
    queries = [
        Query(
            f'SELECT count("level") AS "alarms" FROM (SELECT max("level") AS "level" FROM "alarm" '
            f'WHERE {RANGE} AND {DEVICES} GROUP BY "site", "device", "rule") WHERE "level" = {priority.level}',
            ref=ref,
            alias=PRIORITIES[priority][lang],
        )
        for ref, priority in zip("ABCD", palette.PRIORITY_COLOURS, strict=True)
    ]
    look = Look(
        title=Text("按级别的告警数", "Alarms by priority"),
        about=Text(
            "所选时间内有过动静的告警，按最高级别。红和橙合计应在 5 % 上下，黄 15 % 上下，否则真正要紧的会被淹没。",
            "Alarms that moved in the chosen time, by their worst priority. Red and orange together should be about "
            "5 %, yellow 15 %, or what matters drowns.",
        ),
        width=10,
        height=10,
        empty=texts.NONE,
    )
    overrides = [by_query(ref, colour) for ref, colour in zip("ABCD", palette.PRIORITY_COLOURS.values(), strict=True)]
    return stat(lang, look, queries, names=True, overrides=overrides, scale=Scale(decimals=0))
