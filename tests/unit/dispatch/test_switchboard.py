"""Who is told of what, and when: in simulated time, from the outside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.dispatch.incident import What
from gateway.model import Priority
from gateway.settings.notify_types import Escalation, Inhibit, Match, Quiet, RouteSettings
from tests.unit.dispatch.alarms import Life, alarm
from tests.unit.dispatch.people import People, route, settings

S, M, H, D = 1000, 60_000, 3_600_000, 86_400_000
KEY = "gen-1/battery_low"


def test_a_critical_alarm_is_told_at_once_and_its_end_once() -> None:
    people, life = People(settings(route("duty"))), Life(alarm())
    people.hear(life.rise())
    assert people.of("duty") == [(KEY, What.RAISED)]
    people.wait(M)
    people.hear(life.ack(M), life.end(M))
    people.wait(D)
    assert people.of("duty") == [(KEY, What.RAISED), (KEY, What.ENDED)]
    assert people.kept == {}


def test_others_wait_for_company_first() -> None:
    people = People(settings(route("duty")))
    one, two = (Life(alarm(rule=rule, priority=Priority.HIGH)) for rule in ("one", "two"))
    people.hear(one.rise())
    people.wait(20 * S)
    people.hear(two.rise(20 * S))
    people.wait(9 * S)
    assert people.said == []
    people.wait(2 * S)
    assert [said.what for said in people.said] == [[("gen-1/one", What.RAISED), ("gen-1/two", What.RAISED)]]


def test_an_alarm_that_flutters_is_told_once_in_the_interval() -> None:
    people, life = People(settings(route("duty"))), Life(alarm(priority=Priority.HIGH))
    people.hear(life.rise())
    people.wait(31 * S)
    for turn in range(10):
        people.hear(life.end(turn))
        people.wait(2 * S)
        people.hear(life.rise(turn))
        people.wait(2 * S)
    people.wait(4 * M)
    assert people.of("duty") == [(KEY, What.RAISED)]


def test_what_came_and_went_before_it_could_be_told_is_one_notice() -> None:
    people, life = People(settings(route("duty"))), Life(alarm(priority=Priority.HIGH))
    people.hear(life.rise(), life.end(1), life.ack(2))
    people.wait(H)
    assert people.of("duty") == [(KEY, What.RAISED)]
    assert not people.said[0].batch.lines[0].alarm.condition.is_active
    assert people.kept == {}


def test_getting_worse_is_told_and_calls_again() -> None:
    people, life = People(settings(route("duty"))), Life(alarm(priority=Priority.MEDIUM))
    people.hear(life.rise())
    people.wait(31 * S)
    people.hear(life.ack(31 * S), life.worsen(32 * S, Priority.CRITICAL))
    assert people.of("duty") == [(KEY, What.RAISED), (KEY, What.WORSENED)]


def test_nobody_acknowledges() -> None:
    steps = tuple(Escalation(after * 60.0, (name,)) for after, name in ((5, "town"), (10, "county"), (20, "city")))
    people, life = People(settings(replace(route("duty"), escalate=steps))), Life(alarm())
    people.hear(life.rise())
    people.wait(12 * M)
    assert [said.at - people.said[0].at for said in people.said] == [0, 5 * M, 10 * M]
    assert people.of("county") == [(KEY, What.ESCALATED)]
    people.hear(life.ack(12 * M))
    people.wait(D)
    assert people.of("city") == []
    people.hear(life.end(D))
    people.wait(M)
    assert people.of("town")[-1] == people.of("county")[-1] == people.of("duty")[-1] == (KEY, What.ENDED)


def test_one_of_two_acknowledgements_does_not_stop_the_climb() -> None:
    people, life = People(settings(route("duty"))), Life(alarm(acks_needed=2))
    people.hear(life.rise())
    half = life.ack(M)
    life.state = replace(life.state, condition=half.before)
    people.hear(replace(half, after=life.state))
    people.wait(5 * M)
    assert people.of("duty") == [(KEY, What.RAISED), (KEY, What.ESCALATED)]


def test_repeated_while_nobody_acknowledges() -> None:
    people, life = People(settings(replace(route("duty"), escalate=()))), Life(alarm())
    people.hear(life.rise())
    people.wait(9 * H)
    assert [(said.at - people.said[0].at) // H for said in people.said] == [0, 4, 8]
    people.hear(life.ack(9 * H))
    people.wait(D)
    assert len(people.said) == 3


def test_what_is_kept_back_is_not_told_and_called_again_when_released() -> None:
    people, life = People(settings(route("duty"))), Life(alarm(priority=Priority.HIGH))
    people.hear(life.rise(), life.suppress(1))
    people.wait(H)
    assert people.said == []
    people.hear(life.release(H))
    people.wait(M)
    assert people.of("duty") == [(KEY, What.RAISED)]
    people.hear(life.suppress(2 * H))
    people.wait(D)
    people.hear(life.end(D))
    people.wait(M)
    assert len(people.said) == 1
    people.hear(life.release(D + M))
    people.wait(M)
    assert people.of("duty") == [(KEY, What.RAISED), (KEY, What.ENDED)]


def test_raised_while_suppressed_is_never_told() -> None:
    people, life = People(settings(route("duty"))), Life(alarm(is_suppressed=True))
    people.hear(life.rise())
    people.wait(D)
    people.hear(life.end(D))
    people.wait(D)
    assert people.said == []
    assert people.kept == {}


def test_old_data_announce_nothing_but_their_end_is_told_to_those_who_heard() -> None:
    people, life = People(settings(route("duty"))), Life(alarm())
    people.hear(life.rise(is_historical=True))
    people.wait(D)
    assert people.said == []
    people.hear(life.end(D, is_historical=True), life.ack(D), life.rise(D))
    people.hear(life.end(D + 1, is_historical=True))
    people.wait(M)
    assert people.of("duty") == [(KEY, What.RAISED), (KEY, What.ENDED)]


def test_the_first_route_that_fits_and_those_after_it_if_it_goes_on() -> None:
    night = RouteSettings(Match(rules=frozenset({"battery_low"})), ("crew",), goes_on=True)
    kinds = RouteSettings(Match(kinds=frozenset({"pump"})), ("pumps",))
    people = People(settings(night, kinds, route("duty"), route("never")))
    people.hear(Life(alarm()).rise())
    assert (people.of("crew"), people.of("duty")) == ([(KEY, What.RAISED)], [(KEY, What.RAISED)])
    assert people.of("pumps") == people.of("never") == []


def test_an_alarm_that_another_makes_superfluous_waits() -> None:
    rule = Inhibit(Match(rules=frozenset({"mains_lost"})), Match(rules=frozenset({"battery_low"})))
    people = People(settings(replace(route("duty"), escalate=()), inhibit=(rule,)))
    cause, here, there = Life(alarm(rule="mains_lost")), Life(alarm()), Life(alarm("gen-2"))
    people.hear(cause.rise(), here.rise(1), there.rise(2))
    people.wait(4 * M)
    assert people.of("duty") == [("gen-1/mains_lost", What.RAISED), ("gen-2/battery_low", What.RAISED)]
    people.hear(cause.ack(M), cause.end(M))
    people.wait(M)
    assert people.of("duty")[2:] == [(KEY, What.RAISED), ("gen-1/mains_lost", What.ENDED)]


def test_quiet_hours_hold_back_what_can_wait() -> None:
    quiet = Quiet(22 * 60, 6 * 60 + 30, frozenset({Priority.LOW}))
    people = People(settings(replace(route("duty"), escalate=()), quiet=quiet))
    people.now += 16 * H  # 22:40 in Shanghai
    people.hear(Life(alarm(rule="low", priority=Priority.LOW)).rise(16 * H), Life(alarm("gen-2")).rise(16 * H))
    people.wait(7 * H)
    assert ("gen-1/low", What.RAISED) not in people.of("duty")
    people.wait(51 * M)
    assert people.of("duty")[-1] == ("gen-1/low", What.RAISED)


def test_a_channel_that_fails_holds_up_no_other_and_its_backup_is_told() -> None:
    down = [True]
    chosen = settings(replace(route("duty", "chief"), backup=("horn", "county"), escalate=()), backup_after_s=60.0)
    people = People(chosen, lambda name, _now: "down" if name in ("duty", "horn") and down[0] else None)
    life = Life(alarm())
    people.hear(life.rise())
    assert people.of("chief") == [(KEY, What.RAISED)]
    people.wait(30 * S)
    assert people.loud == [("duty", "failing")]
    assert people.of("county") == []
    people.wait(5 * M)
    assert people.of("county") == [(KEY, What.RAISED)]
    down[0] = False
    people.wait(15 * M)
    assert people.of("duty") == people.of("horn") == [(KEY, What.RAISED)]
    assert ("duty", "recovered") in people.loud
    assert len({id_ for _, name, id_ in people.tried if name == "duty"}) == 1
    people.hear(life.ack(H), life.end(H))
    people.wait(M)
    assert people.of("county")[-1] == people.of("duty")[-1] == (KEY, What.ENDED)


def test_what_a_channel_refuses_goes_to_the_next_and_is_not_tried_again() -> None:
    chosen = settings(replace(route("duty"), backup=("county",), escalate=()))
    people = People(chosen, lambda name, _now: "refused" if name == "duty" else None)
    people.hear(Life(alarm()).rise())
    people.wait(M)
    assert people.of("county") == [(KEY, What.RAISED)]
    assert len(people.tried) == 2


def test_an_outage_of_two_days_ends_with_the_worst_first_and_nothing_lost() -> None:
    down = [True]
    people = People(
        settings(replace(route("duty"), escalate=(), repeat_interval_s=90 * 86400.0)),
        lambda *_: "down" if down[0] else None,
    )
    lives = [Life(alarm(f"gen-{n}", priority=Priority.LOW)) for n in range(40)]
    people.hear(*(life.rise() for life in lives))
    people.wait(2 * D)
    people.hear(Life(alarm("pump-1")).rise(2 * D))
    down[0] = False
    people.wait(H)
    assert people.said[0].what[0] == ("pump-1/battery_low", What.RAISED)
    assert len(people.of("duty")) == len(set(people.of("duty"))) == 41
    assert len(people.said) <= 3
    assert max(at2 - at1 for (at1, *_), (at2, *_) in zip(people.tried, people.tried[1:], strict=False)) <= 600 * S


def test_given_up_after_days() -> None:
    chosen = settings(replace(route("duty"), escalate=(), repeat_interval_s=90 * 86400.0))
    people = People(chosen, lambda *_: "down")
    life = Life(alarm())
    people.hear(life.rise())
    people.wait(4 * D)
    assert people.board.waiting == 0
    assert people.board.paces["duty"].failed == 1
    people.hear(life.ack(4 * D), life.end(4 * D))
    assert people.kept == {}


def test_a_restart_repeats_nothing_and_forgets_nothing() -> None:
    down = [False]
    people = People(settings(replace(route("duty"), escalate=())), lambda *_: "down" if down[0] else None)
    one, two = Life(alarm()), Life(alarm("gen-2"))
    people.hear(one.rise())
    down[0] = True
    people.hear(two.rise(1))
    people.restart()
    down[0] = False
    people.wait(M)
    assert people.of("duty") == [(KEY, What.RAISED), ("gen-2/battery_low", What.RAISED)]
    ids = [id_ for _, _, id_ in people.tried]
    assert ids[1] == ids[2]
    people.restart()
    people.wait(M)
    people.hear(one.ack(M), one.end(M))
    people.restart()
    people.wait(M)
    assert people.of("duty")[2:] == [(KEY, What.ENDED)]


def test_alarms_that_ended_while_nobody_looked_are_told_as_ended() -> None:
    people = People(settings(route("duty")))
    one, two = Life(alarm()), Life(alarm("gen-2"))
    people.hear(one.rise(), two.rise())
    people.board.correct([two.state], people.now)
    people.wait(M)
    assert people.of("duty")[2:] == [(KEY, What.ENDED)]


def test_a_channel_that_is_taken_out_is_forgotten() -> None:
    people = People(settings(route("duty"), route("old")), lambda name, _now: "down" if name == "duty" else None)
    life = Life(alarm())
    people.hear(life.rise())
    people.settings = settings(route("new"))
    people.board.replace(people.settings, people.board._zone)
    people.hear(life.ack(M), life.end(M))
    people.wait(H)
    assert people.said == []
    assert people.board.incidents() == {}


@pytest.mark.parametrize("pace_s", [10.0, 60.0])
def test_a_flood_of_a_thousand_alarms_stays_readable(pace_s: float) -> None:
    people = People(settings(replace(route("duty"), escalate=()), pace_s=pace_s))
    order = [Priority.LOW, Priority.MEDIUM, Priority.HIGH]
    lives = [
        Life(alarm(f"device-{n % 100}", f"rule_{n // 100}", priority=order[n % 3] if n else Priority.CRITICAL))
        for n in range(1000)
    ]
    for n, life in enumerate(lives):
        people.hear(life.rise(n * 10))
        people.wait(10)
    people.wait(2 * M)
    assert sorted(people.of("duty")) == sorted((life.state.key, What.RAISED) for life in lives)
    assert len(people.said) <= 5, [len(said.what) for said in people.said]
    assert people.said[0].what[0] == ("device-0/rule_0", What.RAISED)
    priorities = [line.alarm.priority.level for line in people.said[1].batch.lines]
    assert priorities == sorted(priorities, reverse=True)


def test_more_than_can_be_followed_are_counted_and_the_worst_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.dispatch.switchboard.MOST_INCIDENTS", 3)
    people = People(settings(route("duty")), lambda *_: "down")
    people.hear(*(Life(alarm(f"gen-{n}", priority=Priority.LOW)).rise() for n in range(4)))
    people.hear(Life(alarm("pump-1")).rise())
    assert len(people.kept) == 3
    assert "dispatch/pump-1/battery_low" in people.kept
    assert people.board.dropped == 2


def test_an_alarm_that_comes_back_while_its_end_is_under_way_is_told_again() -> None:
    people, life = People(settings(route("duty"))), Life(alarm(priority=Priority.HIGH))
    people.hear(life.rise(), life.end(1))
    people.slow.add("duty")
    people.wait(31 * S)
    people.hear(life.rise(31 * S))
    people.slow.clear()
    people.land("duty")
    people.wait(10 * M)
    assert people.of("duty") == [(KEY, What.RAISED), (KEY, What.RAISED)]
    assert [said.batch.lines[0].alarm.condition.is_active for said in people.said] == [False, True]


def test_the_end_under_way_is_taken_back_where_the_alarm_is_there_again() -> None:
    people, life = People(settings(route("duty"))), Life(alarm())
    people.hear(life.rise(), life.end(1))
    people.slow.add("duty")
    people.wait(31 * S)
    people.hear(life.rise(31 * S))
    people.slow.clear()
    people.land("duty")
    people.wait(M)
    assert people.of("duty") == [(KEY, What.RAISED), (KEY, What.ENDED), (KEY, What.RAISED)]


def test_getting_worse_while_a_notice_is_under_way_is_told_as_worse() -> None:
    people, life = People(settings(route("duty"))), Life(alarm(priority=Priority.MEDIUM))
    people.slow.add("duty")
    people.hear(life.rise())
    people.wait(31 * S)
    people.hear(life.worsen(31 * S, Priority.CRITICAL))
    people.slow.clear()
    people.land("duty")
    people.wait(10 * S)
    assert people.of("duty") == [(KEY, What.RAISED), (KEY, What.WORSENED)]


def test_what_is_not_on_disk_yet_waits_and_goes_as_soon_as_it_is() -> None:
    people, transition = People(settings(route("duty"))), Life(alarm()).rise()
    board, now = people.board, people.now
    board.plan(transition, now, now)
    assert board.next_at("duty", now, now) is None
    assert board.take("duty", now, now) is None
    board.told(transition)
    assert board.next_at("duty", now, now) == now
    assert board.take("duty", now, now) is not None
