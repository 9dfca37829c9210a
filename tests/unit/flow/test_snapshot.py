"""The latest of every point, its age, and subscribers."""

from __future__ import annotations

import asyncio
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.flow import Latest, Snapshot
from gateway.flow.snapshot import MAX_GROUPS
from gateway.model import Point, Reading, ReportPolicy, Status, ValueType

GOOD = Status.Good


def point(name: str, interval_s: float = 1.0) -> Point:
    return Point(name, ValueType.NUMBER, "V", interval_s, ReportPolicy(), None)


def snapshot() -> Snapshot:
    return Snapshot({"gen-1": [point("a"), point("b", 10.0)], "gen-2": [point("a")]})


def test_never_polled() -> None:
    latest = snapshot().latest("gen-1", 100.0)
    assert latest["a"] == Latest(None, Status.BadWaitingForInitialData, None, None, stale=True)
    assert not latest["a"].is_usable


def test_latest_wins_point_by_point() -> None:
    found = snapshot()
    found.update(Reading("gen-1", 1000, ("a", "b"), (1.5, 2.5), (GOOD, GOOD)), 1.0)
    found.update(Reading("gen-1", 2000, ("a",), (None,), (Status.BadTimeout,)), 2.0)
    latest = found.latest("gen-1", 2.0)
    assert latest["a"] == Latest(None, Status.BadTimeout, 2000, 2.0, stale=False)
    assert latest["b"] == Latest(2.5, GOOD, 1000, 1.0, stale=False)
    assert latest["b"].is_usable
    found.update(Reading("gen-1", 3000, ("a", "b"), (1.5, 3.5), (GOOD, GOOD)), 3.0)
    assert found.point("gen-1", "a", 3.0) == Latest(1.5, GOOD, 3000, 3.0, stale=False)
    known = found.latest("gen-1", 101.0)
    assert {name: (each.value, each.status) for name, each in known.items()} == {"a": (1.5, GOOD), "b": (3.5, GOOD)}


def test_stale_after_three_polls_and_at_least_five_seconds() -> None:
    found = snapshot()
    found.update(Reading("gen-1", 0, ("a", "b"), (1.5, 2.5), (GOOD, GOOD)), 0.0)
    assert found.point("gen-1", "a", 5.0).is_usable
    assert found.point("gen-1", "a", 5.1).stale
    assert not found.point("gen-1", "a", 5.1).is_usable
    assert not found.point("gen-1", "b", 30.0).stale
    assert found.point("gen-1", "b", 30.1).stale


def test_a_point_that_is_to_be_read_more_often_is_not_old_for_that_alone() -> None:
    found = Snapshot({"gen-1": [point("a", 60.0), point("b", 2.0)]})
    found.update(Reading("gen-1", 0, ("a",), (1.5,), (GOOD,)), 100.0)
    found.update(Reading("gen-1", 0, ("b",), (1.5,), (GOOD,)), 200.0)
    quicker, names = {"gen-1": [point("a", 2.0), point("b", 2.0)]}, {"gen-1": frozenset(("a", "b"))}

    def usable(now: float) -> tuple[dict[str, bool], dict[str, bool]]:
        latest = {name: each.is_usable for name, each in found.latest("gen-1", now).items()}
        return latest, found.usable("gen-1", ("a", "b"), now)[0]

    found.replace(quicker, names, 203.0)
    assert usable(206.0) == ({"a": True, "b": True},) * 2
    assert found.usable("gen-1", ("a",), 206.0)[1] == 209.0, "as long as if it had been read when that began"
    assert usable(207.0) == ({"a": True, "b": False},) * 2
    found.replace(quicker, names, 208.0)
    assert usable(209.0) == ({"a": True, "b": False},) * 2
    assert usable(209.1) == ({"a": False, "b": False},) * 2, "no change gives it more"
    found.update(Reading("gen-1", 0, ("a",), (1.5,), (GOOD,)), 210.0)
    assert usable(216.0)[0]["a"]
    assert not usable(216.1)[0]["a"]


