"""The backlog's share of the window."""

from __future__ import annotations

from gateway.uplink.pace import Pace


def test_a_fast_link_gets_the_whole_share() -> None:
    pace, now = Pace(50), 0.0
    for _ in range(2000):
        pace.note(now, now + 0.002)
        now += 0.001
    assert pace.limit == 50


def test_a_long_way_is_no_slow_link() -> None:
    pace, now = Pace(50), 0.0
    for _ in range(2000):
        pace.note(now, now + 0.7)
        now += 0.01
    assert pace.limit == 50


def test_a_growing_queue_makes_the_backlog_step_back_and_return() -> None:
    pace, now = Pace(50), 0.0
    for _ in range(2000):
        pace.note(now, now + 0.05)
        now += 0.01
    for _ in range(50):
        pace.note(now, now + 2.0)
        now += 1.0
    assert pace.limit == 1
    for _ in range(2000):
        pace.note(now, now + 0.05)
        now += 0.01
    assert pace.limit == 50


def test_one_late_window_halves_once() -> None:
    pace, now = Pace(50), 0.0
    for _ in range(2000):
        pace.note(now, now + 0.05)
        now += 0.01
    for sent_at in range(20):
        pace.note(now + sent_at * 0.001, now + 1.0 + sent_at * 0.001)
    assert pace.limit == 25


def test_there_is_always_room_for_one() -> None:
    assert Pace(0).limit == 1
