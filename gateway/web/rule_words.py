"""What the names in the conditions of the library's rules stand for, where they are neither points nor facts."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.model import Text
from gateway.rules.facts import AGE, MINUTE
from gateway.settings.types import VocabularyFact

#: Definitions, windows and what is built in.
RULE_WORDS: Mapping[str, Text] = {
    "activated": Text("已启用", "Activated"),
    "all_phases": Text("三相电压都正常", "All phases have voltage"),
    "any_phase": Text("至少一相有电压", "At least one phase has voltage"),
    "at_rest": Text("静置状态", "At rest"),
    "automatic": Text("处于自动", "In automatic"),
    "bank_share": Text("储气压力占额定值的比例（%）", "Bank pressure, % of nominal"),
    "battery_hours": Text("电池可供电小时数", "Hours the battery lasts"),
    "battery_voltage_cranking": Text("近5分钟最低启动电池电压", "Lowest battery voltage in 5 min"),
    "battery_voltage_range_24h": Text("近24小时电池电压变化幅度", "Range of the battery voltage in 24 h"),
    "battery_voltage_trend_30d": Text("近30天电池电压趋势", "Trend of the battery voltage over 30 days"),
    "burn": Text("燃油消耗率（L/h）", "Fuel burnt, L/h"),
    "closed": Text("闭馆（关闭）时段", "Closed hours"),
    "coolant_temperature_range_24h": Text("近24小时冷却液温度变化幅度", "Range of the coolant temperature in 24 h"),
    "cranking": Text("正在启动", "Cranking"),
    "discharging": Text("由电池供电", "Runs on its battery"),
    "failures_15m": Text("近15分钟失败请求数", "Failed requests in 15 min"),
    "fill": Text("储量（%）", "Fill, %"),
    "fuel_hours": Text("燃油可用小时数", "Hours the fuel lasts"),
    "fuel_level_fall_1h": Text("近1小时燃油下降量", "Fall of the fuel level in 1 h"),
    "fuel_litres": Text("燃油量（L）", "Fuel, L"),
    "good_polls": Text("连续有效轮询次数", "Good polls in a row"),
    "lamps": Text("灯具电流", "Lamp current"),
    "level_above_start": Text("水位高出启泵水位", "Level above the start level"),
    "load_share": Text("负载率（%）", "Load, % of rated"),
    "mains_good": Text("市电正常", "Mains good"),
    "motor_current": Text("电机电流", "Motor current"),
    "n": Text("电池标称电压为 12 V 的倍数", "Nominal battery voltage, in multiples of 12 V"),
    "night": Text("夜间", "Night"),
    "on_shift": Text("上班时段", "On shift"),
    "out_of_range_samples": Text("连续超出范围次数", "Readings out of range in a row"),
    "persons": Text("用水人数", "Persons to be supplied"),
    "points_out_of_range": Text("超出范围的测点", "Points out of range"),
    "poll_interval": Text("轮询周期（s）", "Poll interval, s"),
    "rainfall_gain_1h": Text("近1小时雨量", "Rain in 1 h"),
    "rainfall_gain_3h": Text("近3小时雨量", "Rain in 3 h"),
    "requests_15m": Text("近15分钟请求数", "Requests in 15 min"),
    "share_taken": Text("容纳率（%）", "Places taken, %"),
    "silent_for": Text("无应答时长（s）", "Silent for, s"),
    "starter_draws": Text("起动机正在用电", "The starter draws current"),
    "starts_1h": Text("近1小时启动次数", "Starts in 1 h"),
    "starts_by_itself": Text("应自动启动", "Has to start by itself"),
    "steady": Text("稳定运转", "Turns at its own speed"),
    "stowed": Text("桅杆已收起", "Mast stowed"),
    "temperature_range_24h": Text("近24小时温度变化幅度", "Range of the temperature in 24 h"),
    "testing": Text("正在试机", "On test"),
    "time_of_day": Text("当日时刻（零点起的分钟数）", "Time of day, minutes since midnight"),
    "turning": Text("正在运转", "Turning"),
    "water_hours": Text("储水可用小时数", "Hours the water lasts"),
    "water_litres": Text("储水量（L）", "Water, L"),
    "well_level_fall_15m": Text("近15分钟水位下降量", "Fall of the level in 15 min"),
    "wind": Text("风速（优先取阵风）", "Wind, gusts where measured"),
}


def rule_word(name: str, facts: Mapping[str, VocabularyFact]) -> Text | None:
    """What `name` is called; None for a name of the site's own rules. `facts` are those of the device's kind."""
    known = RULE_WORDS.get(name)
    if known is not None:
        return known
    if name.endswith(AGE) and (fact := facts.get(name.removesuffix(AGE))) is not None:
        return Text(f"{fact.label.zh}（距今天数）", f"{fact.label.en}, days since")
    if name.endswith(MINUTE) and (fact := facts.get(name.removesuffix(MINUTE))) is not None:
        return Text(f"{fact.label.zh}（零点起的分钟数）", f"{fact.label.en}, minutes since midnight")
    return None
