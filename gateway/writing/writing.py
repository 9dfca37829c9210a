"""One write from the order to the record: may it, can it, is it on record; then the write, reading back, the result.

A write is on disk before it goes out. Once it is, it is carried to its end even if whoever ordered it has gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from gateway.model import Answer, Fault, FaultKind, Job, MaybeValue, Point, Status, Text, Value, ValueType, is_same
from gateway.ports import Clock, PointAccess, Unwritable
from gateway.settings.interlock import unfulfilled
from gateway.settings.types import DeviceSettings, SiteSettings, WritePolicy
from gateway.wire import json_text
from gateway.wire.messages import Json
from gateway.writing import refusals
from gateway.writing.arms import ARMED_S, Arms

log = logging.getLogger(__name__)

#: Pauses before each reading back: some devices show a new value a moment later.
READ_BACK_S = (0.0, 0.2, 0.5, 1.0)
#: The longest wait for a unit that rests after a time-out.
LONGEST_REST_S = 10.0
RECORD_S = 5.0

_STATUSES = {
    FaultKind.TIMEOUT: Status.BadTimeout,
    FaultKind.DOWN: Status.BadNoCommunication,
    FaultKind.FRAME: Status.BadDecodingError,
    FaultKind.REFUSED: Status.BadConfigurationError,
}
#: Nothing that could be believed came.
_UNREAD = (Status.BadTimeout, Status.BadNoCommunication, Status.BadDecodingError)


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants what. `role` is None for somebody on the machine itself; `via` says how the order came."""

    device: str
    point: str
    value: Value
    by: str
    role: str | None
    via: str
    id: str
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a write: `done`, `not_confirmed` (it reads back as something else), `device_refused`, `unknown`."""

    word: str
    before: MaybeValue
    after: MaybeValue
    text: Text

    @property
    def is_done(self) -> bool:
        return self.word == "done"


class Hands(Protocol):
    """What writing needs of the site: its settings, its devices' points, its lines, and a journal."""

    @property
    def site(self) -> SiteSettings: ...

    def access(self, device: DeviceSettings) -> PointAccess: ...

    async def ask(self, line: str, job: Job) -> Answer | Fault:
        """Run a job on a line, through whoever owns it."""
        ...

    def rests_until(self, line: str, unit: int) -> float: ...

    async def record(self, device: str, type_: str, data: Mapping[str, Json]) -> bool:
        """Put an event on disk; False where it cannot be."""
        ...


