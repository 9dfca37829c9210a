"""The words of alarms and of what a rule says, in Chinese and English."""

from __future__ import annotations

from gateway.model import AlarmCondition, AlarmEvent, Priority, Suppression, Text
from gateway.rules.explanation import Says, Sort

#: A shape for each priority beside its colour and its word.
PRIORITY_SIGNS = {Priority.CRITICAL: "■", Priority.HIGH: "▲", Priority.MEDIUM: "◆", Priority.LOW: "●"}

PRIORITY_WORDS = {
    Priority.CRITICAL: Text("红色 I 级", "Critical"),
    Priority.HIGH: Text("橙色 II 级", "High"),
    Priority.MEDIUM: Text("黄色 III 级", "Medium"),
    Priority.LOW: Text("蓝色 IV 级", "Low"),
}

CONDITIONS = {
    AlarmCondition.NORMAL: Text("正常", "Normal"),
    AlarmCondition.UNACK: Text("未确认", "Not acknowledged"),
    AlarmCondition.ACKED: Text("已确认", "Acknowledged"),
    AlarmCondition.RTN_UNACK: Text("已恢复，未确认", "Over, not acknowledged"),
    AlarmCondition.LATCHED_UNACK: Text("已恢复，待确认和复位", "Over, to be acknowledged and reset"),
    AlarmCondition.LATCHED_ACKED: Text("已恢复，待复位", "Over, to be reset"),
}

SUPPRESSIONS = {
    Suppression.NONE: Text("", ""),
    Suppression.SHELVED: Text("已搁置", "Shelved"),
    Suppression.SUPPRESSED: Text("按设计抑制", "Suppressed by design"),
    Suppression.OUT_OF_SERVICE: Text("停用检修", "Out of service"),
}

EVENTS = {
    AlarmEvent.RAISE: Text("告警产生", "Raised"),
    AlarmEvent.WORSEN: Text("升级", "Became worse"),
    AlarmEvent.AGAIN: Text("长时间未恢复，再次告警", "Still there, announced again"),
    AlarmEvent.EASE: Text("降级", "Became less"),
    AlarmEvent.RETURN: Text("恢复", "Over"),
    AlarmEvent.STALE: Text("能否判断有变化", "Whether it can be told changed"),
    AlarmEvent.ACK: Text("确认", "Acknowledged"),
    AlarmEvent.RESET: Text("复位", "Reset"),
    AlarmEvent.SHELVE: Text("搁置", "Shelved"),
    AlarmEvent.UNSHELVE: Text("取消搁置", "Unshelved"),
    AlarmEvent.OUT_OF_SERVICE: Text("停用", "Out of service"),
    AlarmEvent.BACK_IN_SERVICE: Text("恢复使用", "Back in service"),
    AlarmEvent.SHELF_ENDED: Text("搁置到期", "Shelf ended"),
    AlarmEvent.SUPPRESS: Text("被抑制", "Suppressed"),
    AlarmEvent.RELEASE: Text("解除抑制", "Released"),
    AlarmEvent.CONFIRM: Text("由当前数据证实", "Confirmed by present data"),
    AlarmEvent.REMOVE: Text("已从配置中移除", "No longer in the configuration"),
}

SAYS = {
    Says.TRUE: Text("成立", "holds"),
    Says.FALSE: Text("不成立", "does not hold"),
    Says.CANNOT_TELL: Text("无法判断", "cannot be told"),
    Says.NOT_JUDGED: Text("不适用", "is not judged"),
}

SAYS_SIGNS = {Says.TRUE: "●", Says.FALSE: "○", Says.CANNOT_TELL: "?", Says.NOT_JUDGED: "–"}

SORTS = {
    Sort.POINT: Text("测点", "point"),
    Sort.FACT: Text("设定", "fact"),
    Sort.DEFINITION: Text("推算", "worked out"),
    Sort.WINDOW: Text("一段时间内", "over time"),
    Sort.BUILT_IN: Text("内置", "built in"),
}

DELAYS = {
    "for": Text("持续才算成立", "before it holds"),
    "on": Text("持续才告警", "before it is announced"),
    "off": Text("持续才算恢复", "before it is over"),
    "when_for": Text("持续才开始判断", "before it is judged"),
}

