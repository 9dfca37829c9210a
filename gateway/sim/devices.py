"""A device of the site file as its instruments would show it: the model's values, what a scenario holds, and for points
no model knows a plausible value of the right type."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

from gateway.model import Point, Value, ValueType
from gateway.settings.types import DeviceSettings
from gateway.sim.plant.site import Plant

_WAVE_S = 600.0
#: What an unknown number swings about, by unit.
_TYPICAL = {
    "V": 230.0,
    "A": 8.0,
    "kW": 3.0,
    "Hz": 50.0,
    "%": 62.0,
    "°C": 21.0,
    "kPa": 250.0,
    "rpm": 1500.0,
    "h": 120.0,
    "m": 1.4,
    "": 1.0,
}


class SimulatedDevice:
    """Reads and writes of one device's points."""

    def __init__(self, settings: DeviceSettings, plant: Plant) -> None:
        self.settings = settings
        self._plant = plant
        self._part = plant.parts[settings.id]
        self.points: Mapping[str, Point] = {point.name: point for point in settings.points}
        self._marks = {mark.point.name: mark.begins or mark.equals[0] for mark in settings.identity}
        self._held: dict[str, Value] = dict(self._marks)
        self._shown: Mapping[str, Value] = {}
        self._shown_version = -1

    def read(self, name: str) -> Value:
        """What the point shows now."""
        if name in self._held:
            return self._held[name]
        if self._shown_version != self._plant.version:
            self._shown = self._part.values()
            self._shown_version = self._plant.version
        point = self.points[name]
        value = self._shown.get(name)
        return value if value is not None and _fits(point, value) else _plausible(point, self._plant.elapsed_s)

    def write(self, name: str, value: Value) -> bool:
        """What a client wrote: an input of the model of that name, or an output no model knows; False for all else."""
        known = self._part.inputs.get(name)
        if known is not None:
            if not known.accepts(value):
                return False
            known.put(value)
            self.refresh()
            return True
        if name in self._part.values() or name in self._marks:
            return False
        self._held[name] = value
        return True

    def hold(self, name: str, value: Value | None) -> None:
        """Keep the point at `value` whatever the model says; None lets go."""
        if value is None:
            self._held.pop(name, None)
        else:
            self._held[name] = value

    def refresh(self) -> None:
        """An input changed since the last step."""
        self._shown_version = -1


def _fits(point: Point, value: Value) -> bool:
    match point.type:
        case ValueType.BOOLEAN:
            return isinstance(value, bool)
        case ValueType.STRING:
            return isinstance(value, str)
        case _:
            return not isinstance(value, bool | str)


def _plausible(point: Point, elapsed_s: float) -> Value:
    """Constant words and flags; numbers swing slowly, each with its own phase."""
    if point.type is ValueType.BOOLEAN:
        return False
    if point.type is ValueType.STRING:
        return next(iter(point.words), "")
    phase = hashlib.blake2b(point.name.encode(), digest_size=2).digest()[0] / 256.0
    wave = math.sin(2 * math.pi * (elapsed_s / _WAVE_S + phase))
    if point.limits is not None:
        low, high = point.limits
        return low + (high - low) * (0.5 + 0.05 * wave)
    return _TYPICAL.get(point.unit, 10.0) * (1.0 + 0.03 * wave)
