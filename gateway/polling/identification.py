"""From the identity of a device in its settings to a plan that checks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.model import MaybeValue
from gateway.polling.doubt import DoubtedPlan, TellDoubt
from gateway.polling.identity import IdentifiedPlan, Mark
from gateway.ports import DevicePlan
from gateway.settings.types import DeviceSettings, LineSettings

Compile = Callable[[LineSettings, DeviceSettings], DevicePlan]
#: Device, and what its marks read where they do not fit; None when they fit again.
TellIdentity = Callable[[str, Mapping[str, MaybeValue] | None], None]


def doubted(compile_device: Compile, tell: TellDoubt) -> Compile:
    """`compile_device`, with plans that tell when what a device says cannot be that of its model."""

    def compile_doubted(line: LineSettings, device: DeviceSettings) -> DevicePlan:
        plan = compile_device(line, device)
        return DoubtedPlan(plan, len(device.points), lambda odd: tell(device.id, odd)) if device.points else plan

    return compile_doubted


def identified(compile_device: Compile, tell: TellIdentity) -> Compile:
    """`compile_device`, with plans that look at the marks of the devices that have any."""

    def compile_identified(line: LineSettings, device: DeviceSettings) -> DevicePlan:
        plan = compile_device(line, device)
        if not device.identity or not device.points:
            return plan
        return IdentifiedPlan(plan, marks_of(compile_device, line, device), lambda found: tell(device.id, found))

    return compile_identified


def marks_of(compile_device: Compile, line: LineSettings, device: DeviceSettings) -> list[Mark]:
    """How each mark of `device` is read; one request each, so that none can spoil another."""
    shortest_s = min((point.interval_s for point in device.points), default=device.interval_s)
    return [
        Mark(
            mark,
            compile_device(line, replace(device, points=(replace(mark.point, interval_s=shortest_s),), identity=())),
        )
        for mark in device.identity
    ]
