"""The draft of an express bulletin on one incident: facts, times, what came first, what was done. Pure.

Every sentence is made of recorded facts; what is not recorded is said to be unknown, and left for a person to add.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from gateway.errors import GatewayError
from gateway.model import AlarmCondition, AlarmEvent, AlarmState, Text, Transition
from gateway.reports import tables, words
from gateway.reports.document import Document, Section, Table
from gateway.reports.events import acts_table
from gateway.reports.journal import Happening, Journal, Skipped, Turn
from gateway.reports.names import Names
from gateway.reports.paper import paper


class Stage(Enum):
    """Which bulletin it is."""

    FIRST = Text("初报", "first report")
    FOLLOW_UP = Text("续报", "follow-up report")
    FINAL = Text("终报", "final report")


class NoSuchIncident(GatewayError):
    """The journal has none like it."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident of one alarm: from when it was raised until it was normal again, or until now."""

    alarm: AlarmState
    """As it stands at `until`."""
    number: int
    """Of the entry that raised it."""
    began: int
    ended: int | None
    """When the alarm was NORMAL again."""
    until: int
    steps: tuple[Transition, ...]
    """Of this alarm."""
    related: tuple[Transition, ...]
    """Raised alarms of the same device meanwhile, and the one that came first."""
    first_out: Transition | None
    """The alarm that came first; None where the journal does not say."""
    happenings: tuple[Happening, ...]
    turns: tuple[Turn, ...]
    skipped: tuple[Skipped, ...]
    stage: Stage
    titles: Mapping[str, Text]
    """What the alarms of the journal are called, by `device/rule`."""
    first: int
    last: int
    head: str


def incident(journal: Journal, name: str, until: int, stage: Stage | None = None) -> Incident:
    """The latest incident of the alarm `device/rule`, or the one that the entry with number `name` belongs to;
    NoSuchIncident."""
    begin = _begin([step for step in journal.steps if step.ts <= until], name)
    key = begin.after.key
    steps: list[Transition] = []
    for step in journal.steps:
        if step.after.key != key or step.number < begin.number or step.ts > until:
            continue
        steps.append(step)
        if step.after.condition is AlarmCondition.NORMAL:
            break
    alarm = steps[-1].after
    ended = steps[-1].ts if alarm.condition is AlarmCondition.NORMAL else None
    end = until if ended is None else ended
    device = alarm.device
    raised = [
        each
        for each in journal.steps
        if each.event is AlarmEvent.RAISE and each.after.device == device and each.after.key != key
    ]
    first = begin.after.first_out
    first_out = begin if begin.after.is_first_out else None
    if first is not None:
        before = [each for each in raised if each.after.rule == first and each.number < begin.number]
        first_out = before[-1] if before else None
    related = [each for each in raised if begin.ts <= each.ts <= end or each is first_out]
    acts = [each for each in steps if each.by]
    happenings = tuple(
        each
        for each in journal.happenings
        if begin.ts <= each.ts <= end and (each.device == device or key in (each.data.get("alarms") or ()))
    )
    return Incident(
        alarm,
        begin.number,
        begin.ts,
        ended,
        until,
        tuple(steps),
        tuple(related),
        first_out,
        happenings,
        tuple(each for each in journal.turns if each.device == device and begin.ts <= each.ts <= end),
        tuple(each for each in journal.skipped if begin.ts <= each.ts <= end),
        stage or _stage(ended, acts, happenings),
        journal.titles(),
        journal.first,
        journal.last,
        journal.head,
    )


def _stage(ended: int | None, acts: Sequence[Transition], happenings: Iterable[Happening]) -> Stage:
    if ended is not None:
        return Stage.FINAL
    return Stage.FOLLOW_UP if acts or any(each.by for each in happenings) else Stage.FIRST


def _begin(steps: Sequence[Transition], name: str) -> Transition:
    """The transition that raised it."""
    if name.isascii() and name.isdecimal():
        number = int(name)
        asked = next((step for step in steps if step.number == number), None)
        if asked is None:
            raise NoSuchIncident(f"no alarm in entry {number}", f"记录第 {number} 条不是告警")
        candidates = [step for step in steps if step.after.key == asked.after.key and step.number <= number]
    else:
        candidates = [step for step in steps if step.after.key == name]
    begins = [step for step in candidates if step.event is AlarmEvent.RAISE and step.before is AlarmCondition.NORMAL]
    if not begins:
        raise NoSuchIncident(f"{name}: the journal has no such incident", f"{name}：记录中没有这一告警的发生")
    return begins[-1]


def incident_document(found: Incident, names: Names) -> Document:
    """The bulletin."""
    return paper(
        title=Text(
            f"设备告警信息快报（{found.stage.value.zh}）",
            f"Express bulletin on an equipment alarm ({found.stage.value.en})",
        ),
        facts=(
            (Text("设备", "Device"), names.of_device(found.alarm.device)),
            (Text("截至", "As of"), names.when(found.until)),
        ),
        sections=_sections(found, names),
        blanks=(
            Text("报送单位：", "Reported by:"),
            Text("值班员：", "Duty officer:"),
            Text("审核：", "Checked by:"),
            Text("报送时间：", "Sent at:"),
        ),
        source=found,
        names=names,
    )


