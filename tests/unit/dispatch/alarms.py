"""Alarms and their transitions as the alarm engine would tell them, for tests of the way to people."""

from __future__ import annotations

from dataclasses import replace

from gateway.model import Ack, AlarmCondition, AlarmEvent, AlarmState, Priority, Text, Transition

WALL = 1_763_764_800_000


def alarm(device: str = "gen-1", rule: str = "battery_low", **more: object) -> AlarmState:
    """An alarm of which nothing happened yet."""
    known = AlarmState(
        device=device,
        rule=rule,
        kind="generator",
        priority=Priority.CRITICAL,
        text=Text("启动电池电压低", "Starting battery voltage low"),
        action=Text("检查充电器和电池连接", "Check the charger and the battery connections"),
        role="maintenance",
    )
    return replace(known, **more)  # type: ignore[arg-type]


class Life:
    """One alarm and what happens to it; times are given in milliseconds after `WALL`."""

    def __init__(self, state: AlarmState) -> None:
        self.state = state
        self.number = 0

    def _move(
        self, at: int, event: AlarmEvent, by: str = "", *, is_historical: bool = False, **more: object
    ) -> Transition:
        before = self.state
        self.state = replace(before, **more)  # type: ignore[arg-type]
        self.number += 1
        return Transition(
            self.number, WALL + at, event, before.condition, before.suppression, self.state, by,
            is_historical=is_historical,
        )  # fmt: skip

    def rise(self, at: int = 0, *, is_historical: bool = False, priority: Priority | None = None) -> Transition:
        goes_on = self.state.condition is AlarmCondition.RTN_UNACK
        return self._move(
            at,
            AlarmEvent.RAISE,
            is_historical=is_historical,
            condition=AlarmCondition.UNACK,
            since=self.state.since if goes_on else WALL + at,
            occurrences=self.state.occurrences + 1 if goes_on else 1,
            priority=priority or self.state.priority,
            acks=(),
        )

    def worsen(self, at: int, priority: Priority) -> Transition:
        return self._move(at, AlarmEvent.WORSEN, condition=AlarmCondition.UNACK, priority=priority, acks=())

    def ack(self, at: int, by: str = "duty-1") -> Transition:
        is_active = self.state.condition.is_active
        condition = AlarmCondition.ACKED if is_active else AlarmCondition.NORMAL
        return self._move(at, AlarmEvent.ACK, by, condition=condition, acks=(*self.state.acks, Ack(by, WALL + at)))

    def end(self, at: int, *, is_historical: bool = False) -> Transition:
        was_acked = self.state.condition.is_acked
        condition = AlarmCondition.NORMAL if was_acked else AlarmCondition.RTN_UNACK
        return self._move(at, AlarmEvent.RETURN, is_historical=is_historical, condition=condition)

    def suppress(self, at: int) -> Transition:
        return self._move(at, AlarmEvent.SUPPRESS, is_suppressed=True)

    def release(self, at: int) -> Transition:
        return self._move(at, AlarmEvent.RELEASE, is_suppressed=False)
