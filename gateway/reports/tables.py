"""What stands in the columns of a report's tables. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.model import AlarmState, Text, Transition
from gateway.reports import words
from gateway.reports.document import Table
from gateway.reports.journal import Turn
from gateway.reports.names import Names

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """What one column is called, and what it says of a row."""

    head: Text
    tell: Callable[[Row, Names], str]


def table(rows: Iterable[Row], names: Names, *columns: tuple[Column[Row], int]) -> Table:
    """Columns with their shares of the width, in percent."""
    return Table(
        tuple(names.say(column.head) for column, _ in columns),
        tuple(tuple(column.tell(row, names) for column, _ in columns) for row in rows),
        tuple(width for _, width in columns),
    )


def joined(parts: Iterable[str], names: Names) -> str:
    """Those that say something, one after the other."""
    return names.say(Text("；", "; ")).join(part for part in parts if part)


TIME, DEVICE, ALARM = Text("时间", "Time"), Text("设备", "Device"), Text("告警", "Alarm")
PRIORITY, STATE, CHANGE, VALUES = (
    Text("级别", "Priority"),
    Text("状态", "State"),
    Text("变化", "Change"),
    Text("数据", "Values"),
)

#: Of steps in the life of an alarm.
STEP_TIME: Column[Transition] = Column(TIME, lambda each, names: names.when(each.ts))
STEP_DEVICE: Column[Transition] = Column(DEVICE, lambda each, names: names.of_device(each.after.device))
STEP_ALARM: Column[Transition] = Column(ALARM, lambda each, names: names.say(each.after.text))
STEP_CHANGE: Column[Transition] = Column(CHANGE, lambda each, names: names.say(words.step_word(each.event)))
STEP_PRIORITY: Column[Transition] = Column(
    PRIORITY, lambda each, names: names.say(words.PRIORITIES[each.after.priority])
)
STEP_STATE: Column[Transition] = Column(STATE, lambda each, names: names.say(words.CONDITIONS[each.after.condition]))
STEP_VALUES: Column[Transition] = Column(
    VALUES, lambda each, names: names.values(each.after.device, each.after.because) or "-"
)
STEP_BY: Column[Transition] = Column(Text("经办", "By"), lambda each, _names: each.by or "-")
STEP_ENTRY: Column[Transition] = Column(Text("记录号", "Entry"), lambda each, _names: str(each.number))

#: Of alarms as they stand.
STANDING_PRIORITY: Column[AlarmState] = Column(PRIORITY, lambda each, names: names.say(words.PRIORITIES[each.priority]))
STANDING_DEVICE: Column[AlarmState] = Column(DEVICE, lambda each, names: names.of_device(each.device))
STANDING_ALARM: Column[AlarmState] = Column(ALARM, lambda each, names: names.say(each.text))
STANDING_SINCE: Column[AlarmState] = Column(
    Text("自", "Since"), lambda each, names: names.when(each.since) if each.since else names.say(words.UNKNOWN)
)
STANDING_STATE: Column[AlarmState] = Column(STATE, lambda each, names: names.say(words.CONDITIONS[each.condition]))

#: Of changes of readiness.
TURN_TIME: Column[Turn] = Column(TIME, lambda each, names: names.when(each.ts))
TURN_DEVICE: Column[Turn] = Column(DEVICE, lambda each, names: names.of_device(each.device))
TURN_BEFORE: Column[Turn] = Column(Text("由", "From"), lambda each, names: names.say(words.readiness_word(each.before)))
TURN_AFTER: Column[Turn] = Column(Text("变为", "To"), lambda each, names: names.say(words.readiness_word(each.state)))
TURN_REASONS: Column[Turn] = Column(
    Text("原因", "Reasons"), lambda each, names: joined((names.say(reason) for reason in each.reasons), names) or "-"
)
