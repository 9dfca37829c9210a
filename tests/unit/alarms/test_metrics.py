"""The figures of alarms: rate, flood, chattering, fleeting, shares, times to acknowledge."""

from __future__ import annotations

from dataclasses import replace

from gateway.alarms.metrics import AlarmMetrics
from gateway.model import Ack, AlarmCondition, AlarmEvent, AlarmState, Priority, Suppression, Text, Transition

T0 = 1_795_000_000_000
STATE = AlarmState(
    "gen-1", "fuel_low", "generator", Priority.HIGH, Text("", ""), Text("", ""), "duty",
    condition=AlarmCondition.UNACK, since=T0, raised_at=T0,
)  # fmt: skip


def step(event: AlarmEvent, ts: int, condition: AlarmCondition = AlarmCondition.UNACK, **more: object) -> Transition:
    raised_at = ts if event is AlarmEvent.RAISE else T0
    after = replace(STATE, condition=condition, raised_at=more.pop("raised_at", raised_at), **more)  # type: ignore[arg-type]
    return Transition(1, ts, event, AlarmCondition.NORMAL, Suppression.NONE, after)


def raised(metrics: AlarmMetrics, times: list[int], rule: str = "fuel_low", priority: Priority = Priority.HIGH) -> None:
    for ts in times:
        metrics.note(step(AlarmEvent.RAISE, ts, rule=rule, priority=priority))


def test_a_flood_begins_above_ten_and_ends_below_five() -> None:
    metrics = AlarmMetrics()
    raised(metrics, [T0 + 1000 * each for each in range(10)])
    assert metrics.figures([], T0 + 10_000)["alarm_flood"] is False
    raised(metrics, [T0 + 300_000])
    found = metrics.figures([], T0 + 300_000)
    assert (found["alarm_rate"], found["alarm_flood"]) == (11, True)
    raised(metrics, [T0 + 400_000 + each for each in range(4)])
    assert metrics.figures([], T0 + 700_000)["alarm_flood"] is True, "five in the window"
    assert metrics.figures([], T0 + 900_001)["alarm_flood"] is False


def test_three_times_in_a_minute_is_chattering() -> None:
    metrics = AlarmMetrics()
    raised(metrics, [T0, T0 + 31_000, T0 + 61_000], "slow")
    raised(metrics, [T0, T0 + 31_000, T0 + 60_000], "quick")
    assert metrics.chattering(T0 + 61_000) == [("gen-1/quick", 35)], "31 s lay between two of them"
    assert metrics.figures([], T0 + 61_000)["alarms_chattering"] == 1
    assert metrics.chattering(T0 + 61_000 + 600_000) == []


def test_shorter_than_ten_seconds_is_fleeting() -> None:
    metrics = AlarmMetrics()
    metrics.note(step(AlarmEvent.RETURN, T0 + 9_999, AlarmCondition.RTN_UNACK))
    metrics.note(step(AlarmEvent.RETURN, T0 + 10_000, AlarmCondition.RTN_UNACK))
    assert metrics.figures([], T0 + 20_000)["alarms_fleeting"] == 1
    assert metrics.fleeting(T0 + 20_000) == [("gen-1/fuel_low", 1)]
    assert metrics.figures([], T0 + 90_000_000)["alarms_fleeting"] == 0
    assert metrics.fleeting(T0 + 90_000_000) == []


def test_shares_are_told_once_there_is_enough_to_tell() -> None:
    metrics = AlarmMetrics()
    raised(metrics, [T0] * 15, "common", Priority.LOW)
    assert not [name for name in metrics.figures([], T0) if "share" in name]
    for number in range(15):
        raised(metrics, [T0], f"rare_{number:02d}", Priority.CRITICAL)
    found = metrics.figures([], T0)
    assert found["alarm_top10_share"] == 80.0
    assert (found["alarm_share_low"], found["alarm_share_critical"], found["alarm_share_high"]) == (50.0, 50.0, 0.0)
    assert metrics.worst(T0)[0] == ("gen-1/common", 15)


def test_times_to_acknowledge_are_of_the_last_acknowledgement_that_was_needed() -> None:
    metrics = AlarmMetrics()
    assert not [name for name in metrics.figures([], T0) if "ack_time" in name]
    metrics.note(step(AlarmEvent.ACK, T0 + 1_000, AlarmCondition.UNACK))
    for seconds in (10, 20, 30):
        metrics.note(step(AlarmEvent.ACK, T0 + seconds * 1000, AlarmCondition.ACKED))
    found = metrics.figures([], T0 + 40_000)
    assert found["alarm_ack_time_p50"] == 20.0
    assert found["alarm_ack_time_p95"] == 29.0


def test_what_stands_is_counted() -> None:
    shelf = (Ack("duty-1", T0, "sensor"),)
    states = [
        STATE,
        replace(STATE, rule="a", condition=AlarmCondition.ACKED, shelved_until=T0 + 1, shelf=shelf),
        replace(STATE, rule="b", condition=AlarmCondition.LATCHED_UNACK, is_stale=True, work_order="W-1"),
        replace(STATE, rule="c", is_suppressed=True),
    ]
    found = AlarmMetrics().figures(states, T0 + 60_000)
    assert (found["alarms_active"], found["alarms_unacknowledged"]) == (3, 3)
    assert (found["alarms_shelved"], found["alarm_shelf_age"]) == (1, 60)
    assert (found["alarms_suppressed"], found["alarms_out_of_service"], found["alarms_uncertain"]) == (1, 1, 1)
    assert found["alarms_long_active"] == 0
    assert AlarmMetrics().figures(states, T0 + 86_400_001)["alarms_long_active"] == 3


def test_what_was_kept_back_is_no_announcement() -> None:
    metrics = AlarmMetrics()
    metrics.note(step(AlarmEvent.RAISE, T0, is_suppressed=True))
    metrics.note(replace(step(AlarmEvent.RAISE, T0), is_historical=True))
    assert metrics.rate(T0) == 0
