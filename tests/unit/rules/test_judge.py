"""The judge of a site: rules into readiness, what others do to a device, restarts and changes of facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.flow.snapshot import Snapshot
from gateway.model import Priority, ReadinessState, Reading, Status, Value, ValueType
from gateway.rules.judge import Judge
from gateway.rules.memory import JudgeMemory
from gateway.rules.readiness import roll_up
from tests.rules.plant_site import PACKS, VOCABULARY, PlantSite, equipment, plant_site
from tests.unit.sim.sites import device, point, site

GEN = equipment("gen-1", "generator", {"battery_nominal_voltage": 24, "rated_power": 50})


def with_gen(**facts: Value) -> PlantSite:
    found = plant_site(replace(GEN, facts={**GEN.facts, **facts}))
    found.pass_s(3)
    return found


class Kept:
    """Documents in memory."""

    def __init__(self) -> None:
        self.found: dict[str, bytes] = {}

    def loaded(self, prefix: str) -> dict[str, bytes]:
        return {key: value for key, value in self.found.items() if key.startswith(prefix)}

    def keep(self, documents: Mapping[str, bytes | None]) -> None:
        self.found.update({key: value for key, value in documents.items() if value is not None})


def test_a_work_order_takes_a_device_out_of_service_and_a_retired_one_out_of_the_count() -> None:
    watched = with_gen()
    watched.give_fact("gen-1", "work_order", True)
    watched.pass_s(1)
    assert watched.state("gen-1") == ("out_of_service", ())
    watched.do("gen-1", emergency_stop="pushed")
    watched.pass_s(1)
    assert watched.state("gen-1")[0] == "out_of_service"
    assert "emergency_stop_pushed" in watched.state("gen-1")[1]
    watched.give_fact("gen-1", "retired", True)
    watched.pass_s(1)
    assert watched.state("gen-1")[0] == "retired"


@pytest.mark.parametrize(("level", "priority"), [("none", Priority.HIGH), ("II", Priority.CRITICAL)])
def test_the_response_level_raises(level: str, priority: Priority) -> None:
    watched = with_gen(response_level=level)
    watched.do("gen-1", mode="manual")
    watched.pass_s(1)
    assert watched.held("gen-1", "not_in_auto") is priority
    assert watched.state("gen-1") == ("not_ready", ("not_in_auto",))


def test_a_response_that_is_called_while_a_rule_holds_raises_it() -> None:
    watched = with_gen()
    watched.do("gen-1", mode="manual")
    watched.pass_s(1)
    watched.give_fact("gen-1", "response_level", "I")
    assert watched.held("gen-1", "not_in_auto") is Priority.CRITICAL
    watched.pass_s(1)
    assert watched.held("gen-1", "not_in_auto") is Priority.CRITICAL
    since = next(each.since for each in watched.judge.rules("gen-1").verdicts() if each.rule == "not_in_auto")
    assert since < watched.ts


def test_a_shelter_that_is_activated_is_judged_by_its_air() -> None:
    watched = plant_site(equipment("it", "shelter", {"capacity": 400, "water_capacity": 20000}))
    watched.do("it", people=390, ventilation="off")
    watched.pass_s(600, 5)
    watched.give_fact("it", "mode", "activated")
    watched.pass_s(3600, 20)
    assert watched.state("it")[0] == "in_use"
    assert watched.held("it", "shelter_carbon_dioxide") is not None
    watched.give_fact("it", "mode", "normal")
    watched.pass_s(20, 20)
    assert watched.held("it", "shelter_carbon_dioxide") is None


def test_because_names_what_the_condition_looked_at() -> None:
    watched = with_gen()
    watched.do("gen-1", charge_alternator="failed", mode="manual", run="on")
    watched.pass_s(60)
    because = {each.rule: dict(each.because) for each in watched.verdicts if each.level}
    assert because["not_in_auto"] == {"engine_state": "standby", "mode": "manual", "running": False} or because[
        "not_in_auto"
    ] == {"mode": "manual", "running": False}
    assert because["engine_fault"] == {"charge_alternator_failure": True}


def test_a_fact_of_the_site_is_no_point_of_a_device() -> None:
    """The mode of a shelter (`normal`) says nothing of the selector of a pump."""
    bare = site(device("pump-1", "pump", {"drive": "electric"}, [point("mode_auto")]))
    settings_ = replace(bare, kinds=VOCABULARY, facts={"mode": "normal"})
    snapshot = Snapshot({each.id: each.points for each in settings_.devices})
    judge = Judge(settings_, snapshot, PACKS)
    reading = Reading("pump-1", 1_000, ("mode_auto",), (True,), (Status.Good,))
    snapshot.update(reading, 1.0)
    (told,) = judge.update(reading, 1.0)
    assert told.state is ReadinessState.READY


def test_points_that_grow_old_neither_clear_nor_fire() -> None:
    watched = with_gen()
    watched.do("gen-1", mode="manual")
    watched.pass_s(2)
    for _ in range(30):
        watched.now += 1
        watched.ts += 1000
        watched.judge.tick(watched.now, watched.ts)
    (verdict,) = [each for each in watched.judge.rules("gen-1").verdicts() if each.rule == "not_in_auto"]
    assert (verdict.level, verdict.unsure, verdict.announced) == (Priority.HIGH, True, None)


def test_a_clock_that_was_set_forward_ends_no_delay() -> None:
    watched = with_gen()
    watched.do("gen-1", mode="manual")
    watched.pass_s(5)
    watched.ts += 86_400_000
    watched.pass_s(5)
    assert watched.announced("gen-1", "not_in_auto") is None
    watched.pass_s(600)
    assert watched.announced("gen-1", "not_in_auto") is Priority.HIGH


def test_a_clock_that_was_set_back_delays_no_alarm() -> None:
    watched = with_gen()
    watched.do("gen-1", mode="manual")
    watched.pass_s(300)
    watched.ts -= 86_400_000
    watched.pass_s(290)
    assert watched.announced("gen-1", "not_in_auto") is None
    watched.pass_s(20)
    assert watched.announced("gen-1", "not_in_auto") is Priority.HIGH


def test_a_device_that_is_asked_rarely_is_silent_after_three_polls() -> None:
    watched = plant_site(replace(GEN, interval_s=400.0))
    watched.pass_s(400, 200)
    watched.silent.add("gen-1")
    watched.pass_s(1000, 200)
    assert watched.announced("gen-1", "device_silent") is None
    watched.pass_s(200, 200)
    assert watched.announced("gen-1", "device_silent") is Priority.HIGH


def test_a_device_is_heard_again_once_two_polls_in_a_row_were_good() -> None:
    watched = plant_site(replace(GEN, interval_s=60.0))
    watched.pass_s(180, 60)
    watched.silent.add("gen-1")
    watched.pass_s(600, 60)
    assert watched.announced("gen-1", "device_silent") is Priority.MEDIUM
    for turn in ("off", "on", "off"):
        (watched.silent.clear if turn == "off" else lambda: watched.silent.add("gen-1"))()
        watched.pass_s(60, 60)
        for _ in range(3):
            watched.judge.tick(watched.now + 20, watched.ts + 20_000)
        assert watched.announced("gen-1", "device_silent") is Priority.MEDIUM, turn
    watched.pass_s(60, 60)
    assert watched.announced("gen-1", "device_silent") is None


SLOW = replace(GEN, interval_s=600.0, points=tuple(replace(each, interval_s=600.0) for each in GEN.points))


def between_polls(watched: PlantSite, seconds: int) -> None:
    for _ in range(seconds):
        watched.now, watched.ts = watched.now + 1, watched.ts + 1000
        watched.judge.tick(watched.now, watched.ts)


def test_what_is_said_between_two_polls_ends_no_delay() -> None:
    watched = plant_site(SLOW)
    watched.do("gen-1", mode="manual")
    watched.pass_s(600, 600)
    between_polls(watched, 310)
    watched.give_fact("gen-1", "response_level", "III")
    between_polls(watched, 280)
    assert watched.announced("gen-1", "not_in_auto") is None
    between_polls(watched, 20)
    assert watched.announced("gen-1", "not_in_auto") is Priority.HIGH


def test_what_is_said_between_two_polls_counts_from_then() -> None:
    watched = plant_site(SLOW)
    watched.do("gen-1", mode="manual")
    watched.pass_s(1800, 600)
    between_polls(watched, 300)
    watched.give_fact("gen-1", "response_level", "I")
    (_, worse) = watched.raised("gen-1", "not_in_auto")
    assert (worse.ts, worse.after.priority, worse.after.is_historical) == (watched.ts, Priority.CRITICAL, False)


def test_what_is_said_meanwhile_is_no_bad_poll() -> None:
    watched = plant_site(replace(GEN, interval_s=60.0))
    watched.silent.add("gen-1")
    watched.pass_s(600, 60)
    watched.silent.clear()
    watched.pass_s(60, 60)
    watched.give_fact("gen-1", "response_level", "III")
    assert watched.announced("gen-1", "device_silent") is Priority.MEDIUM
    watched.pass_s(60, 60)
    assert watched.announced("gen-1", "device_silent") is None


def test_a_point_called_out_of_range_is_not_taken_for_the_list_of_those_that_are() -> None:
    points = [point("carbon_dioxide", ValueType.NUMBER), point("out_of_range")]
    settings_ = replace(site(device("s-1", "sensor", {}, points)), kinds=VOCABULARY)
    snapshot = Snapshot({each.id: each.points for each in settings_.devices})
    judge = Judge(settings_, snapshot, PACKS)

    def read(second: int, value: float, status: Status, flag: bool) -> dict[str, Priority | None]:
        names = ("carbon_dioxide", "out_of_range")
        reading = Reading("s-1", 1_700_000_000_000 + second * 1000, names, (value, flag), (status, Status.Good))
        snapshot.update(reading, float(second))
        judge.update(reading, float(second))
        return {each.rule: each.level for each in judge.rules("s-1").verdicts()}

    for second in range(4):
        found = read(second, 9e4 + second, Status.UncertainEngineeringUnitsExceeded, False)
    assert (found["value_out_of_range"], found["sensor_faulty"]) == (Priority.MEDIUM, None)
    found = read(5, 400.0, Status.Good, True)
    assert (found["value_out_of_range"], found["sensor_faulty"]) == (None, Priority.MEDIUM)


def test_a_restart_forgets_nothing_and_says_nothing_twice() -> None:
    watched, kept = with_gen(), Kept()
    watched.do("gen-1", mode="manual")
    watched.pass_s(400)
    JudgeMemory(kept).keep(watched.judge, 1e9)
    again = Judge(watched.settings, watched.snapshot, PACKS, watched.verdicts.append)
    JudgeMemory(kept).restore(again)
    watched.judge = again
    watched.verdicts.clear()
    watched.ts += 3_600_000
    watched.now += 3600
    watched.pass_s(190)
    assert watched.held("gen-1", "not_in_auto") is Priority.HIGH
    assert watched.announced("gen-1", "not_in_auto") is None, "the outage is no time of the delay"
    watched.pass_s(15)
    assert watched.announced("gen-1", "not_in_auto") is Priority.HIGH
    assert [each.announced for each in watched.verdicts if each.rule == "not_in_auto"] == [None, Priority.HIGH]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["auto", "manual", "restart", "wait"]), min_size=2, max_size=8))
def test_what_holds_after_any_restart_is_what_would_hold_without(course: list[str]) -> None:
    watched, kept = with_gen(), Kept()
    other = with_gen()
    for each in course:
        if each == "restart":
            JudgeMemory(kept).keep(watched.judge, 1e9)
            fresh = Judge(watched.settings, watched.snapshot, PACKS)
            JudgeMemory(kept).restore(fresh)
            watched.judge = fresh
        elif each != "wait":
            for one in (watched, other):
                one.do("gen-1", mode=each)
        for one in (watched, other):
            one.pass_s(240, 30)
        assert watched.held("gen-1", "not_in_auto") is other.held("gen-1", "not_in_auto")
        if "restart" not in course:
            assert watched.announced("gen-1", "not_in_auto") is other.announced("gen-1", "not_in_auto")
        elif watched.announced("gen-1", "not_in_auto"):
            assert other.announced("gen-1", "not_in_auto") or other.held("gen-1", "not_in_auto") is None


def test_what_is_kept_is_small_and_plain() -> None:
    watched, kept = with_gen(), Kept()
    watched.pass_s(7200, 60)
    JudgeMemory(kept).keep(watched.judge, 1e9)
    assert set(kept.found) == {"rules/gen-1", "windows/gen-1", "rules/_gateway", "windows/_gateway"}
    assert all(isinstance(json.loads(each), dict) for each in kept.found.values())
    assert len(kept.found["rules/gen-1"]) < 10_000


def test_the_gateway_is_judged_by_the_points_it_has_of_itself() -> None:
    kept, watched = Kept(), with_gen()
    judge = watched.judge
    judge.watch_health(["disk_usage"])
    for second in range(0, 400, 10):
        judge.update_health(Reading("_gateway", 1_000_000 + second * 1000, ("disk_usage",), (85.0,), (Status.Good,)))
    (verdict,) = judge.rules("_gateway").verdicts()
    assert (verdict.rule, verdict.level, verdict.announced) == ("disk_filling", Priority.MEDIUM, Priority.MEDIUM)
    JudgeMemory(kept).keep(judge, 1e9)
    again = Judge(watched.settings, watched.snapshot, PACKS)
    JudgeMemory(kept).restore(again)
    again.watch_health(["disk_usage"])
    again.update_health(Reading("_gateway", 9_000_000, ("disk_usage",), (85.0,), (Status.Good,)))
    (verdict,) = again.rules("_gateway").verdicts()
    assert (verdict.level, verdict.announced) == (Priority.MEDIUM, Priority.MEDIUM)


def test_a_rule_that_a_new_fact_arms_makes_its_alarm_at_once() -> None:
    watched = with_gen()
    assert "exercise_overdue" not in {each.rule for each in watched.judge.rules("gen-1").verdicts()}
    watched.give_fact("gen-1", "last_exercise", "2026-01-01")
    assert watched.held("gen-1", "exercise_overdue") is not None
    watched.pass_s(86_400, 3600)
    assert watched.raised("gen-1", "exercise_overdue")
    watched.give_fact("gen-1", "last_exercise", "2026-06-02")
    assert watched.held("gen-1", "exercise_overdue") is None


def test_a_response_that_is_called_announces_again_what_it_raises() -> None:
    watched = with_gen()
    watched.do("gen-1", mode="manual")
    watched.pass_s(700, 10)
    assert [each.after.priority for each in watched.raised("gen-1", "not_in_auto")] == [Priority.HIGH]
    watched.give_fact("gen-1", "response_level", "II")
    priorities = [each.after.priority for each in watched.raised("gen-1", "not_in_auto")]
    assert priorities == [Priority.HIGH, Priority.CRITICAL]


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["gen-1", "gen-2"]),
            st.sampled_from(["stop", "release", "silent", "order", "return", "retire", "reload"]),
        ),
        max_size=12,
    )
)
def test_what_a_site_counts_is_how_its_devices_stand(course: list[tuple[str, str]]) -> None:
    watched = plant_site(GEN, replace(GEN, id="gen-2"), equipment("meter", "meter"))
    for number, (name, act) in enumerate(course, 1):
        if act in ("stop", "release"):
            watched.do(name, emergency_stop="pushed" if act == "stop" else "released")
        elif act in ("order", "return"):
            watched.give_fact(name, "work_order", act == "order")
        elif act == "retire":
            watched.give_fact(name, "retired", True)
        elif act == "silent":
            watched.silent ^= {name}
        elif act == "reload":
            before, watched.judge = watched.judge, Judge(watched.judge.settings, watched.snapshot, watched.judge.book)
            watched.judge.carry_over(before)
        watched.pass_s(1)
        told = watched.judge.site(watched.now + 1000 * number, watched.ts)
        standing = {each.id: watched.judge.standing(each.id) for each in watched.judge.settings.devices}
        states = [
            (each.kind, found[0].state if (found := standing[each.id]) else ReadinessState.UNKNOWN)
            for each in watched.judge.settings.devices
        ]
        assert told is not None
        assert (told.state, told.kinds) == roll_up(states, watched.judge.settings.required)
