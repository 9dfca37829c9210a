"""What is kept of an alarm is all of it: a gateway that was killed goes on with what it knew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.alarms import keeping
from gateway.model import Ack, AlarmCondition, AlarmEvent, AlarmState, Priority, Suppression, Text, Transition
from gateway.ports import Refused
from gateway.store import Entry
from gateway.wire.json_text import dumps
from tests.unit.alarms.small_site import SmallSite, write_site

_times = st.integers(1, 2**42)
_acks = st.lists(st.builds(Ack, st.text(min_size=1, max_size=5), _times, st.text(max_size=5)), max_size=3).map(tuple)
_texts = st.builds(Text, st.text(max_size=5), st.text(max_size=5))
_states = st.builds(
    AlarmState,
    device=st.just("gen-1"),
    rule=st.just("fuel_low"),
    kind=st.just("generator"),
    priority=st.sampled_from(Priority),
    text=_texts,
    action=_texts,
    role=st.text(max_size=5),
    condition=st.sampled_from(AlarmCondition),
    since=_times,
    because=st.dictionaries(st.sampled_from(["fuel_level", "mode"]), st.floats(-1e6, 1e6) | st.booleans() | st.text()),
    acks=_acks,
    acks_needed=st.integers(0, 2),
    occurrences=st.integers(0, 9),
    raised_at=_times,
    is_stale=st.booleans(),
    is_first_out=st.booleans(),
    first_out=st.none() | st.just("fail_to_start"),
    shelved_until=st.none() | _times,
    shelf=_acks,
    shelf_asked_until=st.none() | _times,
    is_suppressed=st.booleans(),
    suppressed_by=st.sampled_from(["", "work_order", "device_silent"]),
    work_order=st.none() | st.text(min_size=1, max_size=5),
    is_historical=st.booleans(),
)


@settings(max_examples=200)
@given(state=_states)
def test_the_document_of_an_alarm_has_all_of_it(state: AlarmState) -> None:
    assert keeping.from_document(keeping.document(state)) == state


@given(
    state=_states,
    event=st.sampled_from(AlarmEvent),
    before=st.sampled_from(AlarmCondition),
    was=st.sampled_from(Suppression),
    by=st.text(min_size=1, max_size=5),
    is_historical=st.booleans(),
)
def test_the_entry_of_a_transition_has_all_but_the_words_of_the_rule(state: AlarmState, **told: Any) -> None:
    transition = Transition(7, 1, after=state, note="seen", **told)
    body = dumps({"type": keeping.TRANSITION, **keeping.transition_json(transition)}).encode()
    found = keeping.from_entry(Entry(7, 1, body, b""))
    assert found is not None
    kept = {name: getattr(found.after, name) for name in AlarmState.__dataclass_fields__}
    words = {"action": keeping.NO_TEXT, "role": ""}
    assert kept == {name: getattr(state, name) for name in kept} | words
    assert (found.event, found.before, found.was, found.by, found.note, found.is_historical) == (
        told["event"], told["before"], told["was"], told["by"], "seen", told["is_historical"],
    )  # fmt: skip


def killed(site: SmallSite) -> SmallSite:
    """The gateway that starts after `site` was killed."""
    site.store.close()
    again = SmallSite(site.path.parent, site.clock)
    again.values = site.values
    return again


async def test_the_second_of_two_people_may_come_after_the_restart(tmp_path: Path) -> None:
    write_site(tmp_path, extra="alarms: {two_person_ack: [critical]}\n")
    site = SmallSite(tmp_path)
    site.poll(fail_to_start=True)
    await site.order("ack", "fail_to_start", by="duty-1")
    await site.order("shelve", "fail_to_start", by="duty-1", for_s=60, note="x")
    site = killed(site)
    for act, more in (("ack", {}), ("shelve", {"for_s": 60, "note": "x"})):
        with pytest.raises(Refused) as refused:
            await site.order(act, "fail_to_start", by="duty-1", **more)
        assert refused.value.error == "second_person_needed"
    assert (await site.order("ack", "fail_to_start", by="chief")).condition == "ACKED"
    after = await site.order("shelve", "fail_to_start", by="chief", for_s=3600, note="x")
    assert after.shelved_until == site.clock.wall_ms() + 60_000
    site = killed(site)
    assert [each.by for each in site.state("fail_to_start").acks] == ["duty-1", "chief"]
    site.close()


async def test_what_follows_within_ten_seconds_is_a_consequence_over_a_restart_too(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    site.poll(fuel_level=5.0)
    site.pass_s(5)
    await site.settled()
    site = killed(site)
    site.poll(fail_to_start=True)
    assert site.state("fail_to_start").first_out == "fuel_low"
    site.pass_s(6)
    site.poll(emergency_stop=True)
    assert site.state("emergency_stop").is_first_out
    site.close()
