"""A desk of alarms for tests of those who show them: keeps what it was given, and acts as simply as can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.model import Ack, AlarmCondition, AlarmState, Priority, Text
from gateway.ports import AlarmOrder, Refused

_AFTER_ACK = {
    AlarmCondition.UNACK: AlarmCondition.ACKED,
    AlarmCondition.RTN_UNACK: AlarmCondition.NORMAL,
    AlarmCondition.LATCHED_UNACK: AlarmCondition.LATCHED_ACKED,
}


def alarm(device: str, rule: str, priority: Priority = Priority.HIGH, **more: object) -> AlarmState:
    """An alarm that was just raised; `more` are other members."""
    given: dict[str, object] = {
        "kind": "generator",
        "text": Text(f"{rule} 报警", f"{rule} alarm"),
        "action": Text("去看看", "Go and look"),
        "role": "operator",
        "condition": AlarmCondition.UNACK,
        "since": 1_763_764_800_000,
    }
    return AlarmState(device=device, rule=rule, priority=priority, **{**given, **more})  # type: ignore[arg-type]


class FakeDesk:
    """gateway.ports.AlarmDesk over a plain list."""

    def __init__(self, alarms: Sequence[AlarmState] = ()) -> None:
        self.found = {each.key: each for each in alarms}
        self.orders: list[AlarmOrder] = []

    def put(self, *alarms: AlarmState) -> None:
        self.found.update({each.key: each for each in alarms})

    def alarms(self) -> Sequence[AlarmState]:
        return tuple(self.found.values())

    async def order(self, order: AlarmOrder) -> AlarmState:
        self.orders.append(order)
        key = f"{order.device}/{order.rule}"
        if key not in self.found:
            raise Refused("not_found", Text("没有这个报警", "there is no such alarm"))
        alarm = self.found[key]
        said = Ack(order.by, alarm.since + 1000, order.note)
        if order.act == "ack":
            if any(each.by == order.by for each in alarm.acks):
                raise Refused("same_person", Text("需要另一个人", "another person is needed"))
            acks = (*alarm.acks, said)
            is_done = len(acks) >= alarm.acks_needed
            alarm = replace(alarm, acks=acks, condition=_AFTER_ACK[alarm.condition] if is_done else alarm.condition)
        elif order.act == "shelve":
            alarm = replace(alarm, shelved_until=alarm.since + int((order.for_s or 0) * 1000), shelf=(said,))
        elif order.act == "unshelve":
            alarm = replace(alarm, shelved_until=None, shelf=())
        elif order.act == "out_of_service":
            alarm = replace(alarm, work_order=order.work_order)
        elif order.act == "return":
            alarm = replace(alarm, work_order=None)
        else:
            alarm = replace(alarm, condition=AlarmCondition.NORMAL)
        self.found[key] = alarm
        return alarm
