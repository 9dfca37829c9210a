"""Figures over time, compared with all the values they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.types import Take
from gateway.rules.windows import BUCKETS, Accumulator

OVER_S = 600.0
WIDTH_MS = int(OVER_S * 1000) // BUCKETS
SAMPLES = st.lists(st.tuples(st.integers(1, 60_000), st.integers(-50, 50)), min_size=1, max_size=120)


def filled(
    take: Take, samples: list[tuple[int, int]], least_s: float = 0.0
) -> tuple[Accumulator, list[tuple[int, int]]]:
    accumulator, ts, seen = Accumulator(take, OVER_S, least_s), 1_000_000, []
    for gap, value in samples:
        ts += gap
        accumulator.add(ts, float(value))
        seen.append((ts, value))
    return accumulator, seen


@given(SAMPLES)
@pytest.mark.parametrize("take", [Take.MINIMUM, Take.MAXIMUM, Take.RANGE, Take.MEAN, Take.FALL, Take.RISE, Take.CHANGE])
def test_a_figure_is_that_of_the_values_it_covers(take: Take, samples: list[tuple[int, int]]) -> None:
    accumulator, seen = filled(take, samples)
    now = seen[-1][0]
    first = next(begin for begin in range(0, now + 1, WIDTH_MS) if begin > now - OVER_S * 1000 - WIDTH_MS)
    covered = [value for ts, value in seen if ts >= first]
    expected = {
        Take.MINIMUM: min(covered),
        Take.MAXIMUM: max(covered),
        Take.RANGE: max(covered) - min(covered),
        Take.MEAN: sum(covered) / len(covered),
        Take.FALL: max(covered) - covered[-1],
        Take.RISE: covered[-1] - min(covered),
        Take.CHANGE: covered[-1] - covered[0],
    }[take]
    assert accumulator.figure(now) == pytest.approx(expected)


def test_a_counter_adds_up_its_steps_and_takes_a_step_down_for_a_reset() -> None:
    accumulator, seen = filled(Take.INCREASE, [(1000, 5), (20_000, 7), (20_000, 0), (20_000, 4)])
    assert accumulator.figure(seen[-1][0]) == 6
    assert accumulator.figure(seen[-1][0] + 2 * int(OVER_S * 1000)) is None


def test_a_trend_is_the_gain_of_the_line() -> None:
    accumulator, seen = filled(Take.TREND, [(10_000, 100 - index) for index in range(50)])
    assert accumulator.figure(seen[-1][0]) == pytest.approx(-49, abs=1.0)


def test_no_figure_before_enough_was_seen() -> None:
    accumulator, seen = filled(Take.MEAN, [(10_000, 1)] * 10, least_s=300)
    assert accumulator.figure(seen[-1][0]) is None
    assert accumulator.figure(seen[-1][0] + 250_000) == 1


def test_a_value_a_little_too_old_is_passed_over() -> None:
    accumulator = Accumulator(Take.MAXIMUM, OVER_S, 0)
    accumulator.add(1_020_000, 1.0)
    accumulator.add(1_019_999, 99.0)
    assert accumulator.figure(1_020_000) == 1.0


@pytest.mark.parametrize("is_told", [True, False])
def test_a_clock_that_was_set_back_blinds_no_window(is_told: bool) -> None:
    """What was seen before lies as far back as it did, and what comes is taken in at once."""
    accumulator, back_ms = Accumulator(Take.FALL, OVER_S, 0), 365 * 86_400_000
    for minute in range(30):
        accumulator.add(2_000_000_000_000 + minute * 60_000, 80.0)
    if is_told:
        accumulator.shift(-back_ms)
    for minute in range(30, 32):
        accumulator.add(2_000_000_000_000 - back_ms + minute * 60_000, 70.0)
    assert accumulator.figure(2_000_000_000_000 - back_ms + 31 * 60_000) == 10.0
    for minute in range(32, 200):
        accumulator.add(2_000_000_000_000 - back_ms + minute * 60_000, 70.0)
    assert accumulator.figure(2_000_000_000_000 - back_ms + 199 * 60_000) == 0.0


@given(SAMPLES, SAMPLES)
def test_it_goes_on_after_a_restart(before: list[tuple[int, int]], after: list[tuple[int, int]]) -> None:
    whole, seen = filled(Take.RANGE, before)
    again = Accumulator(Take.RANGE, OVER_S, 0)
    again.restore(whole.export())
    ts = seen[-1][0]
    for gap, value in after:
        ts += gap
        whole.add(ts, float(value))
        again.add(ts, float(value))
        assert whole.figure(ts) == again.figure(ts)
