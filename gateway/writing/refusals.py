"""Why a write is not made, as words for programs and for people."""

from __future__ import annotations

from gateway.model import Text
from gateway.ports import Refused


class WriteRefused(Refused):
    """Nothing was written."""


def no_device(device: str) -> WriteRefused:
    return WriteRefused("no_such_device", Text(f"没有设备 {device}", f"there is no device {device}"))


def no_point(device: str, point: str) -> WriteRefused:
    return WriteRefused("no_such_point", Text(f"{device} 没有测点 {point}", f"{device} has no point {point}"))


def not_writable(point: str) -> WriteRefused:
    return WriteRefused(
        "not_allowed",
        Text(
            f"{point} 不允许写入：型号文件和站点文件都要允许",
            f"{point} may not be written: profile and site file must both allow it",
        ),
    )


def wrong_role(point: str, role: str) -> WriteRefused:
    return WriteRefused("not_allowed", Text(f"角色 {role} 不能写入 {point}", f"the role {role} may not write {point}"))


def bad_value(text: Text) -> WriteRefused:
    return WriteRefused("bad_value", text)


def out_of_range(low: float, high: float) -> WriteRefused:
    return WriteRefused("out_of_range", Text(f"只能写 {low:g} 到 {high:g}", f"only {low:g} to {high:g} may be written"))


def interlocked(clause: object) -> WriteRefused:
    return WriteRefused(
        "interlock",
        Text(f"联锁条件不满足或无法判断：{clause}", f"interlock not fulfilled, or cannot be told: {clause}"),
    )


def not_armed() -> WriteRefused:
    return WriteRefused(
        "arm_required",
        Text("这台设备要先预备再写入：先发 arm", "this device is armed first and then written: send arm first"),
    )


def arm_gone() -> WriteRefused:
    return WriteRefused(
        "arm_expired",
        Text("预备已过期，或与这次写入不符", "the arming is over, or was for another write"),
    )


def busy() -> WriteRefused:
    return WriteRefused("busy", Text("这台设备正在写入", "this device is being written to"))


def wrong_device(device: str, mark: str) -> WriteRefused:
    return WriteRefused(
        "wrong_device",
        Text(
            f"应答的不是 {device}（{mark} 不符），未写入",
            f"it is not {device} that answers ({mark} does not fit); nothing was written",
        ),
    )


def silent() -> WriteRefused:
    return WriteRefused("no_answer", Text("设备没有应答，未写入", "the device does not answer; nothing was written"))


def no_record() -> WriteRefused:
    return WriteRefused(
        "no_record", Text("写入记录无法存盘，未写入", "the write cannot be put on record; nothing was written")
    )
