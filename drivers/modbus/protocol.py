"""Modbus as settings see it: its keys, what they stand for, what cannot be, and the plan of a line."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from drivers.modbus.device import reads_of
from drivers.modbus.expand import expand
from drivers.modbus.load import device_load
from drivers.modbus.options import ModbusDevice, ModbusLine
from drivers.modbus.point_options import ModbusPoint
from drivers.modbus.requests import Notes
from drivers.modbus.review import review_line
from gateway.model import Job
from gateway.settings.protocol import Finding, LinePlan, PlannedRequest, ProtocolModel, SourcePoint
from gateway.settings.types import IDENTITY_SHARE, DeviceSettings, LineSettings


class Modbus:
    """gateway.settings.protocol.ProtocolModel."""

    name = "modbus"
    line_options: type[BaseModel] = ModbusLine
    device_options: type[BaseModel] = ModbusDevice
    point_options: type[BaseModel] = ModbusPoint

    def endpoint(self, line: BaseModel) -> str:
        if not isinstance(line, ModbusLine):
            raise TypeError("not the keys of a Modbus line")
        return line.endpoint

    def points(self, name: str, options: BaseModel) -> Sequence[SourcePoint]:
        if not isinstance(options, ModbusPoint):
            raise TypeError(f"{name}: not the keys of a Modbus point")
        return expand(name, options)

    def review(self, line: LineSettings, devices: Sequence[DeviceSettings]) -> Sequence[Finding]:
        return review_line(line, devices)

    def plan(self, line: LineSettings, devices: Sequence[DeviceSettings]) -> LinePlan:
        requests: list[PlannedRequest] = []
        load = 0.0
        for device in devices:
            reads = reads_of(line, device)
            load += device_load(reads, reads.intervals) + (IDENTITY_SHARE if device.identity else 0)
            requests += [_planned(device.id, job, job.plan) for job in reads.jobs() if isinstance(job.plan, Notes)]
        return LinePlan(line.id, tuple(requests), load)


def _planned(device: str, job: Job, notes: Notes) -> PlannedRequest:
    return PlannedRequest(
        device, notes.table.value, notes.start, notes.count, len(job.points), job.interval_s, job.wire_ms
    )


MODBUS: ProtocolModel = Modbus()
