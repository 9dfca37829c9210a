"""Plans against the best of all possible plans, and against the physics of the line."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from math import lcm

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus import MODBUS
from drivers.modbus.address import Table
from drivers.modbus.plan import Span, Terms, plan_reads
from drivers.modbus.timing import pace_of
from gateway.model import Job
from tests.unit.drivers.modbus.build import SERIAL, device, line, plan

SPACE = 14


def all_possible_reads(spans: Sequence[Span], terms: Terms) -> Iterator[Span]:
    """Every read the terms allow, written down from what they mean; a point no allowed read holds may be read alone."""
    known = {address for start, end in terms.known for address in range(start, end)}
    allowed: list[Span] = []
    for start in range(SPACE + 1):
        for end in range(start + 1, SPACE + 3):
            inside = range(start, end)
            gaps = [len(gap) for gap in "".join("x" if a in known else "-" for a in inside).strip("-").split("x")]
            if (
                len(inside) <= terms.longest
                and start % terms.align == 0
                and (not terms.starts or start in terms.starts)
                and not any(low <= address < high for low, high in terms.forbidden for address in inside)
                and not any(cut in inside[1:] for cut in terms.cuts)
                and (terms.max_gap is None or max(gaps) <= terms.max_gap)
            ):
                allowed.append((start, end))
    yield from allowed
    for point in spans:
        if not any(start <= point[0] and point[1] <= end for start, end in allowed):
            yield point


def least_cost(spans: Sequence[Span], terms: Terms, cost: Callable[[int], float]) -> float:
    """The cheapest set of reads that serves all points: every point is served by some possible read, all are tried."""
    reads = sorted(set(all_possible_reads(spans, terms)))
    serves = [frozenset(i for i, (a, b) in enumerate(spans) if start <= a and b <= end) for start, end in reads]
    best: dict[frozenset[int], float] = {frozenset(): 0.0}
    frontier = [frozenset[int]()]
    while frontier:
        served = min(frontier, key=best.__getitem__)
        if len(served) == len(spans):
            return best[served]
        frontier.remove(served)
        first = min(set(range(len(spans))) - served)
        for (start, end), more in zip(reads, serves, strict=True):
            if first in more:
                grown = served | more
                total = best[served] + cost(end - start)
                if total < best.get(grown, math.inf) - 1e-12:
                    if grown not in best:
                        frontier.append(grown)
                    best[grown] = total
    raise AssertionError("nothing serves the points")


def spans() -> st.SearchStrategy[list[Span]]:
    span = st.tuples(st.integers(0, SPACE - 1), st.integers(1, 4)).map(lambda s: (s[0], min(SPACE, s[0] + s[1])))
    return st.lists(span, min_size=1, max_size=7)


@st.composite
def maps(draw: st.DrawFn) -> tuple[list[Span], Terms]:
    points = draw(spans())
    others = draw(
        st.lists(st.tuples(st.integers(0, SPACE - 1), st.just(1)).map(lambda s: (s[0], s[0] + s[1])), max_size=3)
    )
    forbidden = draw(
        st.lists(st.tuples(st.integers(0, SPACE), st.integers(1, 2)).map(lambda s: (s[0], s[0] + s[1])), max_size=2)
    )
    terms = Terms(
        longest=draw(st.integers(1, 12)),
        max_gap=draw(st.none() | st.integers(0, 3)),
        forbidden=tuple(sorted(forbidden)),
        cuts=frozenset(draw(st.lists(st.integers(1, SPACE), max_size=2))),
        starts=tuple(sorted(draw(st.sets(st.integers(0, SPACE), max_size=4)))),
        align=draw(st.sampled_from([1, 1, 2, 3])),
        known=tuple(sorted(set(points + others))),
    )
    return points, terms


@settings(max_examples=400)
@given(
    case=maps(), overhead=st.integers(0, 12), per_register=st.integers(0, 3), of_bits=st.booleans(),
)  # fmt: skip
def test_no_set_of_reads_is_cheaper(
    case: tuple[list[Span], Terms], overhead: int, per_register: int, of_bits: bool
) -> None:
    points, terms = case

    def cost(count: int) -> float:
        return overhead + per_register * (math.ceil(count / 8) if of_bits else count)

    reads = plan_reads(points, terms, cost)
    possible = set(all_possible_reads(points, terms))
    assert all((read.start, read.end) in possible for read in reads)
    served = sorted(index for read in reads for index in read.serves)
    assert served == list(range(len(points)))
    assert all(read.start <= points[i][0] and points[i][1] <= read.end for read in reads for i in read.serves)
    assert sum(cost(read.end - read.start) for read in reads) == pytest.approx(least_cost(points, terms, cost))


@settings(max_examples=60)
@given(
    points=st.dictionaries(
        st.integers(0, 40), st.tuples(st.sampled_from([1.0, 2.0, 3.0, 60.0]), st.sampled_from(["uint16", "uint32"])),
        min_size=1, max_size=6,
    ),
    turnaround=st.sampled_from(["0ms", "20ms", "200ms"]),
)  # fmt: skip
def test_the_load_is_that_of_the_best_reads_at_each_time_of_the_hyper_period(
    points: dict[int, tuple[float, str]], turnaround: str
) -> None:
    """Walk through all times of the hyper-period and read what is due with the cheapest reads."""
    on = line(**SERIAL, turnaround=turnaround)
    written = {
        f"p{at}": {"at": f"holding:{3 * at}", "type": name, "interval": every} for at, (every, name) in points.items()
    }
    pace = pace_of(on.options)
    period = lcm(*(int(every) for every, _ in points.values()))
    busy_ms = 0.0
    for second in range(period):
        due = [
            (3 * at, 3 * at + (2 if name == "uint32" else 1))
            for at, (every, name) in points.items()
            if second % every == 0
        ]
        if due:
            reads = plan_reads(due, Terms(125), lambda count: pace.cost_ms(Table.HOLDING, count))
            busy_ms += sum(pace.cost_ms(Table.HOLDING, read.end - read.start) for read in reads)
    found = MODBUS.plan(on, [device(written)])
    assert found.load == pytest.approx(busy_ms / 1000 / period)


def test_a_slow_point_rides_with_fast_ones_when_both_are_due_and_is_not_read_otherwise() -> None:
    compiled = plan({"fast": {"at": "holding:0"}, "slow": {"at": "holding:5", "interval": 60.0}})
    fast, slow = compiled.jobs()
    assert [(job.request.hex(), job.interval_s) for job in (fast, slow)] == [("0300000001", 1.0), ("0300050001", 60.0)]
    together = compiled.together([fast, slow])
    assert [(job.request.hex(), sorted(job.points)) for job in together] == [("0300000006", ["fast", "slow"])]


@pytest.mark.parametrize(
    ("keys", "gap"),
    [
        ({"baudrate": 9600, "turnaround": "5ms"}, 10),
        ({"baudrate": 9600}, 17),
        ({"baudrate": 9600, "parity": "E"}, 16),
        ({"baudrate": 19200, "turnaround": "5ms"}, 13),
        ({"baudrate": 19200}, 27),
        ({"baudrate": 115200, "turnaround": "5ms"}, 45),
    ],
)
def test_a_gap_is_bridged_exactly_while_that_is_cheaper(keys: dict[str, object], gap: int) -> None:
    """Break-even: (13 characters + gap + max(gap, turnaround)) / 2 characters; rounded down."""
    on = line(**SERIAL, **keys)

    def requests(distance: int) -> int:
        return len(plan({"a": {"at": "holding:0"}, "b": {"at": f"holding:{distance + 1}"}}, on=on).jobs())

    assert requests(gap) == 1
    assert requests(gap + 1) == 2


@pytest.mark.parametrize(
    ("keys", "milliseconds"),
    [
        ({"baudrate": 9600}, (8 + 5 + 200) * 10 / 9.6 + 3.5 * 10 / 9.6),
        ({"baudrate": 9600, "parity": "E"}, (8 + 5 + 200) * 11 / 9.6 + 3.5 * 11 / 9.6),
        ({"baudrate": 19200}, (8 + 5 + 200) * 10 / 19.2 + 3.5 * 10 / 19.2),
        ({"baudrate": 115200}, (8 + 5 + 200) * 10 / 115.2 + 1.75),
        ({"baudrate": 115200, "stopbits": 2}, (8 + 5 + 200) * 11 / 115.2 + 1.75),
        ({"baudrate": 9600, "framing": "ascii", "parity": "E"}, (17 + 11 + 400) * 10 / 9.6),
    ],
)
def test_wire_time_of_a_read_of_a_hundred_registers(keys: dict[str, object], milliseconds: float) -> None:
    points = {f"p{at}": {"at": f"holding:{at}"} for at in range(100)}
    (job,) = plan(points, on=line(**SERIAL, **keys)).jobs()
    assert job.wire_ms == pytest.approx(milliseconds)


def test_twenty_dense_devices_need_the_ideal_time() -> None:
    """20 units x 60 points in 100 registers at 9600 8N1: 4.61 s with 5 ms turnaround, 4.91 s with 20 ms."""
    points = {f"p{at}": {"at": f"holding:{at}", "type": "uint16"} for at in range(20)}
    points |= {f"q{at}": {"at": f"holding:{20 + 2 * at}", "type": "int32"} for at in range(40)}
    for turnaround, seconds in (("5ms", 4.61), ("20ms", 4.91)):
        on = line(**SERIAL, turnaround=turnaround)
        units = [device(points, name=f"d{unit}", unit=unit, interval=10.0) for unit in range(1, 21)]
        assert MODBUS.plan(on, units).load * 10 == pytest.approx(seconds, abs=0.005)


def test_a_sparse_map_is_read_cluster_by_cluster() -> None:
    points = {f"p{c}_{i}": {"at": f"holding:{c * 170 + i}"} for c in range(12) for i in range(5)}
    compiled = plan(points, on=line(**SERIAL))
    assert [struct.unpack(">BHH", job.request)[1:] for job in compiled.jobs()] == [(c * 170, 5) for c in range(12)]


def starts_and_counts(jobs: Sequence[Job]) -> list[tuple[int, int]]:
    return [struct.unpack(">HH", job.request[1:]) for job in jobs]


def test_limits_forbidden_addresses_and_starts_of_a_device_are_kept() -> None:
    points = {f"p{at}": {"at": f"holding:{at}"} for at in (0, 1, 5, 6, 20, 21)}
    assert starts_and_counts(plan(points).jobs()) == [(0, 22)]
    assert starts_and_counts(plan(points, max_registers=7).jobs()) == [(0, 7), (20, 2)]
    assert starts_and_counts(plan(points, forbidden=["holding:3", "input:10"]).jobs()) == [(0, 2), (5, 17)]
    assert starts_and_counts(plan(points, max_gap=0).jobs()) == [(0, 2), (5, 2), (20, 2)]
    assert starts_and_counts(plan(points, max_gap=3).jobs()) == [(0, 7), (20, 2)]
    assert starts_and_counts(plan(points, max_gap=3, align=4).jobs()) == [(0, 7), (20, 2)]
    assert starts_and_counts(plan(points, max_registers=10, starts=["holding:0", "holding:16"]).jobs()) == [
        (0, 7),
        (16, 6),
    ]


def test_tables_are_read_apart_and_bits_by_their_own_limit() -> None:
    points = {
        f"{table}{at}": {"at": f"{table}:{at}"} for table in ("coil", "discrete", "holding", "input") for at in (3, 9)
    }
    functions = {job.request.hex() for job in plan(points).jobs()}
    assert functions == {"0100030007", "0200030007", "0300030007", "0400030007"}
    assert len(plan({f"c{at}": {"at": f"coil:{at}"} for at in range(32)}, max_bits=16).jobs()) == 2


def test_a_wide_value_is_never_split() -> None:
    points = {f"p{at}": {"at": f"holding:{4 * at}", "type": "uint64"} for at in range(40)}
    for first, count in starts_and_counts(plan(points, max_registers=10).jobs()):
        assert first % 4 == 0
        assert count == 8


def test_the_spare_asks_for_another_length_where_the_map_allows() -> None:
    points = {"a": {"at": "holding:0"}, "b": {"at": "holding:1", "type": "uint32", "interval": 10.0}}
    jobs = {job.points: job for job in plan(points).jobs()}
    assert jobs["a",].spare == bytes.fromhex("0300000003")
    assert jobs["b",].spare is None
    bits = {f"c{at}": {"at": f"coil:{at}", "interval": 1.0 if at < 8 else 10.0} for at in range(10)}
    first, second = plan(bits).jobs()
    assert (first.request.hex(), first.spare) == ("0100000008", bytes.fromhex("0100000009"))
    assert second.spare is None


def test_gateways_with_a_known_speed_behind_them_are_planned_for_that_speed() -> None:
    points = {"a": {"at": "holding:0"}, "b": {"at": "holding:100"}}
    assert len(plan(points, on=line(tcp="gw:502")).jobs()) == 1
    assert len(plan(points, on=line(tcp="gw:502", baudrate=9600)).jobs()) == 2
    assert len(plan(points, on=line(tcp="gw:502", framing="rtu")).jobs()) == 2


def test_planning_a_large_device_is_quick_enough_to_be_exact() -> None:
    points = {f"c{at}": {"at": f"coil:{at}"} for at in range(300)}
    points |= {f"r{at}": {"at": f"holding:{at}"} for at in range(400)}
    counts = [count for _, count in starts_and_counts(plan(points).jobs())]
    assert counts[0] == 300
    assert sum(counts[1:]) == 400
    assert len(counts[1:]) == 4


def test_combinations_of_due_intervals_account_for_all_time() -> None:
    """The rates behind the load: exactly these intervals are due so often."""
    intervals = (2, 3, 4)
    period = lcm(*intervals)
    walked: dict[frozenset[int], int] = {}
    for second in range(period):
        due = frozenset(each for each in intervals if second % each == 0)
        walked[due] = walked.get(due, 0) + 1
    points = {f"p{each}": {"at": f"holding:{each * 1000}", "interval": float(each)} for each in intervals}
    on = line(**SERIAL)
    cost = pace_of(on.options).cost_ms(Table.HOLDING, 1)
    wanted = sum(len(due) * cost * times for due, times in walked.items()) / 1000 / period
    assert MODBUS.plan(on, [device(points)]).load == pytest.approx(wanted)
