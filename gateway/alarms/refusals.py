"""Why an order about an alarm is answered with no, for programs and for people."""

from __future__ import annotations

from gateway.model import Text
from gateway.ports import Refused

LONGEST_NOTE = 500
LONGEST_WORK_ORDER = 100


def no_such_alarm(device: str, rule: str) -> Refused:
    return Refused("no_such_alarm", Text(f"没有告警 {device}/{rule}", f"there is no alarm {device}/{rule}"))


def unknown_act(act: str) -> Refused:
    shown = act[:40]
    return Refused("unknown_command", Text(f"告警没有“{shown}”这种操作", f"{shown!r} is nothing to do with an alarm"))


def no_actor() -> Refused:
    return Refused("no_actor", Text("须写明操作人", "say who does it"))


def note_too_long() -> Refused:
    return Refused(
        "bad_request", Text(f"备注最多{LONGEST_NOTE}个字符", f"a note has at most {LONGEST_NOTE} characters")
    )


def work_order_too_long() -> Refused:
    return Refused(
        "bad_request",
        Text(
            f"工单号最多{LONGEST_WORK_ORDER}个字符",
            f"the name of a work order has at most {LONGEST_WORK_ORDER} characters",
        ),
    )


def nothing_to_acknowledge() -> Refused:
    return Refused("nothing_to_acknowledge", Text("这条告警无须确认", "this alarm needs no acknowledgement now"))


def second_person() -> Refused:
    return Refused(
        "second_person_needed",
        Text("您已确认过，还须另一人确认", "you have acknowledged it already; another person has to as well"),
    )


def still_active() -> Refused:
    return Refused("still_active", Text("告警条件仍然成立，不能复位", "its condition still holds, it cannot be reset"))


def not_acknowledged() -> Refused:
    return Refused("not_acknowledged", Text("请先确认，再复位", "acknowledge it first, then reset it"))


def nothing_to_reset() -> Refused:
    return Refused("nothing_to_reset", Text("这条告警无须复位", "this alarm has nothing to reset"))


def end_needed() -> Refused:
    return Refused("end_needed", Text("搁置须写明时长", "say for how long it shall be shelved"))


def shelf_too_long(longest_s: float) -> Refused:
    hours = f"{longest_s / 3600:g}"
    return Refused("shelf_too_long", Text(f"最长搁置{hours}小时", f"it can be shelved for {hours} h at most"))


def note_needed() -> Refused:
    return Refused("note_needed", Text("搁置须写明原因", "say why it is shelved"))


def already_shelved() -> Refused:
    return Refused("already_shelved", Text("这条告警已经搁置", "this alarm is shelved already"))


def second_shelver() -> Refused:
    return Refused(
        "second_person_needed",
        Text("您已提出搁置，还须另一人同意", "you have asked for it already; another person has to agree"),
    )


def not_shelved() -> Refused:
    return Refused("not_shelved", Text("这条告警没有搁置", "this alarm is not shelved"))


def work_order_needed() -> Refused:
    return Refused("work_order_needed", Text("停用须写明工单号", "say by which work order it is taken out of service"))


def stays_armed() -> Refused:
    return Refused(
        "safety_rule",
        Text(
            "安全类规则（燃气、火警、水浸、急停）不能停用",
            "rules for people's safety (gas, fire, flood, emergency stop) stay armed",
        ),
    )


def already_out_of_service() -> Refused:
    return Refused("already_out_of_service", Text("这条告警已经停用", "this alarm is out of service already"))


def in_service() -> Refused:
    return Refused("in_service", Text("这条告警没有停用", "this alarm is in service"))


def disk_behind() -> Refused:
    return Refused(
        "busy", Text("磁盘来不及写入，请稍后再试", "the disk is too far behind to keep this; try again later")
    )
