"""Alarms as lines of text: the worst first, with how long they stand and what keeps them quiet."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.cli.explanation_text import PRIORITIES
from gateway.cli.tables import aligned
from gateway.model import Priority, Text

STATES = {
    "NORMAL": Text("正常", "normal"),
    "UNACK": Text("未确认", "UNACK"),
    "ACKED": Text("已确认", "acked"),
    "RTN_UNACK": Text("已恢复，未确认", "returned, UNACK"),
    "LATCHED_UNACK": Text("已锁存，未确认", "latched, UNACK"),
    "LATCHED_ACKED": Text("已锁存，待复位", "latched, to be reset"),
}
_HEAD = tuple(
    Text(*words)
    for words in (
        ("级别", "priority"),
        ("状态", "state"),
        ("时长", "for"),
        ("告警", "alarm"),
        ("内容", "what"),
        ("", ""),
    )
)
_NONE = Text("没有告警", "no alarms")


def table(alarms: Sequence[Mapping[str, Any]], ts: int, language: str) -> list[str]:
    """One line for each alarm (`gateway.orders.alarms.state_told`) in the order given, and a sum below."""
    if not alarms:
        return [_NONE[language]]
    rows = [[head[language] for head in _HEAD], *(_row(each, ts, language) for each in alarms)]
    return [*aligned(rows), "", _sum(alarms, language)]


def age_text(milliseconds: int, language: str) -> str:
    """How long, in the two largest units: `3d 4h`, `12m`."""
    seconds = max(0, milliseconds // 1000)
    units = (("天", "d", 86400), ("小时", "h", 3600), ("分", "m", 60), ("秒", "s", 1))
    parts: list[str] = []
    for zh, en, size in units:
        count, seconds = divmod(seconds, size)
        if count or (size == 1 and not parts):
            parts.append(f"{count}{zh if language == 'zh' else en}")
        if len(parts) == 2 or (parts and size == 60):
            break
    return ("" if language == "zh" else " ").join(parts)


def _row(alarm: Mapping[str, Any], ts: int, language: str) -> list[str]:
    begun = alarm["since"]
    return [
        PRIORITIES[alarm["priority"]][language],
        STATES[alarm["condition"]][language],
        age_text(ts - begun, language) if begun else "-",
        f"{alarm['device']}/{alarm['rule']}",
        alarm["text"][language],
        "; ".join(_remarks(alarm, language)),
    ]


def _remarks(alarm: Mapping[str, Any], language: str) -> list[str]:
    """First of its device, a consequence, stale, kept quiet and why."""
    found: list[Text] = []
    if alarm.get("is_first_out"):
        found.append(Text("首发", "FIRST"))
    if alarm.get("first_out"):
        found.append(Text(f"随 {alarm['first_out']} 而来", f"follows {alarm['first_out']}"))
    if alarm.get("is_stale"):
        found.append(Text("数据中断，保持原状", "STALE: cannot be told now"))
    if alarm.get("is_historical"):
        found.append(Text("据断线前的数据", "of data from an outage"))
    acks, needed = alarm["acks"], alarm["acks_needed"]
    if acks or needed > 1:
        names = ", ".join(each["by"] for each in acks)
        found.append(Text(f"确认 {len(acks)}/{needed} {names}".rstrip(), f"acks {len(acks)}/{needed} {names}".rstrip()))
    if alarm["occurrences"] > 1:
        found.append(Text(f"{alarm['occurrences']} 次", f"{alarm['occurrences']} times"))
    if alarm.get("work_order"):
        found.append(Text(f"停用，工单 {alarm['work_order']}", f"out of service by {alarm['work_order']}"))
    if alarm.get("is_suppressed"):
        why = alarm.get("suppressed_by") or ""
        found.append(Text(f"抑制 {why}".rstrip(), f"suppressed by {why}" if why else "suppressed"))
    if alarm.get("shelved_until"):
        until = time.strftime("%m-%d %H:%M", time.localtime(alarm["shelved_until"] / 1000))
        found.append(Text(f"搁置到 {until}", f"shelved until {until}"))
    elif alarm.get("shelf"):
        by = alarm["shelf"][0]["by"]
        found.append(Text(f"{by} 提出搁置，还须另一人同意", f"{by} asks to shelve it, another person has to agree"))
    return [each[language] for each in found]


def _sum(alarms: Sequence[Mapping[str, Any]], language: str) -> str:
    standing = [each for each in alarms if each["condition"] != "NORMAL"]
    counts = Counter(each["priority"] for each in standing)
    parts = [f"{PRIORITIES[each.value][language]} {counts[each.value]}" for each in Priority if counts[each.value]]
    unacked = sum(1 for each in standing if "UNACK" in each["condition"])
    text = Text(f"告警 {len(standing)} 条，未确认 {unacked} 条", f"alarms: {len(standing)}, unacknowledged: {unacked}")
    return "  ".join([text[language], *parts])
