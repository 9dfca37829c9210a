"""Due times: absolute, spread, never piled up."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.polling.schedule import FIRST_WITHIN_S, TICK_S, TOGETHER_S, DueTimes, chance_phase, spread

intervals = st.sampled_from([0.1, 0.2, 0.5, 1.0, 5.0, 10.0, 60.0, 3600.0])
starts = st.floats(0, 1e6)
phases = st.floats(0, 1, exclude_max=True)


@given(st.sets(intervals, min_size=1, max_size=3), starts, phases)
def test_the_first_poll_is_soon_and_asks_for_everything(some: set[float], start: float, phase: float) -> None:
    due = DueTimes(some, start, phase)
    assert start <= due.next_at <= start + min(FIRST_WITHIN_S, min(some))
    assert due.intervals_due(due.next_at) == some


@given(intervals, starts, phases, st.lists(st.floats(0, 0.9), min_size=20, max_size=20))
def test_a_poll_taken_up_late_does_not_move_the_next(
    interval: float, start: float, phase: float, delays: list[float]
) -> None:
    due = DueTimes([interval], start, phase)
    due.advance([interval], due.next_at)
    first = due.next_at
    for step, delay in enumerate(delays):
        assert due.next_at == pytest.approx(first + step * interval, abs=TOGETHER_S)
        due.advance([interval], due.next_at + delay * (interval - 2 * TOGETHER_S))
    assert due.skipped == 0


@given(intervals, starts, phases, st.floats(0, 50))
def test_polls_that_went_by_are_skipped_and_counted(interval: float, start: float, phase: float, late: float) -> None:
    due = DueTimes([interval], start, phase)
    due.advance([interval], due.next_at)
    was = due.next_at
    now = was + late * interval
    due.advance([interval], now)
    assert now < due.next_at <= now + interval + 2 * TOGETHER_S
    assert due.skipped == round((due.next_at - was) / interval) - 1


@given(starts, phases)
def test_long_intervals_fall_together_with_short_ones(start: float, phase: float) -> None:
    due = DueTimes([1.0, 5.0], start, phase)
    together = 0
    for _ in range(50):
        at = due.next_at
        taken = due.intervals_due(at)
        assert 1.0 in taken
        together += 5.0 in taken
        due.advance(taken, at)
    assert 10 <= together <= 12


def test_devices_are_spread_over_the_interval() -> None:
    phases = spread([f"d{n}" for n in range(200)])
    ticks = Counter(round(DueTimes([1.0], 0.0, phase).next_at / TICK_S, 6) for phase in phases.values())
    assert len(ticks) == 40
    assert max(ticks.values()) <= 6, "5 on each of 40 ticks, give or take one"
    assert all(tick == int(tick) for tick in ticks), "lines wake the loop together"
    assert all(0 <= chance_phase(f"d{n}") < 1 for n in range(100))


def test_jobs_may_change_their_intervals() -> None:
    due = DueTimes([1.0], 0.0, 0.0)
    due.advance([1.0], 0.0)
    due.change([2.0], 0.5)
    assert due.intervals_due(0.5) == {2.0}
    assert due.shortest_s == 1.0


def test_what_is_hastened_is_what_is_still_asked() -> None:
    due = DueTimes((1.0, 60.0), 1000.0, 0.5)
    due.change((60.0, 600.0), 1000.0)
    due.advance((60.0, 600.0), 1000.0)
    due.hasten_next(1001.0)
    assert due.intervals_due(1001.0) == {60.0}