ALARM_WORDS = {
    "alarms": Text("告警", "Alarms"),
    "alarm": Text("告警", "Alarm"),
    "unacked": Text("条未确认", "not acknowledged"),
    "no_alarms": Text("没有告警", "No alarms"),
    "no_alarms_more": Text("没有需要处理的告警", "Nothing needs attention"),
    "open_alarms": Text("当前告警", "Open alarms"),
    "stale_alarms": Text("无法判断（数据中断，状态保持）", "Cannot be told now (data lost, state kept)"),
    "shelved_alarms": Text("已搁置", "Shelved"),
    "suppressed_alarms": Text("按设计抑制", "Suppressed by design"),
    "serviced_alarms": Text("停用检修", "Out of service"),
    "suppressed_work_order": Text("设备停用检修", "its device is out of service"),
    "suppressed_device_silent": Text("设备失联", "its device does not answer"),
    "suppressed_line": Text("线路中断", "its line is down:"),
    "suppressed_parent": Text("上级设备失效", "what it depends on is lost:"),
    "followed": Text("随之发生", "Followed from it"),
    "first_out": Text("首发", "First"),
    "more_alarms": Text("更多告警未列出，条数", "More alarms not listed here"),
    "stale_note": Text("数据中断，保持原状", "data lost, kept as it was"),
    "times": Text("本次事件中发生次数", "times in this incident"),
    "ack": Text("确认", "Acknowledge"),
    "ack_second": Text("作为第二人确认", "Acknowledge as second person"),
    "ack_half": Text("已有一人确认，还需另一人", "One has acknowledged; another person is needed"),
    "ack_mine": Text("您已确认，还需另一人", "You have acknowledged; another person is needed"),
    "ack_two": Text("需两人确认", "Two people have to acknowledge"),
    "acked_by": Text("确认", "Acknowledged by"),
    "reset": Text("复位", "Reset"),
    "shelve": Text("搁置", "Shelve"),
    "shelve_for": Text("搁置多久", "For how long"),
    "shelve_half": Text("已有一人申请搁置，还需另一人", "One has asked to shelve; another person is needed"),
    "shelved_until": Text("搁置到", "shelved until"),
    "unshelve": Text("取消搁置", "Unshelve"),
    "out_of_service": Text("停用", "Take out of service"),
    "return": Text("恢复使用", "Return to service"),
    "work_order": Text("工单号", "Work order"),
    "by_work_order": Text("工单", "work order"),
    "note": Text("备注", "Note"),
    "reason": Text("原因", "Reason"),
    "silence": Text("消音", "Silence the siren"),
    "more_acts": Text("其他操作", "Other actions"),
    "act_needs_login": Text("登录后才能操作", "Log in to act on this"),
    "role_refused": Text("您的角色不能做这项操作", "Your role may not do this"),
    "role_needed": Text("需要的角色", "It needs the role"),
    "viewer_note": Text("您的角色只能查看；确认需要值班角色", "Your role may only look; operators acknowledge"),
    "form_refused": Text("表单已失效，请重试", "This form is out of date; try again"),
    "refused": Text("没有执行", "Not done"),
    "back_alarms": Text("返回告警列表", "Back to the alarms"),
    "why": Text("为什么", "Why"),
    "says": Text("这条规则现在", "This rule now"),
    "values_asked": Text("依据的数值", "The values it looks at"),
    "condition": Text("条件", "Condition"),
    "conditions": Text("各级条件", "Levels and their conditions"),
    "clears": Text("恢复条件", "Clears when"),
    "judged_while": Text("仅在此时判断", "Judged only while"),
    "missing_values": Text("缺少", "Missing"),
    "overridden": Text("本站修改", "Changed for this site"),
    "history": Text("经过", "What happened"),
    "by_gateway": Text("网关", "gateway"),
    "rules_of_device": Text("这台设备的规则", "Rules of this device"),
    "rule": Text("规则", "Rule"),
    "no_alarm": Text("没有告警", "No alarm"),
    "gateway": Text("网关本身", "The gateway itself"),
    "action": Text("怎么办", "What to do"),
    "wall": Text("大屏", "Wall display"),
    "fingerprint": Text("证书指纹（SHA-256）", "Certificate fingerprint (SHA-256)"),
    "fingerprint_note": Text(
        "浏览器显示的指纹应与此处和 vigil doctor 所示相同", "It should be what the browser and vigil doctor show"
    ),
}
