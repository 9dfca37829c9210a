"""Measurements, tags and fields of the public contract, letter by letter."""

from __future__ import annotations

import json

from gateway.ports import Fact
from gateway.wire.decode import decode
from gateway.wire.facts import facts
from gateway.wire.topics import parse

TS = 1763764800123
HEAD = {"id": "9c41f07be2a3-000123", "ts": TS, "labels": {"city": "xining"}}


def rows(topic: str, **members: object) -> list[Fact]:
    found = parse(f"vigil/v1/depot-07/{topic}")
    assert found
    return facts(found, decode(found, json.dumps(HEAD | members).encode()))


def test_telemetry_gives_points_point_quality_and_quality() -> None:
    got = rows(
        "gen-1/telemetry",
        kind="generator",
        clock="synced",
        v={"battery_voltage": 12.61, "starts": 7, "running": False, "mode": "auto", "fuel_level": 101.5},
        uncertain={"fuel_level": "UncertainEngineeringUnitsExceeded"},
        bad={"coolant_temperature": "BadTimeout"},
        recovered=["mode"],
        q={"good": 40, "uncertain": 1, "bad": 1, "worst": "BadTimeout"},
    )
    device = (("site", "depot-07"), ("device", "gen-1"))
    city = (("city", "xining"),)
    assert got == [
        Fact(
            "generator",
            device + city,
            {"battery_voltage": 12.61, "starts": 7.0, "running": False, "mode": "auto", "fuel_level": 101.5},
            TS,
        ),
        Fact(
            "point_quality",
            (*device, ("point", "fuel_level"), *city),
            {"status": "UncertainEngineeringUnitsExceeded"},
            TS,
        ),
        Fact("point_quality", (*device, ("point", "coolant_temperature"), *city), {"status": "BadTimeout"}, TS),
        Fact("point_quality", (*device, ("point", "mode"), *city), {"status": "Good"}, TS),
        Fact("quality", device + city, {"good": 40.0, "uncertain": 1.0, "bad": 1.0, "worst": "BadTimeout"}, TS),
    ]
    assert type(got[0].fields["starts"]) is float


def test_quality_alone_gives_no_row_of_the_kind() -> None:
    q = {"good": 1, "uncertain": 0, "bad": 0, "worst": "Good"}
    got = rows("gen-1/telemetry", kind="generator", clock="free", v={}, q=q)
    assert [fact.measurement for fact in got] == ["quality"]


def test_the_gateways_own_points_have_no_device() -> None:
    got = rows("_gateway/telemetry", kind="gateway", clock="synced", v={"version": "0.1.0", "outbox_rows": 3})
    assert got == [
        Fact("gateway", (("site", "depot-07"), ("city", "xining")), {"version": "0.1.0", "outbox_rows": 3.0}, TS)
    ]


def test_readiness() -> None:
    reason = {"rule": "battery_low", "priority": "critical", "text": {"zh": "低", "en": "low"}}
    got = rows(
        "gen-1/readiness",
        kind="generator",
        state="degraded",
        since=TS,
        valid_until=TS + 180_000,
        score=40,
        reasons=[reason],
    )
    tags = (("site", "depot-07"), ("device", "gen-1"), ("kind", "generator"), ("city", "xining"))
    fields = {
        "state": "degraded",
        "ready": 0.0,
        "usable": 1.0,
        "score": 40.0,
        "reasons": '[{"rule":"battery_low","priority":"critical","text":{"zh":"低","en":"low"}}]',
    }
    assert got == [Fact("readiness", tags, fields, TS)]


def test_what_a_device_is_stocked_for_is_a_field_and_no_tag() -> None:
    said = {"kind": "pump", "state": "ready", "since": TS, "valid_until": TS, "score": 100, "reasons": []}
    (fact,) = rows("pump-1/readiness", **said, category="flood")
    assert dict(fact.tags) == {"site": "depot-07", "device": "pump-1", "kind": "pump", "city": "xining"}
    assert fact.fields["category"] == "flood"
    (plain,) = rows("pump-1/readiness", **said)
    assert plain.tags == fact.tags
    assert "category" not in plain.fields
    (labelled,) = rows("pump-1/readiness", **said, category="flood", labels={"category": "rescue"})
    assert dict(labelled.tags)["category"] == "rescue"
    assert "category" not in labelled.fields


