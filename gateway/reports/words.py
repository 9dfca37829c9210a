"""Words of reports, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.dispatch.wording import ROLES
from gateway.model import AlarmCondition, AlarmEvent, Priority, Text

PRIORITIES: Mapping[Priority, Text] = {
    Priority.CRITICAL: Text("红色", "critical (red)"),
    Priority.HIGH: Text("橙色", "high (orange)"),
    Priority.MEDIUM: Text("黄色", "medium (yellow)"),
    Priority.LOW: Text("蓝色", "low (blue)"),
}
CONDITIONS: Mapping[AlarmCondition, Text] = {
    AlarmCondition.NORMAL: Text("已恢复", "normal"),
    AlarmCondition.UNACK: Text("未确认", "not acknowledged"),
    AlarmCondition.ACKED: Text("已确认，未恢复", "acknowledged, still holds"),
    AlarmCondition.RTN_UNACK: Text("已恢复，未确认", "over, not acknowledged"),
    AlarmCondition.LATCHED_UNACK: Text("已锁存，未确认", "latched, not acknowledged"),
    AlarmCondition.LATCHED_ACKED: Text("已锁存，待复位", "latched, to be reset"),
}
STEPS: Mapping[AlarmEvent, Text] = {
    AlarmEvent.RAISE: Text("告警发生", "raised"),
    AlarmEvent.WORSEN: Text("级别升高", "became worse"),
    AlarmEvent.AGAIN: Text("长时间未恢复，再次告警", "still there, announced again"),
    AlarmEvent.EASE: Text("级别降低", "eased"),
    AlarmEvent.RETURN: Text("告警恢复", "returned to normal"),
    AlarmEvent.STALE: Text("数据可用性变化", "whether it can be told changed"),
    AlarmEvent.ACK: Text("确认", "acknowledged"),
    AlarmEvent.RESET: Text("复位", "reset"),
    AlarmEvent.SHELVE: Text("搁置", "shelved"),
    AlarmEvent.UNSHELVE: Text("取消搁置", "unshelved"),
    AlarmEvent.OUT_OF_SERVICE: Text("停用", "taken out of service"),
    AlarmEvent.BACK_IN_SERVICE: Text("恢复使用", "back in service"),
    AlarmEvent.SHELF_ENDED: Text("搁置到期", "the shelf ended"),
    AlarmEvent.SUPPRESS: Text("被抑制", "suppressed"),
    AlarmEvent.RELEASE: Text("解除抑制", "no longer suppressed"),
}
READINESS: Mapping[str, Text] = {
    "ready": Text("可用", "ready"),
    "degraded": Text("可用，有缺陷", "degraded"),
    "not_ready": Text("不可用", "not ready"),
    "unknown": Text("状态不明", "unknown"),
    "in_use": Text("使用中", "in use"),
    "out_of_service": Text("停用", "out of service"),
    "retired": Text("退役", "retired"),
}
EVENTS: Mapping[str, Text] = {
    "gap": Text("数据缺口", "gap in the data"),
    "wrong_device": Text("设备身份不符", "another device answers"),
    "device_identified": Text("设备身份已核实", "the right device is back"),
    "model_doubtful": Text("数值与型号不符", "values cannot be those of the model"),
    "model_plausible": Text("数值恢复合理", "values can be those of the model again"),
    "loop_check": Text("逐点核对", "loop check"),
    "silence": Text("警报器消音", "annunciator silenced"),
    "fact": Text("参数变更", "fact changed"),
    "store_damaged": Text("存储损坏", "store damaged"),
    "config_applied": Text("配置变更", "configuration changed"),
    "config_rolled_back": Text("配置退回", "configuration rolled back"),
    "write": Text("写入测点", "point written"),
    "notice": Text("通知", "notice"),
    "message": Text("消息", "message"),
    "channel_failing": Text("通知渠道故障", "a channel of notices fails"),
    "channel_recovered": Text("通知渠道恢复", "a channel of notices is back"),
    "annunciator_failing": Text("警报器故障", "the annunciator fails"),
    "annunciator_recovered": Text("警报器恢复", "the annunciator is back"),
    "login": Text("登录页面", "logged in"),
    "logout": Text("退出页面", "logged out"),
    "login_refused": Text("登录被拒绝", "login refused"),
}
#: Members of events that only programs need.
HIDDEN = frozenset({"by", "id", "notice", "config", "order", "exact"})
#: Members of events, and why data is missing.
MEMBERS: Mapping[str, Text] = {
    "point": Text("测点", "point"),
    "value": Text("值", "value"),
    "before": Text("原值", "before"),
    "rule": Text("告警", "alarm"),
    "note": Text("备注", "note"),
    "via": Text("途径", "via"),
    "fact": Text("参数", "fact"),
    "name": Text("名称", "name"),
    "ok": Text("成功", "done"),
    "profile": Text("型号文件", "profile"),
    "identity": Text("身份", "identity"),
    "user": Text("用户", "user"),
    "after": Text("现值", "after"),
    "result": Text("结果", "result"),
    "channel": Text("渠道", "channel"),
    "why": Text("原因", "why"),
    "what": Text("内容", "what"),
    "priority": Text("级别", "priority"),
    "count": Text("数量", "count"),
    "outage_s": Text("中断秒数", "outage, seconds"),
    "escalated_after_s": Text("升级等待秒数", "escalated after seconds"),
    "client": Text("来自", "from"),
    "file": Text("文件", "file"),
    "fits": Text("相符", "fits"),
    "differs": Text("不符", "differs"),
    "bad": Text("无法使用", "cannot be used"),
    "doubtful": Text("超出范围", "out of range"),
    "not_compared": Text("未核对", "not compared"),
    "role": Text("岗位", "role"),
    "alarms": Text("告警", "alarms"),
    "added": Text("新增", "added"),
    "removed": Text("移除", "removed"),
    "changed": Text("变更", "changed"),
    "lost": Text("失去应答", "lost"),
}
#: Words of programs in members of events, by member.
VALUES: Mapping[str, Mapping[str, Text]] = {
    "result": {
        "sent": Text("已送出", "sent"),
        "refused": Text("渠道拒收", "refused by the channel"),
        "dropped": Text("过多，已丢弃", "too many, dropped"),
        "started": Text("开始写入", "begun"),
        "done": Text("已写入并核对", "written and read back"),
        "device_refused": Text("设备拒绝", "refused by the device"),
        "not_confirmed": Text("读回的值不符", "reads back otherwise"),
        "unknown": Text("结果未知", "the outcome is not known"),
    },
    "what": {
        "raised": Text("告警发生", "raised"),
        "worsened": Text("级别升高", "became worse"),
        "escalated": Text("无人确认，升级", "nobody acknowledged it"),
        "repeated": Text("再次通知", "told again"),
        "ended": Text("告警恢复", "returned to normal"),
    },
    "priority": {priority.value: text for priority, text in PRIORITIES.items()},
    "role": {
        **ROLES,
        "viewer": Text("查看人员", "viewer"),
        "operator": Text("操作人员", "operator"),
        "maintainer": Text("检修人员", "maintainer"),
    },
    "identity": {
        "verified": Text("相符", "fits"),
        "wrong": Text("不符", "does not fit"),
        "doubtful": Text("存疑", "in doubt"),
        "plausible": Text("数值合理", "plausible values"),
        "unverifiable": Text("无法核实", "cannot be verified"),
        "silent": Text("没有应答", "no answer"),
    },
    "via": {
        "mqtt": Text("消息命令", "command by MQTT"),
        "local": Text("现场操作", "at the machine"),
        "page": Text("本地页面", "local page"),
        "file": Text("配置文件", "configuration file"),
        "annunciator": Text("警报器", "annunciator"),
    },
}
GAP_REASONS: Mapping[str, Text] = {
    "quota": Text("存储已满", "the store was full"),
    "damage": Text("存储损坏", "the store was damaged"),
    "age": Text("超过保存期", "kept long enough"),
}
#: What keeps an alarm from being announced; a line or a device may follow.
CAUSES: Mapping[str, Text] = {
    "work_order": Text("设备停用检修", "its device is out of service"),
    "device_silent": Text("设备没有应答", "its device does not answer"),
    "line": Text("线路中断：", "its line is down: "),
    "parent": Text("所依赖的设备失去应答：", "what it depends on does not answer: "),
}
UNKNOWN = Text("不明（无记录）", "unknown (not recorded)")
#: Figures that have no name for people.
ONLY_DERIVED = Text("只有推算值，见告警记录", "only derived figures, see the journal")
NONE = Text("无", "none")
DRAFT = Text("草稿，须经值班人员核对签字后使用", "Draft: to be checked and signed by the duty officer before use")
NO_WARNING = Text("本文所列均为设备告警，不是公共预警", "Everything here is an equipment alarm, not a public warning")


def readiness_word(state: str | None) -> Text:
    """None: nothing was told since the gateway started."""
    if state is None:
        return Text("（启动）", "(start)")
    return READINESS.get(state) or Text(state, state)


def step_word(event: AlarmEvent) -> Text:
    """The word of a transition; its own name where there is none."""
    return STEPS.get(event) or Text(event.value, event.value)


def event_word(event: str) -> Text:
    return EVENTS.get(event) or Text(event, event)
