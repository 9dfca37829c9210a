"""A device plan from outside: outcomes in, values and statuses out; what it asks instead of what is refused."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus.device import ModbusPlan
from gateway.model import Answer, Fault, FaultKind, Job, MaybeValue, Status
from tests.unit.drivers.modbus.build import answer, plan, read, refusal, to_registers

GOOD = Status.Good
Found = dict[str, tuple[MaybeValue, Status]]
ECHO = {"holding": range(65536), "input": range(65536)}
"""Every register holds its own address."""


def decoded(compiled: ModbusPlan, outcomes: list[tuple[Job, Answer | Fault]], now: float = 0.0) -> Found:
    values = compiled.decode(outcomes, now)
    assert len(values.points) == len(set(values.points)) == len(values.values) == len(values.statuses)
    for value, status in zip(values.values, values.statuses, strict=True):
        assert (value is None) is status.is_bad
    return {n: (v, s) for n, v, s in zip(values.points, values.values, values.statuses, strict=True)}


# --- statuses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault(FaultKind.TIMEOUT, 0.0), Status.BadTimeout),
        (Fault(FaultKind.FRAME, 0.0), Status.BadDecodingError),
        (Fault(FaultKind.DOWN, 0.0), Status.BadNoCommunication),
        (refusal(1), Status.BadConfigurationError),
        (refusal(2), Status.BadConfigurationError),
        (refusal(3), Status.BadConfigurationError),
        (refusal(4), Status.BadDeviceFailure),
        (refusal(5), Status.BadResourceUnavailable),
        (refusal(6), Status.BadResourceUnavailable),
        (refusal(8), Status.BadDeviceFailure),
        (refusal(10), Status.BadNoCommunication),
        (refusal(11), Status.BadTimeout),
        (refusal(99), Status.BadUnexpectedError),
    ],
)
def test_a_fault_is_the_status_of_every_point_of_its_request(fault: Fault, status: Status) -> None:
    compiled = plan({"a": {"at": "holding:0"}, "b": {"at": "holding:1"}, "c": {"at": "input:0"}})
    holding, other = compiled.jobs()
    found = decoded(compiled, [(holding, fault), (other, answer(other, {"input": [7]}))])
    assert found == {"a": (None, status), "b": (None, status), "c": (7, GOOD)}


def test_readings_of_the_same_jobs_share_their_points_and_all_good_statuses() -> None:
    compiled = plan({"a": {"at": "holding:0"}, "b": {"at": "input:1"}})
    outcomes = [(job, answer(job, ECHO)) for job in compiled.jobs()]
    first, second = compiled.decode(outcomes, 0.0), compiled.decode(outcomes, 1.0)
    assert first.points is second.points
    assert first.statuses is second.statuses
    assert compiled.jobs() is compiled.jobs()


def test_an_answer_to_the_spare_request_means_the_same() -> None:
    compiled = plan({"a": {"at": "holding:3"}, "b": {"at": "holding:4", "interval": 9.0}})
    (job,) = [job for job in compiled.jobs() if job.points == ("a",)]
    assert job.spare is not None
    assert decoded(compiled, [(job, answer(job, ECHO, job.spare))]) == {"a": (3, GOOD)}


def test_data_that_is_too_short_is_no_value() -> None:
    compiled = plan({"a": {"at": "holding:0", "type": "uint32"}})
    (job,) = compiled.jobs()
    assert decoded(compiled, [(job, Answer(b"\0\0", 0.0))]) == {"a": (None, Status.BadDecodingError)}


# --- scale from another point ---------------------------------------------------------------------------------------


def test_a_scale_from_another_point_multiplies() -> None:
    points = {
        "ratio": {"at": "holding:0", "scale": 0.1},
        "current": {"at": "holding:1", "scale": 0.01, "offset": 5, "scale_from": "ratio"},
    }
    assert read(points, holding=[15, 300])["current"] == (9.5, GOOD)


@pytest.mark.parametrize(
    ("exponent", "raw", "wanted"), [(-2, 1234, 12.34), (0, 1234, 1234), (3, -7, -7000), (30, 1, 10**30)]
)
def test_a_power_of_ten_from_another_point(exponent: int, raw: int, wanted: float) -> None:
    points = {
        "decimals": {"at": "input:0", "type": "int16"},
        "level": {"at": "holding:0", "type": "int16", "scale_from": {"point": "decimals", "power": 10}},
    }
    found = read(points, holding=[raw & 0xFFFF], input=[exponent & 0xFFFF])
    assert found["level"] == (wanted, GOOD)


@pytest.mark.parametrize("exponent", [31, -31, 300])
def test_a_power_nobody_means_is_out_of_range(exponent: int) -> None:
    points = {
        "decimals": {"at": "input:0", "type": "int16"},
        "level": {"at": "holding:0", "scale_from": {"point": "decimals", "power": 10}},
    }
    found = read(points, holding=[1], input=[exponent & 0xFFFF])
    assert found["level"] == (None, Status.BadOutOfRange)


def test_a_scale_that_cannot_be_used_makes_its_points_bad() -> None:
    points = {
        "ratio": {"at": "holding:0", "bad_when": 0xFFFF},
        "a": {"at": "holding:1", "scale_from": "ratio"},
        "b": {"at": "holding:2", "scale_from": "a"},
    }
    found = read(points, holding=[0xFFFF, 1, 1])
    assert {name: status for name, (_, status) in found.items()} == dict.fromkeys(points, Status.BadSensorFailure)
    assert read(points, holding=[2, 3, 4]) == {"ratio": (2, GOOD), "a": (6, GOOD), "b": (24, GOOD)}


def test_limits_hold_for_the_scaled_value_and_an_uncertain_scale_stays_uncertain() -> None:
    uncertain = Status.UncertainEngineeringUnitsExceeded
    points = {
        "ratio": {"at": "holding:0", "range": (0, 10)},
        "a": {"at": "holding:1", "scale_from": "ratio", "range": (0, 50)},
    }
    assert read(points, holding=[5, 10])["a"] == (50, GOOD)
    assert read(points, holding=[5, 11])["a"] == (55, uncertain)
    assert read(points, holding=[11, 1])["a"] == (11, uncertain)


def test_a_float_scaled_by_another_point() -> None:
    points = {
        "ratio": {"at": "holding:2", "type": "float32"},
        "a": {"at": "holding:0", "type": "float32", "scale_from": "ratio"},
    }
    registers = to_registers("float32", "ABCD", 1.1) + to_registers("float32", "ABCD", 0.1)
    value, status = read(points, holding=registers)["a"]
    assert (repr(value), status) == ("0.11", GOOD)
    bad = to_registers("float32", "ABCD", float("nan")) + to_registers("float32", "ABCD", 0.1)
    assert read(points, holding=bad)["a"] == (None, Status.BadOutOfRange)


def test_a_scale_read_less_often_is_remembered_until_it_is_stale() -> None:
    compiled = plan({"ratio": {"at": "input:0", "interval": 60.0}, "a": {"at": "holding:5", "scale_from": "ratio"}})
    fast, slow = sorted(compiled.jobs(), key=lambda job: job.interval_s)
    good = (fast, answer(fast, ECHO))
    assert decoded(compiled, [good], 0.0) == {"a": (None, Status.BadWaitingForInitialData)}
    assert decoded(compiled, [(slow, answer(slow, {"input": [3]}))], 1.0) == {"ratio": (3, GOOD)}
    assert decoded(compiled, [good], 2.0) == {"a": (15, GOOD)}
    assert decoded(compiled, [good], 181.0) == {"a": (15, GOOD)}
    assert decoded(compiled, [good], 182.0) == {"a": (None, Status.BadTimeout)}
    decoded(compiled, [(slow, Fault(FaultKind.TIMEOUT, 183.0))], 183.0)
    assert decoded(compiled, [good], 184.0) == {"a": (None, Status.BadTimeout)}


def test_scales_in_a_circle_are_never_worked_out() -> None:
    with pytest.raises(ValueError, match="circle"):
        plan({"a": {"at": "holding:0", "scale_from": "b"}, "b": {"at": "holding:1", "scale_from": "a"}})


# --- refusals -------------------------------------------------------------------------------------------------------


@dataclass
class Unit:
    """A device with holes: refuses reads that touch them, that are too long, or everything while it boots. Registers
    hold their own address; requests are counted."""

    holes: set[int] = field(default_factory=set)
    longest: int = 125
    booting: bool = False
    silent: set[int] = field(default_factory=set)
    """Numbers of requests (from 0) that are not answered."""
    requests: int = 0
    code: int = 2

    def ask(self, job: Job, now: float) -> Answer | Fault:
        number = self.requests
        self.requests += 1
        first, count = struct.unpack(">HH", job.request[1:])
        if number in self.silent:
            return Fault(FaultKind.TIMEOUT, now)
        if self.booting or count > self.longest or self.holes & set(range(first, first + count)):
            return refusal(self.code, now)
        return answer(job, ECHO)


def poll(compiled: ModbusPlan, unit: Unit, now: float, most_pieces: int = 10_000) -> Found:
    """One poll of everything, as polling does it: pieces of what was refused are asked at once, up to a number."""
    pending = list(compiled.together(compiled.jobs()))
    outcomes: list[tuple[Job, Answer | Fault]] = []
    while pending:
        job = pending.pop(0)
        outcome = unit.ask(job, now)
        if isinstance(outcome, Fault) and outcome.kind is FaultKind.REFUSED:
            pieces = list(compiled.refused(job, outcome.code, now))
            if pieces and most_pieces > 0:
                most_pieces -= len(pieces)
                pending = pieces + pending
                continue
            if pieces:
                outcomes += [(piece, refusal(6, now)) for piece in pieces]
                continue
        outcomes.append((job, outcome))
    return decoded(compiled, outcomes, now)


def requests(compiled: ModbusPlan) -> list[tuple[int, int]]:
    return [struct.unpack(">HH", job.request[1:]) for job in compiled.together(compiled.jobs())]


def registers(*addresses: int) -> dict[str, dict[str, Any]]:
    return {f"r{address}": {"at": f"holding:{address}"} for address in addresses}


def wanted(addresses: Mapping[int, Status] | list[int]) -> Found:
    statuses = addresses if isinstance(addresses, Mapping) else dict.fromkeys(addresses, GOOD)
    return {f"r{a}": (a if status is GOOD else None, status) for a, status in statuses.items()}


def test_one_refused_point_among_many_is_found_and_set_aside_and_the_rest_is_read_together() -> None:
    compiled, unit = plan(registers(*range(40))), Unit(holes={17})
    all_but = {address: Status.BadConfigurationError if address == 17 else GOOD for address in range(40)}
    assert poll(compiled, unit, 0.0) == wanted(all_but)
    assert unit.requests <= 2 * 6 + 1
    assert requests(compiled) == [(0, 17), (18, 22)]
    assert poll(compiled, unit, 1.0) == wanted(all_but)
    assert requests(compiled) == [(0, 17), (18, 22)]


def test_a_gap_that_is_refused_is_learnt_and_no_point_suffers() -> None:
    compiled, unit = plan(registers(0, 1, 2, 10, 11, 12)), Unit(holes={5})
    assert requests(compiled) == [(0, 13)]
    assert poll(compiled, unit, 0.0) == wanted([0, 1, 2, 10, 11, 12])
    assert requests(compiled) == [(0, 3), (10, 3)]
    assert unit.requests == 3


def test_a_length_that_is_refused_is_learnt_and_no_point_suffers() -> None:
    compiled, unit = plan(registers(*range(100))), Unit(longest=60, code=3)
    assert poll(compiled, unit, 0.0) == wanted(list(range(100)))
    for now in range(1, 5):
        assert poll(compiled, unit, float(now)) == wanted(list(range(100)))
    assert len(requests(compiled)) == 2
    asked = unit.requests
    assert poll(compiled, unit, 6.0) == wanted(list(range(100)))
    assert unit.requests == asked + 2


@pytest.mark.parametrize("code", [4, 5, 6, 10, 11])
def test_other_exceptions_are_no_reason_to_split(code: int) -> None:
    compiled = plan(registers(0, 1))
    before = compiled.jobs()
    assert list(compiled.refused(before[0], code, 0.0)) == []
    assert compiled.jobs() is before


def test_a_refused_spare_is_no_refusal_of_its_points() -> None:
    compiled = plan({"a": {"at": "holding:3"}, "b": {"at": "holding:4", "interval": 9.0}})
    before = compiled.jobs()
    (job,) = [job for job in before if job.spare is not None]
    (again,) = compiled.refused(job, 2, 0.0)
    assert (again.request, again.spare, again.points) == (job.request, None, ("a",))
    assert decoded(compiled, [(again, answer(again, ECHO))]) == {"a": (3, GOOD)}
    assert compiled.jobs() is before
    assert list(compiled.refused(again, 2, 1.0)) == []
    assert decoded(compiled, [(again, refusal(2))]) == {"a": (None, Status.BadConfigurationError)}


def test_a_point_set_aside_comes_back_when_the_device_answers_it() -> None:
    compiled, unit = plan(registers(0, 1, 2)), Unit(holes={1})
    poll(compiled, unit, 0.0)
    unit.holes.clear()
    now, found = 0.0, {}
    while now < 120.0 and found != wanted([0, 1, 2]):
        now += 1.0
        found = poll(compiled, unit, now)
    assert 60.0 <= now < 65.0
    assert requests(compiled) == [(0, 3)]


def test_a_point_that_stays_refused_is_asked_ever_more_rarely() -> None:
    compiled, unit = plan(registers(0, 1, 2)), Unit(holes={1})
    poll(compiled, unit, 0.0)
    asked, extra_at = unit.requests, []
    for second in range(1, 8000):
        poll(compiled, unit, float(second))
        if unit.requests - asked > 2:
            extra_at.append(second)
        asked = unit.requests
    assert extra_at == [61, 662, 4263, 7864]


def test_a_booting_device_gets_all_its_points_back_soon_after_it_answers() -> None:
    compiled, unit = plan(registers(*range(0, 120, 2))), Unit(booting=True)
    refused = dict.fromkeys(range(0, 120, 2), Status.BadConfigurationError)
    assert poll(compiled, unit, 0.0) == wanted(refused)
    asked = unit.requests
    for now in range(1, 30):
        assert poll(compiled, unit, float(now)) == wanted(refused)
    assert unit.requests == asked + 29
    unit.booting = False
    for now in range(30, 40):
        found = poll(compiled, unit, float(now))
    assert found == wanted(list(range(0, 120, 2)))
    assert requests(compiled) == [(0, 119)]


def test_refused_points_are_named_in_every_poll_of_their_interval() -> None:
    points = registers(0, 1) | {"slow": {"at": "input:9", "interval": 60.0}}
    compiled, unit = plan(points), Unit(holes={1, 9})
    found = poll(compiled, unit, 0.0)
    assert found == wanted({0: GOOD, 1: Status.BadConfigurationError}) | {"slow": (None, Status.BadConfigurationError)}
    by_interval = {interval: [j for j in compiled.jobs() if j.interval_s == interval] for interval in (1.0, 60.0)}
    assert sorted(name for job in by_interval[1.0] for name in job.points) == ["r0", "r1"]
    assert [job.points for job in by_interval[60.0]] == [("slow",)]


def test_what_was_learnt_is_forgotten_after_a_day() -> None:
    compiled, unit = plan(registers(0, 5)), Unit(holes={3})
    poll(compiled, unit, 0.0)
    assert requests(compiled) == [(0, 1), (5, 1)]
    unit.holes.clear()
    poll(compiled, unit, 86_401.0)
    assert requests(compiled) == [(0, 6)]


def test_silence_in_the_middle_of_the_search_is_no_evidence() -> None:
    compiled, unit = plan(registers(0, 1, 8, 9)), Unit(holes={5}, silent={1})
    found = poll(compiled, unit, 0.0)
    assert found == wanted({0: Status.BadTimeout, 1: Status.BadTimeout, 8: GOOD, 9: GOOD})
    assert poll(compiled, unit, 1.0) == wanted([0, 1, 8, 9])
    assert requests(compiled) == [(0, 2), (8, 2)]


ADDRESSES = st.sets(st.integers(0, 150), min_size=1, max_size=40)


@settings(max_examples=150)
@given(
    addresses=ADDRESSES,
    holes=st.sets(st.integers(0, 150), max_size=20),
    longest=st.integers(1, 125),
    silent=st.sets(st.integers(0, 80), max_size=10),
    boots_for=st.integers(0, 5),
    wide=st.sets(st.integers(0, 150), max_size=5),
    most_pieces=st.sampled_from([2, 32, 1000]),
    code=st.sampled_from([1, 2, 3]),
)
def test_never_a_wrong_value_and_finally_every_point_that_can_be_read_is_read(
    addresses: set[int], holes: set[int], longest: int, silent: set[int], boots_for: int, wide: set[int],
    most_pieces: int, code: int,
) -> None:  # fmt: skip
    points = registers(*addresses)
    expected: Found = {f"r{a}": (None, Status.BadConfigurationError) if a in holes else (a, GOOD) for a in addresses}
    for start in wide:
        if not {start, start + 1} & addresses and start + 1 not in wide:
            points[f"w{start}"] = {"at": f"holding:{start}", "type": "uint32"}
            unreadable = bool({start, start + 1} & holes) or longest < 2
            value = (None, Status.BadConfigurationError) if unreadable else (start << 16 | start + 1, GOOD)
            expected[f"w{start}"] = value
    compiled = plan(points)
    unit = Unit(holes=holes, longest=longest, silent=silent, booting=boots_for > 0, code=code)
    found: Found = {}
    for second in range(400):
        unit.booting = second < boots_for
        found = poll(compiled, unit, float(second), most_pieces)
        assert found.keys() == expected.keys()
        for name, (value, status) in found.items():
            if status is GOOD:
                assert value == expected[name][0]
        if second > 130 and found == expected and second > 2 * len(silent):
            break
    assert found == expected
    jobs = compiled.together(compiled.jobs())
    assert len(jobs) <= len(points)


@settings(max_examples=40)
@given(addresses=ADDRESSES, holes=st.sets(st.integers(0, 150), max_size=20), data=st.data())
def test_all_points_recover_when_the_device_gives_everything(
    addresses: set[int], holes: set[int], data: st.DataObject
) -> None:
    compiled, unit = plan(registers(*addresses)), Unit(holes=holes)
    now = 0.0
    for _ in range(data.draw(st.integers(1, 4))):
        poll(compiled, unit, now)
        now += data.draw(st.sampled_from([1.0, 30.0, 700.0]))
    unit.holes = set()
    for _ in range(12):
        found = poll(compiled, unit, now)
        now += 3600.0
    assert found == wanted(sorted(addresses))
