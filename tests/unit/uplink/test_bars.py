"""Topics the broker does not permit, in simulated time."""

from __future__ import annotations

from gateway.uplink.bars import Bars


def test_a_refused_topic_waits_longer_each_time() -> None:
    bars, now, waits = Bars(), 0.0, []
    assert bars.put("t", now)
    for _ in range(7):
        since = now
        while not bars.expire(now):
            now += 1.0
        waits.append(now - since)
        assert not bars.holds("t")
        assert not bars.put("t", now)
        assert bars.holds("t")
    assert waits == [30, 60, 120, 240, 480, 600, 600]


def test_refusals_of_one_window_count_once() -> None:
    bars = Bars()
    bars.put("t", 0.0)
    for number in range(20):
        assert not bars.put("t", 0.1 * number)
    assert bars.expire(30.0)


def test_other_topics_do_not_wait() -> None:
    bars = Bars()
    bars.put("t", 0.0)
    assert not bars.holds("u")
    assert not bars.lift("u")
    assert bars
    assert bars.lift("t")
    assert not bars
