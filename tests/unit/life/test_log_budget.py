"""What the log may take, with time in the test's hands."""

from __future__ import annotations

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.life.log_budget import ALL_BURST_LINES, ALL_REFILL_S, BURST_LINES, MOST_TEXTS, REFILL_S, LogBudget


class Hand:
    def __init__(self) -> None:
        self.now = 0.0
        self.budget = LogBudget(lambda: self.now)
        self.out = io.StringIO()
        handler = logging.StreamHandler(self.out)
        handler.addFilter(self.budget)
        self.log = logging.getLogger("test.budget")
        self.log.propagate = False
        self.log.setLevel(logging.DEBUG)
        self.log.handlers = [handler]

    def lines(self) -> list[str]:
        return self.out.getvalue().splitlines()


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_a_line_that_repeats_is_cut_and_the_rest_counted(hand: Hand) -> None:
    for number in range(500):
        hand.log.warning("line_down line=%s 100%%", number)
    assert len(hand.lines()) == BURST_LINES
    hand.now += REFILL_S
    hand.log.warning("line_down line=%s 100%%", "bus")
    assert hand.lines()[-1] == f"line_down line=bus 100% not_logged={500 - BURST_LINES}"
    hand.now += REFILL_S
    hand.log.warning("line_down line=%s 100%%", "bus")
    assert hand.lines()[-1] == "line_down line=bus 100%"


def test_one_text_does_not_cost_another(hand: Hand) -> None:
    for _ in range(1000):
        hand.log.info("noise")
    hand.log.info("line_up line=%s", "bus")
    assert hand.lines()[-1] == "line_up line=bus"


def test_all_that_is_no_error_shares_one_budget(hand: Hand) -> None:
    for number in range(3 * ALL_BURST_LINES):
        text = f"text {number % (MOST_TEXTS - 10)}"
        hand.log.info(text)
    assert len(hand.lines()) <= ALL_BURST_LINES
    hand.log.error("disk_full")
    assert hand.lines()[-1] == "disk_full"


def test_texts_without_end_take_no_memory_without_end(hand: Hand) -> None:
    for number in range(3 * MOST_TEXTS):
        text = f"odd {number}"
        hand.log.error(text)
    assert len(hand.budget._texts) <= MOST_TEXTS + 1
    assert len(hand.lines()) <= MOST_TEXTS + BURST_LINES


@given(st.lists(st.tuples(st.floats(0, 600), st.integers(0, 5)), max_size=300))
def test_a_day_has_a_bound_whatever_happens(happenings: list[tuple[float, int]]) -> None:
    hand = Hand()
    for pause_s, text in happenings:
        hand.now += pause_s
        line = f"text {text}"
        for _ in range(30):
            hand.log.info(line)
    allowed = min(ALL_BURST_LINES + hand.now / ALL_REFILL_S, 6 * (BURST_LINES + hand.now / REFILL_S))
    assert len(hand.lines()) <= allowed + 1