def test_readiness_numbers_of_every_state() -> None:
    expected = {
        "ready": (1.0, 1.0),
        "degraded": (0.0, 1.0),
        "in_use": (0.0, 1.0),
        "not_ready": (0.0, 0.0),
        "unknown": (0.0, 0.0),
        "out_of_service": (0.0, 0.0),
        "retired": (0.0, 0.0),
    }
    for state, numbers in expected.items():
        (fact,) = rows(
            "gen-1/readiness", kind="generator", state=state, since=TS, valid_until=TS, score=None, reasons=[]
        )
        assert (fact.fields["ready"], fact.fields["usable"]) == numbers
        assert "score" not in fact.fields


def test_site() -> None:
    counts = {"ready": 1, "degraded": 1, "not_ready": 2, "unknown": 3, "in_use": 4, "out_of_service": 5}
    got = rows(
        "_site/readiness",
        kind="warehouse",
        state="degraded",
        valid_until=TS,
        name={"zh": "库", "en": "depot"},
        location={"lat": 36.62, "lon": 101},
        kinds={"pump": counts | {"usable": 6, "required": 2}},
    )
    fields = {
        "lat": 36.62,
        "lon": 101.0,
        "name_zh": "库",
        "name_en": "depot",
        "state": "degraded",
        "pump_ready": 1.0,
        "pump_degraded": 1.0,
        "pump_not_ready": 2.0,
        "pump_unknown": 3.0,
        "pump_in_use": 4.0,
        "pump_out_of_service": 5.0,
        "pump_usable": 6.0,
        "pump_required": 2.0,
    }
    assert got == [Fact("site", (("site", "depot-07"), ("kind", "warehouse"), ("city", "xining")), fields, TS)]


def alarm(**changes: object) -> Fact:
    members: dict[str, object] = {
        "kind": "generator",
        "alarm": "gen-1/battery_low",
        "state": "UNACK",
        "active": True,
        "acked": False,
        "acks": [],
        "acks_needed": 1,
        "suppression": "NONE",
        "priority": "high",
        "since": TS,
        "because": {"battery_voltage": 11.9},
        "text": {"zh": "低", "en": "low"},
        "action": {"zh": "查", "en": "check"},
    }
    (fact,) = rows("gen-1/alarm/battery_low", **(members | changes))
    return fact


def test_alarm() -> None:
    assert alarm() == Fact(
        "alarm",
        (
            ("site", "depot-07"),
            ("device", "gen-1"),
            ("kind", "generator"),
            ("rule", "battery_low"),
            ("city", "xining"),
        ),
        {
            "level": 3.0,
            "active": True,
            "acked": False,
            "state": "UNACK",
            "suppression": "NONE",
            "priority": "high",
            "text_zh": "低",
            "text_en": "low",
            "because": '{"battery_voltage":11.9}',
        },
        TS,
    )


def test_alarm_level_is_zero_only_in_normal() -> None:
    assert alarm(state="NORMAL", active=False).fields["level"] == 0.0
    assert alarm(state="RTN_UNACK", active=False, priority="low").fields["level"] == 1.0
    assert alarm(state="ACKED", priority="critical").fields["level"] == 4.0


def test_event() -> None:
    got = rows("gen-1/event", kind="pump", type="gap", data={"count": 3, "why": "quota", "more": {"a": [1]}, "n": None})
    tags = (("site", "depot-07"), ("device", "gen-1"), ("type", "gap"), ("city", "xining"))
    assert got == [Fact("event", tags, {"count": 3.0, "why": "quota", "more": '{"a":[1]}'}, TS)]


def test_event_data_cannot_shadow_a_tag_and_is_never_empty() -> None:
    (fact,) = rows("gen-1/event", kind="pump", type="x", data={"site": "a", "city": "b", "time": 1})
    assert fact.fields == {"site_": "a", "city_": "b", "time_": 1.0}
    (fact,) = rows("gen-1/event", kind="pump", type="x", data={})
    assert fact.fields == {"happened": True}


def test_status_stored_and_commands_give_no_rows() -> None:
    assert rows("_gateway/status", state="offline") == []
    assert rows("_gateway/stored", outbox="9c41f07be2a3", done=[[1, 2]]) == []
    assert rows("gen-1/cmd", id="c-1", cmd="ack", by="duty-1") == []
