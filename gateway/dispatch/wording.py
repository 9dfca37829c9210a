"""The words of a notice: what, where, since when, what to do, who is to act, and how much more there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from gateway.dispatch.group import Batch, Line
from gateway.dispatch.incident import What, stands, waits_for_ack
from gateway.model import AlarmState, Point, Priority, Text, Value
from gateway.ports import Notice
from gateway.settings.types import SiteSettings

MOST_LONG, MOST_SHORT, MOST_VALUES = 20, 3, 3
"""Alarms that are spelled out, and values of one; the others are counted."""

COLOURS: Mapping[Priority, Text] = {
    Priority.CRITICAL: Text("红", "RED"),
    Priority.HIGH: Text("橙", "ORANGE"),
    Priority.MEDIUM: Text("黄", "YELLOW"),
    Priority.LOW: Text("蓝", "BLUE"),
}
ROLES: Mapping[str, Text] = {
    "duty": Text("值班人员", "duty officer"),
    "maintenance": Text("维护人员", "maintenance"),
    "logistics": Text("后勤保障人员", "logistics"),
    "storekeeper": Text("库管员", "storekeeper"),
    "shelter_manager": Text("避难场所负责人", "shelter manager"),
    "security": Text("安保人员", "security"),
    "it": Text("信息技术人员", "IT"),
}
_PLACES = {"_gateway": Text("网关", "Gateway"), "_site": Text("站点", "Site")}
_SAID = {
    What.RAISED: Text("", ""),
    What.WORSENED: Text("升级：", "Worse: "),
    What.ESCALATED: Text("超时未确认：", "Not acknowledged in time: "),
    What.REPEATED: Text("仍未确认：", "Still not acknowledged: "),
    What.ENDED: Text("已恢复：", "Ended: "),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """When a notice is written. `now` is board time, `wall` UTC ms; `is_known` where that can be believed."""

    now: int
    wall: int
    zone: tzinfo
    is_known: bool = True


class Names:
    """What things are called at a site."""

    def __init__(self, site: SiteSettings) -> None:
        self.site = site.name
        self._devices = {device.id: device.name for device in site.devices}
        self._points: dict[str, dict[str, Point]] = {
            device.id: {point.name: point for point in device.points} for device in site.devices
        }

    def device(self, device: str) -> Text:
        """Its name, else its id."""
        return self._devices.get(device) or _PLACES.get(device) or Text(device, device)

    def value(self, alarm: AlarmState, point: str, value: Value, language: str) -> str:
        """`电池电压 11.9 V`."""
        known = self._points.get(alarm.device, {}).get(point)
        label = known.label[language] if known is not None and known.label is not None else point
        unit = f" {known.unit}" if known is not None and known.unit else ""
        if isinstance(value, bool):
            return f"{label} {_yes(value)[language]}"
        if isinstance(value, str):
            word = known.words.get(value) if known is not None else None
            return f"{label} {value if word is None else word[language]}"
        return f"{label} {value:.6g}{unit}" if isinstance(value, float) else f"{label} {value}{unit}"


def _yes(value: bool) -> Text:
    return Text("是", "yes") if value else Text("否", "no")


def write(id_: str, made: Batch, language: str, names: Names, moment: Moment) -> Notice:
    """The notice in `zh`, `en` or both."""
    voices: list[_Chinese | _English] = []
    if language != "en":
        voices.append(_Chinese(_Facts(names, moment, "zh")))
    if language != "zh":
        voices.append(_English(_Facts(names, moment, "en")))
    worst = max((line.alarm.priority for line in made.lines), key=lambda priority: priority.level)
    return Notice(
        id=id_,
        channel=made.channel,
        priority=worst,
        title=" / ".join(voice.title(made.lines, worst) for voice in voices),
        short="\n".join(voice.short(made.lines, worst, id_) for voice in voices),
        long="\n\n".join(voice.long(made.lines, id_) for voice in voices),
        alarms=tuple(line.alarm.key for line in made.lines),
        calls=tuple(line.alarm.key for line in made.lines if waits_for_ack(line.alarm)),
    )


def is_over(line: Line) -> bool:
    """It is said that the alarm has ended."""
    return line.what is What.ENDED or not stands(line.alarm)


class _Facts:
    """What a notice is made of, in one language."""

    def __init__(self, names: Names, moment: Moment, language: str) -> None:
        self._names = names
        self._moment = moment
        self._language = language
        self.site = names.site[language]

    def say(self, text: Text) -> str:
        return text[self._language]

    def place(self, alarm: AlarmState) -> str:
        return self.say(self._names.device(alarm.device))

    def role(self, alarm: AlarmState) -> str:
        return self.say(ROLES.get(alarm.role, Text(alarm.role, alarm.role)))

    def values(self, alarm: AlarmState) -> list[str]:
        shown = list(alarm.because.items())[:MOST_VALUES]
        return [self._names.value(alarm, point, value, self._language) for point, value in shown]

    def age_ms(self, line: Line) -> int:
        return max(0, self._moment.now - line.began)

    def clock(self, line: Line) -> str:
        """Local time the alarm began, with the date where that is not today; empty where nobody knows the time."""
        if not self._moment.is_known:
            return ""
        today = datetime.fromtimestamp(self._moment.wall / 1000, self._moment.zone)
        began = datetime.fromtimestamp((self._moment.wall - self.age_ms(line)) / 1000, self._moment.zone)
        return began.strftime("%H:%M" if began.date() == today.date() else "%m-%d %H:%M")


def _age(age_ms: int, units: Sequence[tuple[int, Callable[[int], str]]], now: str) -> str:
    return next((word(age_ms // length) for length, word in units if age_ms >= length), now)


_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000


class _Chinese:
    def __init__(self, facts: _Facts) -> None:
        self._facts = facts

    def title(self, lines: Sequence[Line], worst: Priority) -> str:
        first = lines[0]
        mark = "恢复" if all(is_over(line) for line in lines) else COLOURS[worst].zh
        head = f"【设备告警·{mark}】{self._facts.site}"
        if len(lines) == 1:
            return f"{head} {self._facts.place(first.alarm)}：{first.alarm.text.zh}"
        places = {line.alarm.device for line in lines}
        where = f" {self._facts.place(first.alarm)}" if len(places) == 1 else f" {len(places)} 台设备"
        return f"{head}{where}：{len(lines)} 条告警"

    def short(self, lines: Sequence[Line], worst: Priority, id_: str) -> str:
        first = lines[0]
        said = f"{self._facts.say(_SAID[first.what])}{first.alarm.text.zh}"
        where = f"【设备告警·{'恢复' if is_over(first) else COLOURS[worst].zh}】{self._facts.site}"
        parts = [f"{where} {self._facts.place(first.alarm)}：{said}{self._because(first)}，{self._since(first)}。"]
        if not is_over(first):
            parts.append(f"请{self._facts.role(first.alarm)}：{first.alarm.action.zh}。")
        others = [f"{self._facts.place(line.alarm)}{line.alarm.text.zh}" for line in lines[1:MOST_SHORT]]
        if others:
            parts.append(f"另有：{'；'.join(others)}。")
        if len(lines) > MOST_SHORT:
            parts.append(f"还有 {len(lines) - MOST_SHORT} 条（{self._counts(lines[MOST_SHORT:])}）。")
        return f"{''.join(parts)}编号 {id_}"

    def long(self, lines: Sequence[Line], id_: str) -> str:
        parts = [part for line in lines[:MOST_LONG] for part in self._line(line)]
        if len(lines) > MOST_LONG:
            left = lines[MOST_LONG:]
            parts.append(f"还有 {len(left)} 条（{self._counts(left)}），完整清单见网关页面和告警记录。")
        return "\n".join([*parts, f"这是设备告警，不是公众预警。编号 {id_}"])

    def _line(self, line: Line) -> list[str]:
        alarm, mark = line.alarm, "　└ 随后 " if line.is_consequence else "● "
        pad = "　　" if line.is_consequence else "　"
        said = f"{self._facts.say(_SAID[line.what])}{alarm.text.zh}{self._because(line)}"
        parts = [f"{mark}{COLOURS[alarm.priority].zh} {self._facts.place(alarm)}：{said}", f"{pad}{self._since(line)}"]
        if not is_over(line):
            parts.append(f"{pad}处置：{alarm.action.zh}")
            parts.append(f"{pad}负责：{self._facts.role(alarm)}{self._acks(alarm)}")
        return parts

    def _because(self, line: Line) -> str:
        shown = [] if is_over(line) else self._facts.values(line.alarm)
        return f"（{'，'.join(shown)}）" if shown else ""

    def _since(self, line: Line) -> str:
        units = (
            (_DAY, lambda n: f"{n} 天前"),
            (_HOUR, lambda n: f"{n} 小时前"),
            (_MINUTE, lambda n: f"{n} 分钟前"),
        )
        clock, age = self._facts.clock(line), _age(self._facts.age_ms(line), units, "刚刚")
        since = f"{clock} 发生（{age}）" if clock else f"{age}发生（网关时钟未校准）"
        again = f"，共 {line.alarm.occurrences} 次" if line.alarm.occurrences > 1 else ""
        over = "，现已恢复" if is_over(line) else ""
        return f"{since}{again}{over}"

    def _acks(self, alarm: AlarmState) -> str:
        by = "、".join(ack.by for ack in alarm.acks)
        if not by:
            return ""
        left = alarm.acks_needed - len(alarm.acks)
        return f"（{by} 已确认，还需 {left} 人）" if left > 0 else f"（{by} 已确认）"

    def _counts(self, lines: Sequence[Line]) -> str:
        counts = Counter(line.alarm.priority for line in lines)
        return "、".join(f"{COLOURS[each].zh} {counts[each]}" for each in Priority if counts[each])


class _English:
    def __init__(self, facts: _Facts) -> None:
        self._facts = facts

    def title(self, lines: Sequence[Line], worst: Priority) -> str:
        first = lines[0]
        mark = "ended" if all(is_over(line) for line in lines) else COLOURS[worst].en
        head = f"[Equipment alarm {mark}] {self._facts.site}"
        if len(lines) == 1:
            return f"{head}, {self._facts.place(first.alarm)}: {first.alarm.text.en}"
        places = {line.alarm.device for line in lines}
        where = self._facts.place(first.alarm) if len(places) == 1 else f"{len(places)} devices"
        return f"{head}, {where}: {len(lines)} alarms"

    def short(self, lines: Sequence[Line], worst: Priority, id_: str) -> str:
        first = lines[0]
        said = f"{self._facts.say(_SAID[first.what])}{first.alarm.text.en}"
        where = f"[Equipment alarm {'ended' if is_over(first) else COLOURS[worst].en}] {self._facts.site}"
        parts = [f"{where}, {self._facts.place(first.alarm)}: {said}{self._because(first)}, {self._since(first)}."]
        if not is_over(first):
            parts.append(f"For {self._facts.role(first.alarm)}: {first.alarm.action.en}.")
        others = [f"{self._facts.place(line.alarm)}: {line.alarm.text.en}" for line in lines[1:MOST_SHORT]]
        if others:
            parts.append(f"Also {'; '.join(others)}.")
        if len(lines) > MOST_SHORT:
            parts.append(f"{len(lines) - MOST_SHORT} more ({self._counts(lines[MOST_SHORT:])}).")
        return f"{' '.join(parts)} Ref {id_}"

    def long(self, lines: Sequence[Line], id_: str) -> str:
        parts = [part for line in lines[:MOST_LONG] for part in self._line(line)]
        if len(lines) > MOST_LONG:
            left = lines[MOST_LONG:]
            parts.append(
                f"{len(left)} more ({self._counts(left)}); the whole list is on the gateway's page and in its journal."
            )
        return "\n".join([*parts, f"This is about equipment, not a public warning. Ref {id_}"])

    def _line(self, line: Line) -> list[str]:
        alarm, mark = line.alarm, "  `- then " if line.is_consequence else "* "
        pad = "     " if line.is_consequence else "  "
        said = f"{self._facts.say(_SAID[line.what])}{alarm.text.en}{self._because(line)}"
        parts = [f"{mark}{COLOURS[alarm.priority].en} {self._facts.place(alarm)}: {said}", f"{pad}{self._since(line)}"]
        if not is_over(line):
            parts.append(f"{pad}To do: {alarm.action.en}")
            parts.append(f"{pad}For: {self._facts.role(alarm)}{self._acks(alarm)}")
        return parts

    def _because(self, line: Line) -> str:
        shown = [] if is_over(line) else self._facts.values(line.alarm)
        return f" ({', '.join(shown)})" if shown else ""

    def _since(self, line: Line) -> str:
        units = (
            (_DAY, lambda n: f"{n} day{'s' * (n > 1)} ago"),
            (_HOUR, lambda n: f"{n} hour{'s' * (n > 1)} ago"),
            (_MINUTE, lambda n: f"{n} minute{'s' * (n > 1)} ago"),
        )
        clock, age = self._facts.clock(line), _age(self._facts.age_ms(line), units, "just now")
        since = f"since {clock} ({age})" if clock else f"since {age} (the gateway's clock is not set)"
        again = f", {line.alarm.occurrences} times" if line.alarm.occurrences > 1 else ""
        over = ", over now" if is_over(line) else ""
        return f"{since}{again}{over}"

    def _acks(self, alarm: AlarmState) -> str:
        by = ", ".join(ack.by for ack in alarm.acks)
        if not by:
            return ""
        left = alarm.acks_needed - len(alarm.acks)
        return f" (acknowledged by {by}, {left} more needed)" if left > 0 else f" (acknowledged by {by})"

    def _counts(self, lines: Sequence[Line]) -> str:
        counts = Counter(line.alarm.priority for line in lines)
        return ", ".join(f"{counts[each]} {COLOURS[each].en}" for each in Priority if counts[each])
