"""Labels keep clear of every tag and field that the product itself writes."""

from __future__ import annotations

from gateway.model import Priority, QualityCount, ReadinessState, Text
from gateway.settings.names import COUNTS, FIELDS, TAGS
from gateway.wire import topics
from gateway.wire.facts import facts
from gateway.wire.messages import Alarm, DeviceReadiness, Event, KindCount, SiteReadiness, Telemetry

WORDS = Text("甲", "a")


def test_every_tag_and_field_of_the_database_is_known() -> None:
    messages = [
        Telemetry("pump", {}, True, {}, {}, {"flow": "BadTimeout"}, quality=QualityCount(1, 0, 0, "Good")),
        DeviceReadiness("pump", {}, ReadinessState.READY, 1, 2, 100),
        SiteReadiness("shelter", {}, ReadinessState.READY, 1, WORDS, (1.0, 2.0), {"pump": KindCount()}),
        Alarm("p", "r", "pump", {}, "UNACK", True, False, (), 1, "NONE", Priority.LOW, 1, {}, WORDS, WORDS),
        Event("pump", {}, "gap", {"from": 1, "to": 2, "count": 3, "why": "quota"}),
    ]
    topic = topics.parse("vigil/v1/s/p/telemetry")
    assert topic is not None
    rows = [row for message in messages for row in facts(topic, message)]
    assert {tag for row in rows for tag, _ in row.tags} == TAGS
    assert {name for row in rows for name in row.fields} == FIELDS | {f"pump_{count}" for count in COUNTS}
