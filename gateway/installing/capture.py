"""Reading everything a device has for its points, raw, and what of it may leave the site."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from drivers.modbus import compile_device
from drivers.modbus.capture import Tables, answer_from, is_text, places_of, tables_of
from gateway.commissioning.line_faults import fault_text
from gateway.errors import GatewayError
from gateway.model import Answer, Fault, FaultKind, Job, MaybeValue, Point, Status
from gateway.polling.identification import marks_of
from gateway.ports import DevicePlan, Values
from gateway.settings.types import DeviceSettings, LineSettings

Ask = Callable[[Job], Awaitable[Answer | Fault]]

#: Points that say where or which single device this is.
PRIVATE_WORDS = ("latitude", "longitude", "location", "serial", "imei", "iccid", "phone")
#: Exceptions that say that the device has no such address; any other says that it could not answer now.
_NOT_THERE = (1, 2, 3)
_REFUSED = 2


class CannotRecord(GatewayError):
    """The device did not answer all that was asked."""


@dataclass(frozen=True, slots=True)
class Captured:
    """`tables` hold only what belongs to points and identity marks, private values blanked; `readings` fit them."""

    unit: int
    tables: Tables
    readings: Mapping[str, tuple[MaybeValue, Status]]
    blanked: tuple[str, ...]


async def capture(ask: Ask, line: LineSettings, device: DeviceSettings) -> Captured:
    """Read the device once, redact it, and read the redacted copy; CannotRecord where it was silent or another one."""
    plan = compile_device(line, device)
    answers = await _ask_all(ask, plan)
    for mark in marks_of(compile_device, line, device):
        found = await _ask_all(ask, mark.plan)
        values = mark.plan.decode(list(found.items()), 0.0)
        if not mark.fits(values.values[0]):
            found_there = f"{mark.name}: {values.values[0]!r}, {list(mark.mark.wanted)}"
            raise CannotRecord(f"another device answers ({found_there})", f"应答的是另一台设备（{found_there}）")
        answers |= found
    raw = tables_of((job, answer) for job, answer in answers.items() if isinstance(answer, Answer))
    tables, blanked = _redacted(raw, device)
    values = _read_back(line, device, tables)
    found_values = zip(values.points, zip(values.values, values.statuses, strict=True), strict=True)
    by_name = dict(found_values)
    return Captured(
        next(iter(answers)).unit, tables, {point.name: by_name[point.name] for point in device.points}, blanked
    )


async def _ask_all(ask: Ask, plan: DevicePlan) -> dict[Job, Answer | Fault]:
    outcomes: dict[Job, Answer | Fault] = {}
    waiting = list(plan.together(plan.jobs()))
    while waiting:
        job = waiting.pop(0)
        outcome = await ask(job)
        if isinstance(outcome, Answer):
            outcomes[job] = outcome
        elif outcome.kind is FaultKind.REFUSED and outcome.code in _NOT_THERE:
            pieces = plan.refused(job, outcome.code, outcome.at)
            if not pieces:
                outcomes[job] = outcome
            waiting = [*pieces, *waiting]
        else:
            why = fault_text(outcome)
            raise CannotRecord(f"unit {job.unit} gave no answer: {why.en}", f"站号 {job.unit} 没有应答：{why.zh}")
    return outcomes


def _redacted(raw: Tables, device: DeviceSettings) -> tuple[dict[str, dict[int, int]], tuple[str, ...]]:
    """Nothing but the cells of points and of marks that stand in the profile; private ones are 0."""
    tables: dict[str, dict[int, int]] = {}
    points = [*device.points, *(mark.point for mark in device.identity if mark.is_of_model)]
    blanked = [point for point in points if _is_private(point)]
    for point in (*(each for each in points if each not in blanked), *blanked):
        table, addresses = places_of(point)
        for address in addresses:
            if address in raw.get(table, {}):
                tables.setdefault(table, {})[address] = 0 if point in blanked else raw[table][address]
    return tables, tuple(point.name for point in blanked)


def _is_private(point: Point) -> bool:
    return is_text(point) or any(word in point.name for word in PRIVATE_WORDS)


def _read_back(line: LineSettings, device: DeviceSettings, tables: Tables) -> Values:
    """What a reader makes of a device with these tables, once it knows what the device refuses."""
    plan = compile_device(line, replace(device, identity=()))
    values = Values((), (), ())
    for _ in range(2):
        outcomes: list[tuple[Job, Answer | Fault]] = []
        waiting = list(plan.together(plan.jobs()))
        while waiting:
            job = waiting.pop(0)
            answer = answer_from(tables, job)
            if answer is not None:
                outcomes.append((job, answer))
                continue
            pieces = plan.refused(job, _REFUSED, 0.0)
            waiting = [*pieces, *waiting]
            if not pieces:
                outcomes.append((job, Fault(FaultKind.REFUSED, 0.0, _REFUSED)))
        values = plan.decode(outcomes, 0.0)
    return values
