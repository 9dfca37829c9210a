"""A protocol of few keys, so that settings is tested without knowing a real one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.model import Text, ValueType
from gateway.settings.protocol import Finding, LinePlan, PlannedRequest, SourcePoint
from gateway.settings.types import DeviceSettings, LineSettings


class FakeLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    tcp: str
    speed: Annotated[int, Field(ge=1)] = 9600


class FakeDevice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    unit: Annotated[int, Field(strict=True, ge=0, le=255)]


class FakePoint(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    at: Annotated[int, Field(strict=True, ge=0)]
    type: Literal["number", "boolean", "string"] = "number"
    enum: dict[int, str] | None = None
    bits: dict[int, str] | None = None


class FakeProtocol:
    """Reads one register per request; refuses two points at one address, and unit 13."""

    name = "fake"
    line_options = FakeLine
    device_options = FakeDevice
    point_options = FakePoint

    def endpoint(self, line: BaseModel) -> str:
        assert isinstance(line, FakeLine)
        return f"tcp:{line.tcp}"

    def points(self, name: str, options: BaseModel) -> Sequence[SourcePoint]:
        assert isinstance(options, FakePoint)
        if options.bits is not None:
            return [SourcePoint(f"{name}_{word}", ValueType.BOOLEAN, options) for word in options.bits.values()]
        if options.enum is not None:
            return [SourcePoint(name, ValueType.STRING, options, tuple(options.enum.values()))]
        return [SourcePoint(name, ValueType(options.type), options)]

    def review(self, line: LineSettings, devices: Sequence[DeviceSettings]) -> Sequence[Finding]:
        findings = []
        for device in devices:
            assert isinstance(device.options, FakeDevice)
            if device.options.unit == 13:
                findings.append(Finding(device.id, None, "unit", Text("不吉利", "unlucky"), "write 14"))
            seen: set[int] = set()
            for point in device.points:
                assert isinstance(point.options, FakePoint)
                if point.options.at in seen and point.options.bits is None:
                    findings.append(Finding(device.id, point.name, "at", "taken", "use another"))
                seen.add(point.options.at)
        if len(devices) > 3:
            findings.append(Finding(None, None, "", "too many devices", "use two lines"))
        return findings

    def plan(self, line: LineSettings, devices: Sequence[DeviceSettings]) -> LinePlan:
        requests = [
            PlannedRequest(device.id, "table", point.options.at, 1, 1, point.interval_s, 5.0)
            for device in devices
            for point in device.points
            if isinstance(point.options, FakePoint)
        ]
        return LinePlan(line.id, tuple(requests), sum(each.wire_ms / each.interval_s / 1000 for each in requests))


FAKE = FakeProtocol()
FAKES = {"fake": FAKE, "modbus": FAKE}
