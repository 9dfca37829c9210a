"""`record` over the control socket: a device captured between the polls of its line."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from gateway.control import Request
from gateway.installing.capture import CannotRecord, Captured, capture
from gateway.model import Status, Text
from gateway.orders.hands import SiteHands
from gateway.orders.reading import device_of
from gateway.ports import Refused
from gateway.wire.messages import Json

RECORD_S = 120.0


async def answer_record(hands: SiteHands, request: Request) -> Mapping[str, Json]:
    """The members of a recording; Refused where the device does not give one."""
    device = device_of(hands.site.devices, request)
    line = next(each for each in hands.site.lines if each.id == device.line)
    try:
        found = await capture(partial(hands.ask, line.id), line, device)
    except CannotRecord as error:
        raise Refused("cannot_record", Text(f"无法记录：{error.say('zh')}", str(error))) from error
    return {
        "unit": found.unit,
        "tables": {table: {str(at): cell for at, cell in cells.items()} for table, cells in found.tables.items()},
        "readings": {name: {"value": value, "status": status.name} for name, (value, status) in found.readings.items()},
        "blanked": list(found.blanked),
    }


def captured_from(result: Mapping[str, object]) -> Captured:
    """The other end of `answer_record`; ValueError for what it never sends."""
    unit, tables, readings, blanked = (result.get(key) for key in ("unit", "tables", "readings", "blanked"))
    if not isinstance(unit, int) or not isinstance(tables, Mapping) or not isinstance(readings, Mapping):
        raise ValueError("not a recording")
    return Captured(
        unit,
        {str(table): {int(at): int(cell) for at, cell in cells.items()} for table, cells in tables.items()},
        {str(name): (each["value"], Status[each["status"]]) for name, each in readings.items()},
        tuple(map(str, blanked)) if isinstance(blanked, list) else (),
    )