def _sections(found: Incident, names: Names) -> Iterable[Section]:
    say = names.say
    yield Section(say(Text("一、基本情况", "1. What happened")), tuple(_facts(found, names)))
    yield Section(
        say(Text("二、首发与相关告警", "2. What came first, and what with it")),
        (_first(found, names),),
        _related(found, names),
        say(words.NONE),
    )
    yield Section(
        say(Text("三、处置情况", "3. What was done")),
        tuple(_not_kept(each, names) for each in found.skipped),
        acts_table(found.steps, found.happenings, found.titles, names),
        say(Text("记录中没有处置操作", "the journal has no action")),
    )
    yield Section(
        say(Text("四、设备可用状态", "4. Readiness of the device")),
        (),
        _turns(found.turns, names),
        say(Text("期间没有变化的记录", "no change is recorded")),
    )
    yield Section(say(Text("五、经过", "5. Course")), (), _course(found.steps, names), say(words.NONE))
    yield Section(
        say(Text("六、待补充", "6. To be added by hand")),
        (
            say(
                Text(
                    "原因、影响范围、人员情况：记录中没有，由值班人员补充。",
                    "Cause, extent, people: not recorded; the duty officer adds them.",
                )
            ),
        ),
    )


def _not_kept(skipped: Skipped, names: Names) -> str:
    when, count = names.when(skipped.ts), skipped.count
    return names.say(
        Text(
            f"{when} 之前有 {count} 项事件过于频繁，未逐条记录。",
            f"Before {when}, {count} events came too fast to be kept one by one.",
        )
    )


def _facts(found: Incident, names: Names) -> Iterable[str]:
    alarm, begin = found.alarm, found.steps[0].after
    when, device = names.when(found.began), names.of_device(alarm.device)
    level, text = words.PRIORITIES[begin.priority], begin.text
    yield names.say(
        Text(
            f"{when}，{names.of_site()}{device}发生“{text.zh}”告警，级别{level.zh}。",
            f'At {when}, {device} at {names.of_site()} raised the alarm "{text.en}", priority {level.en}.',
        )
    )
    nothing = words.ONLY_DERIVED if begin.because else words.UNKNOWN
    values = names.values(begin.device, begin.because) or names.say(nothing)
    yield names.say(Text(f"发生时数据：{values}。", f"Values at that time: {values}."))
    if alarm.priority is not begin.priority:
        now = words.PRIORITIES[alarm.priority]
        yield names.say(Text(f"其后级别变为{now.zh}。", f"Its priority became {now.en}."))
    if alarm.occurrences > 1:
        yield names.say(Text(f"期间共发生 {alarm.occurrences} 次。", f"It was raised {alarm.occurrences} times."))
    state = words.CONDITIONS[alarm.condition]
    if found.ended is not None:
        ended = names.when(found.ended)
        yield names.say(Text(f"{ended} 告警解除。", f"The alarm ended at {ended}."))
    else:
        until = names.when(found.until)
        yield names.say(Text(f"截至 {until}，告警状态：{state.zh}。", f"As of {until} the alarm is: {state.en}."))
    if alarm.is_stale:
        yield names.say(
            Text("目前数据中断，上述状态为中断前的状态。", "It cannot be told now: this is how it stood before.")
        )


def _first(found: Incident, names: Names) -> str:
    first = found.first_out
    if first is None:
        return names.say(Text(f"首发告警：{words.UNKNOWN.zh}。", f"First alarm: {words.UNKNOWN.en}."))
    if first.number == found.number:
        return names.say(Text("首发告警：本告警。", "First alarm: this one."))
    when, text = names.when(first.ts), first.after.text
    return names.say(Text(f"首发告警：{text.zh}（{when}）。", f"First alarm: {text.en} ({when})."))


def _related(found: Incident, names: Names) -> Table:
    return tables.table(
        found.related,
        names,
        (tables.STEP_TIME, 18),
        (tables.STEP_ALARM, 32),
        (tables.STEP_PRIORITY, 16),
        (tables.STEP_VALUES, 34),
    )


def _turns(turns: Iterable[Turn], names: Names) -> Table:
    return tables.table(
        turns,
        names,
        (tables.TURN_TIME, 18),
        (tables.TURN_BEFORE, 18),
        (tables.TURN_AFTER, 18),
        (tables.TURN_REASONS, 46),
    )


def _course(steps: Iterable[Transition], names: Names) -> Table:
    return tables.table(
        steps,
        names,
        (tables.STEP_TIME, 17),
        (tables.STEP_CHANGE, 17),
        (tables.STEP_STATE, 20),
        (tables.STEP_PRIORITY, 13),
        (tables.STEP_VALUES, 24),
        (tables.STEP_ENTRY, 9),
    )
