"""What gateways themselves count of their alarms, and what people did to them."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.source import palette, texts
from dashboards.source.common import site_column
from dashboards.source.influx import DEVICES, NOW, RANGE, SITES, Query
from dashboards.source.panels import Look, Scale, Step
from dashboards.source.tables import TIME, Column, table
from dashboards.source.vocabulary import GATEWAY, label, point, unit
from gateway.model import Text

#: Figure -> from where on it misses the target of ISA-18.2 and EEMUA 191.
_FIGURES: dict[str, tuple[Step, ...]] = {
    "alarm_rate": ((11, palette.ORANGE),),
    "alarms_chattering": ((1, palette.YELLOW),),
    "alarms_fleeting": ((1, palette.YELLOW),),
    "alarms_long_active": ((5, palette.YELLOW),),
    "alarm_ack_time_p50": (),
    "alarm_ack_time_p95": (),
    "alarms_shelved": (),
    "alarm_shelf_age": ((8 * 3600, palette.YELLOW),),
    "alarm_top10_share": (),
    "alarm_share_critical": (),
    "alarm_share_high": (),
}


def figures(lang: str) -> build.Panel:
    """Exact, by each gateway from the announcements it made; the other panels count rows of the database."""
    fields = ", ".join(f'last("{name}") AS "{name}"' for name in ("alarm_flood", *_FIGURES))
    query = f'SELECT {fields} FROM "gateway" WHERE {NOW} AND {SITES} GROUP BY "site"'
    look = Look(
        title=Text("各站点自己的统计", "Figures of each site"),
        about=Text(
            "由网关按播报精确统计。目标：10 分钟约 1 条，没有泛滥和抖动，长期未恢复少于 5 条，"
            "红橙合计约 5 %，黄约 15 %。",
            "Counted exactly by each gateway from what it announced. Targets: about 1 in 10 minutes, no flood, nothing "
            "chattering, fewer than 5 long active, red and orange together about 5 %, yellow 15 %.",
        ),
        width=24,
        height=8,
        empty=Text("5 分钟内没有网关上报", "No gateway reported in the last 5 minutes"),
    )
    flood = palette.flags(lang, (Text("是", "yes"), palette.ORANGE), (Text("否", "no"), palette.GREEN))
    columns = [
        site_column(lang),
        Column(name="alarm_flood", title=label(GATEWAY, "alarm_flood"), mappings=flood, coloured=True),
        *(
            Column(
                name=name,
                title=label(GATEWAY, name),
                scale=Scale(unit=unit(point(GATEWAY, name).unit), decimals=0, steps=steps),
                coloured=bool(steps),
            )
            for name, steps in _FIGURES.items()
        ),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=("alarm_rate", True))


_ACTS: dict[str, tuple[Text, str | None]] = {
    "ack": (Text("确认", "acknowledged"), None),
    "reset": (Text("复位", "reset"), None),
    "shelve": (Text("搁置", "shelved"), None),
    "unshelve": (Text("取消搁置", "unshelved"), None),
    "out_of_service": (Text("停用", "taken out of service"), None),
    "return": (Text("恢复使用", "returned to service"), None),
}


def actions(lang: str) -> build.Panel:
    query = (
        'SELECT "site", "device", "rule", "act", "by", "note" FROM "event" '
        f"WHERE {RANGE} AND {DEVICES} AND \"type\" = 'alarm_action' ORDER BY time DESC LIMIT 200"
    )
    look = Look(
        title=Text("谁做了什么", "Who did what"),
        about=Text(
            "所选时间内人对告警的操作，最近的 200 条。", "What people did to alarms in the chosen time, the latest 200."
        ),
        width=24,
        height=8,
        empty=Text("这段时间没有人操作", "Nobody did anything in this time"),
    )
    columns = [
        Column(name=TIME, title=texts.WHEN, scale=Scale(unit="dateTimeAsIso"), width=170),
        Column(name="act", title=Text("操作", "Action"), mappings=palette.words(_ACTS, lang), width=150),
        Column(name="by", title=Text("操作人", "By"), width=140),
        site_column(lang),
        Column(name="device", title=texts.DEVICE, width=140),
        Column(name="rule", title=texts.RULE),
        Column(name="note", title=Text("备注", "Note")),
    ]
    return table(lang, look, [Query(query, table=True)], columns, sort=(TIME, True))
