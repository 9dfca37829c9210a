"""What is made of points once for all devices that share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from drivers.modbus import MODBUS
from drivers.modbus.device import reads_of
from drivers.modbus.per_model import PerModel
from drivers.modbus.requests import Notes
from gateway.model import Point
from tests.unit.drivers.modbus.build import device, line


def points(*names: str) -> Sequence[Point]:
    return device({name: {"at": f"holding:{index}"} for index, name in enumerate(names)}).points


def test_made_once_for_the_same_points_and_anew_for_others() -> None:
    made: list[Sequence[Point]] = []

    def make(found: Sequence[Point]) -> str:
        made.append(found)
        return "+".join(point.name for point in found)

    names = PerModel(make)
    first, alike = points("a", "b"), points("a", "b")
    assert [names.of(first), names.of(first), names.of(alike)] == ["a+b", "a+b", "a+b"]
    assert made == [first, alike]
    assert made[1] is alike


def test_points_that_take_the_place_of_others_in_memory_are_not_taken_for_them() -> None:
    names = PerModel(lambda found: found[0].name)
    assert [names.of(points(f"p{index}")) for index in range(300)] == [f"p{index}" for index in range(300)]


def test_devices_of_one_model_and_of_models_alike_share_sources_and_decoders() -> None:
    one = device({"a": {"at": "holding:0"}, "b": {"at": "holding:1"}}, name="one")
    two = replace(one, id="two")
    slower = device({"a": {"at": "holding:0"}, "b": {"at": "holding:1"}}, name="slower", interval=5.0)
    plans = [reads_of(line(), each) for each in (one, two, slower)]
    assert plans[0].sources is plans[1].sources
    assert [source for source, _ in plans[0].sources] == [source for source, _ in plans[2].sources]
    notes = [job.plan for plan in plans for job in plan.jobs()]
    assert len({id(each.decoder) for each in notes if isinstance(each, Notes)}) == 1


def test_what_is_wrong_with_a_model_is_said_of_each_of_its_devices() -> None:
    one = device({"a": {"at": "holding:0", "type": "float32"}, "b": {"at": "holding:1"}}, name="one")
    two = replace(one, id="two", options=device({}, unit=2).options)
    found = MODBUS.review(line(), [one, two])
    assert [(finding.device, finding.point) for finding in found] == [("one", "b"), ("two", "b")]
