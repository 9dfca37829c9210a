"""One level over time: compared with a model that only adds up the time that counts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.condition import Condition, Delays

LOOKS = st.lists(st.tuples(st.integers(0, 40), st.sampled_from([True, False, None])), min_size=1, max_size=60)
DELAYS = st.builds(Delays, st.sampled_from([0, 10, 30]), st.sampled_from([0, 15, 50]), st.sampled_from([0, 20]))


@dataclass
class Model:
    """Counts milliseconds between two looks that both could tell."""

    delays: Delays
    held: bool = False
    announced: bool = False
    true_ms: int | None = None
    differs_ms: int | None = None
    was_sure: bool = True

    def look(self, truth: bool | None, gap_ms: int) -> None:
        counted = gap_ms if truth is not None and self.was_sure else 0
        self.was_sure = truth is not None
        if self.true_ms is not None:
            self.true_ms += counted
        if self.differs_ms is not None:
            self.differs_ms += counted
        if truth is None:
            return
        if self.held:
            if not truth:
                self._turn(False)
        elif truth:
            self.true_ms = self.true_ms or 0
            if self.true_ms >= self.delays.for_ms:
                self._turn(True)
        else:
            self.true_ms = None
        if self.differs_ms is not None and self.differs_ms >= (self.delays.on_ms if self.held else self.delays.off_ms):
            self.announced, self.differs_ms = self.held, None

    def _turn(self, held: bool) -> None:
        self.held, self.true_ms = held, None
        self.differs_ms = 0 if held != self.announced else None


@given(LOOKS, DELAYS)
def test_a_condition_is_what_the_counted_time_says(looks: list[tuple[int, bool | None]], delays: Delays) -> None:
    condition, model, ts = Condition(), Model(delays), 1_000
    for gap, truth in looks:
        ts += gap
        before = condition.held
        condition.look(truth, ts, delays)
        model.look(truth, gap)
        assert (condition.held, condition.announced) == (model.held, model.announced)
        assert condition.unsure is (truth is None)
        if truth is None:
            assert condition.held is before


@given(LOOKS, DELAYS)
def test_an_outage_counts_for_no_delay(looks: list[tuple[int, bool | None]], delays: Delays) -> None:
    whole, cut, ts = Condition(), Condition(), 0
    for gap, truth in looks:
        ts += gap
        whole.look(truth, ts, delays)
        cut.pause()
        cut.look(truth, ts + 1_000_000, delays)
        assert not (cut.announced and delays.on_ms), "no time ever counted"
        assert not (cut.held and delays.for_ms)


def test_waiting_says_whether_time_alone_can_change_something() -> None:
    condition, delays = Condition(), Delays(10, 20, 0)
    assert not condition.is_waiting
    condition.look(True, 0, delays)
    assert condition.is_waiting
    condition.look(True, 10, delays)
    assert (condition.held, condition.announced, condition.is_waiting) == (True, False, True)
    condition.look(True, 30, delays)
    assert (condition.announced, condition.is_waiting) == (True, False)
    assert condition.since == 10


@pytest.mark.parametrize("back_ms", [1, 3_600_000])
def test_a_clock_that_runs_back_ends_no_delay_early(back_ms: int) -> None:
    condition, delays = Condition(), Delays(on_ms=1_000)
    condition.look(True, 10_000_000, delays)
    condition.look(True, 10_000_000 - back_ms, delays)
    assert not condition.announced
