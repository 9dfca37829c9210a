"""Tanks, sensors, weather and rivers."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.source.instruments.shapes import Gauge, Instrument, must, must_not, percentage
from dashboards.source.palette import GREEN, ORANGE, RED, YELLOW
from gateway.model import Text

INSTRUMENTS: Mapping[str, Instrument] = {
    "tank": Instrument(
        (
            percentage(
                "fill_level", Text("低于 15 % 橙，30 % 黄。", "Below 15 % orange, 30 % yellow."), low=15, watch=30
            ),
            Gauge("level", 0, None, Text("液位。", "Height of the surface."), decimals=2),
            Gauge("temperature", -40, 60, Text("介质温度。", "Of the contents."), decimals=1),
        ),
        (must_not("leak_detected", ORANGE), must_not("low_level", ORANGE), must_not("high_level", ORANGE)),
    ),
    "sensor": Instrument(
        (
            Gauge("temperature", -30, 60, Text("温度。", "Temperature."), decimals=1),
            Gauge(
                "humidity",
                0,
                100,
                Text("高于 75 % 黄，85 % 橙。", "Above 75 % yellow, 85 % orange."),
                base=GREEN,
                steps=((75, YELLOW), (85, ORANGE)),
                decimals=0,
            ),
            Gauge(
                "carbon_dioxide",
                400,
                6000,
                Text("高于 1500 黄，2500 橙，5000 ppm 红。", "Above 1500 yellow, 2500 orange, 5000 ppm red."),
                base=GREEN,
                steps=((1500, YELLOW), (2500, ORANGE), (5000, RED)),
                decimals=0,
            ),
        ),
        (
            must_not("water_detected", ORANGE),
            must_not("door_open", YELLOW),
            must_not("smoke_detected"),
            must_not("fire_alarm"),
            must("mains_available"),
            must_not("sensor_fault", YELLOW),
        ),
    ),
    "weather": Instrument(
        (
            Gauge(
                "wind_speed",
                0,
                40,
                Text(
                    "高于 10.8 m/s（6 级）黄，17.2 m/s（8 级）橙。",
                    "Above 10.8 m/s (force 6) yellow, 17.2 m/s (force 8) orange.",
                ),
                base=GREEN,
                steps=((10.8, YELLOW), (17.2, ORANGE)),
                decimals=1,
            ),
            Gauge(
                "rainfall_1h",
                0,
                60,
                Text("小时雨量高于 20 毫米黄，50 毫米橙。", "Above 20 mm in an hour yellow, 50 mm orange."),
                base=GREEN,
                steps=((20, YELLOW), (50, ORANGE)),
                decimals=1,
            ),
            Gauge("temperature", -40, 50, Text("室外温度。", "Outside."), decimals=1),
            Gauge("humidity", 0, 100, Text("室外相对湿度。", "Outside."), decimals=0),
        ),
        (must_not("sensor_fault", YELLOW),),
    ),
    "hydrology": Instrument(
        (
            Gauge(
                "level",
                None,
                None,
                Text("水位；警戒线因断面而异，见告警。", "The warning level differs by place, see the alarms."),
                decimals=2,
            ),
            Gauge(
                "rainfall_1h",
                0,
                60,
                Text("小时雨量高于 20 毫米黄，50 毫米橙。", "Above 20 mm in an hour yellow, 50 mm orange."),
                base=GREEN,
                steps=((20, YELLOW), (50, ORANGE)),
                decimals=1,
            ),
            Gauge("flow_velocity", 0, 6, Text("流速。", "Of the water."), decimals=2),
            Gauge(
                "battery_voltage",
                10,
                15.5,
                Text("12 V 电池：低于 11.4 V 橙，12.0 V 黄。", "12 V battery: below 11.4 V orange, 12.0 V yellow."),
                base=ORANGE,
                steps=((11.4, YELLOW), (12.0, GREEN)),
                decimals=2,
            ),
        ),
        (
            must_not("level_sensor_fault", YELLOW),
            must_not("rain_gauge_fault", YELLOW),
            must_not("door_open", YELLOW),
            must("mains_available", YELLOW),
        ),
    ),
}
