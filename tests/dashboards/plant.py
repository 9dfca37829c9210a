"""A small fleet in a real database, written as the chain writes it: message, payload, message again, rows, lines.

Two full sites have one device of every kind, with faults; around them are sites without labels, a silent one, and one
that stopped while nobody watched.
"""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.ingest import letter_events, silence
from gateway.ingest.dead_letters import MessageLetter
from gateway.model import Priority, QualityCount, ReadinessState, Reason, Text, Value, ValueType
from gateway.ports import Fact, Row
from gateway.settings.vocabulary import load_vocabulary
from gateway.wire import decode, topics
from gateway.wire.encode import body, frame
from gateway.wire.facts import facts
from gateway.wire.line_protocol import encode
from gateway.wire.messages import Ack, Alarm, DeviceReadiness, Event, KindCount, Message, SiteReadiness, Telemetry
from gateway.wire.topics import GATEWAY, SITE
from tests.servers import Influxd

MINUTE = 60_000
KINDS = tuple(name for name in load_vocabulary() if name != "gateway")

FULL, SECOND = "depot-07", "shelter-12"
READY, SILENT, FORGOTTEN = "store-3", "camp-9", "store-old"

LABELS: Mapping[str, Mapping[str, str]] = {
    FULL: {"city": "xi ning", "county": "cheng,dong", "town": "le/du (lu)"},
    SECOND: {"city": "xi ning", "owner": "bureau"},
    READY: {},
    SILENT: {"county": "da-tong"},
    FORGOTTEN: {},
}
PLACES = {
    FULL: (36.62, 101.8),
    SECOND: (36.5, 101.9),
    READY: (36.7, 101.6),
    SILENT: (36.9, 101.7),
    FORGOTTEN: (36.4, 101.5),
}
NAMES = {name: Text(f"站点{number}", f"Site {number}") for number, name in enumerate(LABELS, start=1)}

#: Values of points where 42 would not do.
_VALUES: Mapping[str, Value] = {
    "battery_voltage": 25.1,
    "fuel_rate": 8.0,
    "fuel_volume": 120,
    "voltage_l1": 228,
    "occupancy": 120,
    "water_volume": 9000,
    "battery_time_remaining": 300,
    "version": "0.1.0",
    "config": "sha256:3f2a",
}
_REASONS = (
    Reason("battery_low", Priority.HIGH, Text("启动电池电压低", "Starting battery voltage low")),
    Reason("not_in_auto", Priority.HIGH, Text("不在自动位", "Not in automatic")),
)


def device_of(kind: str) -> str:
    return f"{kind.replace('_', '-')}-1"


def kind_of(device: str) -> str:
    """The gateway is of its own kind, the site is a warehouse, a device is named for its kind."""
    special = {GATEWAY: "gateway", SITE: "warehouse"}
    return special.get(device) or device.removesuffix("-1").replace("-", "_")


@dataclass
class Plant:
    """Collects rows; `write` brings them into a database."""

    now: int
    rows: list[Fact] = field(default_factory=list)
    _seq: int = 0

    def tell(self, site: str, topic: str, ts: int, message: Message) -> None:
        """Over the wire and into rows, exactly as gateway and ingest do it."""
        self._seq += 1
        place = topics.parse(topic)
        assert place is not None, topic
        payload = frame("9c41f07be2a3", Row(self._seq, ts, topic, body(message), retain=False, rank=1))
        self.rows += facts(place, decode(place, payload))

    def write(self, influxd: Influxd, database: str = "vigil") -> None:
        _post(f"{influxd.url}/query", urllib.parse.urlencode({"q": f"CREATE DATABASE {database}"}).encode())
        lines = [encode(row) for row in self.rows]
        for start in range(0, len(lines), 5000):
            _post(f"{influxd.url}/write?db={database}&precision=ms", b"\n".join(lines[start : start + 5000]))

    # what sites say

    def telemetry(self, site: str, device: str, ts: int, values: Mapping[str, Value], **more: object) -> None:
        message = Telemetry(kind_of(device), LABELS[site], True, values, **{"uncertain": {}, "bad": {}, **more})  # type: ignore[arg-type]
        self.tell(site, topics.telemetry(site, device), ts, message)

    def readiness(self, site: str, device: str, ts: int, state: ReadinessState) -> DeviceReadiness:
        why = () if state is ReadinessState.READY else _REASONS
        score = None if state is ReadinessState.UNKNOWN else 100 if state is ReadinessState.READY else 40
        said = DeviceReadiness(kind_of(device), LABELS[site], state, ts, ts + 180_000, score, why)
        self.tell(site, topics.readiness(site, device), ts, said)
        return replace(said, ts=ts)

    def site(self, site: str, ts: int, state: ReadinessState, kinds: Mapping[str, KindCount]) -> SiteReadiness:
        said = SiteReadiness("warehouse", LABELS[site], state, ts + 180_000, NAMES[site], PLACES[site], kinds)
        self.tell(site, topics.readiness(site, SITE), ts, said)
        return replace(said, ts=ts)

    def alarm(self, site: str, device: str, rule: str, ts: int, state: str, priority: Priority, **more: object) -> None:
        acked = state in ("ACKED", "LATCHED_ACKED")
        message = Alarm(
            device,
            rule,
            kind_of(device),
            LABELS[site],
            state,
            active=state in ("UNACK", "ACKED"),
            acked=acked,
            acks=(Ack("duty-1", ts, "crew sent"),) if acked else (),
            acks_needed=1,
            suppression=str(more.get("suppression", "NONE")),
            priority=priority,
            since=ts,
            because={"battery_voltage": 22.4},
            text=Text("启动电池电压低", "Starting battery voltage low"),
            action=Text("检查充电器", "Check the charger"),
        )
        self.tell(site, topics.alarm(site, device, rule), ts, message)

    def stands(
        self, site: str, device: str, rule: str, since: int, state: str, priority: Priority, **more: object
    ) -> None:
        """An alarm that is open since then, repeated every ten minutes as a gateway does."""
        for ts in range(since, self.now, 10 * MINUTE):
            self.alarm(site, device, rule, ts, state, priority, **more)

    def event(self, site: str, device: str, ts: int, type_: str, data: Mapping[str, object]) -> None:
        message = Event("gateway", LABELS[site], type_, data)  # type: ignore[arg-type]
        self.tell(site, topics.event(site, device), ts, message)


