"""Machines that work at the scene."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.source.instruments.shapes import (
    FUEL,
    FUEL_ESTIMATED,
    MODE,
    RUNNING,
    Autonomy,
    Gauge,
    Instrument,
    Word,
    battery,
    must,
    must_not,
    percentage,
)
from dashboards.source.palette import GREEN, GREY, ORANGE, PURPLE, RED, YELLOW
from gateway.model import Text

INSTRUMENTS: Mapping[str, Instrument] = {
    "pump": Instrument(
        (
            battery(low=12.0),
            percentage("fuel_level", FUEL, low=40, watch=67),
            Gauge(
                "well_level",
                0,
                None,
                Text(
                    "集水井水位；高限因站点而异，见告警。",
                    "Level of the wet well; its limit differs by site, see the alarms.",
                ),
                decimals=2,
            ),
            Gauge("flow", 0, None, Text("出水流量。", "What it delivers."), decimals=0),
            Gauge("discharge_pressure", 0, None, Text("出水压力。", "At its outlet."), decimals=0),
            Gauge(
                "output_current",
                0,
                None,
                Text("电机电流；低于额定的 60 % 可能是干转。", "Motor current; below 60 % of rated it may run dry."),
                decimals=1,
            ),
            Gauge(
                "room_temperature",
                -20,
                50,
                Text("低于 4.4 °C 黄。", "Below 4.4 °C yellow."),
                base=YELLOW,
                steps=((4.4, GREEN),),
                decimals=1,
            ),
            Gauge("run_time", 0, None, Text("累计运行时间。", "Hours so far."), decimals=0),
        ),
        (
            MODE,
            Word("mode_auto", {"true": GREEN, "false": ORANGE}),
            RUNNING,
            Word("demand", {"true": PURPLE}),
            must_not("emergency_stop", ORANGE),
            must_not("fail_to_start"),
            must_not("drive_fault", ORANGE),
            must_not("charger1_failure", ORANGE),
            must_not("overspeed"),
        ),
        (FUEL_ESTIMATED,),
    ),
    "light_tower": Instrument(
        (
            battery(low=11.9, watch=12.2),
            percentage(
                "state_of_charge", Text("低于 30 % 橙，50 % 黄。", "Below 30 % orange, 50 % yellow."), low=30, watch=50
            ),
            Gauge("fuel_level", 0, 100, Text("油箱油位。", "Fuel in the tank."), decimals=0),
            Gauge(
                "wind_speed",
                0,
                30,
                Text(
                    "高于 14 m/s 黄：降下灯杆；17 m/s 红。以厂家限值为准。",
                    "Above 14 m/s yellow: lower the mast; 17 m/s red. The maker's limit rules.",
                ),
                base=GREEN,
                steps=((14, YELLOW), (17, RED)),
                decimals=1,
            ),
            Gauge(
                "tilt",
                -15,
                15,
                Text("超过 ±5° 红。", "Beyond ±5° red."),
                base=RED,
                steps=((-5, GREEN), (5, RED)),
                decimals=1,
            ),
            Gauge(
                "lamp_current",
                0,
                None,
                Text("开灯时低于额定的一半：有灯不亮。", "Below half of rated while on: lamps are out."),
                decimals=1,
            ),
        ),
        (
            Word("mode_auto", {"true": GREEN}),
            RUNNING,
            Word("mast_position", {"raised": PURPLE, "moving": PURPLE, "stowed": GREEN}),
            Word("lamp_on", {"true": PURPLE}),
            must_not("emergency_stop", ORANGE),
        ),
        (FUEL_ESTIMATED,),
    ),
    "forklift": Instrument(
        (
            percentage(
                "state_of_charge", Text("低于 20 % 橙，40 % 黄。", "Below 20 % orange, 40 % yellow."), low=20, watch=40
            ),
            Gauge("battery_voltage", 0, None, Text("蓄电池电压。", "Of the drive battery."), decimals=1),
            Gauge("battery_temperature", -20, 70, Text("蓄电池温度。", "Of the drive battery."), decimals=0),
            Gauge(
                "hydrogen",
                0,
                50,
                Text(
                    "充电间氢气：高于 10 %LEL 橙，25 %LEL 红。",
                    "In the charging room: above 10 %LEL orange, 25 %LEL red.",
                ),
                base=GREEN,
                steps=((10, ORANGE), (25, RED)),
                decimals=0,
            ),
            Gauge("run_time", 0, None, Text("每 250 小时保养。", "Service every 250 h."), decimals=0),
        ),
        (
            Word("charging", {"true": GREEN}),
            must_not("charger_failure", ORANGE),
            RUNNING,
            must_not("common_fault", ORANGE),
        ),
    ),
    "vehicle": Instrument(
        (
            percentage(
                "state_of_charge", Text("低于 20 % 橙，50 % 黄。", "Below 20 % orange, 50 % yellow."), low=20, watch=50
            ),
            battery("starter_battery_voltage", low=12.0),
            percentage(
                "fuel_level", Text("低于 20 % 橙，50 % 黄。", "Below 20 % orange, 50 % yellow."), low=20, watch=50
            ),
            Gauge(
                "signal_strength",
                -120,
                -40,
                Text("低于 -100 dBm 通信可能不稳。", "Below -100 dBm the link may not hold."),
                decimals=0,
            ),
        ),
        (
            Word("generator_running", {"true": PURPLE}),
            must("link_up"),
            Word("satellite_link_up", {"true": GREEN}),
            Word("position_fixed", {"true": GREEN}),
            Word("ignition_on", {"true": PURPLE}),
        ),
        (
            Autonomy(
                Text("电池续航", "Battery lasts"),
                Text("设备自报的剩余供电时间。", "As the device says."),
                ("battery_time_remaining",),
                '"battery_time_remaining" / 60',
            ),
        ),
    ),
    "field_kitchen": Instrument(
        (
            Gauge(
                "combustible_gas",
                0,
                50,
                Text(
                    "高于 10 %LEL 橙，25 %LEL 红：关阀、通风、撤人。",
                    "Above 10 %LEL orange, 25 %LEL red: close, ventilate, leave.",
                ),
                base=GREEN,
                steps=((10, ORANGE), (25, RED)),
                decimals=0,
            ),
            Gauge(
                "carbon_monoxide",
                0,
                150,
                Text("高于 24 ppm 橙，100 ppm 红。", "Above 24 ppm orange, 100 ppm red."),
                base=GREEN,
                steps=((24, ORANGE), (100, RED)),
                decimals=0,
            ),
            Gauge(
                "cold_store_temperature",
                -10,
                20,
                Text("高于 8 °C 黄。", "Above 8 °C yellow."),
                base=GREEN,
                steps=((8, YELLOW),),
                decimals=1,
            ),
            Gauge(
                "hot_hold_temperature",
                0,
                100,
                Text(
                    "保温时低于 60 °C 黄；低于 40 °C 视为未使用。",
                    "In use below 60 °C yellow; below 40 °C it is switched off.",
                ),
                base=GREY,
                steps=((40, YELLOW), (60, GREEN)),
                decimals=0,
            ),
            percentage("water_level", Text("低于 30 % 黄。", "Below 30 % yellow."), low=10, watch=30),
            battery(low=11.6, watch=12.2),
            Gauge("gas_weight", 0, None, Text("燃气余量。", "Gas left."), decimals=1),
        ),
        (
            must_not("gas_detected", ORANGE),
            must_not("smoke_detected"),
            must_not("fire_alarm"),
            must("mains_available"),
            Word("exhaust_fan_on", {"true": PURPLE}),
        ),
    ),
    "scba_compressor": Instrument(
        (
            Gauge(
                "carbon_monoxide",
                0,
                20,
                Text(
                    "呼吸空气不超过 5 ppm（EN 12021）；10 ppm 红。",
                    "Breathing air: 5 ppm at most (EN 12021); 10 ppm red.",
                ),
                base=GREEN,
                steps=((5, ORANGE), (10, RED)),
                decimals=1,
            ),
            Gauge(
                "carbon_dioxide",
                0,
                1000,
                Text("不超过 500 ppm。", "500 ppm at most."),
                base=GREEN,
                steps=((500, ORANGE),),
                decimals=0,
            ),
            Gauge(
                "oxygen",
                15,
                25,
                Text("21 ±1 %。", "21 ±1 %."),
                base=ORANGE,
                steps=((20, GREEN), (22, ORANGE)),
                decimals=1,
            ),
            Gauge(
                "dew_point",
                -60,
                20,
                Text("高于 -11 °C 橙。", "Above -11 °C orange."),
                base=GREEN,
                steps=((-11, ORANGE),),
                decimals=0,
            ),
            Gauge(
                "bank_pressure",
                0,
                40,
                Text(
                    "储气瓶组压力；低于标称的 90 % 黄，70 % 橙（此处按 30 MPa 画线）。",
                    "Below 90 % of nominal yellow, 70 % orange (drawn for 30 MPa).",
                ),
                base=ORANGE,
                steps=((21, YELLOW), (27, GREEN)),
                decimals=1,
            ),
            Gauge(
                "filter_remaining",
                0,
                None,
                Text("滤芯剩余寿命；用尽后不得充气。", "When it is used up, do not fill."),
                base=ORANGE,
                steps=((0.1, YELLOW), (10, GREEN)),
                decimals=0,
            ),
            Gauge(
                "discharge_temperature",
                0,
                200,
                Text("上限因型号而异，见告警。", "The limit differs by model, see the alarms."),
                decimals=0,
            ),
        ),
        (
            RUNNING,
            Word("filling", {"true": PURPLE}),
            must_not("emergency_stop", ORANGE),
            must_not("filter_expired", ORANGE),
            must_not("high_temperature", ORANGE),
            must_not("common_fault", ORANGE),
        ),
    ),
}
