"""Supply: generators, transfer switches, UPS, meters."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.source.instruments.shapes import (
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
)
from dashboards.source.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, YELLOW
from dashboards.source.panels import TEXT
from gateway.model import Text

INSTRUMENTS: Mapping[str, Instrument] = {
    "generator": Instrument(
        (
            battery(low=12.0, watch=12.4, dead=11.4, high=14.8),
            Gauge(
                "fuel_level",
                0,
                100,
                Text("油箱油位；要紧的是续航小时数。", "What matters is how many hours it lasts."),
                decimals=0,
            ),
            Gauge(
                "coolant_temperature",
                0,
                120,
                Text(
                    "静置时低于 32 °C 说明水套加热未起作用（黄）；高于 98 °C 橙，103 °C 红。",
                    "At rest below 32 °C the jacket heater does not heat (yellow); above 98 °C orange, 103 °C red.",
                ),
                base=YELLOW,
                steps=((32, GREEN), (98, ORANGE), (103, RED)),
                decimals=0,
            ),
            Gauge(
                "oil_pressure",
                0,
                800,
                Text(
                    "运行时低于 150 kPa 橙，100 kPa 红；静置时为 0。",
                    "While running below 150 kPa orange, 100 kPa red; 0 at rest.",
                ),
                base=GREY,
                steps=((1, RED), (100, ORANGE), (150, GREEN)),
                decimals=0,
            ),
            Gauge(
                "mains_voltage_l1",
                0,
                280,
                Text("低于额定的 80 % 视为停电。", "Below 80 % of rated there is no mains."),
                base=ORANGE,
                steps=((176, YELLOW), (198, GREEN), (242, YELLOW)),
                decimals=0,
            ),
            Gauge("power", 0, None, Text("发电总有功功率。", "What the set supplies."), decimals=1),
            Gauge("run_time", 0, None, Text("累计运行时间。", "Hours on the engine."), decimals=0),
            Gauge(
                "service_remaining",
                None,
                None,
                Text("不足 25 小时蓝，到期黄。", "Below 25 h blue, when due yellow."),
                base=YELLOW,
                steps=((0.1, BLUE), (25, GREEN)),
                decimals=0,
            ),
        ),
        (
            MODE,
            Word(
                "engine_state",
                {
                    "locked_out": RED,
                    "stop_failed": RED,
                    "not_ready": ORANGE,
                    "standby": GREEN,
                    "running": PURPLE,
                    "on_load": PURPLE,
                },
            ),
            RUNNING,
            must_not("emergency_stop", ORANGE),
            must_not("fail_to_start"),
            must_not("charger_failure", ORANGE),
            must_not("common_shutdown"),
            must("mains_available"),
            Word("generator_on_load", {"true": PURPLE}),
        ),
        (
            Autonomy(
                Text("燃油续航（实测）", "Fuel lasts (measured)"),
                Text(
                    "燃油存量 ÷ 实测油耗，只在运行时有值。低于 8 小时黄，4 小时橙，1 小时红。",
                    "Fuel in the tank ÷ measured use, only while running. Below 8 h yellow, 4 h orange, 1 h red.",
                ),
                ("fuel_volume", "fuel_rate"),
                '"fuel_volume" / "fuel_rate"',
                only='"fuel_rate" > 0.5',
                empty=Text("未运行，或不测油耗", "At rest, or not measured"),
            ),
            FUEL_ESTIMATED,
        ),
    ),
    "ats": Instrument(
        (
            Gauge(
                "source1_voltage_l1",
                0,
                280,
                Text("常用电源；198 至 242 V 为正常。", "Normal source; 198 to 242 V."),
                base=ORANGE,
                steps=((176, YELLOW), (198, GREEN), (242, YELLOW)),
                decimals=0,
            ),
            Gauge(
                "source2_voltage_l1",
                0,
                280,
                Text("备用电源；平时为 0。", "Stand-by source; 0 while at rest."),
                base=GREY,
                steps=((1, ORANGE), (176, YELLOW), (198, GREEN), (242, YELLOW)),
                decimals=0,
            ),
            Gauge(
                "source1_frequency",
                45,
                55,
                Text("常用电源频率。", "Frequency of the normal source."),
                decimals=2,
            ),
            Gauge(
                "transfer_count",
                0,
                None,
                Text("累计切换次数；至少 40 天切换一次。", "Transfers so far; one in 40 days at least."),
                decimals=0,
            ),
        ),
        (
            MODE,
            Word("position", {"source1": GREEN, "source2": PURPLE, "open": RED, "both": RED}),
            must("source1_available"),
            Word("source2_available", {"true": GREEN}),
            must_not("transfer_failed"),
            must_not("breaker1_tripped"),
            must_not("breaker2_tripped"),
            must_not("load_unpowered"),
        ),
    ),
    "ups": Instrument(
        (
            Gauge(
                "state_of_charge",
                0,
                100,
                Text("低于 20 % 红。", "Below 20 % red."),
                base=RED,
                steps=((20, GREEN),),
                decimals=0,
            ),
            Gauge(
                "load",
                0,
                120,
                Text("输出负载率。", "Share of what it can supply."),
                decimals=0,
            ),
            Gauge(
                "input_voltage",
                0,
                280,
                Text("198 至 242 V 为正常。", "198 to 242 V is normal."),
                base=ORANGE,
                steps=((176, YELLOW), (198, GREEN), (242, YELLOW)),
                decimals=0,
            ),
            Gauge(
                "battery_temperature",
                -10,
                60,
                Text("电池温度。", "Of the battery."),
                decimals=0,
            ),
        ),
        (
            must("mains_available"),
            Word("on_battery", {"true": YELLOW, "false": GREEN}),
            must_not("overload", ORANGE),
            must_not("battery_replacement_due", YELLOW),
            must_not("self_test_failed", YELLOW),
        ),
        (
            Autonomy(
                Text("电池续航", "Battery lasts"),
                Text("设备自报的剩余供电时间。", "As the device says."),
                ("battery_time_remaining",),
                '"battery_time_remaining" / 60',
                high=8,
                base=TEXT,
                steps=(),
            ),
        ),
    ),
    "meter": Instrument(
        (
            Gauge(
                "voltage_l1",
                0,
                280,
                Text("198 至 242 V 为正常。", "198 to 242 V is normal."),
                base=ORANGE,
                steps=((176, YELLOW), (198, GREEN), (242, YELLOW)),
                decimals=0,
            ),
            Gauge("power", None, None, Text("总有功功率。", "Active power."), decimals=2),
            Gauge(
                "frequency",
                45,
                55,
                Text("电源频率。", "Frequency of the supply."),
                decimals=2,
            ),
            Gauge("energy", 0, None, Text("累计电能。", "Energy so far."), decimals=0),
        ),
        (must("mains_available"), must_not("phase_loss", ORANGE), must_not("phase_sequence_fault", YELLOW)),
    ),
}
