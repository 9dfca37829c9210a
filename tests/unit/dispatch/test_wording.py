"""The words of notices, in both languages, as people will read them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.dispatch.group import Batch, Line, in_order
from gateway.dispatch.incident import Delivery, What
from gateway.dispatch.wording import Moment, Names, write
from gateway.model import Ack, AlarmCondition, AlarmState, Point, Priority, ReportPolicy, Text, ValueType
from gateway.ports import Notice
from tests.unit.dispatch.alarms import WALL, alarm
from tests.unit.dispatch.people import ZONE
from tests.unit.sim.sites import site

M, H, D = 60_000, 3_600_000, 86_400_000


def names() -> Names:
    found = Names(site())
    found.site = Text("城东应急物资储备库", "Chengdong supply depot")
    label = Text("启动电池电压", "Battery voltage")
    voltage = Point("battery_voltage", ValueType.NUMBER, "V", 1.0, ReportPolicy(), None, label=label)
    found._devices = {"gen-1": Text("1号发电机组", "Generator 1")}
    found._points = {"gen-1": {"battery_voltage": voltage}}
    return found


def standing(rule: str = "battery_low", **more: object) -> AlarmState:
    return alarm(rule=rule, condition=AlarmCondition.UNACK, **more)


def told(*lines: Line, language: str = "zh", is_known: bool = True) -> Notice:
    done = Delivery(lines[0].alarm.key, "duty", lines[0].what, WALL, WALL, Priority.CRITICAL, "gen-1")
    made = Batch("duty", (done,), tuple(in_order(lines)))
    return write("depot-07-1a2b3c4d", made, language, names(), Moment(WALL, WALL, ZONE, is_known=is_known))


LOW = Line(standing(because={"battery_voltage": 22.6}), What.RAISED, WALL - 2 * H)


def test_one_alarm_in_chinese() -> None:
    notice = told(LOW)
    assert notice.title == "【设备告警·红】城东应急物资储备库 1号发电机组：启动电池电压低"
    assert notice.short == (
        "【设备告警·红】城东应急物资储备库 1号发电机组：启动电池电压低（启动电池电压 22.6 V），04:40 发生（2 小时前）。"
        "请维护人员：检查充电器和电池连接。编号 depot-07-1a2b3c4d"
    )
    assert notice.long.splitlines() == [
        "● 红 1号发电机组：启动电池电压低（启动电池电压 22.6 V）",
        "　04:40 发生（2 小时前）",
        "　处置：检查充电器和电池连接",
        "　负责：维护人员",
        "这是设备告警，不是公众预警。编号 depot-07-1a2b3c4d",
    ]
    assert (notice.priority, notice.alarms, notice.calls) == (
        Priority.CRITICAL,
        ("gen-1/battery_low",),
        ("gen-1/battery_low",),
    )


def test_one_alarm_in_english() -> None:
    notice = told(LOW, language="en")
    assert notice.title == "[Equipment alarm RED] Chengdong supply depot, Generator 1: Starting battery voltage low"
    assert notice.short == (
        "[Equipment alarm RED] Chengdong supply depot, Generator 1: Starting battery voltage low "
        "(Battery voltage 22.6 V), since 04:40 (2 hours ago). For maintenance: Check the charger and the battery "
        "connections. Ref depot-07-1a2b3c4d"
    )
    assert notice.long.splitlines() == [
        "* RED Generator 1: Starting battery voltage low (Battery voltage 22.6 V)",
        "  since 04:40 (2 hours ago)",
        "  To do: Check the charger and the battery connections",
        "  For: maintenance",
        "This is about equipment, not a public warning. Ref depot-07-1a2b3c4d",
    ]


def test_both_languages_in_one_notice() -> None:
    notice = told(LOW, language="both")
    assert notice.short == f"{told(LOW).short}\n{told(LOW, language='en').short}"
    assert told(LOW).long in notice.long
    assert told(LOW, language="en").long in notice.long


@pytest.mark.parametrize(
    ("age_ms", "zh", "en"),
    [
        (5_000, "06:39 发生（刚刚）", "since 06:39 (just now)"),
        (M, "06:39 发生（1 分钟前）", "since 06:39 (1 minute ago)"),
        (H, "05:40 发生（1 小时前）", "since 05:40 (1 hour ago)"),
        (3 * D, "11-19 06:40 发生（3 天前）", "since 11-19 06:40 (3 days ago)"),
    ],
)
def test_the_age_of_the_fact(age_ms: int, zh: str, en: str) -> None:
    line = replace(LOW, began=WALL - age_ms)
    assert zh in told(line).short
    assert en in told(line, language="en").short


def test_without_a_clock_only_the_age_is_told() -> None:
    assert "2 小时前发生（网关时钟未校准）" in told(LOW, is_known=False).short
    assert "since 2 hours ago (the gateway's clock is not set)" in told(LOW, language="en", is_known=False).short


@pytest.mark.parametrize(
    ("what", "zh", "en"),
    [
        (What.WORSENED, "升级：启动电池", "Worse: Starting"),
        (What.ESCALATED, "超时未确认：启动电池", "Not acknowledged in time: Starting"),
        (What.REPEATED, "仍未确认：启动电池", "Still not acknowledged: Starting"),
    ],
)
def test_what_is_said_of_it(what: What, zh: str, en: str) -> None:
    assert zh in told(replace(LOW, what=what)).short
    assert en in told(replace(LOW, what=what), language="en").long


def test_an_end_asks_nothing_of_anybody() -> None:
    over = replace(LOW, what=What.ENDED, alarm=alarm())
    assert told(over).title.startswith("【设备告警·恢复】")
    assert told(over).short == (
        "【设备告警·恢复】城东应急物资储备库 1号发电机组：已恢复：启动电池电压低，04:40 发生（2 小时前），现已恢复。"
        "编号 depot-07-1a2b3c4d"
    )
    assert "To do" not in told(over, language="en").long
    assert told(over).calls == ()


def test_who_has_acknowledged_and_how_many_are_missing() -> None:
    half = standing(acks=(Ack("王强", WALL),), acks_needed=2)
    assert "负责：维护人员（王强 已确认，还需 1 人）" in told(replace(LOW, alarm=half)).long
    full = standing(acks=(Ack("王强", WALL), Ack("李丽", WALL)), acks_needed=2)
    assert "(acknowledged by 王强, 李丽)" in told(replace(LOW, alarm=full), language="en").long


def test_the_first_out_stands_above_what_followed() -> None:
    first = Line(standing("shutdown", priority=Priority.HIGH, is_first_out=True), What.RAISED, WALL - M)
    followed = Line(standing("no_voltage", first_out="shutdown"), What.RAISED, WALL)
    other = Line(replace(standing("leak", priority=Priority.MEDIUM), device="pump-1"), What.RAISED, WALL - H)
    notice = told(other, followed, first)
    assert notice.alarms == ("gen-1/shutdown", "gen-1/no_voltage", "pump-1/leak")
    lines = notice.long.splitlines()
    assert lines[0].startswith("● 橙 1号发电机组")
    assert lines[4].startswith("　└ 随后 红 1号发电机组")
    assert notice.title == "【设备告警·红】城东应急物资储备库 2 台设备：3 条告警"


def test_a_thousand_are_counted_and_the_worst_told() -> None:
    lines = [
        Line(standing(f"rule_{n}", priority=Priority.LOW if n % 10 else Priority.HIGH), What.RAISED, WALL - n)
        for n in range(1000)
    ]
    notice = told(*lines)
    assert len(notice.alarms) == 1000
    assert "还有 980 条（橙 80、蓝 900），完整清单见网关页面和告警记录。" in notice.long
    assert "还有 997 条（橙 97、蓝 900）。" in notice.short
    assert "980 more (80 ORANGE, 900 BLUE); the whole list" in told(*lines, language="en").long
    assert len(notice.short) < 300
