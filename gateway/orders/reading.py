"""`read` over the control socket: how the points of a device stand, from the last polls."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.control import Request
from gateway.flow.snapshot import Latest
from gateway.model import Point, Text
from gateway.ports import Refused
from gateway.settings.types import DeviceSettings
from gateway.wire.messages import Json


def find_points(device: DeviceSettings, names: tuple[str, ...]) -> tuple[Point, ...]:
    """The named points, all where none is named; Refused for a name there is not."""
    known = {point.name: point for point in device.points}
    missing = [name for name in names if name not in known]
    if missing:
        raise Refused(
            "no_such_point",
            Text(f"{device.id} 没有测点 {missing[0]}", f"{device.id} has no point {missing[0]}"),
        )
    return tuple(known[name] for name in names) or device.points


def point_row(point: Point, latest: Latest, now: float) -> Mapping[str, Json]:
    """One point as `vigil read` shows it; `age_ms` is None where it was never read."""
    word = point.words.get(latest.value) if isinstance(latest.value, str) else None
    return {
        "name": point.name,
        "label": point.label.as_dict() if point.label is not None else None,
        "value": latest.value,
        "word": word.as_dict() if word is not None else None,
        "unit": point.unit,
        "status": latest.status.name,
        "stale": latest.stale and latest.at is not None,
        "age_ms": None if latest.at is None else max(0, round((now - latest.at) * 1000)),
        "ts": latest.ts,
    }


def read_rows(
    device: DeviceSettings, latest: Mapping[str, Latest], names: tuple[str, ...], now: float
) -> Mapping[str, Json]:
    """All that `read` answers."""
    rows: list[Json] = [point_row(point, latest[point.name], now) for point in find_points(device, names)]
    return {"device": device.id, "kind": device.kind, "points": rows}


def device_of(devices: tuple[DeviceSettings, ...], request: Request) -> DeviceSettings:
    """The device a request names; Refused where there is none."""
    name = request.word("device")
    found = next((each for each in devices if each.id == name), None)
    if found is None:
        raise Refused("no_such_device", Text(f"没有设备 {name}", f"there is no device {name}"))
    return found
