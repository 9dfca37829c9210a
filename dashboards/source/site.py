"""One site: every device and why, what happened, and what its power, water and air are like."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.source import palette
from dashboards.source.common import alarm_counts, device_list, kind_counts, open_alarm_list
from dashboards.source.fleet import backlog, gateways
from dashboards.source.influx import NOW, RANGE, SITES, Query, refs
from dashboards.source.lines import discarded, line_failures, line_load
from dashboards.source.page import CITY, COUNTY, ONE_SITE, SITE, TOWN, Page
from dashboards.source.panels import Look, Scale, Step, stat, timeline, trend
from dashboards.source.vocabulary import kind, label, point, unit
from gateway.model import Text


def page(lang: str) -> Page:
    made = Page(
        "site",
        SITE,
        lang,
        Text("站点", "Site"),
        Text(
            "一个站点的全部设备：能不能用、为什么、发生过什么，以及电、水、温湿度、线路和网关。",
            "All devices of one site: whether they can be used and why, what happened, and its power, water, climate, "
            "lines and gateway.",
        ),
        (CITY, COUNTY, TOWN, ONE_SITE),
        back=(
            ("overview", Text("返回一张图", "Back to the overview")),
            ("alarms", Text("告警", "Alarms")),
            ("gateway", Text("网关运行", "Fleet")),
        ),
    )
    made.add(_name(lang), _state(lang), *alarm_counts(lang), _quality(lang))
    made.add(device_list(lang, height=11))
    made.add(_states(lang), kind_counts(lang, width=10, height=11))
    made.add(open_alarm_list(lang, height=8))
    made.row(Text("电力", "Power"))
    made.add(*_power(lang))
    made.row(Text("水", "Water"))
    made.add(*_water(lang))
    made.row(Text("环境", "Climate"))
    made.add(*_climate(lang))
    made.row(Text("线路与网关", "Lines and gateway"))
    made.add(gateways(lang, height=4))
    made.add(line_load(lang), line_failures(lang), discarded(lang))
    made.add(backlog(lang, width=24, height=7))
    return made


def _name(lang: str) -> build.Panel:
    look = Look(
        title=Text("站点名称", "Name of the site"),
        about=Text("站点文件中的名称。", "The name in the site's file."),
        width=5,
        height=4,
    )
    query = f'SELECT last("name_{lang}") AS "name" FROM "site" WHERE time > now() - 7d AND {SITES}'
    return stat(lang, look, [Query(query)], words=True, scale=Scale(unit="string"))


def _state(lang: str) -> build.Panel:
    look = Look(
        title=Text("站点此刻", "The site now"),
        about=Text(
            "5 分钟内最新的站点状态；没有上报即状态不明。",
            "The site's state of the last 5 minutes; without a word from it, unknown.",
        ),
        width=4,
        height=4,
        empty=Text("? 状态不明", "? Unknown"),
    )
    query = f'SELECT last("state") AS "state" FROM "site" WHERE {NOW} AND {SITES}'
    scale = Scale(unit="string", base=palette.GREY)
    return stat(lang, look, [Query(query)], words=True, mappings=palette.states(lang), scale=scale)


def _quality(lang: str) -> build.Panel:
    look = Look(
        title=Text("正常测点占比", "Share of good points"),
        about=Text(
            "全站质量正常的测点占比；无效的测点没有数值。",
            "Points of good quality among all of the site; a bad point has no value.",
        ),
        width=3,
        height=4,
    )
    query = (
        'SELECT 100 * sum("good") / (sum("good") + sum("uncertain") + sum("bad")) AS "share" FROM '
        '(SELECT last("good") AS "good", last("uncertain") AS "uncertain", last("bad") AS "bad" '
        f'FROM "quality" WHERE {NOW} AND {SITES} GROUP BY "device")'
    )
    steps = [(90, palette.YELLOW), (99, palette.GREEN)]
    return stat(lang, look, [Query(query)], scale=Scale(unit="percent", decimals=0, base=palette.GREY, steps=steps))


def _states(lang: str) -> build.Panel:
    look = Look(
        title=Text("设备状态变化", "States of the devices over time"),
        about=Text(
            "每台设备一行；空白处什么都没有上报。",
            "A line for each device; where it is blank nothing was told.",
        ),
        width=14,
        height=11,
    )
    query = (
        f'SELECT last("state") AS "state" FROM "readiness" WHERE {RANGE} AND {SITES} '
        'GROUP BY time($__interval), "device" fill(null)'
    )
    return timeline(lang, look, [Query(query, alias="$tag_device")], mappings=palette.states(lang)[:1])


Series = tuple[str, str]
"""A kind and one of its points."""


def _together(
    lang: str,
    title: Text,
    about: Text,
    series: Sequence[Series],
    *,
    width: int,
    steps: Sequence[Step] = (),
    low: float | None = None,
) -> build.Panel:
    """One quantity of all devices of the site that have it."""
    units = {point(kind_name, name).unit for kind_name, name in series}
    if len(units) != 1:
        raise ValueError(f"one panel, several units: {units}")
    queries = [
        Query(
            f'SELECT mean("{name}") AS "value" FROM "{kind_name}" WHERE {RANGE} AND {SITES} '
            'GROUP BY time($__interval), "device" fill(null)',
            ref=ref,
            alias=f"$tag_device {label(kind_name, name)[lang]}",
        )
        for ref, (kind_name, name) in zip(refs(len(series)), series, strict=True)
    ]
    look = Look(title=title, about=about, width=width, height=8)
    return trend(lang, look, queries, scale=Scale(unit=unit(units.pop()), low=low, steps=steps), interval="2m")


def _power(lang: str) -> list[build.Panel]:
    return [
        _mains(lang),
        _together(
            lang,
            Text("有功功率", "Active power"),
            Text("市电、发电机和各用电设备的功率。", "Power of the mains, the generators and what they supply."),
            [("meter", "power"), ("generator", "power"), ("ups", "output_power"), ("shelter", "power")],
            width=7,
        ),
        _together(
            lang,
            Text("电压", "Voltage"),
            Text(
                "市电和发电的相电压；虚线为 198 V 和 242 V（220 V ±10 %）。",
                "Phase voltages of mains and generators; dashed are 198 and 242 V (220 V ±10 %).",
            ),
            [("meter", "voltage_l1"), ("generator", "mains_voltage_l1"), ("generator", "voltage_l1"),
             ("ats", "source1_voltage_l1")],
            width=7,
            steps=[(198, palette.YELLOW), (242, palette.YELLOW)],
        ),
        _together(
            lang,
            Text("电池剩余电量", "State of charge"),
            Text("不间断电源、叉车、照明塔和避难场所的电池。", "Batteries of UPS, forklifts, towers and shelters."),
            [("ups", "state_of_charge"), ("shelter", "state_of_charge"), ("light_tower", "state_of_charge"),
             ("forklift", "state_of_charge")],
            width=6,
            steps=[(20, palette.ORANGE), (40, palette.YELLOW)],
            low=0,
        ),
    ]  # fmt: skip


def _mains(lang: str) -> build.Panel:
    kinds = ("warehouse", "shelter", "ups", "generator")
    queries = [
        Query(
            f'SELECT last("mains_available") AS "mains" FROM "{name}" WHERE {NOW} AND {SITES} GROUP BY "device"',
            ref=ref,
            alias=f"$tag_device {kind(name).label[lang]}",
        )
        for ref, name in zip(refs(len(kinds)), kinds, strict=True)
    ]
    look = Look(
        title=Text("市电", "Mains"),
        about=Text("各设备看到的市电。", "Whether each device sees mains."),
        width=4,
        height=8,
    )
    mappings = palette.flags(lang, (Text("正常", "there"), palette.GREEN), (Text("停电", "lost"), palette.ORANGE))
    return stat(lang, look, queries, words=True, names=True, mappings=mappings, scale=Scale(base=palette.GREY))


def _water(lang: str) -> list[build.Panel]:
    return [
        _together(
            lang,
            Text("水位", "Levels"),
            Text("集水井、储罐和河道的水位。", "Wet wells, tanks and rivers."),
            [("pump", "well_level"), ("tank", "level"), ("hydrology", "level")],
            width=8,
        ),
        _together(
            lang,
            Text("储水和储油", "Stored water and fuel"),
            Text("水箱和油箱的充满度。", "How full tanks are."),
            [("tank", "fill_level"), ("shelter", "water_level"), ("shelter", "waste_water_level"),
             ("generator", "fuel_level"), ("pump", "fuel_level")],
            width=8,
            low=0,
        ),
        _together(
            lang,
            Text("小时雨量", "Rain in an hour"),
            Text("气象站和水文站的小时雨量。", "Rain of the last hour at weather and river stations."),
            [("weather", "rainfall_1h"), ("hydrology", "rainfall_1h")],
            width=8,
            low=0,
        ),
    ]  # fmt: skip


def _climate(lang: str) -> list[build.Panel]:
    return [
        _together(
            lang,
            Text("温度", "Temperature"),
            Text("库房、冷库、避难场所和室外的温度。", "Stores, cold stores, shelters and outside."),
            [("warehouse", "temperature"), ("cold_store", "temperature"), ("shelter", "temperature"),
             ("sensor", "temperature"), ("weather", "temperature")],
            width=6,
        ),
        _together(
            lang,
            Text("相对湿度", "Relative humidity"),
            Text("虚线为 75 %：被服和帐篷开始受潮。", "Dashed is 75 %: textiles and tents get damp."),
            [("warehouse", "humidity"), ("shelter", "humidity"), ("sensor", "humidity"), ("weather", "humidity")],
            width=6,
            steps=[(75, palette.YELLOW)],
        ),
        _together(
            lang,
            Text("二氧化碳", "Carbon dioxide"),
            Text("虚线为 1500 和 2500 ppm：需要通风、需要疏散一部分人。",
                 "Dashed are 1500 and 2500 ppm: ventilate; let fewer people in."),
            [("shelter", "carbon_dioxide"), ("sensor", "carbon_dioxide")],
            width=6,
            steps=[(1500, palette.YELLOW), (2500, palette.ORANGE)],
        ),
        _alerts(lang),
    ]  # fmt: skip


def _alerts(lang: str) -> build.Panel:
    """Water, fire and doors: what must be false."""
    found = (
        ("warehouse", "water_detected"),
        ("warehouse", "fire_alarm"),
        ("warehouse", "door_open"),
        ("sensor", "water_detected"),
        ("shelter", "fire_alarm"),
    )
    queries = [
        Query(
            f'SELECT last("{name}") AS "value" FROM "{kind_name}" WHERE {RANGE} AND {SITES} '
            'GROUP BY time($__interval), "device" fill(null)',
            ref=ref,
            alias=f"$tag_device {label(kind_name, name)[lang]}",
        )
        for ref, (kind_name, name) in zip(refs(len(found)), found, strict=True)
    ]
    look = Look(
        title=Text("水浸、火警、门", "Water, fire, doors"),
        about=Text(
            "橙色为有，绿色为没有；空白处没有上报。", "Orange is yes, green is no; blank where nothing was told."
        ),
        width=6,
        height=8,
    )
    mappings = palette.flags(lang, (Text("是", "yes"), palette.ORANGE), (Text("否", "no"), palette.GREEN))
    return timeline(lang, look, queries, mappings=mappings)
