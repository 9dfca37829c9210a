"""Stores and shelters."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.source.instruments.shapes import (
    Autonomy,
    Gauge,
    Input,
    Instrument,
    Word,
    must,
    must_not,
)
from dashboards.source.palette import BLUE, GREEN, ORANGE, PURPLE, RED, YELLOW
from gateway.model import Text

INSTRUMENTS: Mapping[str, Instrument] = {
    "warehouse": Instrument(
        (
            Gauge(
                "temperature",
                -20,
                50,
                Text(
                    "默认低于 0 °C 橙，高于 35 °C 黄，45 °C 橙；以站点文件为准。",
                    "By default below 0 °C orange, above 35 °C yellow, 45 °C orange; the site file rules.",
                ),
                base=ORANGE,
                steps=((0, GREEN), (35, YELLOW), (45, ORANGE)),
                decimals=1,
            ),
            Gauge(
                "humidity",
                0,
                100,
                Text("高于 65 % 蓝，75 % 黄，85 % 橙。", "Above 65 % blue, 75 % yellow, 85 % orange."),
                base=GREEN,
                steps=((65, BLUE), (75, YELLOW), (85, ORANGE)),
                decimals=0,
            ),
            Gauge(
                "temperature_2",
                -20,
                50,
                Text("2 区；限值同上。", "Zone 2; the same limits."),
                base=ORANGE,
                steps=((0, GREEN), (35, YELLOW), (45, ORANGE)),
                decimals=1,
            ),
            Gauge(
                "humidity_2",
                0,
                100,
                Text("2 区；限值同上。", "Zone 2; the same limits."),
                base=GREEN,
                steps=((65, BLUE), (75, YELLOW), (85, ORANGE)),
                decimals=0,
            ),
            Gauge(
                "smoke",
                0,
                500,
                Text("高于 300 ppm 报警。", "Above 300 ppm it raises an alarm."),
                base=GREEN,
                steps=((150, YELLOW), (300, ORANGE)),
                decimals=0,
            ),
        ),
        (
            must_not("water_detected", ORANGE),
            must_not("fire_alarm"),
            must_not("fire_panel_fault", YELLOW),
            must_not("door_open", YELLOW),
            must("mains_available", YELLOW),
        ),
    ),
    "shelter": Instrument(
        (
            Gauge(
                "carbon_dioxide",
                400,
                6000,
                Text(
                    "高于 1000 蓝，1500 黄，2500 橙，5000 ppm 红。",
                    "Above 1000 blue, 1500 yellow, 2500 orange, 5000 ppm red.",
                ),
                base=GREEN,
                steps=((1000, BLUE), (1500, YELLOW), (2500, ORANGE), (5000, RED)),
                decimals=0,
            ),
            Gauge(
                "carbon_monoxide",
                0,
                120,
                Text("高于 9 黄，30 橙，100 ppm 红。", "Above 9 yellow, 30 orange, 100 ppm red."),
                base=GREEN,
                steps=((9, YELLOW), (30, ORANGE), (100, RED)),
                decimals=0,
            ),
            Gauge(
                "temperature",
                0,
                45,
                Text(
                    "16 至 28 °C 为宜；12 和 32 °C 橙，8 和 35 °C 红。",
                    "16 to 28 °C is fine; 12 and 32 °C orange, 8 and 35 °C red.",
                ),
                base=RED,
                steps=((8, ORANGE), (12, YELLOW), (16, GREEN), (28, YELLOW), (32, ORANGE), (35, RED)),
                decimals=1,
            ),
            Gauge(
                "occupancy",
                0,
                None,
                Text("在场人数；核定人数见站点文件。", "Persons present; the site file knows the capacity."),
                decimals=0,
            ),
            Gauge(
                "water_level",
                0,
                100,
                Text("水箱水位；要紧的是能供几小时。", "What matters is how many hours it lasts."),
                decimals=0,
            ),
            Gauge(
                "waste_water_level",
                0,
                100,
                Text("高于 80 % 黄，95 % 橙。", "Above 80 % yellow, 95 % orange."),
                base=GREEN,
                steps=((80, YELLOW), (95, ORANGE)),
                decimals=0,
            ),
            Gauge("state_of_charge", 0, 100, Text("蓄电池剩余电量。", "Of the battery."), decimals=0),
            Gauge("toilets_working", 0, None, Text("每 20 人至少一个。", "One for 20 persons at least."), decimals=0),
        ),
        (
            must("mains_available", YELLOW),
            Word("door_open", {}),
            must_not("fire_alarm"),
            must_not("water_detected", ORANGE),
            must_not("emergency_light_fault", YELLOW),
            must_not("broadcast_fault", YELLOW),
            must_not("siren_fault", YELLOW),
            must_not("communication_fault", YELLOW),
        ),
        (
            Autonomy(
                Text("电池续航", "Battery lasts"),
                Text(
                    "设备自报的剩余供电时间。低于 8 小时黄，4 小时橙，1 小时红。",
                    "As the device says. Below 8 h yellow, 4 h orange, 1 h red.",
                ),
                ("battery_time_remaining",),
                '"battery_time_remaining" / 60',
            ),
            Autonomy(
                Text("储水续航", "Water lasts"),
                Text(
                    "储水量 ÷（在场人数 × 每人每日用水量）。低于 48 小时黄，24 小时橙，12 小时红。",
                    "Water stored ÷ (persons × water each day). Below 48 h yellow, 24 h orange, 12 h red.",
                ),
                ("water_volume", "occupancy"),
                '"water_volume" / ("occupancy" * $water / 24)',
                only='"occupancy" > 0',
                inputs=(
                    Input(
                        "water",
                        Text("每人每日用水（L）", "Water per person and day (L)"),
                        Text("默认 15 升。", "15 litres by default."),
                        "15",
                    ),
                ),
                high=120,
                steps=((12, ORANGE), (24, YELLOW), (48, GREEN)),
                empty=Text("无人在场", "Nobody is there"),
            ),
        ),
    ),
    "cold_store": Instrument(
        (
            Gauge(
                "temperature",
                -30,
                20,
                Text("药品 2 至 8 °C；以站点文件为准。", "Medicine 2 to 8 °C; the site file rules."),
                base=ORANGE,
                steps=((2, GREEN), (8, ORANGE)),
                decimals=1,
            ),
            Gauge(
                "humidity",
                0,
                100,
                Text("35 至 75 % 为宜。", "35 to 75 % is fine."),
                base=YELLOW,
                steps=((35, GREEN), (75, YELLOW)),
                decimals=0,
            ),
            Gauge("evaporator_temperature", -40, 20, Text("蒸发器温度。", "Of the evaporator."), decimals=1),
        ),
        (
            Word("compressor_running", {"true": PURPLE}),
            Word("defrosting", {"true": PURPLE}),
            must_not("door_open", YELLOW),
            must("mains_available"),
            must_not("common_alarm", ORANGE),
        ),
    ),
}