def plausible(kind: str) -> dict[str, Value]:
    """A value for every point the vocabulary knows of a kind."""
    found: dict[str, Value] = {}
    for point in load_vocabulary()[kind].points.values():
        if point.name in _VALUES:
            found[point.name] = _VALUES[point.name]
        elif point.type is ValueType.BOOLEAN:
            found[point.name] = point.name.endswith(("_available", "_auto", "link_up", "synced", "connected"))
        elif point.type is ValueType.STRING:
            found[point.name] = next(iter(point.words), "x")
        else:
            found[point.name] = 42.0
    return found


_STATES: Sequence[ReadinessState] = (
    ReadinessState.READY,
    ReadinessState.DEGRADED,
    ReadinessState.NOT_READY,
    ReadinessState.UNKNOWN,
    ReadinessState.IN_USE,
    ReadinessState.OUT_OF_SERVICE,
)
_OPEN: Sequence[tuple[str, Priority]] = (
    ("UNACK", Priority.CRITICAL),
    ("ACKED", Priority.HIGH),
    ("UNACK", Priority.HIGH),
    ("RTN_UNACK", Priority.MEDIUM),
    ("LATCHED_ACKED", Priority.CRITICAL),
    ("UNACK", Priority.LOW),
    ("LATCHED_UNACK", Priority.HIGH),
    ("UNACK", Priority.MEDIUM),
)


def build(now: int) -> Plant:
    """The whole fleet, as it is `now`."""
    plant = Plant(now)
    for site in (FULL, SECOND):
        _full_site(plant, site)
    _other_sites(plant)
    _alarm_stories(plant)
    return plant


def _full_site(plant: Plant, site: str) -> None:
    counts = {kind: KindCount(ready=1, degraded=1, not_ready=1, usable=2, required=2) for kind in KINDS}
    counts["pump"] = KindCount(not_ready=1, unknown=1, in_use=1, out_of_service=1, usable=1, required=2)
    state = ReadinessState.NOT_READY if site == FULL else ReadinessState.DEGRADED
    for minute in range(30, -1, -1):
        ts = plant.now - minute * MINUTE - 5_000
        for kind in KINDS:
            _poll(plant, site, kind, ts, minute)
        plant.site(site, ts, state, counts)
        for number, kind in enumerate(KINDS, start=2 * (site == SECOND)):
            became = _STATES[number % len(_STATES)]
            plant.readiness(site, device_of(kind), ts, ReadinessState.READY if minute > 20 else became)
        plant.telemetry(site, GATEWAY, ts, _health(site, minute))
    for number, kind in enumerate(KINDS):
        alarm, priority = _OPEN[number % len(_OPEN)]
        plant.stands(site, device_of(kind), "battery_low", plant.now - 3 * 60 * MINUTE, alarm, priority)


def _poll(plant: Plant, site: str, kind: str, ts: int, minute: int) -> None:
    values = plausible(kind)
    first, second, *_ = values
    more: dict[str, object] = {"quality": QualityCount(40, 1, 1 if minute < 10 else 0, "BadTimeout")}
    if minute == 25:
        more["bad"] = dict.fromkeys(list(values)[:4], "BadTimeout")
    elif minute == 15:
        more |= {"recovered": tuple(list(values)[:4]), "uncertain": {second: "UncertainEngineeringUnitsExceeded"}}
    elif minute < 10:
        more["bad"] = {first: "BadSensorFailure"}
    bad = more.get("bad", {})
    assert isinstance(bad, dict)
    if minute:
        plant.telemetry(
            site, device_of(kind), ts, {name: value for name, value in values.items() if name not in bad}, **more
        )
    else:
        plant.telemetry(site, device_of(kind), ts, values)


