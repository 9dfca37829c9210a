"""What happens to a reading inside the gateway: latest values, what is due to be sent, readiness, the outbox.

Data flows one way; everything here is called on the event loop and returns at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial

from gateway.alarms.alarm import Place
from gateway.alarms.desk import Desk
from gateway.flow.reporter import Counts, Reporter
from gateway.flow.snapshot import Snapshot
from gateway.model import Point, Readiness, ReadinessState, Reading, Verdict
from gateway.ports import Clock, Row
from gateway.rules.book import load_rules
from gateway.rules.given_facts import FACT_EVENT, GivenFact, GivenFacts, fact_data, filed
from gateway.rules.judge import VALID_MS, Judge, SiteVerdict
from gateway.rules.memory import JudgeMemory
from gateway.rules.types import RuleBook
from gateway.settings.types import DeviceSettings, SiteSettings
from gateway.store import Store
from gateway.wire import encode, messages, topics
from gateway.wire.json_text import dumps

ALARM_RANK, STATE_RANK, TELEMETRY_RANK = 0, 1, 2
NOTED_EVENT, NOTED_READINESS, NOTED_START = "event", "readiness", "start"
"""What stands in the journal of alarms beside alarms, for reports and audits: events, changes of readiness, starts."""
_BRIEF = 500
CATEGORY, GENERAL = "category", "general"
"""The fact, and the label, that says what a device is stocked for; and its word for nothing in particular."""
Note = Callable[[int, str, Mapping[str, messages.Json]], None]


class Pipeline:
    """One site's way from readings to messages."""

    def __init__(
        self,
        site: SiteSettings,
        given: GivenFacts,
        store: Store,
        snapshot: Snapshot,
        clock: Clock,
        send: Callable[[Row], object],
    ) -> None:
        self.site = site
        self._store = store
        self._snapshot = snapshot
        self._given = given
        store.documents.keep(dict.fromkeys(self._given.overtaken))
        self.judge = self._judge(site, load_rules(site))
        self._memory = JudgeMemory(store.documents)
        self._memory.restore(self.judge)
        self.is_line_silent: Callable[[str], bool] = _unknown
        """Whether no device of a line answers; given by who owns the lines."""
        self.alarms = Desk(site, store, clock, send, self)
        self._settle()
        self._clock = clock
        self._send = send
        self._health: Reporter | None = None
        self._kinds = {device.id: device.kind for device in site.devices}
        self._reporters = {device.id: Reporter(device.id, device.points) for device in site.devices}
        self._past = Counts()
        self.has_to_clear = True
        """Whether the broker may still hold something of what is no longer in the file."""
        self._states: dict[str, ReadinessState] = {}
        """What was last told of each device."""
        self.facts_given: Callable[[], object] = _nothing_follows
        """Told when what a person said of a device or of the situation came into force."""
        self.note: Note = _note_nothing
        """Where events and changes of readiness are kept for reports, in the transaction of their message."""

    def replace(self, site: SiteSettings, rules: RuleBook) -> None:
        """`site` holds from now on. Devices that are the same go on as they were; of the others, points that mean the
        same as before keep what was last read."""
        before = {device.id: device for device in self.site.devices}
        reporters: dict[str, Reporter] = {}
        for device in site.devices:
            known = before.get(device.id)
            is_same = known is not None and (known.kind, known.points) == (device.kind, device.points)
            reporters[device.id] = self._reporters.pop(device.id) if is_same else Reporter(device.id, device.points)
        for gone in self._reporters.values():
            self._past = _sum([self._past, gone.counts])
        self._reporters = reporters
        self._snapshot.replace(
            {device.id: device.points for device in site.devices},
            {device.id: _same_points(before[device.id], device) for device in site.devices if device.id in before},
            self._clock.monotonic(),
        )
        overtaken = [each for each in self._given.in_force(self.site) if each not in self._given.in_force(site)]
        self.site = site
        self._kinds = {device.id: device.kind for device in site.devices}
        judge = self._judge(site, rules)
        judge.carry_over(self.judge)
        self.judge = judge
        self._give_rules()
        for fact in overtaken:
            if fact.device in (*self._kinds, topics.SITE, topics.GATEWAY):
                now = filed(site, fact.device, fact.name)
                self.event(fact.device, FACT_EVENT, fact_data(fact.name, fact.value, now, by="", via="file"))

    @property
    def given_facts(self) -> tuple[GivenFact, ...]:
        """Facts that people gave, as far as they hold over the file."""
        return self._given.in_force(self.site)

    def give_fact(self, fact: GivenFact, data: Mapping[str, messages.Json], *, taken_back: bool = False) -> Row | None:
        """From now on this fact holds, or what the file says of it again; readiness follows at once. The row of its
        event, which keeps it; None, and nothing done, where the disk is too far behind."""
        kept = {fact.key: None if taken_back else fact.document()}
        row = self.event(fact.device, FACT_EVENT, data, keep=kept)
        if row is None:
            return None
        if taken_back:
            self._given.take_back(fact.device, fact.name)
        else:
            self._given.note(fact)
        self.judge.use_facts(self._given.over(self.site), self._given.of_gateway(self.site))
        self._give_rules()
        self.judge.look_anew(self._clock.monotonic(), self._clock.wall_ms())
        self.tick()
        self.facts_given()
        return row

    def situation(self, site: SiteSettings) -> SiteSettings:
        """`site` with what people say of it laid over."""
        return self._given.over(site)

    def deliver(self, reading: Reading) -> None:
        """Take in what one poll gave."""
        now = self._clock.monotonic()
        self._snapshot.update(reading, now)
        self._report(self._reporters[reading.device], reading, self._kinds[reading.device], now)
        changed = self.judge.update(reading, now)
        for readiness in changed:
            self._tell(readiness)
        if changed:
            self._tell_site(now, reading.ts)

    def deliver_health(self, reading: Reading) -> None:
        """Take in what the gateway says of itself."""
        if self._health is None:
            raise ValueError("no health points were given")
        self._report(self._health, reading, "gateway", self._clock.monotonic())
        self.judge.update_health(reading)

    def watch_health(self, points: Sequence[Point]) -> None:
        """These are the gateway's own points."""
        is_first = self._health is None
        self._health = Reporter(topics.GATEWAY, points)
        self.judge.watch_health(point.name for point in points)
        if is_first:
            self._settle()
        self._give_rules()

    def tick(self) -> None:
        """What time alone changes: points that grew old, states that are due to be told again."""
        now, ts = self._clock.monotonic(), self._clock.wall_ms()
        for readiness in self.judge.tick(now, ts):
            self._tell(readiness)
        self._tell_site(now, ts)
        self.alarms.tick()
        self._memory.keep(self.judge, now)

    # gateway.alarms.suppression.Surroundings, with `is_line_silent`

    def sampled_at(self, device: str) -> int:
        return self.judge.sampled_at(device)

    def in_maintenance(self, device: str) -> bool:
        return self.judge.is_in_maintenance(device)

    def is_silent(self, device: str) -> bool:
        found = self._snapshot.latest(device, self._clock.monotonic()).values()
        return not any(latest.is_usable for latest in found)

    def _hear(self, verdict: Verdict) -> None:
        self._memory.note(verdict.device)
        self.alarms.hear(verdict)

    def _settle(self) -> None:
        """What rules remember may be older than what alarms do."""
        known = self.alarms.known
        self.judge.settle(
            (state.device, state.rule, state.priority if state.condition.is_active else None) for state in known
        )

    def _give_rules(self) -> None:
        """Tell the alarms which rules there are, once those of the gateway are known too."""
        if self._health is None:
            return
        places = {each.id: Place(each.kind, each.line, each.depends_on) for each in self.site.devices}
        self.alarms.replace(self.site, self.judge.alarm_rules(), places)

    def remember(self) -> None:
        """Keep what the rules remember, before the gateway stops."""
        self._memory.keep(self.judge, math.inf)

    def event(
        self,
        device: str,
        type_: str,
        data: Mapping[str, messages.Json],
        *,
        keep: Mapping[str, bytes | None] | None = None,
    ) -> Row | None:
        """Something happened to `device` (or `_gateway`, `_site`); None where the disk is too far behind to take it.
        `keep` are documents of the same transaction."""
        kind = self._kinds.get(device, self.site.kind if device == topics.SITE else "gateway")
        event = messages.Event(kind=kind, labels=self.site.labels, type=type_, data=data)
        topic, ts = topics.event(self.site.id, device), self._clock.wall_ms()
        with self._store.outbox.together():
            row = self._accept(topic, encode.event_body(event), ts, retain=False, rank=ALARM_RANK, keep=keep)
            if row is not None:
                self.note(row.ts, NOTED_EVENT, {"device": device, "event": type_, "data": _brief(data)})
        return row

    def clear(self, topic: str) -> bool:
        """Take a retained message back from the broker: its device is gone. False where the disk is too far behind."""
        with self._store.outbox.together():
            if not self._store.outbox.can_take(STATE_RANK):
                return False
            return self._accept(topic, b"", self._clock.wall_ms(), retain=True, rank=STATE_RANK) is not None

    def _judge(self, site: SiteSettings, rules: RuleBook) -> Judge:
        own = self._given.of_gateway(site)
        return Judge(self._given.over(site), self._snapshot, rules, self._hear, own_facts=own)

    def _report(self, reporter: Reporter, reading: Reading, kind: str, now: float) -> None:
        report = reporter.report(reading, now)
        if report is None:
            return
        body = encode.telemetry_body(report, kind, self.site.labels, synced=self._clock.synced)
        topic = topics.telemetry(self.site.id, reading.device)
        row = self._accept(topic, body, report.ts, retain=False, rank=TELEMETRY_RANK)
        if row is None or not row.held:  # of what is held it is not known yet when it was
            self._store.history.record_body(reading.device, report.ts, body)

    def _tell(self, readiness: Readiness) -> None:
        def body(ts: int) -> bytes:
            told = replace(readiness, ts=ts, valid_until=ts + VALID_MS)
            category = self.judge.facts(readiness.device).get(CATEGORY, GENERAL)
            stocked_for = "" if category == GENERAL else str(category)
            return encode.readiness_body(told, self._kinds[readiness.device], self.site.labels, stocked_for)

        topic = topics.readiness(self.site.id, readiness.device)
        row = self._accept(topic, body, readiness.ts, retain=True, rank=STATE_RANK)
        before = self._states.get(readiness.device)
        if row is not None and before is not readiness.state:
            self._states[readiness.device] = readiness.state
            reasons: list[messages.Json] = [
                {"rule": reason.rule, "text": reason.text.as_dict()} for reason in readiness.reasons
            ]
            told = {"before": before.value if before is not None else None, "state": readiness.state.value}
            self.note(row.ts, NOTED_READINESS, {"device": readiness.device, **told, "reasons": reasons})

    def _tell_site(self, now: float, ts: int) -> None:
        told = self.judge.site(now, ts)
        if told is not None:
            topic = topics.readiness(self.site.id, topics.SITE)
            self._accept(topic, partial(self._site_body, told), ts, retain=True, rank=STATE_RANK)

    def _site_body(self, told: SiteVerdict, ts: int) -> bytes:
        location = None
        if self.site.latitude is not None and self.site.longitude is not None:
            location = (self.site.latitude, self.site.longitude)
        message = messages.SiteReadiness(
            kind=self.site.kind,
            labels=self.site.labels,
            state=told.state,
            valid_until=ts + VALID_MS,
            name=self.site.name,
            location=location,
            kinds={
                kind: messages.KindCount(
                    **{state.value: number for state, number in count.states.items()},
                    usable=count.usable,
                    required=count.required,
                )
                for kind, count in told.kinds.items()
            },
        )
        return encode.site_body(message)

    @property
    def counts(self) -> Counts:
        """The books over all devices, in points: polled = sent + unchanged."""
        return _sum([self._past, *(reporter.counts for reporter in self._reporters.values())])

    def _accept(
        self,
        topic: str,
        body: bytes | Callable[[int], bytes],
        ts: int,
        *,
        retain: bool,
        rank: int,
        keep: Mapping[str, bytes | None] | None = None,
    ) -> Row | None:
        """Into the outbox, and live: at once, or for an alarm or event when it is on disk."""
        row = self._store.outbox.accept(topic, body, ts=ts, retain=retain, rank=rank, keep=keep)
        if row is not None and rank == ALARM_RANK:
            self._store.outbox.when_committed(row.seq, partial(self._send, row))
        elif row is not None:
            self._send(row)
        return row


def _unknown(_: str) -> bool:
    return False


def _nothing_follows() -> None:
    """Nobody asks devices by their facts."""


def _note_nothing(_ts: int, _type: str, _data: Mapping[str, messages.Json]) -> None:
    """Nobody makes reports of this."""


def _brief(data: Mapping[str, messages.Json]) -> dict[str, messages.Json]:
    """What an event says, without tables that are longer than a note."""
    return {key: value for key, value in data.items() if len(dumps(value)) <= _BRIEF}


def _sum(each: Sequence[Counts]) -> Counts:
    return Counts(*(sum(getattr(counts, name.name) for counts in each) for name in fields(Counts)))


def _same_points(before: DeviceSettings, after: DeviceSettings) -> frozenset[str]:
    """The points that are read from the same place and mean the same; none where the device is asked elsewhere."""
    if (before.line, before.options) != (after.line, after.options):
        return frozenset()

    def meaning(point: Point) -> tuple[object, ...]:
        return point.type, point.unit, point.options, point.limits

    known = {point.name: meaning(point) for point in before.points}
    return frozenset(point.name for point in after.points if known.get(point.name) == meaning(point))
