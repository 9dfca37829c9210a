"""Spans against a plain set."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.uplink.spans import Spans

numbers = st.integers(0, 60)
ranges = st.tuples(numbers, st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))
steps = st.lists(st.tuples(st.booleans(), ranges), max_size=30)


def plain(found: list[tuple[int, int]]) -> set[int]:
    return {number for first, last in found for number in range(first, last + 1)}


@given(steps)
def test_holds_what_a_set_would_hold(steps: list[tuple[bool, tuple[int, int]]]) -> None:
    spans, wanted = Spans(), set[int]()
    for is_added, (first, last) in steps:
        if is_added:
            spans.add(first, last)
            wanted |= set(range(first, last + 1))
        else:
            spans.remove(first, last)
            wanted -= set(range(first, last + 1))
    found = list(spans)
    assert plain(found) == wanted
    assert spans.count() == len(wanted)
    assert bool(spans) == bool(wanted)
    assert all(one[1] + 1 < two[0] for one, two in itertools.pairwise(found))  # in order, apart
    assert [number in spans for number in range(80)] == [number in wanted for number in range(80)]


@given(st.lists(ranges, max_size=10), st.lists(ranges, max_size=10))
def test_shared_is_the_intersection(inside: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    shared = Spans(inside).shared(asked)
    assert plain(shared) == plain(inside) & plain(asked)


def test_huge_ranges_cost_nothing() -> None:
    spans = Spans([(5, 10)])
    assert spans.shared([(0, 10**18)]) == [(5, 10)]


def test_forgets_the_lowest_above_its_bound() -> None:
    spans = Spans(((number, number) for number in range(0, 20, 2)), most=3)
    assert list(spans) == [(14, 14), (16, 16), (18, 18)]