def _health(site: str, minute: int) -> dict[str, Value]:
    found = plausible("gateway")
    passed = 1000 - minute
    for name in found:
        if name.startswith(("rows_", "frames_", "requests", "polls")):
            found[name] = passed
    for line in ("bus", "lan_2"):
        for what in ("requests", "timeouts", "discarded"):
            found[f"line_{line}_{what}"] = passed * 3
        found |= {f"line_{line}_load": 20.0 + minute % 7, f"line_{line}_load_planned": 23.5}
    return found | {"uptime": passed * 60, "clock_synced": site == FULL}


def _other_sites(plant: Plant) -> None:
    for minute in range(30, -1, -1):
        ts = plant.now - minute * MINUTE - 5_000
        plant.site(READY, ts, ReadinessState.READY, {"generator": KindCount(ready=1, usable=1, required=1)})
        plant.readiness(READY, "generator-1", ts, ReadinessState.READY)
    said_at = plant.now - 40 * MINUTE
    said = plant.site(SILENT, said_at, ReadinessState.READY, {"generator": KindCount(ready=1, usable=1, required=1)})
    device = plant.readiness(SILENT, "generator-1", said_at, ReadinessState.READY)
    for topic, message in ((SITE, said), ("generator-1", device)):
        place = topics.parse(topics.readiness(SILENT, topic))
        assert place is not None
        for ts in range(message.valid_until, plant.now, MINUTE):
            plant.rows += facts(place, silence.unknown(message, silence.SITE_SILENT, ts))
    for ts in range(said.valid_until, plant.now, 10 * MINUTE):
        plant.rows += silence.alarm(SILENT, said, said.valid_until, ts, None, 2)
    old = plant.now - 20 * MINUTE
    plant.site(FORGOTTEN, old, ReadinessState.READY, {"generator": KindCount(ready=1, usable=1, required=1)})
    plant.readiness(FORGOTTEN, "generator-1", old, ReadinessState.READY)
    day_ago = plant.now - 30 * MINUTE
    plant.event(FULL, GATEWAY, day_ago, "gap", {"from": day_ago - MINUTE, "to": day_ago, "count": 1200, "why": "quota"})
    plant.rows += silence.returned(SECOND, said, day_ago - 9 * MINUTE, day_ago, was_running=True)
    letter = MessageLetter(topics.telemetry(FULL, "pump-1"), b"{", "not JSON")
    plant.rows += letter_events.events([letter, letter], plant.now - 5 * MINUTE)


def _alarm_stories(plant: Plant) -> None:
    """Alarms whose past matters."""
    hour = 60 * MINUTE
    generator, pump = device_of("generator"), device_of("pump")
    # Open for more than a day.
    plant.stands(FULL, generator, "exercise_overdue", plant.now - 25 * hour, "ACKED", Priority.MEDIUM)
    # Over: must not be listed.
    plant.alarm(FULL, generator, "fuel_low", plant.now - 2 * hour, "UNACK", Priority.CRITICAL)
    plant.alarm(FULL, generator, "fuel_low", plant.now - hour, "NORMAL", Priority.CRITICAL)
    # Set aside.
    for rule, how in (("door_open", "SHELVED"), ("gone", "OUT_OF_SERVICE"), ("no_answer", "SUPPRESSED")):
        plant.stands(FULL, pump, rule, plant.now - 2 * hour, "UNACK", Priority.HIGH, suppression=how)
    # Raised, acknowledged after twelve minutes with a repeat between, over after twenty.
    start = plant.now - 100 * MINUTE
    for after, state in ((0, "UNACK"), (10, "UNACK"), (12, "ACKED"), (20, "NORMAL")):
        plant.alarm(SECOND, generator, "mains_lost", start + after * MINUTE, state, Priority.HIGH)
    # Chatters: four times within a minute.
    minute = (plant.now - 50 * MINUTE) // MINUTE * MINUTE
    for number in range(4):
        plant.alarm(SECOND, pump, "pressure_low", minute + number * 12_000, "UNACK", Priority.LOW)
        plant.alarm(SECOND, pump, "pressure_low", minute + number * 12_000 + 6_000, "RTN_UNACK", Priority.LOW)
    plant.alarm(SECOND, pump, "pressure_low", minute + 55_000, "NORMAL", Priority.LOW)
    # What a person did.
    action = {"act": "ack", "rule": "mains_lost", "by": "duty-1", "note": "crew sent", "state": "ACKED"}
    plant.event(SECOND, generator, start + 12 * MINUTE, "alarm_action", action)
    # The gateway itself, and the site as a whole.
    plant.stands(SECOND, GATEWAY, "disk_full", plant.now - 30 * MINUTE, "UNACK", Priority.MEDIUM)
    plant.stands(SECOND, SITE, "short_of_pumps", plant.now - 30 * MINUTE, "UNACK", Priority.HIGH)


def _post(url: str, data: bytes) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=30) as answer:
        answer.read()
