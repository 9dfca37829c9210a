"""The hand-over sheet of a shift: how alarms stand at its end, what changed in it, who did what. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gateway.model import AlarmCondition, AlarmEvent, AlarmState, Text, Transition
from gateway.reports import tables, words
from gateway.reports.document import Document, Section, Table
from gateway.reports.events import GAP, acts_table, gap_told
from gateway.reports.journal import Happening, Journal, Skipped, Started, Turn
from gateway.reports.names import Names
from gateway.reports.paper import paper

SILENT = "device_silent"
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
    titles: Mapping[str, Text]
    """What the alarms of the journal are called, by `device/rule`."""
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
        journal.titles(),
        journal.first,
        journal.last,
        journal.head,
    )


def handover_document(found: Handover, names: Names) -> Document:
    """The sheet."""
    partial = Text(
        "记录不完整：本班开始前后的部分记录已超过保存期",
        "Not whole: part of the journal of this shift was let go of",
    )
    return paper(
        title=Text("值班交接班单", "Shift hand-over sheet"),
        facts=((Text("起止时间", "From, to"), f"{names.when(found.since)} — {names.when(found.until)}"),),
        sections=_sections(found, names),
        blanks=(
            Text("交班人：", "Handed over by:"),
            Text("接班人：", "Taken over by:"),
            Text("交接时间：", "At:"),
            Text("备注：", "Remarks:"),
        ),
        source=found,
        names=names,
        marks=() if found.is_whole else (partial,),
    )


def _sections(found: Handover, names: Names) -> Iterable[Section]:
    alarms = (
        (Text("一、未恢复或未确认的告警", "1. Open alarms"), found.standing, _standing),
        (Text("二、已搁置", "2. Shelved"), found.shelved, _shelf),
        (Text("三、已停用", "3. Out of service"), found.out_of_service, _order),
        (Text("四、被抑制", "4. Suppressed"), found.suppressed, _cause),
        (Text("五、失去应答的设备", "5. Silent devices"), found.silent, _since),
    )
    others = [each for each in found.happenings if each.event != GAP]
    parts = (
        *((title, _states(states, names, remark)) for title, states, remark in alarms),
        (Text("六、本班告警变化", "6. Alarms: what changed"), _steps(found.steps, names)),
        (Text("七、可用状态变化", "7. Readiness: what changed"), _turns(found.turns, names)),
        (Text("八、数据缺口与网关启动", "8. Gaps, and starts of the gateway"), _gaps(found, names)),
        (
            Text("九、操作与其他事件", "9. What people did, and other events"),
            acts_table(found.steps, others, found.titles, names),
        ),
    )
    return (Section(names.say(title), table=each, nothing=names.say(words.NONE)) for title, each in parts)


def _states(states: Iterable[AlarmState], names: Names, remark: Callable[[AlarmState, Names], str]) -> Table:
    return tables.table(
        states,
        names,
        (tables.STANDING_PRIORITY, 11),
        (tables.STANDING_DEVICE, 19),
        (tables.STANDING_ALARM, 20),
        (tables.STANDING_SINCE, 15),
        (tables.STANDING_STATE, 17),
        (tables.Column(_REMARKS, remark), 18),
    )


_REMARKS = Text("说明", "Remarks")


def _standing(state: AlarmState, names: Names) -> str:
    """The values, who acknowledged, whether it can be told now."""
    parts = [names.values(state.device, state.because)]
    for ack in state.acks:
        note = names.say(Text(f"：{ack.note}", f": {ack.note}")) if ack.note else ""
        parts.append(names.say(Text(f"{ack.by} 确认", f"acknowledged by {ack.by}")) + note)
    if state.is_stale:
        parts.append(names.say(Text("目前数据中断", "cannot be told now")))
    return tables.joined(parts, names)


def _shelf(state: AlarmState, names: Names) -> str:
    until = names.when(state.shelved_until) if state.shelved_until is not None else names.say(words.UNKNOWN)
    by = ", ".join(f"{ack.by} {ack.note}".strip() for ack in state.shelf)
    return tables.joined([names.say(Text(f"至 {until}", f"until {until}")), by], names)


def _order(state: AlarmState, names: Names) -> str:
    return names.say(Text(f"工单 {state.work_order}", f"work order {state.work_order}"))


def _cause(state: AlarmState, names: Names) -> str:
    """What it follows from: a line goes by the name it has in the site file."""
    what, _, which = state.suppressed_by.partition(" ")
    cause = words.CAUSES.get(what)
    if cause is None:
        return state.suppressed_by or names.say(words.UNKNOWN)
    named = names.of_device(which) if what == "parent" else which
    return f"{names.say(cause)}{named}"


def _since(state: AlarmState, names: Names) -> str:
    return names.values(state.device, state.because)


def _steps(steps: Iterable[Transition], names: Names) -> Table:
    return tables.table(
        steps,
        names,
        (tables.STEP_TIME, 16),
        (tables.STEP_DEVICE, 21),
        (tables.STEP_ALARM, 22),
        (tables.STEP_CHANGE, 16),
        (tables.STEP_PRIORITY, 12),
        (tables.STEP_BY, 13),
    )


def _turns(turns: Iterable[Turn], names: Names) -> Table:
    return tables.table(
        turns,
        names,
        (tables.TURN_TIME, 16),
        (tables.TURN_DEVICE, 22),
        (tables.TURN_BEFORE, 13),
        (tables.TURN_AFTER, 13),
        (tables.TURN_REASONS, 36),
    )


def _gaps(found: Handover, names: Names) -> Table:
    gateway = names.of_device("_gateway")
    rows = [
        (each.ts, each.number, names.of_device(each.device), words.event_word(GAP), gap_told(each, names))
        for each in found.happenings
        if each.event == GAP
    ]
    rows += [(each.ts, each.number, gateway, Text("启动", "started"), each.version) for each in found.starts]
    too_fast = Text("过于频繁，未逐条记录", "too fast to be kept one by one")
    rows += [(each.ts, each.number, gateway, too_fast, str(each.count)) for each in found.skipped]
    return Table(
        names.each("时间|Time", "何处|Where", "事项|What", "说明|Remarks"),
        tuple(
            (names.when(ts), where, names.say(what), told)
            for ts, _, where, what, told in sorted(rows, key=lambda row: row[:2])
        ),
        (18, 22, 18, 42),
    )
