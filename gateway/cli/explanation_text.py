"""An explanation of a rule (`gateway.rules.explanation.as_json`) as text."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.cli.tables import aligned
from gateway.model import Text

_TRUTH = {"true": Text("为真", "true"), "false": Text("为假", "false"), "cannot_tell": Text("无法判断", "cannot tell")}
PRIORITIES = {
    "critical": Text("红", "critical"),
    "high": Text("橙", "high"),
    "medium": Text("黄", "medium"),
    "low": Text("蓝", "low"),
}
_SORTS = {
    "point": Text("测点", "point"),
    "fact": Text("参数", "fact"),
    "definition": Text("定义", "definition"),
    "window": Text("时间窗", "window"),
    "built_in": Text("内置", "built in"),
}
_DELAYS = {
    "for": Text("持续", "must last"),
    "on": Text("告知延时", "delay of announcing"),
    "off": Text("恢复延时", "delay of announcing the end"),
    "when_for": Text("开始判断前", "before it is judged"),
}
_HEAD = tuple(
    Text(*words)
    for words in (("名称", "name"), ("类别", "is a"), ("现值", "value"), ("质量", "quality"), ("时龄", "age"), ("", ""))
)


def short(rules: Sequence[Mapping[str, Any]], language: str) -> list[str]:
    """One line for each rule: the level it holds at, and why."""
    rows = [[each["rule"], _held(each, language), each["why"][language]] for each in rules]
    return aligned(rows) if rows else [Text("没有规则", "no rules")[language]]


def full(told: Mapping[str, Any], language: str) -> list[str]:
    """Everything about one rule."""
    lines = [
        f"{told['device']}/{told['rule']}  {told['text'][language]}",
        f"{_held(told, language)}  {told['why'][language]}".strip(),
    ]
    if told["since"]:
        lines.append(Text("自 {}", "since {}")[language].format(_clock(told["since"])))
    if told["missing"]:
        lines.append(Text("缺少：{}", "missing: {}")[language].format(", ".join(told["missing"])))
    if told["mask"] is not None:
        lines += ["", *_mask(told["mask"], told["ts"], language)]
    for level in told["levels"]:
        lines += ["", *_level(level, told["ts"], language)]
    if told["names"]:
        lines += ["", *_names(told["names"], language)]
    if told["overrides"]:
        rows = [[each["key"], f"{each['before']} -> {each['after']}"] for each in told["overrides"]]
        lines += ["", Text("本站修改", "changed at this site")[language], *aligned(rows)]
    if told["says"] == "true":
        lines += ["", Text("处置：{}", "to do: {}")[language].format(told["action"][language])]
    return lines


def _held(told: Mapping[str, Any], language: str) -> str:
    return f"[{PRIORITIES[told['level']][language]}]" if told["level"] else ""


def _mask(mask: Mapping[str, Any], ts: int, language: str) -> list[str]:
    head = Text("只在以下情形判断", "judged only while")[language]
    lines = [f"{head}  {mask['condition']}  ({_TRUTH[mask['says']][language]})"]
    return [*lines, *_deciders(mask["deciders"], mask["condition"], language), *_delays(mask["delays"], ts, language)]


def _level(level: Mapping[str, Any], ts: int, language: str) -> list[str]:
    marks = []
    if level["is_held"]:
        marks.append(Text("成立", "held")[language])
    if level["is_announced"]:
        marks.append(Text("已告知", "announced")[language])
    head = f"[{PRIORITIES[level['priority']][language]}]  {level['condition']}  ({_TRUTH[level['says']][language]})"
    lines = [head + (f"  {', '.join(marks)}" if marks else "")]
    lines += _deciders(level["deciders"], level["condition"], language)
    if level["is_over"] is not None:
        over = Text("恢复条件", "cleared by")[language]
        lines.append(f"  {over}  {level['clear']}  ({_TRUTH[level['is_over']][language]})")
    return [*lines, *_delays(level["delays"], ts, language)]


def _deciders(deciders: Sequence[Mapping[str, Any]], whole: str, language: str) -> list[str]:
    """The parts that decided, where they are not the whole condition."""
    parts = [each for each in deciders if each["text"] != whole]
    head = Text("取决于", "decided by")[language]
    return [f"  {head}  {each['text']}  ({_TRUTH[each['says']][language]})" for each in parts]


def _delays(delays: Sequence[Mapping[str, Any]], ts: int, language: str) -> list[str]:
    lines = []
    for each in delays:
        what = f"{_DELAYS[each['what']][language]} {each['lasts_s']:g} s"
        if each["ends"] is None:
            state = Text("无法判断时不计时", "stands still while it cannot be told")[language]
        else:
            left = max(0.0, (each["ends"] - ts) / 1000)
            state = Text("还有 {} 秒，到 {}", "{} s left, until {}")[language].format(
                f"{left:.0f}", _clock(each["ends"])
            )
        lines.append(f"  {what}: {state}")
    return lines


def _names(names: Sequence[Mapping[str, Any]], language: str) -> list[str]:
    return aligned([[head[language] for head in _HEAD], *(_name(each, language) for each in names)])


def _name(each: Mapping[str, Any], language: str) -> list[str]:
    value = each["value"]
    if value is None:
        shown = "-"
    elif isinstance(value, bool):
        shown = _TRUTH[str(value).lower()][language]
    elif each["word"]:
        shown = each["word"][language]
    else:
        shown = f"{value:.6g}" if isinstance(value, float) else str(value)
        shown = f"{shown} {each['unit']}".rstrip()
    quality = each["status"] or ""
    if each["is_stale"]:
        quality = f"{quality} {Text('已过时', 'stale')[language]}"
    age = "" if each["age_ms"] is None else f"{each['age_ms'] / 1000:.1f} s"
    label = each["label"][language] if each["label"] else ""
    return [each["name"], _SORTS[each["sort"]][language], shown, quality, age, each["formula"] or label]


def _clock(ts: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ts / 1000))
