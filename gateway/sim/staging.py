"""A scenario's actions on a simulated site: inputs of models, held points, faults on the way to units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model import Point, Text, Value, ValueType
from gateway.settings.problems import Problems, suggest
from gateway.settings.types import SiteSettings
from gateway.sim.binding import unit_of
from gateway.sim.devices import SimulatedDevice
from gateway.sim.faults import FaultBoard, FaultName
from gateway.sim.plant.parts import Input
from gateway.sim.plant.site import Plant
from gateway.sim.scenario import Action, Change, Disturbance, Scenario

#: What a change says to let a held point go.
RELEASE = "release"
_SURROUNDINGS = ("mains", "weather")


@dataclass(frozen=True, slots=True)
class _Seat:
    """Where a fault sits: a unit of a line, or all of them (None)."""

    line: str
    unit: int | None


class Stage:
    """Everything a scenario can reach."""

    def __init__(
        self,
        site: SiteSettings,
        plant: Plant,
        devices: Mapping[str, SimulatedDevice],
        faults: Mapping[str, FaultBoard],
    ) -> None:
        self._site = site
        self._plant = plant
        self._devices = devices
        self._faults = faults
        self._ends: dict[_Seat, float] = {}

    def check(self, scenario: Scenario, language: str = "en") -> None:
        """ConfigError for every action this site cannot perform; kinds without a device are passed over."""
        problems = Problems(language)
        for action in scenario.actions:
            if isinstance(action, Disturbance):
                self._check_disturbance(action, problems)
            else:
                self._check_change(action, problems)
        problems.raise_any()

    def perform(self, action: Action, elapsed_s: float) -> None:
        """Do what `check` found nothing wrong with."""
        if isinstance(action, Change):
            self._change(action)
            return
        for seat in self._seats(action):
            board = self._faults[seat.line]
            self._ends.pop(seat, None)
            if action.fault is None:
                board.clear(seat.unit)
                continue
            board.set(seat.unit, action.fault)
            if action.for_s is not None:
                self._ends[seat] = elapsed_s + action.for_s

    def expire(self, elapsed_s: float) -> None:
        """Take off the faults whose time is over."""
        for seat in [seat for seat, end_s in self._ends.items() if end_s <= elapsed_s]:
            del self._ends[seat]
            self._faults[seat.line].clear(seat.unit)

    def _change(self, change: Change) -> None:
        surroundings = self._plant.surroundings(change.target)
        if change.name in surroundings:
            if change.value is not None:
                surroundings[change.name].put(change.value)
            return
        for device in self._plant.devices(change.target):
            inputs, simulated = self._plant.parts[device].inputs, self._devices[device]
            if change.name in inputs:
                if change.value is not None:
                    inputs[change.name].put(change.value)
                simulated.refresh()
            elif change.name in simulated.points:
                simulated.hold(change.name, None if change.value == RELEASE else change.value)

    def _seats(self, disturbance: Disturbance) -> list[_Seat]:
        target = disturbance.target
        if target in self._faults:
            return [_Seat(target, None)]
        whole_line = disturbance.fault is not None and disturbance.fault.name is FaultName.CUT
        return [
            _Seat(device.line, None if whole_line else unit_of(device))
            for device in self._site.devices
            if device.id in self._plant.devices(target)
        ]

    def _is_kind(self, target: str) -> bool:
        """A kind of the vocabulary, or the nth device of one (`pump#2`), here or not."""
        kind, mark, number = target.partition("#")
        return kind in self._site.kinds and (not mark or number.isdecimal())

    def _check_disturbance(self, action: Disturbance, problems: Problems) -> None:
        ids = [*self._plant.parts, *self._faults]
        if action.target not in ids and not self._is_kind(action.target):
            text = Text(f"没有设备、类别或线路叫 {action.target}", f"no device, kind or line is called {action.target}")
            problems.add(action.place, text, suggest(action.target, [*ids, *self._site.kinds]))

    def _check_change(self, change: Change, problems: Problems) -> None:
        target = change.target
        devices = self._plant.devices(target)
        surroundings = self._plant.surroundings(target)
        if not devices and not surroundings:
            if not self._is_kind(target):
                text = Text(f"没有设备或类别叫 {target}", f"no device or kind is called {target}")
                known = [*_SURROUNDINGS, *self._plant.parts, *self._site.kinds]
                problems.add(change.target_place, text, suggest(target, known))
            return
        places: list[tuple[Mapping[str, Input], Mapping[str, Point]]] = [(surroundings, {})] if surroundings else []
        places += [(self._plant.parts[device].inputs, self._devices[device].points) for device in devices]
        if not any(change.name in inputs or change.name in points for inputs, points in places):
            known = sorted({name for inputs, points in places for name in (*inputs, *points)})
            text = Text(f"{target} 没有 {change.name}", f"{target} has no {change.name}")
            problems.add(change.name_place, text, suggest(change.name, known))
            return
        for inputs, points in places:
            expected = _expected(change, inputs, points)
            if expected is not None:
                text = Text(f"{change.name} 不能是 {change.value}", f"{change.name} cannot be {change.value}")
                problems.add(change.value_place, text, Text(f"可写：{expected}", f"write {expected}"))
                return


def _expected(change: Change, inputs: Mapping[str, Input], points: Mapping[str, Point]) -> str | None:
    """What may be written where `change` may not be; None where it may."""
    given = inputs.get(change.name)
    if given is not None:
        return None if change.value is not None and given.accepts(change.value) else given.expected
    point = points.get(change.name)
    if point is None or change.value == RELEASE:
        return None
    return None if _can_show(point, change.value) else f"{_words(point)}, {RELEASE}"


def _can_show(point: Point, value: Value | None) -> bool:
    if point.type is ValueType.BOOLEAN:
        return isinstance(value, bool)
    if point.type is ValueType.STRING:
        return isinstance(value, str) and (not point.words or value in point.words)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _words(point: Point) -> str:
    if point.type is ValueType.BOOLEAN:
        return "true, false"
    return ", ".join(point.words) if point.words else point.type.value
