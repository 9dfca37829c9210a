"""The payloads of the public contract, letter by letter."""

from __future__ import annotations

import json
from dataclasses import replace

from gateway.model import (
    Ack,
    Priority,
    QualityCount,
    Readiness,
    ReadinessState,
    Reason,
    Report,
    Status,
    Text,
)
from gateway.ports import Row
from gateway.wire import encode, topics
from gateway.wire.messages import (
    Alarm,
    Command,
    Event,
    GatewayStatus,
    KindCount,
    Reply,
    SiteReadiness,
    Stored,
)

OUTBOX = "9c41f07be2a3"
TS = 1763764800123
LABELS = {"city": "xining"}


def row(body: bytes, seq: int = 123) -> Row:
    return Row(seq, TS, "vigil/v1/depot-07/gen-1/telemetry", body, False, 2)


def sent(body: bytes, **how: bool) -> str:
    return encode.frame(OUTBOX, row(body), **how).decode()


def test_telemetry() -> None:
    report = Report(
        device="gen-1",
        ts=TS,
        values={"battery_voltage": 12.61, "running": False, "mode": "auto", "fuel_level": 101},
        uncertain={"fuel_level": Status.UncertainEngineeringUnitsExceeded},
        bad={"coolant_temperature": Status.BadTimeout},
        quality=QualityCount(40, 1, 1, "BadTimeout"),
    )
    body = encode.telemetry_body(report, "generator", LABELS, synced=True)
    assert sent(body) == (
        '{"id":"9c41f07be2a3-000123","ts":1763764800123,"kind":"generator","labels":{"city":"xining"},"clock":"synced",'
        '"v":{"battery_voltage":12.61,"running":false,"mode":"auto","fuel_level":101},'
        '"uncertain":{"fuel_level":"UncertainEngineeringUnitsExceeded"},"bad":{"coolant_temperature":"BadTimeout"},'
        '"q":{"good":40,"uncertain":1,"bad":1,"worst":"BadTimeout"}}'
    )


def test_telemetry_of_quality_alone_has_an_empty_v() -> None:
    report = Report("gen-1", TS, {}, {}, {}, quality=QualityCount(2, 0, 0, "Good"))
    assert sent(encode.telemetry_body(report, "generator", {}, synced=False)) == (
        '{"id":"9c41f07be2a3-000123","ts":1763764800123,"kind":"generator","labels":{},"clock":"free","v":{},'
        '"q":{"good":2,"uncertain":0,"bad":0,"worst":"Good"}}'
    )


def test_recovered_points_are_named() -> None:
    report = Report("gen-1", TS, {"fuel_level": 50.5}, {}, {}, recovered=("fuel_level",))
    assert sent(encode.telemetry_body(report, "generator", {}, synced=True)).endswith(
        '"v":{"fuel_level":50.5},"recovered":["fuel_level"]}'
    )


def test_what_is_sent_later_says_so() -> None:
    text = sent(encode.event_body(Event("pump", {}, "gap", {"count": 3})), backlog=True)
    assert text == (
        '{"id":"9c41f07be2a3-000123","ts":1763764800123,"kind":"pump","labels":{},"type":"gap","data":{"count":3},'
        '"backlog":true}'
    )


def test_sequence_has_at_least_six_digits() -> None:
    body = encode.event_body(Event("pump", {}, "gap", {}))
    assert encode.frame(OUTBOX, row(body, seq=7)).startswith(b'{"id":"9c41f07be2a3-000007",')
    assert encode.frame(OUTBOX, row(body, seq=12_345_678)).startswith(b'{"id":"9c41f07be2a3-12345678",')


def test_readiness() -> None:
    readiness = Readiness(
        device="gen-1",
        ts=TS,
        state=ReadinessState.NOT_READY,
        since=TS - 60_000,
        valid_until=TS + 180_000,
        score=40,
        reasons=(Reason("battery_low", Priority.CRITICAL, Text("启动电池电压低", "Starting battery voltage low")),),
    )
    assert sent(encode.readiness_body(readiness, "generator", {})) == (
        '{"id":"9c41f07be2a3-000123","ts":1763764800123,"kind":"generator","labels":{},"state":"not_ready",'
        '"since":1763764740123,"valid_until":1763764980123,"score":40,"reasons":[{"rule":"battery_low",'
        '"priority":"critical","text":{"zh":"启动电池电压低","en":"Starting battery voltage low"}}]}'
    )


def test_readiness_says_what_the_device_is_stocked_for_beside_its_labels() -> None:
    readiness = Readiness("pump-1", TS, ReadinessState.READY, TS, TS + 180_000, 100)
    members = json.loads(sent(encode.readiness_body(readiness, "pump", {"city": "xining"}, "flood")))
    assert (members["category"], members["labels"]) == ("flood", {"city": "xining"})
    assert "category" not in json.loads(sent(encode.readiness_body(readiness, "pump", {"city": "xining"})))


def test_unknown_readiness_has_no_score() -> None:
    readiness = Readiness("gen-1", TS, ReadinessState.UNKNOWN, TS, TS + 180_000, None)
    members = json.loads(sent(encode.readiness_body(readiness, "generator", {})))
    assert members["score"] is None
    assert members["reasons"] == []