def test_a_point_that_was_old_before_it_is_to_be_read_more_often_stays_old() -> None:
    found = Snapshot({"gen-1": [point("a", 60.0)]})
    found.update(Reading("gen-1", 0, ("a",), (1.5,), (GOOD,)), 100.0)
    found.replace({"gen-1": [point("a", 2.0)]}, {"gen-1": frozenset(("a",))}, 281.0)
    assert not found.latest("gen-1", 281.0)["a"].is_usable
    assert found.usable("gen-1", ("a",), 281.0)[0] == {"a": False}


def test_new_tuples_of_the_same_points_take_the_place_of_the_old() -> None:
    found = snapshot()
    for step in range(50):
        found.update(Reading("gen-1", step, tuple("ab"), (step, step), (GOOD, GOOD)), float(step))
    assert found.point("gen-1", "a", 49.0) == Latest(49, GOOD, 49, 49.0, stale=False)


def test_a_plan_that_keeps_changing_does_not_grow_and_loses_no_point() -> None:
    names = [f"p{number}" for number in range(11)]
    found = Snapshot({"gen-1": [point("rare", 100_000.0), *(point(name) for name in names)]})
    found.update(Reading("gen-1", 1, ("rare",), (7,), (GOOD,)), 1.0)
    last: dict[str, int] = {}
    sets = [tuple(name for bit, name in enumerate(names) if mask >> bit & 1) for mask in range(1, 1 << len(names))]
    free = [sys.getrefcount(each) for each in sets]
    for step, each in enumerate(sets, 2):
        found.update(Reading("gen-1", step, each, (step,) * len(each), (GOOD,) * len(each)), float(step))
        last.update(dict.fromkeys(each, step))
    now_held = [sys.getrefcount(each) for each in sets]
    held = sum(now > before for now, before in zip(now_held, free, strict=True))
    assert 0 < held <= MAX_GROUPS
    now = float(len(sets) + 1)
    assert {name: found.point("gen-1", name, now).ts for name in ("rare", *names)} == {"rare": 1, **last}


def test_unknown_device_or_point() -> None:
    with pytest.raises(KeyError):
        snapshot().latest("gen-9", 0.0)
    with pytest.raises(KeyError):
        snapshot().point("gen-1", "z", 0.0)


async def test_subscribers_hear_every_device_and_slow_ones_hear_it_once() -> None:
    found = snapshot()
    with found.subscribe() as quick, found.subscribe() as slow:
        found.update(Reading("gen-1", 0, ("a",), (1,), (GOOD,)), 0.0)
        assert await quick.changed() == ("gen-1",)
        found.update(Reading("gen-2", 0, ("a",), (1,), (GOOD,)), 1.0)
        found.update(Reading("gen-1", 0, ("a",), (2,), (GOOD,)), 2.0)
        assert await quick.changed() == ("gen-2", "gen-1")
        assert await slow.changed() == ("gen-1", "gen-2")
        assert (quick.coalesced, slow.coalesced) == (0, 1)
        waiting = asyncio.ensure_future(quick.changed())
        await asyncio.sleep(0)
        assert not waiting.done()
        found.update(Reading("gen-1", 0, ("a",), (3,), (GOOD,)), 3.0)
        assert await waiting == ("gen-1",)
    found.update(Reading("gen-1", 0, ("a",), (4,), (GOOD,)), 4.0)
    assert slow.coalesced == 1


@given(
    st.lists(
        st.tuples(
            st.floats(0, 20),
            st.sampled_from([("a",), ("a", "b"), ("b",)]),
            st.sampled_from([GOOD, Status.BadTimeout, Status.UncertainEngineeringUnitsExceeded]),
        ),
        max_size=8,
    ),
    st.floats(0, 60),
)
def test_usable_says_what_each_point_says_and_for_how_long(
    readings: list[tuple[float, tuple[str, ...], Status]], later: float
) -> None:
    found = snapshot()
    now = 0.0
    for wait, names, status in readings:
        now += wait
        values = tuple(None if status.is_bad else 1.5 for _ in names)
        found.update(Reading("gen-1", 0, names, values, (status,) * len(names)), now)

    def each(at: float) -> dict[str, bool]:
        return {name: found.point("gen-1", name, at).is_usable for name in ("a", "b")}

    usable, until = found.usable("gen-1", ("a", "b"), now)
    assert usable == each(now)
    if now + later < until:
        assert each(now + later) == usable
    if until != float("inf"):
        assert each(until + 0.001) != usable