class Writing:
    """All writes of a site. `pause` waits some seconds."""

    def __init__(self, hands: Hands, clock: Clock, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._hands = hands
        self._clock = clock
        self._pause = pause
        self._arms = Arms(clock.monotonic)
        self._busy: set[str] = set()
        self._under_way: set[asyncio.Task[Outcome]] = set()

    def find(self, device: str, point: str) -> tuple[DeviceSettings, Point]:
        """Device and point; WriteRefused where there is none."""
        found = next((each for each in self._hands.site.devices if each.id == device), None)
        if found is None:
            raise refusals.no_device(device)
        known = next((each for each in found.points if each.name == point), None)
        if known is None:
            raise refusals.no_point(device, point)
        return found, known

    def needs_arming(self, device: str, point: str) -> bool:
        """Whether this write has two steps."""
        found, _ = self.find(device, point)
        policy = found.writes.get(point)
        return policy is not None and policy.two_step

    async def arm(self, order: Order) -> tuple[str, MaybeValue]:
        """First step: everything is checked but nothing written. The token, good for `ARMED_S`, and the value now."""
        device, policy, _ = self._review(order)
        before = await self._look(device, policy, order.point)
        token = self._arms.arm(order.device, order.point, order.value, order.by)
        log.info("write_armed device=%s point=%s by=%r for_s=%g", order.device, order.point, order.by, ARMED_S)
        return token, before

    async def write(self, order: Order) -> Outcome:
        """Write, read back and record; WriteRefused where nothing was written."""
        device, policy, job = self._review(order)
        if device.id in self._busy:
            raise refusals.busy()
        if policy.two_step:
            if order.token is None:
                raise refusals.not_armed()
            self._arms.use(order.token, order.device, order.point, order.value, order.by)
        self._busy.add(device.id)
        task = asyncio.create_task(self._carry_out(order, device, policy, job), name=f"write-{device.id}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        task.add_done_callback(lambda ended: self._end(device.id, ended))
        return await asyncio.shield(task)

    async def close(self, timeout_s: float) -> None:
        """Wait for writes under way, then give them up: their record says that the outcome is not known."""
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=timeout_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=RECORD_S)

    def _end(self, device: str, ended: asyncio.Task[Outcome]) -> None:
        self._busy.discard(device)
        if not ended.cancelled() and (error := ended.exception()) is not None:
            log.info("write_ended device=%s reason=%s", device, error)

    def _review(self, order: Order) -> tuple[DeviceSettings, WritePolicy, Job]:
        """What needs no look at the device: is it allowed to this person, and can it be."""
        device, point = self.find(order.device, order.point)
        policy = device.writes.get(order.point)
        if policy is None:
            raise refusals.not_writable(order.point)
        if order.role is not None and order.role not in policy.roles:
            raise refusals.wrong_role(order.point, order.role)
        try:
            job = self._hands.access(device).write(order.point, order.value)
        except Unwritable as no:
            raise refusals.bad_value(no.text) from no
        if point.type is ValueType.NUMBER:
            for limits in (point.limits, policy.limits):
                _hold_to(limits, order.value)
        return device, policy, job

    async def _look(self, device: DeviceSettings, policy: WritePolicy, point: str) -> MaybeValue:
        """The value of `point` now, once the device is known for the right one and every interlock holds on fresh
        readings; WriteRefused otherwise."""
        await self._recognise(device)
        values: dict[str, MaybeValue] = {}
        for name in dict.fromkeys(clause.point for clause in policy.interlock):
            value, status = await self._read(device, name)
            values[name] = value if status.is_good else None
        broken = unfulfilled(policy.interlock, values)
        if broken is not None:
            raise refusals.interlocked(broken)
        value, status = await self._read(device, point)
        if status in (Status.BadTimeout, Status.BadNoCommunication):
            raise refusals.silent()
        return value

    async def _recognise(self, device: DeviceSettings) -> None:
        """Whoever answers is the device of the site file, as far as its identity marks tell."""
        for mark in device.identity:
            name = mark.point.name
            found, status = await self._read(replace(device, points=(mark.point,), identity=()), name)
            if status in _UNREAD:
                raise refusals.silent()
            if not mark.fits(found):
                raise refusals.wrong_device(device.id, name)

    async def _carry_out(self, order: Order, device: DeviceSettings, policy: WritePolicy, job: Job) -> Outcome:
        before = await self._look(device, policy, order.point)
        facts = _facts(order, before)
        try:
            async with asyncio.timeout(RECORD_S):
                recorded = await self._hands.record(device.id, "write", {**facts, "result": "started"})
        except TimeoutError:
            recorded = False
        if not recorded:
            raise refusals.no_record()
        outcome = Outcome("unknown", before, None, Text("未完成，结果未知", "not finished; the outcome is not known"))
        try:
            fault = await self._hands.ask(device.line, job)
            outcome = await self._judge(order, device, job, before, fault if isinstance(fault, Fault) else None)
        finally:
            log.info(
                "write device=%s point=%s value=%s by=%r via=%s result=%s",
                *(order.device, order.point, order.value, order.by, order.via, outcome.word),
            )
            told: dict[str, Json] = {**facts, "result": outcome.word}
            if outcome.after is not None:
                told["after"] = json_text.scalar(outcome.after)
            if not await asyncio.shield(self._hands.record(device.id, "write", told)):
                log.error("write_result_not_recorded device=%s id=%s result=%s", device.id, order.id, outcome.word)
        return outcome

    async def _judge(
        self, order: Order, device: DeviceSettings, job: Job, before: MaybeValue, fault: Fault | None
    ) -> Outcome:
        if fault is not None and fault.kind is FaultKind.REFUSED:
            text = Text(
                f"设备拒绝写入（异常码 {fault.code}）", f"the device refused the write (exception {fault.code})"
            )
            return Outcome("device_refused", before, before, text)
        if fault is not None:
            rest = self._hands.rests_until(device.line, job.unit) - self._clock.monotonic()
            await self._pause(min(LONGEST_REST_S, max(0.0, rest)))
        after: MaybeValue = None
        for pause_s in READ_BACK_S:
            await self._pause(pause_s)
            after, status = await self._read(device, order.point)
            if status.is_usable and is_same(after, order.value):
                return Outcome("done", before, after, Text("已写入并核对", "written and read back"))
        if after is None:
            text = Text("已写入，但读不回来", "written, but it cannot be read back")
            return Outcome("unknown", before, None, text)
        shown = json_text.scalar(after)
        return Outcome("not_confirmed", before, after, Text(f"读回的是 {shown}", f"it reads back as {shown}"))

    async def _read(self, device: DeviceSettings, point: str) -> tuple[MaybeValue, Status]:
        access = self._hands.access(device)
        outcome = await self._hands.ask(device.line, access.read(point))
        if isinstance(outcome, Answer):
            return access.decode(point, outcome)
        return None, _STATUSES[outcome.kind]


def _facts(order: Order, before: MaybeValue) -> dict[str, Json]:
    """What both records say; values as JSON text, so that a key is one type whatever the point."""
    facts: dict[str, Json] = {
        "order": order.id,
        "by": order.by,
        "via": order.via,
        "point": order.point,
        "value": json_text.scalar(order.value),
    }
    if before is not None:
        facts["before"] = json_text.scalar(before)
    return facts


def _hold_to(limits: tuple[float, float] | None, value: Value) -> None:
    if limits is None or isinstance(value, (bool, str)):
        return
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not Decimal(repr(limits[0])) <= number <= Decimal(repr(limits[1])):
        raise refusals.out_of_range(*limits)
