"""How busy a line is said to be: the share of the last minute, measured, beside what its plan needs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gateway.health.line_load import line_load


@dataclass
class Asking:
    """Takes `share` of its line's time."""

    clock: Clock
    share: float = 0.0
    began: float = 0.0
    before: float = 0.0

    def taken_s(self) -> float:
        return self.before + self.share * (self.clock.now - self.began)

    def change(self, share: float) -> None:
        self.before, self.began, self.share = self.taken_s(), self.clock.now, share


@dataclass
class Clock:
    now: float = 5000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_load_is_the_share_of_the_last_minute(clock: Clock) -> None:
    line = Asking(clock, 0.25, clock.now)
    ask = line_load({"genset-bus": line}, dict, clock.monotonic)
    ask()
    for _ in range(30):
        clock.now += 10
        assert ask()["line_genset_bus_load"] == 25.0
    line.change(0.75)
    told = []
    for _ in range(8):
        clock.now += 10
        told.append(ask()["line_genset_bus_load"])
    assert told[:2] == pytest.approx([33.3, 41.7])
    assert told[5:] == [75.0, 75.0, 75.0]


def test_late_looks_make_the_window_longer_and_never_shorter(clock: Clock) -> None:
    line = Asking(clock, 0.5, clock.now)
    ask = line_load({"a": line}, dict, clock.monotonic)
    ask()
    clock.now += 500
    assert ask()["line_a_load"] == 50.0
    line.change(0.0)
    clock.now += 59
    assert 0 < float(ask()["line_a_load"] or 0) < 50


def test_the_first_look_says_nothing_is_taken_yet(clock: Clock) -> None:
    line = Asking(clock, 1.0, clock.now)
    ask = line_load({"a": line}, dict, clock.monotonic)
    assert ask() == {"line_load": 0.0, "line_a_load": 0.0}
    clock.now += 0.5
    assert ask()["line_a_load"] == 5.0, "half a second says little about a minute"


def test_the_highest_load_of_all_lines_and_what_each_plan_needs(clock: Clock) -> None:
    lines = {"a": Asking(clock, 0.5, clock.now), "b-2": Asking(clock, 0.125, clock.now)}
    ask = line_load(lines, lambda: {"a": 0.47218, "b-2": 0.1}, clock.monotonic)
    ask()
    clock.now += 20
    assert ask() == {
        "line_load": 50.0,
        "line_a_load": 50.0,
        "line_a_load_planned": 47.2,
        "line_b_2_load": 12.5,
        "line_b_2_load_planned": 10.0,
    }


def test_a_line_that_is_made_anew_or_goes_leaves_nothing_behind(clock: Clock) -> None:
    lines = {"a": Asking(clock, 0.9, clock.now)}
    ask = line_load(lines, dict, clock.monotonic)
    ask()
    clock.now += 60
    assert ask()["line_a_load"] == 90.0
    lines["a"] = Asking(clock, 0.1, clock.now)
    assert ask()["line_a_load"] == 0.0
    clock.now += 30
    assert ask()["line_a_load"] == 10.0
    del lines["a"]
    assert ask() == {}
