"""What is made of points once for all devices that share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from drivers.modbus import MODBUS, compile_device
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


def test_devices_asked_alike_have_the_same_jobs_until_one_of_them_learns() -> None:
    one = device({"a": {"at": "holding:0"}, "b": {"at": "holding:9"}}, name="one")
    first, second = compile_device(line(), one), compile_device(line(), replace(one, id="two"))
    jobs = first.jobs()
    assert second.jobs() is jobs
    assert first.refused(jobs[0], 2, 0.0)
    assert first.refused(replace(jobs[0], spare=None), 2, 0.0)
    assert [job.points for job in first.jobs()] == [("a",), ("b",)]
    assert second.jobs() is jobs
    assert compile_device(line(), replace(one, id="three")).jobs() is jobs


def test_devices_that_differ_in_what_they_can_answer_have_jobs_of_their_own() -> None:
    one = device({"a": {"at": "holding:0"}, "b": {"at": "holding:9"}})
    narrow = replace(one, options=device({}, max_gap=0).options)
    far = replace(one, options=device({}, unit=2).options)
    counts = [len(compile_device(line(), each).jobs()) for each in (one, narrow, far)]
    assert counts == [1, 2, 1]
    assert compile_device(line(), far).jobs()[0].unit == 2
    slow = line(serial="/dev/ttyUSB0", baudrate=9600)
    assert compile_device(slow, one).jobs()[0].wire_ms > compile_device(line(), one).jobs()[0].wire_ms
