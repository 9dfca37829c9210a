"""Every word of the page in Chinese and English, and how values are written."""

from __future__ import annotations

from decimal import Decimal

from gateway.model import MaybeValue, Point, Priority, ReadinessState, Status, Text

STATES = {
    ReadinessState.READY: Text("可用", "Ready"),
    ReadinessState.DEGRADED: Text("降级可用", "Degraded"),
    ReadinessState.NOT_READY: Text("不可用", "Not ready"),
    ReadinessState.UNKNOWN: Text("状态不明", "Unknown"),
    ReadinessState.IN_USE: Text("使用中", "In use"),
    ReadinessState.OUT_OF_SERVICE: Text("停用检修", "Out of service"),
    ReadinessState.RETIRED: Text("已退役", "Retired"),
}

#: A shape beside each colour, so that nobody needs to tell colours apart.
SIGNS = {
    ReadinessState.READY: "✓",
    ReadinessState.DEGRADED: "!",
    ReadinessState.NOT_READY: "✕",
    ReadinessState.UNKNOWN: "?",
    ReadinessState.IN_USE: "▶",
    ReadinessState.OUT_OF_SERVICE: "⏸",
    ReadinessState.RETIRED: "–",
}

#: Worst first; what cannot be seen comes right after what is known to be broken.
ORDER = (
    ReadinessState.NOT_READY,
    ReadinessState.UNKNOWN,
    ReadinessState.DEGRADED,
    ReadinessState.IN_USE,
    ReadinessState.OUT_OF_SERVICE,
    ReadinessState.READY,
    ReadinessState.RETIRED,
)

PRIORITIES = {
    Priority.CRITICAL: Text("红", "critical"),
    Priority.HIGH: Text("橙", "high"),
    Priority.MEDIUM: Text("黄", "medium"),
    Priority.LOW: Text("蓝", "low"),
}

STATUSES = {
    Status.Good: Text("正常", "good"),
    Status.UncertainEngineeringUnitsExceeded: Text("超出量程，存疑", "outside its range, uncertain"),
    Status.BadUnexpectedError: Text("异常", "unexpected error"),
    Status.BadResourceUnavailable: Text("设备忙", "device busy"),
    Status.BadDecodingError: Text("数据无法解码", "cannot be decoded"),
    Status.BadTimeout: Text("无应答", "no answer"),
    Status.BadNoCommunication: Text("线路中断", "line down"),
    Status.BadWaitingForInitialData: Text("尚未读到", "not read yet"),
    Status.BadOutOfRange: Text("数值无效", "not a valid value"),
    Status.BadConfigurationError: Text("设备不支持此测点", "refused by the device"),
    Status.BadDeviceFailure: Text("设备故障", "device failure"),
    Status.BadSensorFailure: Text("传感器故障", "sensor failure"),
    Status.BadOutOfService: Text("停用", "out of service"),
}

WORDS = {
    "title": Text("守望", "Vigil"),
    "overview": Text("总览", "Overview"),
    "site_is": Text("本站", "This site"),
    "devices": Text("设备", "Devices"),
    "since": Text("自", "since"),
    "point": Text("测点", "Point"),
    "value": Text("数值", "Value"),
    "quality": Text("质量", "Quality"),
    "updated": Text("更新时间", "Updated"),
    "reasons": Text("原因", "Reasons"),
    "no_reasons": Text("没有异常", "Nothing is wrong"),
    "trend": Text("近一小时趋势", "Last hour"),
    "no_trend": Text("近一小时没有可用数据", "No usable data in the last hour"),
    "yes": Text("是", "yes"),
    "no": Text("否", "no"),
    "live": Text("实时", "live"),
    "lost": Text("与网关的连接中断，数值可能已过时", "Connection to the gateway lost; values may be old"),
    "not_found": Text("没有这个页面", "There is no such page"),
    "other_language": Text("English", "中文"),
    "score": Text("得分", "score"),
    "back": Text("返回总览", "Back to the overview"),
    "device_alarm_note": Text("颜色为设备告警，不是公众预警", "Colours are equipment alarms, not public warnings"),
}


def write_value(value: MaybeValue, point: Point, language: str) -> str:
    """A value as people read it: three decimals at the most, words translated, an em dash where there is none."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return WORDS["yes" if value else "no"][language]
    if isinstance(value, str):
        word = point.words.get(value)
        return word[language] if word else value
    if isinstance(value, int):
        return str(value)
    number = Decimal(repr(value)) if isinstance(value, float) else value
    if abs(number) >= 1_000_000:
        return f"{number:.0f}"
    return f"{number:.3f}".rstrip("0").rstrip(".")


def name_of(point: Point, language: str) -> str:
    """A point's name in the operator's language, its technical name where it has none."""
    return point.label[language] if point.label else point.name
