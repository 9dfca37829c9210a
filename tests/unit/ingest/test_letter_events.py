"""Dead letters become events that a dashboard can count."""

from __future__ import annotations

from gateway.ingest.dead_letters import FactLetter, MessageLetter
from gateway.ingest.letter_events import CENTRE, MOST_SITES, events
from gateway.ports import Fact


def test_each_site_is_told_of_with_its_labels_and_the_first_reason() -> None:
    row = Fact("pump", (("site", "depot-07"), ("device", "pump-1"), ("city", "xining")), {"flow": 1.0}, 5)
    letters = [
        FactLetter(row, "field type conflict"),
        FactLetter(row, "another"),
        MessageLetter("vigil/v1/store-3/gen-1/telemetry", b"{", "not JSON"),
        MessageLetter("something/else", b"", "no topic of ours"),
    ]
    found = {dict(each.tags)["site"]: each for each in events(letters, 1_000)}
    assert {each.measurement for each in found.values()} == {"event"}
    assert found["depot-07"].tags == (
        ("site", "depot-07"),
        ("device", "_gateway"),
        ("type", "dead_letter"),
        ("city", "xining"),
    )
    assert found["depot-07"].fields == {"count": 2.0, "why": "field type conflict"}
    assert found["store-3"].fields == {"count": 1.0, "why": "not JSON"}
    assert found[CENTRE].fields["count"] == 1.0
    assert {each.ts for each in found.values()} == {1_000}


def test_strangers_cannot_make_series_without_end() -> None:
    letters = [MessageLetter(f"vigil/v1/site-{n}/gen-1/telemetry", b"", "x" * 1000) for n in range(500)]
    found = events(letters, 1)
    assert len(found) == MOST_SITES + 1
    assert sum(float(each.fields["count"]) for each in found) == 500
    assert all(len(str(each.fields["why"])) <= 200 for each in found)
