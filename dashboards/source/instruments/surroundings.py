"""Tanks, sensors, weather and rivers."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.source.instruments.shapes import RAIN_OF_AN_HOUR, Gauge, Instrument, must, must_not, percentage
from dashboards.source.palette import ORANGE, YELLOW
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
                Text("相对湿度；限值见所在库房。", "Its limits are those of the store it is in."),
                decimals=0,
            ),
            Gauge(
                "carbon_dioxide",
                400,
                6000,
                Text("二氧化碳；限值见所在场所。", "Its limits are those of the place it is in."),
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
                Text("10.8 m/s 为 6 级，17.2 m/s 为 8 级。", "10.8 m/s is force 6, 17.2 m/s is force 8."),
                decimals=1,
            ),
            RAIN_OF_AN_HOUR,
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
            RAIN_OF_AN_HOUR,
            Gauge("flow_velocity", 0, 6, Text("流速。", "Of the water."), decimals=2),
            Gauge(
                "battery_voltage",
                10,
                15.5,
                Text("遥测终端的蓄电池。", "Of the telemetry unit."),
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