def test_site() -> None:
    site = SiteReadiness(
        kind="warehouse",
        labels={},
        state=ReadinessState.DEGRADED,
        valid_until=TS + 180_000,
        name=Text("城东应急物资储备库", "Chengdong supply depot"),
        location=(36.62, 101.8),
        kinds={"pump": KindCount(ready=1, degraded=1, usable=2, required=2)},
    )
    assert sent(encode.site_body(site)) == (
        '{"id":"9c41f07be2a3-000123","ts":1763764800123,"kind":"warehouse","labels":{},"state":"degraded",'
        '"valid_until":1763764980123,"name":{"zh":"城东应急物资储备库","en":"Chengdong supply depot"},'
        '"location":{"lat":36.62,"lon":101.8},"kinds":{"pump":{"ready":1,"degraded":1,"not_ready":0,"unknown":0,'
        '"in_use":0,"out_of_service":0,"usable":2,"required":2}}}'
    )


def alarm() -> Alarm:
    return Alarm(
        device="gen-1",
        rule="battery_low",
        kind="generator",
        labels={},
        state="UNACK",
        active=True,
        acked=False,
        acks=(),
        acks_needed=1,
        suppression="NONE",
        priority=Priority.HIGH,
        since=TS,
        because={"battery_voltage": 11.9},
        text=Text("启动电池电压低", "Starting battery voltage low"),
        action=Text("检查充电器和电池连接", "Check the charger and the battery connections"),
    )


def test_alarm() -> None:
    assert sent(encode.alarm_body(alarm())) == (
        '{"id":"9c41f07be2a3-000123","ts":1763764800123,"kind":"generator","labels":{},"alarm":"gen-1/battery_low",'
        '"state":"UNACK","active":true,"acked":false,"acks":[],"acks_needed":1,"suppression":"NONE","priority":"high",'
        '"since":1763764800123,"because":{"battery_voltage":11.9},'
        '"text":{"zh":"启动电池电压低","en":"Starting battery voltage low"},'
        '"action":{"zh":"检查充电器和电池连接","en":"Check the charger and the battery connections"}}'
    )


def test_acknowledgements_stand_in_the_alarm() -> None:
    acked = replace(alarm(), acks=(Ack("duty-1", TS, "crew sent"),))
    members = json.loads(sent(encode.alarm_body(acked)))
    assert members["acks"] == [{"by": "duty-1", "ts": TS, "note": "crew sent"}]


def test_event() -> None:
    event = Event("pump", {}, "gap", {"from": TS - 1, "to": TS, "count": 1200, "why": "quota"})
    assert sent(encode.event_body(event)) == (
        '{"id":"9c41f07be2a3-000123","ts":1763764800123,"kind":"pump","labels":{},"type":"gap",'
        '"data":{"from":1763764800122,"to":1763764800123,"count":1200,"why":"quota"}}'
    )


def test_status_and_last_will() -> None:
    online = GatewayStatus(True, TS, "0.1.0", OUTBOX, "sha256:00")
    assert encode.status_payload(online) == (
        b'{"state":"online","since":1763764800123,"version":"0.1.0","outbox":"9c41f07be2a3","config":"sha256:00"}'
    )
    assert encode.status_payload(GatewayStatus(False)) == b'{"state":"offline"}'


def test_stored_command_and_reply() -> None:
    assert encode.stored_payload(Stored(OUTBOX, ((101, 180), (185, 185)))) == (
        b'{"outbox":"9c41f07be2a3","done":[[101,180],[185,185]]}'
    )
    command = Command("c-17", "ack", {"rule": "battery_low", "note": "crew sent"}, "duty-1", "secret")
    assert encode.command_payload(command) == (
        b'{"id":"c-17","cmd":"ack","args":{"rule":"battery_low","note":"crew sent"},"by":"duty-1","auth":"secret"}'
    )
    assert "secret" not in repr(command)
    assert encode.reply_payload(Reply("c-17", False, "not_allowed", Text("无权", "Not allowed"))).decode() == (
        '{"id":"c-17","ok":false,"error":"not_allowed","text":{"zh":"无权","en":"Not allowed"}}'
    )


def test_topics() -> None:
    assert topics.telemetry("depot-07", "gen-1") == "vigil/v1/depot-07/gen-1/telemetry"
    assert topics.telemetry("depot-07", "_gateway") == "vigil/v1/depot-07/_gateway/telemetry"
    assert topics.readiness("depot-07", "_site") == "vigil/v1/depot-07/_site/readiness"
    assert topics.alarm("depot-07", "gen-1", "battery_low") == "vigil/v1/depot-07/gen-1/alarm/battery_low"
    assert topics.event("depot-07", "gen-1") == "vigil/v1/depot-07/gen-1/event"
    assert topics.status("depot-07") == "vigil/v1/depot-07/_gateway/status"
    assert topics.stored("depot-07") == "vigil/v1/depot-07/_gateway/stored"
    assert topics.command("depot-07", "gen-1") == "vigil/v1/depot-07/gen-1/cmd"
    assert topics.reply("depot-07", "gen-1") == "vigil/v1/depot-07/gen-1/cmd/reply"
