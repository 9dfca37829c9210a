"""Fleet: whether the gateways themselves are well, and how good the data is."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.source import palette, texts
from dashboards.source.common import site_column
from dashboards.source.influx import NOW, OPEN, RANGE, SITES, Query, by_site, refs
from dashboards.source.lines import discarded, line_failures, line_load
from dashboards.source.page import CITY, COUNTY, FLEET, SITE_VARIABLE, TOWN, Page
from dashboards.source.panels import Look, Scale, Step, count, trend
from dashboards.source.tables import TIME, Column, table
from dashboards.source.vocabulary import GATEWAY, label, point, unit
from gateway.model import Text

_YES, _NO = Text("是", "yes"), Text("否", "no")


def page(lang: str) -> Page:
    made = Page(
        GATEWAY,
        FLEET,
        lang,
        Text("网关运行", "Fleet"),
        Text(
            "每台网关的健康、积压、时钟和版本，数据质量，线路负荷，以及按原因丢弃的报文。",
            "Each gateway's health, backlog, clock and version, the quality of the data, load of the lines, and frames "
            "discarded by reason.",
        ),
        (CITY, COUNTY, TOWN, SITE_VARIABLE),
        back=(("overview", Text("一张图", "Overview")), ("site", Text("站点", "Site"))),
    )
    made.add(*_counts(lang))
    made.add(gateways(lang))
    made.row(Text("积压与上行", "Backlog and uplink"))
    made.add(backlog(lang), _sent(lang), _lost(lang))
    made.row(Text("数据质量", "Data quality"))
    made.add(_quality(lang), _quality_over_time(lang))
    made.row(Text("线路", "Lines"))
    made.add(line_load(lang), line_failures(lang), discarded(lang))
    made.row(Text("硬件", "Hardware"))
    made.add(*_machine(lang))
    made.row(Text("中断与补传", "Gaps and returns"))
    made.add(_versions(lang), _events(lang))
    return made


def _latest(fields: str, where: str = SITES) -> str:
    return f'(SELECT {fields} FROM "gateway" WHERE {NOW} AND {where} GROUP BY "site")'


def _counts(lang: str) -> list[build.Panel]:
    up = 'last("uptime") AS "uptime"'
    clock = 'last("clock_synced") AS "synced", last("uptime") AS "uptime"'
    dropped = 'last("rows_dropped") AS "dropped"'
    rows = 'last("outbox_rows") AS "rows"'
    refused = 'last("rows_refused") AS "refused"'
    silent = 'last("devices_silent") AS "silent"'
    found = (
        (Text("上报中的网关", "Gateways reporting"),
         Text("5 分钟内有健康数据的网关数。", "Gateways whose health was heard in the last 5 minutes."),
         f'SELECT count("uptime") AS "gateways" FROM {_latest(up)}',
         Scale(base=palette.GREY, steps=[(1, palette.GREEN)])),
        (Text("时钟未同步", "Clock not synchronised"),
         Text("时钟未同步的网关数；其数据的时间可能不准。",
              "Gateways without a synchronised clock; their times may be off."),
         f'SELECT count("uptime") AS "gateways" FROM {_latest(clock)} WHERE "synced" = false',
         Scale(steps=[(1, palette.YELLOW)])),
        (Text("丢弃的消息", "Messages dropped"),
         Text("因缓存写满而丢弃的消息数，每次都有事件说明；目标 0。",
              "Messages dropped because the outbox was full, each time told by an event; target: 0."),
         f'SELECT sum("dropped") AS "rows" FROM {_latest(dropped)}', Scale(steps=[(1, palette.ORANGE)])),
        (Text("积压消息", "Messages waiting"),
         Text("所有网关尚未确认入库的消息数。", "Messages of all gateways not yet confirmed as stored."),
         f'SELECT sum("rows") AS "rows" FROM {_latest(rows)}',
         Scale(steps=[(1000, palette.YELLOW), (100_000, palette.ORANGE)])),
        (Text("被拒消息", "Messages refused"),
         Text("服务器拒收、已搁置在网关上的消息数（死信）；目标 0。",
              "Messages the broker refused, set aside at the gateway (dead letters); target: 0."),
         f'SELECT sum("refused") AS "rows" FROM {_latest(refused)}', Scale(steps=[(1, palette.ORANGE)])),
        (Text("失联设备", "Silent devices"),
         Text("网关在线但不应答的设备数。", "Devices that do not answer their gateway."),
         f'SELECT sum("silent") AS "devices" FROM {_latest(silent)}', Scale(steps=[(1, palette.GREY)])),
    )  # fmt: skip
    return [count(lang, title, about, query, width=4, scale=scale) for title, about, query, scale in found]


def _point_column(name: str, *, steps: Sequence[Step] = ()) -> Column:
    return Column(
        name=name,
        title=label(GATEWAY, name),
        scale=Scale(unit=unit(point(GATEWAY, name).unit), base="transparent", steps=steps),
        coloured=bool(steps),
    )


def gateways(lang: str, *, where: str = SITES, height: int = 11) -> build.Panel:
    """One line for each gateway: is it well."""
    numbers = (
        "uptime",
        "outbox_rows",
        "outbox_bytes",
        "outbox_usage",
        "devices_configured",
        "devices_silent",
        "polls_missed",
        "notify_channels_failing",
        "process_cpu_usage",
        "memory_resident",
        "disk_usage",
        "processor_temperature",
    )
    names = ("version", "uplink_connected", "clock_synced", *numbers)
    fields = ", ".join(f'last("{name}") AS "{name}"' for name in names)
    look = Look(
        title=Text("网关", "Gateways"),
        about=Text(
            "5 分钟内最新的健康数据；失联的网关不在此列，见一张图的失联站点。",
            "Health of the last 5 minutes; a silent gateway is not in this list, see the silent sites of the overview.",
        ),
        width=24,
        height=height,
        empty=Text("5 分钟内没有网关上报", "No gateway reported in the last 5 minutes"),
    )
    query = Query(f'SELECT {fields} FROM "gateway" WHERE {NOW} AND {where} GROUP BY "site"', table=True)

    def flag(name: str, bad: str) -> Column:
        mappings = palette.flags(lang, (_YES, palette.GREEN), (_NO, bad))
        return Column(name=name, title=label(GATEWAY, name), mappings=mappings, coloured=True)

    columns = [
        site_column(lang),
        Column(name="version", title=label(GATEWAY, "version")),
        flag("uplink_connected", palette.ORANGE),
        flag("clock_synced", palette.YELLOW),
        _point_column("uptime"),
        _point_column("outbox_rows", steps=[(1000, palette.YELLOW), (100_000, palette.ORANGE)]),
        _point_column("outbox_bytes"),
        _point_column("outbox_usage", steps=[(50, palette.YELLOW), (90, palette.ORANGE)]),
        _point_column("devices_configured"),
        _point_column("devices_silent", steps=[(1, palette.GREY)]),
        _point_column("polls_missed"),
        _point_column("notify_channels_failing", steps=[(1, palette.ORANGE)]),
        _point_column("process_cpu_usage", steps=[(70, palette.YELLOW), (90, palette.ORANGE)]),
        _point_column("memory_resident"),
        _point_column("disk_usage", steps=[(80, palette.YELLOW), (95, palette.ORANGE)]),
        _point_column("processor_temperature", steps=[(75, palette.YELLOW), (85, palette.ORANGE)]),
    ]
    return table(lang, look, [query], columns, sort=("site", False))


def backlog(lang: str, *, where: str = SITES, width: int = 12, height: int = 8) -> build.Panel:
    look = Look(
        title=Text("待确认消息数", "Messages waiting for confirmation"),
        about=Text(
            "每台网关缓存中尚未确认入库的消息；断网时上升，恢复后回落，数据不丢。",
            "Messages each gateway keeps until the centre has stored them; it grows without a link and falls after.",
        ),
        width=width,
        height=height,
    )
    query = by_site('max("outbox_rows") AS "rows"', where=where, fill="null")
    scale = Scale(unit="short", low=0, steps=[(100_000, palette.ORANGE)])
    return trend(lang, look, [Query(query, alias="$tag_site")], scale=scale, interval="2m")


def _sent(lang: str) -> build.Panel:
    names = ("rows_accepted", "rows_sent", "rows_confirmed")
    look = Look(
        title=Text("消息流量", "Messages"),
        about=Text(
            "每台网关每分钟落盘、发送和确认入库的消息数。",
            "Messages each gateway accepted, sent and had confirmed in a minute.",
        ),
        width=6,
        height=8,
    )
    queries = _figures(names, 'non_negative_derivative(last("{}"), 1m) AS "rate"', lang)
    return trend(lang, look, queries, scale=Scale(unit=_per_minute(lang), low=0), interval="2m")


def _figures(names: Sequence[str], selected: str, lang: str) -> list[Query]:
    """`selected` of each of these points, named after it."""
    return [
        Query(by_site(selected.format(name)), ref=ref, alias=f"$tag_site {label(GATEWAY, name)[lang]}")
        for ref, name in zip(refs(len(names)), names, strict=True)
    ]


def _per_minute(lang: str) -> str:
    return "suffix: " + Text("条/分", "/min")[lang]


def _lost(lang: str) -> build.Panel:
    names = ("rows_resent", "rows_dropped", "rows_refused", "not_understood")
    look = Look(
        title=Text("重发、丢弃、被拒", "Sent again, dropped, refused"),
        about=Text(
            "丢弃只在缓存满时发生，并有事件说明；被拒的消息搁置在网关上；无法理解的是发给网关的命令和消息。"
            "正常时都为 0。",
            "Messages are dropped only when the outbox is full, and an event says so; refused ones stay at the "
            "gateway; what was not understood are commands and messages to the gateway. All are 0 when all is well.",
        ),
        width=6,
        height=8,
    )
    queries = _figures(names, 'non_negative_difference(last("{}")) AS "count"', lang)
    return trend(lang, look, queries, scale=Scale(unit="short", low=0), bars=True, interval="2m")


def _quality(lang: str) -> build.Panel:
    subquery = (
        '(SELECT last("good") AS "good", last("uncertain") AS "uncertain", last("bad") AS "bad" '
        f'FROM "quality" WHERE {NOW} AND {SITES} GROUP BY "site", "device")'
    )
    query = (
        'SELECT 100 * sum("good") / (sum("good") + sum("uncertain") + sum("bad")) AS "share", sum("good") AS "good", '
        f'sum("uncertain") AS "uncertain", sum("bad") AS "bad" FROM {subquery} GROUP BY "site"'
    )
    look = Look(
        title=Text("各站点的测点质量", "Quality of the points by site"),
        about=Text(
            "5 分钟内质量为正常、存疑、无效的测点数；无效的测点没有数值，绝不沿用旧值。",
            "Points good, uncertain and bad in the last 5 minutes; a bad point has no value, never an old one.",
        ),
        width=12,
        height=9,
        empty=Text("5 分钟内没有质量数据", "No quality was reported in the last 5 minutes"),
    )
    columns = [
        site_column(lang),
        Column(
            name="share",
            title=Text("正常占比", "Good"),
            scale=Scale(
                unit="percent", decimals=1, base=palette.GREY, steps=[(90, palette.YELLOW), (99, palette.GREEN)]
            ),
            coloured=True,
        ),
        Column(name="good", title=Text("正常", "Good points"), scale=Scale(decimals=0)),
        Column(name="uncertain", title=Text("存疑", "Uncertain"), scale=Scale(decimals=0)),
        Column(name="bad", title=Text("无效", "Bad"), scale=Scale(decimals=0)),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=("share", False))


def _quality_over_time(lang: str) -> build.Panel:
    query = (
        f'SELECT mean("bad") AS "bad" FROM "quality" WHERE {RANGE} AND {SITES} '
        'GROUP BY time($__interval), "site", "device" fill(null)'
    )
    look = Look(
        title=Text("无效测点数", "Bad points over time"),
        about=Text(
            "每台设备质量为无效的测点数；整台设备失联时全部无效。",
            "Points of each device that are bad; all of them while it is silent.",
        ),
        width=12,
        height=9,
    )
    alias = "$tag_site / $tag_device"
    return trend(lang, look, [Query(query, alias=alias)], scale=Scale(low=0), interval="2m")


def _machine(lang: str) -> list[build.Panel]:
    found: tuple[tuple[str, list[Step]], ...] = (
        ("process_cpu_usage", [(70, palette.YELLOW), (90, palette.ORANGE)]),
        ("memory_resident", []),
        ("disk_usage", [(80, palette.YELLOW), (95, palette.ORANGE)]),
        ("processor_temperature", [(75, palette.YELLOW), (85, palette.ORANGE)]),
    )
    panels = []
    for name, steps in found:
        query = by_site(f'mean("{name}") AS "value"', fill="null")
        text = label(GATEWAY, name)
        look = Look(
            title=text,
            about=Text(f"每台网关的{text.zh}。", f"{text.en} of each gateway."),
            width=6,
            height=7,
        )
        scale = Scale(unit=unit(point(GATEWAY, name).unit), low=0, steps=steps)
        panels.append(trend(lang, look, [Query(query, alias="$tag_site")], scale=scale, interval="2m"))
    return panels


def _versions(lang: str) -> build.Panel:
    query = (
        f'SELECT last("version") AS "version", last("config") AS "config" FROM "gateway" WHERE {OPEN} AND {SITES} '
        'GROUP BY "site"'
    )
    look = Look(
        title=Text("版本与配置", "Versions and configurations"),
        about=Text(
            "一周内每台网关最后上报的软件版本和配置摘要。",
            "Software version and digest of the configuration each gateway last told in a week.",
        ),
        width=10,
        height=8,
    )
    columns = [
        site_column(lang),
        Column(name="version", title=label(GATEWAY, "version"), width=120),
        Column(name="config", title=label(GATEWAY, "config")),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=("version", False))


EVENTS = {
    "gap": (Text("数据缺口", "gap"), palette.ORANGE),
    "site_returned": (Text("站点恢复", "site returned"), palette.GREEN),
    "dead_letter": (Text("死信", "dead letter"), palette.ORANGE),
}


def _events(lang: str) -> build.Panel:
    query = (
        'SELECT "site", "device", "type", "from", "to", "count", "why", "cause" FROM "event" '
        f'WHERE {RANGE} AND {SITES} AND "type" =~ /^(gap|site_returned|dead_letter)$/ ORDER BY time DESC LIMIT 200'
    )
    look = Look(
        title=Text("缺口、恢复与死信", "Gaps, returns and dead letters"),
        about=Text(
            "数据缺口说明丢了多少、为什么；站点恢复说明断的是网络（cut_off）还是网关本身（off）；死信是数据库拒收或无法读取的消息。",
            "A gap says how much was lost and why; a return says whether the link was cut (cut_off) or the gateway was "
            "off; a dead letter is a message that could not be read or that the database refused.",
        ),
        width=14,
        height=8,
        empty=Text("这段时间没有缺口", "Nothing of the kind in this time"),
    )
    moment = Scale(unit="dateTimeAsIso")
    columns = [
        Column(name=TIME, title=texts.WHEN, scale=moment, width=170),
        Column(name="type", title=Text("事件", "Event"), mappings=palette.words(EVENTS, lang), width=110),
        site_column(lang),
        Column(name="device", title=texts.DEVICE),
        Column(name="from", title=Text("起", "From"), scale=moment),
        Column(name="to", title=Text("止", "To"), scale=moment),
        Column(name="count", title=Text("条数", "Count"), scale=Scale(decimals=0)),
        Column(name="why", title=Text("原因", "Why")),
        Column(name="cause", title=Text("断因", "Cause")),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=(TIME, True))
