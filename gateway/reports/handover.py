"""The hand-over sheet of a shift: how alarms stand at its end, what changed in it, who did what. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.model import AlarmCondition, AlarmEvent, AlarmState, Text, Transition
from gateway.reports import words
from gateway.reports.document import Document, Section, Table
from gateway.reports.journal import Happening, Journal, Skipped, Started, Turn
from gateway.reports.names import Names

SILENT = "device_silent"
GAP = "gap"
#: The notice itself, on its way to whoever listens by MQTT; the event `notice` says that it was sent.
MESSAGE = "message"
#: UTC ms since September 2001; no other number of an event is so large.
_A_TIME = 10**12
#: Steps that say something to the next shift; the others only tell how it is announced.
_NEWS = frozenset(AlarmEvent) - {AlarmEvent.STALE}


@dataclass(frozen=True, slots=True)
class Handover:
    """One shift, from `since` to `until` (UTC ms), by the journal. Each list is in the order it is to be read."""

    since: int
    until: int
    is_whole: bool
    """Whether the journal reaches back to `since`."""
    standing: tuple[AlarmState, ...]
    shelved: tuple[AlarmState, ...]
    out_of_service: tuple[AlarmState, ...]
    suppressed: tuple[AlarmState, ...]
    silent: tuple[AlarmState, ...]
    steps: tuple[Transition, ...]
    turns: tuple[Turn, ...]
    happenings: tuple[Happening, ...]
    starts: tuple[Started, ...]
    skipped: tuple[Skipped, ...]
    first: int
    last: int
    head: str


def handover(journal: Journal, since: int, until: int) -> Handover:
    """What the journal says of this shift."""
    states = sorted(journal.standing(until).values(), key=lambda each: (-each.priority.level, each.since, each.key))
    active = [each for each in states if each.condition is not AlarmCondition.NORMAL]

    def within(ts: int) -> bool:
        return since <= ts <= until

    return Handover(
        since,
        until,
        journal.covers(since),
        tuple(active),
        tuple(each for each in states if each.shelved_until is not None),
        tuple(each for each in states if each.work_order is not None),
        tuple(each for each in states if each.is_suppressed),
        tuple(each for each in active if each.rule == SILENT and each.condition.is_active),
        tuple(each for each in journal.steps if within(each.ts) and each.event in _NEWS),
        tuple(each for each in journal.turns if within(each.ts)),
        tuple(each for each in journal.happenings if within(each.ts)),
        tuple(each for each in journal.starts if within(each.ts)),
        tuple(each for each in journal.skipped if within(each.ts)),
        journal.first,
        journal.last,
        journal.head,
    )


def handover_document(found: Handover, names: Names) -> Document:
    """The sheet."""
    say = names.say
    marks = [words.DRAFT, words.NO_WARNING]
    if not found.is_whole:
        marks.append(
            Text(
                "记录不完整：本班开始前后的部分记录已超过保存期",
                "Not whole: part of the journal of this shift was let go of",
            )
        )
    return Document(
        language=names.language,
        title=say(Text("值班交接班单", "Shift hand-over sheet")),
        marks=tuple(say(mark) for mark in marks),
        facts=(
            (say(Text("站点", "Site")), names.of_site()),
            (say(Text("起止时间", "From, to")), f"{names.when(found.since)} — {names.when(found.until)}"),
            zone_fact(names),
        ),
        sections=tuple(_sections(found, names)),
        blanks=tuple(
            say(each)
            for each in (
                Text("交班人：", "Handed over by:"),
                Text("接班人：", "Taken over by:"),
                Text("交接时间：", "At:"),
                Text("备注：", "Remarks:"),
            )
        ),
        foot=source_line(names, found.first, found.last, found.head),
    )


def zone_fact(names: Names) -> tuple[str, str]:
    """Which clock all times are of."""
    return names.say(Text("时区", "Time zone")), names.zone.key


def source_line(names: Names, first: int, last: int, head: str) -> str:
    """Where everything in a report comes from."""
    if not last:
        return names.say(Text("来源：站点记录，尚无条目", "Source: the journal of the site, which has no entries"))
    return names.say(
        Text(
            f"来源：站点记录第 {first} 至 {last} 条，链尾 {head[:16]}（可用 vigil alarms verify 核验）",
            f"Source: entries {first} to {last} of the site's journal, head {head[:16]} (see vigil alarms verify)",
        )
    )


def _sections(found: Handover, names: Names) -> Iterable[Section]:
    say = names.say
    alarms = (
        (Text("一、未恢复或未确认的告警", "1. Open alarms"), found.standing, _standing),
        (Text("二、已搁置", "2. Shelved"), found.shelved, _shelf),
        (Text("三、已停用", "3. Out of service"), found.out_of_service, _order),
        (Text("四、被抑制", "4. Suppressed"), found.suppressed, _cause),
        (Text("五、失去应答的设备", "5. Silent devices"), found.silent, _since),
    )
    for title, states, remark in alarms:
        yield Section(say(title), table=_states(states, names, remark), nothing=say(words.NONE))
    yield Section(
        say(Text("六、本班告警变化", "6. Alarms: what changed")),
        table=_steps(found.steps, names),
        nothing=say(words.NONE),
    )
    yield Section(
        say(Text("七、可用状态变化", "7. Readiness: what changed")),
        table=_turns(found.turns, names),
        nothing=say(words.NONE),
    )
    gaps = [each for each in found.happenings if each.event == GAP]
    yield Section(
        say(Text("八、数据缺口与网关启动", "8. Gaps, and starts of the gateway")),
        table=_gaps(gaps, found, names),
        nothing=say(words.NONE),
    )
    others = [each for each in found.happenings if each.event != GAP]
    yield Section(
        say(Text("九、操作与其他事件", "9. What people did, and other events")),
        table=acts_table(found.steps, others, names),
        nothing=say(words.NONE),
    )


def _states(states: Iterable[AlarmState], names: Names, remark: Callable[[AlarmState, Names], str]) -> Table:
    head = names.each("级别|Priority", "设备|Device", "告警|Alarm", "自|Since", "状态|State", "说明|Remarks")
    rows = tuple(
        (
            names.say(words.PRIORITIES[each.priority]),
            names.of_device(each.device),
            names.say(each.text),
            names.when(each.since) if each.since else names.say(words.UNKNOWN),
            names.say(words.CONDITIONS[each.condition]),
            remark(each, names),
        )
        for each in states
    )
    return Table(head, rows, (11, 20, 21, 15, 14, 19))


def _standing(state: AlarmState, names: Names) -> str:
    """The values, who acknowledged, whether it can be told now."""
    parts = [names.values(state.device, state.because)]
    for ack in state.acks:
        note = f"：{ack.note}" if names.language == "zh" else f": {ack.note}"
        parts.append(names.say(Text(f"{ack.by} 确认", f"acknowledged by {ack.by}")) + (note if ack.note else ""))
    if state.is_stale:
        parts.append(names.say(Text("目前数据中断", "cannot be told now")))
    return _joined(parts, names)


def _shelf(state: AlarmState, names: Names) -> str:
    until = names.when(state.shelved_until) if state.shelved_until is not None else names.say(words.UNKNOWN)
    by = ", ".join(f"{ack.by} {ack.note}".strip() for ack in state.shelf)
    return _joined([names.say(Text(f"至 {until}", f"until {until}")), by], names)


def _order(state: AlarmState, names: Names) -> str:
    return names.say(Text(f"工单 {state.work_order}", f"work order {state.work_order}"))


def _cause(state: AlarmState, names: Names) -> str:
    return state.suppressed_by or names.say(words.UNKNOWN)


def _since(state: AlarmState, names: Names) -> str:
    return names.values(state.device, state.because)


def _joined(parts: Iterable[str], names: Names) -> str:
    return ("；" if names.language == "zh" else "; ").join(part for part in parts if part)


def _steps(steps: Iterable[Transition], names: Names) -> Table:
    head = names.each("时间|Time", "设备|Device", "告警|Alarm", "变化|Change", "级别|Priority", "经办|By")
    rows = tuple(
        (
            names.when(each.ts),
            names.of_device(each.after.device),
            names.say(each.after.text),
            names.say(words.step_word(each.event)),
            names.say(words.PRIORITIES[each.after.priority]),
            each.by or "-",
        )
        for each in steps
    )
    return Table(head, rows, (16, 21, 22, 16, 12, 13))


def _turns(turns: Iterable[Turn], names: Names) -> Table:
    head = names.each("时间|Time", "设备|Device", "由|From", "变为|To", "原因|Reasons")
    rows = tuple(
        (
            names.when(each.ts),
            names.of_device(each.device),
            names.say(readiness_word(each.before)),
            names.say(readiness_word(each.state)),
            _joined([names.say(reason) for reason in each.reasons], names) or "-",
        )
        for each in turns
    )
    return Table(head, rows, (16, 22, 13, 13, 36))


def readiness_word(state: str | None) -> Text:
    """None: nothing was told since the gateway started."""
    if state is None:
        return Text("（启动）", "(start)")
    return words.READINESS.get(state) or Text(state, state)


def _gaps(gaps: Iterable[Happening], found: Handover, names: Names) -> Table:
    head = names.each("时间|Time", "何处|Where", "事项|What", "说明|Remarks")
    rows = [
        (each.ts, each.number, names.of_device(each.device), names.say(words.event_word(each.event)), _gap(each, names))
        for each in gaps
    ]
    rows += [
        (each.ts, each.number, names.of_device("_gateway"), names.say(Text("启动", "started")), each.version)
        for each in found.starts
    ]
    too_fast = Text("过于频繁，未逐条记录", "too fast to be kept one by one")
    rows += [
        (each.ts, each.number, names.of_device("_gateway"), names.say(too_fast), str(each.count))
        for each in found.skipped
    ]
    return Table(
        head,
        tuple((names.when(ts), where, what, told) for ts, _, where, what, told in sorted(rows)),
        (18, 22, 18, 42),
    )


def _gap(gap: Happening, names: Names) -> str:
    def at(key: str) -> str:
        ts = gap.data.get(key)
        return names.when(ts) if isinstance(ts, int) else names.say(words.UNKNOWN)

    count, reason = gap.data.get("count"), str(gap.data.get("why") or "")
    why = names.say(words.GAP_REASONS.get(reason) or Text(reason, reason)) if reason else names.say(words.UNKNOWN)
    lost = names.say(words.UNKNOWN) if count is None else str(count)
    return names.say(
        Text(
            f"{at('from')} 至 {at('to')}，缺 {lost} 条，原因 {why}",
            f"{at('from')} to {at('to')}, messages lost: {lost}, reason {why}",
        )
    )


def acts_table(steps: Iterable[Transition], happenings: Iterable[Happening], names: Names) -> Table:
    """What people did to alarms, and events, in the order they happened."""
    head = names.each("时间|Time", "何人|Who", "设备|Device", "事项|What", "说明|Remarks")
    rows = [
        (
            each.ts,
            each.number,
            each.by,
            names.of_device(each.after.device),
            _colon(names.say(words.step_word(each.event)), names.say(each.after.text), names),
            each.note,
        )
        for each in steps
        if each.by
    ]
    rows += [
        (
            each.ts,
            each.number,
            each.by,
            names.of_device(each.device),
            names.say(words.event_word(each.event)),
            _told(each, names),
        )
        for each in happenings
        if each.event != MESSAGE
    ]
    return Table(
        head,
        tuple((names.when(ts), by or "-", where, what, told or "-") for ts, _, by, where, what, told in sorted(rows)),
        (16, 13, 21, 25, 25),
    )


def _colon(one: str, other: str, names: Names) -> str:
    return f"{one}：{other}" if names.language == "zh" else f"{one}: {other}"


def _told(happening: Happening, names: Names) -> str:
    """The plain members of an event, but who did it."""
    told = []
    for key, value in happening.data.items():
        if key in words.HIDDEN or not isinstance(value, bool | int | float | str) or value == "":
            continue
        told.append(_colon(names.say(words.MEMBERS.get(key) or Text(key, key)), _member(happening, key, names), names))
    return _joined(told, names)


def _member(happening: Happening, key: str, names: Names) -> str:
    value = happening.data[key]
    if isinstance(value, bool):
        return names.say(Text("是", "yes") if value else Text("否", "no"))
    if isinstance(value, int) and value >= _A_TIME:
        return names.when(value)
    word = words.VALUES.get(key, {}).get(value) if isinstance(value, str) else None
    if word is not None:
        return names.say(word)
    called = names.points.get((happening.device, value)) if key == "point" and isinstance(value, str) else None
    return str(value) if called is None else names.say(called.label)
