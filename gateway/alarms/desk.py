"""The alarms of a running site: a transition is on disk, chained to the one before, before anybody is told of it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from gateway.alarms import keeping, refusals, telling
from gateway.alarms.alarm import Place, Rules
from gateway.alarms.alarms import Alarms
from gateway.alarms.chain import RETIRED, Chain
from gateway.alarms.metrics import AlarmMetrics
from gateway.alarms.suppression import Surroundings
from gateway.model import AlarmCondition, AlarmEvent, AlarmState, Transition, Value, Verdict
from gateway.ports import AlarmOrder, Announcer, Clock, Refused, Row
from gateway.settings.types import SiteSettings
from gateway.store import Entry, Store
from gateway.wire import encode, topics
from gateway.wire.messages import Json

log = logging.getLogger(__name__)

RANK, REPEAT_RANK = 0, 1
"""A transition leaves only from disk; that an alarm still stands is no news and waits for nobody."""
REPEAT_S = 600.0
LET_GO_S = 3600.0
LEAST_KEPT, MOST_KEPT = 1_000, 200_000
"""Entries of the journal, of about 700 bytes each."""
MOST_NOTES, NOTES_PER_S = 2_000.0, 200 / 3600
"""What may be noted beside alarms: so much at once, and so much in the long run."""
DAY_MS = 86_400_000
MOST_REMEMBERED = 2_000
"""Entries the figures of alarms are made of after a restart."""
MOST_WAITING = 10_000
"""Verdicts that may wait for the disk; beyond it only the latest of each alarm."""


class Silence:
    """Tells nobody (gateway.ports.Announcer)."""

    def plan(self, transition: Transition) -> Mapping[str, bytes | None]:  # noqa: ARG002
        return {}

    def told(self, transition: Transition) -> None: ...


class Desk:
    """gateway.ports.AlarmDesk. Called from one event loop; `send` is given rows to be sent live."""

    def __init__(
        self, site: SiteSettings, store: Store, clock: Clock, send: Callable[[Row], object], around: Surroundings
    ) -> None:
        self._site = site
        self._store = store
        self._clock = clock
        self._send = send
        self._alarms = Alarms({}, {}, site.alarms, around)
        self._chain = Chain(store.trail.last, store.trail.highest)
        self._waiting: deque[Verdict] = deque()
        self._notes, self._noted_at, self._skipped = MOST_NOTES, clock.monotonic(), 0
        self._has_orphans = False
        self._let_go_at = 0.0
        self._told_at: dict[str, float] = {}
        """When each alarm's message was last made, monotonic seconds."""
        self.dropped = 0
        """Verdicts that were passed over, because the disk was too far behind for too long."""
        self.announcer: Announcer = Silence()
        self.listeners: list[Callable[[Transition], object]] = []
        """Told of every transition once it is on disk."""
        self.metrics = AlarmMetrics()
        for transition in map(keeping.from_entry, store.trail.newest(MOST_REMEMBERED)):
            if transition is not None:
                self.metrics.note(transition)
        found = store.documents.loaded(keeping.PREFIX).values()
        self._alarms.restore(map(keeping.from_document, found), clock.wall_ms(), clock.monotonic())

    # gateway.ports.AlarmDesk

    def alarms(self) -> Sequence[AlarmState]:
        """Every alarm that is not NORMAL, or is kept from being announced; the worst first."""
        return self._alarms.listed()

    async def order(self, order: AlarmOrder) -> AlarmState:
        """Do it; the alarm as it stands then, on disk already. Refused, with the reason in both languages."""
        try:
            transition = self._alarms.order(order, self._clock.wall_ms())
        except Refused as refused:
            log.info(
                "alarm_order_refused act=%r alarm=%r by=%r error=%s",
                order.act, f"{order.device}/{order.rule}", order.by, refused.error,
            )  # fmt: skip
            raise
        row = self._commit(transition, order)
        if row is None:
            raise refusals.disk_behind()
        await self._store.outbox.committed(row.seq)
        return transition.after

    # what the site tells

    @property
    def known(self) -> Iterable[AlarmState]:
        """Every alarm to which something ever happened."""
        return self._alarms.states()

    @property
    def waiting(self) -> int:
        """Verdicts that wait for the disk."""
        return len(self._waiting)

    def figures(self) -> dict[str, Value]:
        """How well the alarms serve people, by the names of the gateway's own points."""
        found = self.metrics.figures(self._alarms.open(), self._clock.wall_ms())
        return {**found, "alarms_waiting": self.waiting}

    def knows(self, device: str, rule: str) -> bool:
        """Whether a rule makes this alarm."""
        return self._alarms.knows(device, rule)

    def hear(self, verdict: Verdict) -> None:
        """Take in what a rule says now."""
        if self._waiting or not self._follow(verdict):
            self._wait(verdict)

    def tick(self) -> None:
        """What waits for the disk, what time and logic change, what is due to be told again."""
        while self._waiting and self._follow(self._waiting[0]):
            self._waiting.popleft()
            if not self._waiting:
                log.info("alarms_go_on dropped=%d", self.dropped)
        if self._waiting:
            return
        self._take_back()
        now_ms, now_s = self._clock.wall_ms(), self._clock.monotonic()
        for transition in self._alarms.due(now_ms, now_s):
            if self._commit(transition) is None:
                return
        self._repeat(now_ms, now_s)

    def replace(self, site: SiteSettings, rules: Rules, places: Mapping[str, Place]) -> None:
        """These rules hold from now on; alarms that none of them makes are taken back."""
        self._site = site
        self._alarms.replace(rules, places, site.alarms)
        self._has_orphans = True
        self._take_back()

    async def let_go(self) -> None:
        """Once an hour: retire entries of the journal that are too old, or too many, by an entry that says so; never
        the newest, and none while the clock is not to be believed."""
        now_s, trail = self._clock.monotonic(), self._store.trail
        if now_s < self._let_go_at or not self._clock.synced:
            return
        self._let_go_at = now_s + LET_GO_S
        now_ms = self._clock.wall_ms()
        limit = self._chain.next_number - LEAST_KEPT
        too_old = await trail.last_before(now_ms - int(self._site.alarms.journal_days * DAY_MS))
        too_many = self._chain.next_number - 1 - MOST_KEPT
        up_to = min(max(too_old.number if too_old is not None else 0, too_many), limit)
        found = await trail.read(up_to - 1, 1) if up_to > 0 else ()
        if not found or found[0].number != up_to:
            return
        with self._store.outbox.together():
            data: dict[str, Json] = {"up_to": up_to, "hash": found[0].hash.hex()}
            trail.add(self._chain.add(now_ms, RETIRED, data), retire_to=up_to)

    def note(self, ts: int, type_: str, data: Mapping[str, Json]) -> None:
        """Put something else that happened into the journal of alarms, in the transaction of what is written now. What
        comes too often (a device that comes and goes) is counted in the next note, so that it drives out no alarm."""
        now_s = self._clock.monotonic()
        self._notes = min(MOST_NOTES, self._notes + (now_s - self._noted_at) * NOTES_PER_S)
        self._noted_at = now_s
        if self._notes < 1:
            self._skipped += 1
            return
        self._notes -= 1
        skipped, self._skipped = self._skipped, 0
        with self._store.outbox.together():
            self._store.trail.add(self._chain.add(ts, type_, {**data, "skipped": skipped} if skipped else data))

    def moved(self, since_ms: int, shift_ms: int) -> None:
        """Times from `since_ms` on were provisional and move by `shift_ms`."""
        changed = self._alarms.moved(since_ms, shift_ms)
        if changed:
            with self._store.outbox.together():
                now_ms = self._clock.wall_ms()
                self._store.trail.add(self._chain.add(now_ms, "clock", {"since": since_ms, "shift_ms": shift_ms}))
                self._store.documents.keep({keeping.document_key(state): keeping.document(state) for state in changed})

    # inside

    def _take_back(self) -> None:
        """End the alarms that no rule makes any more; those the disk does not take stay until the next time."""
        if self._has_orphans:
            gone = self._alarms.orphans(self._clock.wall_ms())
            self._has_orphans = any(self._commit(transition) is None for transition in gone)

    def _follow(self, verdict: Verdict) -> bool:
        """Whether what the verdict makes of its alarm is on its way to the disk."""
        found = self._alarms.hear(verdict, self._clock.wall_ms(), self._clock.monotonic())
        return found is None or self._commit(found) is not None

    def _wait(self, verdict: Verdict) -> None:
        if not self._waiting:
            log.error("alarms_wait_for_disk alarm=%s/%s", verdict.device, verdict.rule)
        self._waiting.append(verdict)
        if len(self._waiting) > MOST_WAITING:
            latest = {(each.device, each.rule): each for each in self._waiting}
            self.dropped += len(self._waiting) - len(latest)
            self._waiting = deque(latest.values())

    def _commit(self, transition: Transition, order: AlarmOrder | None = None) -> Row | None:
        """Into the journal, the documents and the outbox in one transaction, and only then into force; None where the
        disk is too far behind."""
        after, outbox = transition.after, self._store.outbox
        is_gone = transition.event is AlarmEvent.REMOVE
        topic = topics.alarm(self._site.id, after.device, after.rule)
        with outbox.together():
            if not outbox.can_take(RANK):
                return None
            body = b"" if is_gone else encode.alarm_body(telling.message(after, self._site.labels))
            row = outbox.accept(topic, body, ts=transition.ts, retain=True, rank=RANK)
            if row is None:
                return None
            transition = replace(transition, number=self._chain.next_number, ts=row.ts)
            entry = self._chain.add(row.ts, keeping.TRANSITION, keeping.transition_json(transition))
            self._store.trail.add(entry)
            document = None if is_gone else keeping.document(after)
            planned = self.announcer.plan(transition)
            self._store.documents.keep({**planned, keeping.document_key(after): document})
            # with the lock held, so that what was committed first is told first
            outbox.when_committed(row.seq, partial(self._tell, row, transition))
            if order is not None:
                self._tell_action(transition, order, entry)
        self.metrics.note(transition)
        now_ms, now_s = self._clock.wall_ms(), self._clock.monotonic()
        self._alarms.apply(transition, now_ms, now_s)
        self._told_at[after.key] = now_s
        return row

    def _tell_action(self, transition: Transition, order: AlarmOrder, entry: Entry) -> None:
        outbox = self._store.outbox
        event = telling.action(transition, order, self._site.labels, (entry.number, entry.hash.hex()))
        topic = topics.event(self._site.id, transition.after.device)
        row = outbox.accept(topic, encode.event_body(event), ts=transition.ts, retain=False, rank=RANK)
        if row is not None:
            outbox.when_committed(row.seq, partial(self._send, row))

    def _tell(self, row: Row, transition: Transition) -> None:
        self._send(row)
        self.announcer.told(transition)
        for listener in self.listeners:
            listener(transition)

    def _repeat(self, now_ms: int, now_s: float) -> None:
        """Say again of every alarm that is not NORMAL that it still stands."""
        for state in self._alarms.open():
            if state.condition is AlarmCondition.NORMAL:
                continue
            if now_s - self._told_at.setdefault(state.key, now_s) < REPEAT_S:
                continue
            body = encode.alarm_body(telling.message(state, self._site.labels))
            topic = topics.alarm(self._site.id, state.device, state.rule)
            row = self._store.outbox.accept(topic, body, ts=now_ms, retain=True, rank=REPEAT_RANK)
            if row is None:
                return
            self._told_at[state.key] = now_s
            self._send(row)
