"""Whatever alarms, people, channels and crashes do: every raise is told on every channel, and nothing twice."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import AlarmCondition, AlarmEvent, Priority, Suppression, Transition
from tests.unit.dispatch.alarms import Life, alarm
from tests.unit.dispatch.people import People, route
from tests.unit.dispatch.people import settings as notify

S, H, D = 1000, 3_600_000, 86_400_000
CHANNELS = ("duty", "county")

_ALARMS = st.integers(0, 3)
_STEPS = st.one_of(
    st.tuples(st.just("rise"), _ALARMS),
    st.tuples(st.just("end"), _ALARMS),
    st.tuples(st.just("ack"), _ALARMS),
    st.tuples(st.just("worsen"), _ALARMS),
    st.tuples(st.just("suppress"), _ALARMS),
    st.tuples(st.just("release"), _ALARMS),
    st.tuples(st.just("wait"), st.sampled_from([1, 5 * S, 40 * S, 400 * S, 5 * H])),
    st.tuples(st.just("down"), st.sampled_from(CHANNELS)),
    st.tuples(st.just("up"), st.sampled_from(CHANNELS)),
    st.tuples(st.just("slow"), st.sampled_from(CHANNELS)),
    st.tuples(st.just("land"), st.sampled_from(CHANNELS)),
    st.tuples(st.just("restart"), st.just(0)),
    st.tuples(st.just("crash"), st.just(0)),
)


class Story:
    """Plays steps, and keeps what has to be told: raises, by alarm and incident."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        chosen = notify(route("duty"), replace(route("county"), goes_on=True))
        first = replace(chosen.routes[0], goes_on=True)
        self.people = People(
            replace(chosen, routes=(first, chosen.routes[1]), give_up_s=90 * 86400.0),
            lambda name, _now: "down" if name in self.down else None,
        )
        priorities = [Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM, Priority.LOW]
        self.lives = [Life(alarm(f"gen-{n // 2}", f"rule_{n}", priority=priorities[n])) for n in range(4)]
        self.owed: dict[tuple[str, int], int] = {}
        """Switchboard time each incident was announced at."""
        self.excused: set[tuple[str, int]] = set()
        """Those that were kept back before every channel had heard of them."""

    def play(self, word: str, of: int | str) -> None:
        if word == "wait":
            self.people.wait(int(of))
        elif word == "down":
            self.down.add(str(of))
        elif word == "up":
            self.down.discard(str(of))
        elif word == "slow":
            self.people.slow.add(str(of))
        elif word == "land":
            self.people.slow.discard(str(of))
            self.people.land(str(of))
        elif word == "restart":
            self.people.restart()
        elif word == "crash":
            self.people.crash()
        else:
            found = self._move(word, self.lives[int(of)])
            if found is not None:
                self._note(found)
                self.people.hear(found)

    def _move(self, word: str, life: Life) -> Transition | None:
        at = self.people.now - 1_763_764_800_000
        condition, kept_back = life.state.condition, life.state.is_suppressed
        if word == "rise" and not condition.is_active:
            return life.rise(at)
        if word == "end" and condition.is_active:
            return life.end(at)
        if word == "ack" and not condition.is_acked:
            return life.ack(at)
        if word == "worsen" and condition.is_active and life.state.priority is not Priority.CRITICAL:
            return life.worsen(at, Priority.CRITICAL)
        if word == "suppress" and not kept_back and condition is not AlarmCondition.NORMAL:
            return life.suppress(at)
        return life.release(at) if word == "release" and kept_back else None

    def _note(self, transition: Transition) -> None:
        after = transition.after
        if transition.is_announcement:
            self.owed.setdefault((after.key, after.since), self.people.now)
        if transition.event is AlarmEvent.SUPPRESS and after.suppression is not Suppression.NONE:
            self.excused.add((after.key, after.since))


@settings(max_examples=250)
@given(steps=st.lists(_STEPS, max_size=40))
def test_every_raise_is_told_on_every_channel_and_nothing_twice(steps: list[tuple[str, int | str]]) -> None:
    story = Story()
    for word, of in steps:
        story.play(word, of)
    story.down.clear()
    for channel in CHANNELS:
        story.play("land", channel)
    story.people.wait(H)

    for channel in CHANNELS:
        notices = [said for said in story.people.said if said.channel == channel]
        done = [each.id for said in notices for each in said.batch.deliveries]
        assert len(done) == len(set(done)), "said twice"
        for (key, since), owed_at in story.owed.items():
            if (key, since) in story.excused:
                continue
            spoken = [
                said
                for said in notices
                if said.at >= owed_at
                and any(line.alarm.key == key and line.alarm.since >= since for line in said.batch.lines)
            ]
            assert spoken, f"{channel} never heard of {key} since {since}"

    for life in story.lives:
        for channel in CHANNELS:
            last = story.people.board.incidents().get(life.state.key)
            if last is not None and channel in last.told and not life.state.is_suppressed:
                believes = last.told[channel].stands
                assert believes is life.state.condition.is_active, "the last word on a channel is not what is true"


@settings(max_examples=100)
@given(steps=st.lists(_STEPS, max_size=40))
def test_what_is_kept_is_what_is_known(steps: list[tuple[str, int | str]]) -> None:
    story = Story()
    for word, of in steps:
        story.play(word, of)
    for channel in CHANNELS:
        story.play("land", channel)
    known = story.people.board.incidents()
    assert {f"dispatch/{key}" for key in known} == set(story.people.kept)
    before = {key: (each.pending, each.told, each.steps, each.round) for key, each in known.items()}
    story.people.restart()
    after = story.people.board.incidents()
    assert {key: (each.pending, each.told, each.steps, each.round) for key, each in after.items()} == before
