"""Every word of the page in Chinese and English, and how values are written."""

from __future__ import annotations

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
    Status.UncertainEngineeringUnitsExceeded: Text("超出量程，存疑", "out of range, uncertain"),
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
    "lost": Text("与网关的连接中断，数值可能已过时", "Connection to the gateway lost; values may be old"),
    "not_found": Text("没有这个页面", "There is no such page"),
    "other_language": Text("English", "中文"),
    "score": Text("得分", "score"),
    "back": Text("返回总览", "Back to the overview"),
    "go_back": Text("返回", "Back"),
    "pages": Text("页面", "Pages"),
    "nav_health": Text("运行", "Health"),
    "nav_configuration": Text("配置", "Setup"),
    "in_order": Text("其他设备", "Other devices"),
    "health": Text("运行状况", "Health"),
    "configuration": Text("运行配置", "Configuration"),
    "required": Text("必备", "Required"),
    "usable_of_required": Text("可用/必备", "usable / required"),
    "counts": Text("按状态统计", "Devices by state"),
    "more_points": Text("其他测点", "More points"),
    "stale": Text("数据过时", "out of date by"),
    "for": Text("已持续", "for"),
    "skip": Text("跳到正文", "Skip to the content"),
    "site_time": Text("站点时间", "Site time"),
    "crowded": Text(
        "实时查看人数已满，页面每 10 秒自行刷新", "Too many live viewers; this page renews itself every 10 s instead"
    ),
    "waiting": Text("尚未读到", "not read yet"),
    "lines": Text("线路", "Lines"),
    "line": Text("线路", "Line"),
    "requests": Text("请求", "Requests"),
    "load": Text("负荷", "Load"),
    "load_planned": Text("计划", "planned"),
    "timeouts": Text("超时", "Time-outs"),
    "discarded": Text("丢弃报文", "Discarded"),
    "endpoint": Text("端点", "Endpoint"),
    "protocol": Text("协议", "Protocol"),
    "device": Text("设备", "Device"),
    "kind": Text("类型", "Kind"),
    "profile": Text("型号档案", "Profile"),
    "inline": Text("在站点文件中定义", "written in the site file"),
    "address": Text("地址", "Address"),
    "interval": Text("轮询间隔", "Interval"),
    "site": Text("站点", "Site"),
    "facts": Text("事实", "Facts"),
    "rules": Text("规则包", "Rule packs"),
    "none": Text("无", "none"),
    "digest": Text("配置摘要", "Digest"),
    "file": Text("文件", "File"),
    "version": Text("软件版本", "Software version"),
    "timezone": Text("时区", "Time zone"),
    "labels": Text("标签", "Labels"),
    "broker": Text("消息服务器", "Broker"),
    "no_secrets": Text("密码和密钥从不显示", "Passwords and keys are never shown"),
    "log_in": Text("登录", "Log in"),
    "log_out": Text("退出", "Log out"),
    "name": Text("姓名", "Name"),
    "password": Text("密码或PIN", "Password or PIN"),
    "login_refused": Text("姓名或密码不对", "Name or password is wrong"),
    "login_wait": Text("尝试次数过多，请稍候再试", "Too many attempts; wait a little"),
    "role_viewer": Text("查看", "viewer"),
    "role_operator": Text("值班", "operator"),
    "role_maintainer": Text("维护", "maintainer"),
    "as_json": Text("数据接口", "Data interfaces"),
    "device_alarm_note": Text("颜色为设备告警，不是公众预警", "Colours are equipment alarms, not public warnings"),
}


#: So many decimals below so large a value.
_DECIMALS = ((3, 10), (2, 100), (1, 1000))


def write_value(value: MaybeValue, point: Point, language: str) -> str:
    """A value as people read it: four significant digits, words translated, an em dash where there is none."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return WORDS["yes" if value else "no"][language]
    if isinstance(value, str):
        word = point.words.get(value)
        return word[language] if word else value
    if isinstance(value, int):
        return str(value)
    magnitude = abs(float(value))
    decimals = next((places for places, size in _DECIMALS if magnitude < size), 0)
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def write_plain(value: object) -> str:
    """A setting as it would be written in the file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {write_plain(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(write_plain, value)) + "]"
    return str(value)


def duration(milliseconds: int, language: str, *, is_exact: bool = False) -> str:
    """A length of time in its largest whole unit; below a minute only that, or with `is_exact` the seconds."""
    seconds = milliseconds // 1000
    if is_exact and seconds < 120:
        return f"{seconds} {'秒' if language == 'zh' else 's'}"
    for size, zh, en in ((86_400, "天", "d"), (3_600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= size:
            return f"{seconds // size} {zh if language == 'zh' else en}"
    return "不到 1 分钟" if language == "zh" else "less than 1 min"


def name_of(point: Point, language: str) -> str:
    """A point's name in the operator's language, its technical name where it has none."""
    return point.label[language] if point.label else point.name
