"""What is kept of an incident is all that people are still owed: times run on over a restart, none begins anew."""

from __future__ import annotations

from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from gateway.dispatch.incident import Incident, Pending, Told, What
from gateway.dispatch.keeping import document, from_document
from gateway.model import Ack, AlarmCondition, AlarmState, Priority, Text

NOW = 2_000_000_000_000
_times = st.integers(1, NOW)
_channels = st.sampled_from(["duty", "county"])
_alarms = st.builds(
    AlarmState,
    device=st.just("gen-1"),
    rule=st.just("fuel_low"),
    kind=st.just("generator"),
    priority=st.sampled_from(Priority),
    text=st.builds(Text, st.text(max_size=5), st.text(max_size=5)),
    action=st.builds(Text, st.text(max_size=5), st.text(max_size=5)),
    role=st.text(max_size=5),
    condition=st.sampled_from(AlarmCondition),
    since=_times,
    because=st.dictionaries(st.sampled_from(["fuel_level", "mode"]), st.floats(-1e6, 1e6) | st.booleans() | st.text()),
    acks=st.lists(st.builds(Ack, st.text(min_size=1, max_size=5), _times), max_size=2).map(tuple),
    acks_needed=st.integers(0, 2),
    occurrences=st.integers(0, 9),
    is_first_out=st.booleans(),
    first_out=st.none() | st.just("fail_to_start"),
    is_suppressed=st.booleans(),
)
_incidents = st.builds(
    Incident,
    alarm=_alarms,
    began=_times,
    called=_times,
    round=st.integers(0, 9),
    pending=st.dictionaries(_channels, st.builds(Pending, st.sampled_from(What), _times, _times)).map(MappingProxyType),
    told=st.dictionaries(_channels, st.builds(Told, _times, st.sampled_from(Priority), st.booleans(), _times)).map(
        MappingProxyType
    ),
    steps=st.frozensets(st.tuples(st.integers(1, 10**6), _channels), max_size=3),
)


@given(incident=_incidents)
def test_the_document_of_an_incident_has_all_of_it(incident: Incident) -> None:
    assert from_document(document(incident), NOW, 30_000) == incident


@given(incident=_incidents)
def test_no_time_of_an_earlier_run_lies_further_ahead_than_it_can(incident: Incident) -> None:
    """The clock may have stood anywhere then."""
    found = from_document(document(incident), 1000, 30_000)
    assert max(found.began, found.called, *(told.at for told in found.told.values()), 0) <= 1000
    assert all(each.due <= 31_000 and each.planned <= 1000 for each in found.pending.values())
