"""Keeps the readiness of every device of a site up to date: told of readings, asked on a tick.

A change is told at once; what did not change is told again every minute, so that `valid_until` never runs out while the
gateway lives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from gateway.flow.snapshot import MIN_STALE_S, Snapshot
from gateway.model import MaybeValue, Priority, Readiness, ReadinessState, Reading, Status, Text, Value, Verdict
from gateway.rules.bind import Binding, bind
from gateway.rules.dependencies import dependents_of, inherited
from gateway.rules.engine import DeviceRules
from gateway.rules.facts import dates_of, facts_of
from gateway.rules.mandatory import groups_of, watched_by
from gateway.rules.readiness import Holding, Judgement, KindCount, judge, roll_up_counted
from gateway.rules.types import Rule, RuleBook
from gateway.settings.types import DeviceSettings, SiteSettings

REPEAT_S = 60.0
VALID_MS = 180_000
#: Sample time and monotonic time this far apart is a clock that was set.
STEP_MS = 60_000
GATEWAY = "_gateway"
HEALTH_INTERVAL_S = 10.0


@dataclass(frozen=True, slots=True)
class SiteVerdict:
    """The roll-up of a site at `ts`."""

    ts: int
    state: ReadinessState
    valid_until: int
    kinds: dict[str, KindCount]


@dataclass(slots=True)
class _Device:
    settings: DeviceSettings
    facts: dict[str, Value]
    rules: DeviceRules
    groups: tuple[tuple[str, ...], ...]
    labels: Mapping[str, Text]
    watched: tuple[str, ...]
    """The points readiness depends on."""
    statuses: dict[tuple[str, ...], tuple[Status, ...]] = field(default_factory=dict)
    judgement: Judgement | None = None
    since: int = 0
    told_at: float = 0.0
    read_at: float = 0.0
    read_ts: int = 0
    look_at: float = 0.0
    """When time alone may change the judgement: a point grows old, or it is due to be told again."""
    names: tuple[str, ...] = ()
    seen: tuple[MaybeValue, ...] = ()
    """What of `names` was not old when it was last looked at without a reading."""
    is_dark: bool = False
    """Nothing was: it stays so until something is read."""

    @property
    def state(self) -> ReadinessState:
        return self.judgement.state if self.judgement else ReadinessState.UNKNOWN


class Judge:
    """Readiness of all devices of one site and of the site; times are given, never looked up.

    `now` is monotonic seconds, `ts` UTC milliseconds. `snapshot` already holds a reading when it is told here.
    `listen` is told every verdict of a rule that changed. `own_facts` are those of the gateway itself.
    """

    def __init__(
        self,
        site: SiteSettings,
        snapshot: Snapshot,
        book: RuleBook | None = None,
        listen: Callable[[Verdict], None] | None = None,
        own_facts: Mapping[str, Value] = MappingProxyType({}),
    ) -> None:
        self._site = site
        self._own_facts = own_facts
        self._snapshot = snapshot
        self._book = book or RuleBook()
        self._listen = listen
        self._zone = ZoneInfo(site.timezone)
        self._bindings: dict[tuple[str, tuple[str, ...], str], Binding] = {}
        """Devices that are alike share one."""
        self._devices = {device.id: self._watch(device) for device in site.devices}
        self._health_points: tuple[str, ...] = ()
        self._health_kept: Mapping[str, Any] = {}
        self._health_ts = 0
        self._gateway = self._health_rules()
        self._dependents = dependents_of(site.devices)
        self._states = self._count_states()
        self._verdict: SiteVerdict | None = None
        self._told_at = 0.0
        self._moved = True
        """Whether a device has another state than when the site was last looked at."""

    def update(self, reading: Reading, now: float) -> list[Readiness]:
        """The readiness of the device and of what depends on it, where the reading changed it or it is due again."""
        device = self._devices[reading.device]
        self._note_time(device, reading.ts, now)
        was_in_use = device.rules.in_use
        known = device.statuses.get(reading.points)
        same = known == reading.statuses
        statuses = () if same and not device.rules.has_outside else reading.statuses
        moved = self._publish(device.rules.update(reading.ts, reading.points, reading.values, statuses))
        moved = moved or device.rules.in_use is not was_in_use
        is_settled = device.judgement is not None and device.judgement.state is not ReadinessState.UNKNOWN
        if not moved and same and is_settled and now - device.told_at < REPEAT_S:
            return []
        device.statuses[reading.points] = reading.statuses
        return self._tell_all(reading.device, now, reading.ts)

    def watch_health(self, points: Iterable[str]) -> None:
        """These are the points the gateway has of itself."""
        before, self._health_points = self._gateway, tuple(points)
        self._gateway = self._health_rules()
        self._gateway.carry_over(before)
        if self._health_kept:
            self._gateway.restore(self._health_kept)
            self._health_kept = {}

    def update_health(self, reading: Reading) -> None:
        """Take in what the gateway says of itself; its rules give verdicts, no readiness."""
        self._health_ts = reading.ts
        self._publish(self._gateway.update(reading.ts, reading.points, reading.values))

    def tick(self, now: float, ts: int) -> list[Readiness]:
        """Readiness that time alone changed (points grew old) or that is due to be told again."""
        told: list[Readiness] = []
        for name, device in self._devices.items():
            moved = now - device.read_at > MIN_STALE_S and self._look_again(name, device, now, ts)
            if moved or now >= device.look_at or device.settings.depends_on:
                readiness = self._tell(device, now, ts)
                if readiness is not None:
                    told.append(readiness)
        return told

    def site(self, now: float, ts: int) -> SiteVerdict | None:
        """The roll-up, if it changed or is due to be told again."""
        last = self._verdict
        is_due = last is None or now - self._told_at >= REPEAT_S
        if not is_due and not self._moved:
            return None
        self._moved = False
        state, counts = roll_up_counted(self._states, self._site.required)
        if not is_due and last is not None and last.state is state and last.kinds == counts:
            return None
        self._verdict, self._told_at = SiteVerdict(ts, state, ts + VALID_MS, counts), now
        return self._verdict

    def standing(self, device: str) -> tuple[Judgement, int] | None:
        """The judgement on `device` as it stands and since when (UTC ms); None before the first."""
        found = self._devices[device]
        return (found.judgement, found.since) if found.judgement else None

    def rules(self, device: str) -> DeviceRules:
        """The rules of `device` (or `_gateway`) as they stand."""
        return self._gateway if device == GATEWAY else self._devices[device].rules

    def alarm_rules(self) -> dict[tuple[str, str], Rule]:
        """The rules that can raise an alarm, by device (or `_gateway`) and name. Points of the gateway come and go with
        its sources; its rules stay."""
        found: dict[tuple[str, str], Rule] = {}
        for name, device in self._devices.items():
            found.update(((name, bound.rule.name), bound.rule) for bound in device.rules.binding.rules)
        binding = self._gateway.binding
        for rule in (*(bound.rule for bound in binding.rules), *binding.idle):
            found[GATEWAY, rule.name] = rule
        return found

    def sampled_at(self, device: str) -> int:
        """UTC ms of the newest reading of `device` (or `_gateway`); 0 before the first."""
        if device == GATEWAY:
            return self._health_ts
        found = self._devices.get(device)
        return found.read_ts if found is not None else 0

    def is_in_maintenance(self, device: str) -> bool:
        """Whether a work order is open on `device`."""
        found = self._devices.get(device)
        return found is not None and found.facts.get("work_order") is True

    def settle(self, announced: Iterable[tuple[str, str, Priority | None]]) -> None:
        """After an outage: device, rule and what it had announced, which may be newer than what `restore` gave."""
        for device, rule, priority in announced:
            if device == GATEWAY:
                self._gateway.settle(rule, priority)
            elif device in self._devices:
                self._devices[device].rules.settle(rule, priority)

    def verdicts(self) -> tuple[Verdict, ...]:
        """What every rule of the site says now."""
        engines = [*(device.rules for device in self._devices.values()), self._gateway]
        return tuple(verdict for engine in engines for verdict in engine.verdicts())

    def use_facts(self, site: SiteSettings, own: Mapping[str, Value]) -> None:
        """From now on devices are judged with the facts they have in `site`, which is otherwise the same, and the
        gateway with `own`."""
        self._site, self._own_facts = site, own
        for settings in site.devices:
            device, facts = self._devices[settings.id], facts_of(site, settings)
            device.settings = settings
            if facts != device.facts:
                self._rebind(device, facts)
        before, self._gateway = self._gateway, self._health_rules()
        self._gateway.carry_over(before)

    def look_anew(self, now: float, ts: int) -> None:
        """Say at once what rules make of facts that changed, by the values they know."""
        for device in self._devices.values():
            if device.read_ts and not device.rules.verdicts():
                self._mind_step(device, ts, now)
                self._publish(device.rules.update(max(ts, device.read_ts), (), (), is_reading=False))
        if self._health_ts and not self._gateway.verdicts():
            self._publish(self._gateway.update(max(ts, self._health_ts), (), (), is_reading=False))

    def _rebind(self, device: _Device, facts: dict[str, Value]) -> None:
        device.facts = facts
        kind = self._site.kinds[device.settings.kind]
        points = [point.name for point in device.settings.points]
        binding = bind(self._book.of_kind(kind.name), kind, points, facts)
        device.rules = device.rules.rebound(binding, dates_of(facts, kind.facts))
        device.groups = groups_of(device.settings, facts)
        device.watched = watched_by(device.settings, device.groups)
        device.statuses.clear()
        device.look_at = 0.0

    def export(self, only: Container[str] | None = None) -> dict[str, dict[str, Any]]:
        """What has to survive a restart, by device (all, or those in `only`), as JSON."""
        kept = {
            name: {**device.rules.export(), "since": device.since}
            for name, device in self._devices.items()
            if only is None or name in only
        }
        if only is None or GATEWAY in only:
            kept[GATEWAY] = self._gateway.export()
        return kept

    def restore(self, kept: Mapping[str, Mapping[str, Any]]) -> None:
        """Go on with what `export` gave."""
        for name, device in self._devices.items():
            if name in kept:
                device.rules.restore(kept[name])
        self._health_kept = kept.get(GATEWAY, {})

    def carry_over(self, before: Judge) -> None:
        """Go on from where `before`, the same site under another configuration, stands now."""
        for name, device in self._devices.items():
            known = before._devices.get(name)
            if known is not None and known.settings.kind == device.settings.kind:
                device.rules.carry_over(known.rules)
                device.judgement, device.since, device.told_at = known.judgement, known.since, known.told_at
                device.read_at, device.read_ts = known.read_at, known.read_ts
        self._states = self._count_states()
        self.watch_health(before._health_points)
        self._gateway.carry_over(before._gateway)
        self._verdict, self._told_at = before._verdict, before._told_at

    @property
    def settings(self) -> SiteSettings:
        return self._site

    @property
    def book(self) -> RuleBook:
        return self._book

    def facts(self, device: str) -> Mapping[str, Value]:
        """The facts `device` (or `_gateway`) is judged with now."""
        return self._gateway.binding.facts if device == GATEWAY else self._devices[device].facts

    @property
    def site_state(self) -> ReadinessState:
        return self._verdict.state if self._verdict else ReadinessState.UNKNOWN

    def _publish(self, verdicts: Iterable[Verdict]) -> bool:
        """Pass verdicts on; whether there were any."""
        moved = False
        for verdict in verdicts:
            moved = True
            if self._listen is not None:
                self._listen(verdict)
        return moved

    def _note_time(self, device: _Device, ts: int, now: float) -> None:
        if device.read_ts:
            self._mind_step(device, ts, now)
        device.read_ts, device.read_at, device.is_dark = ts, now, False

    def _mind_step(self, device: _Device, ts: int, now: float) -> None:
        """A clock that was set makes no silence longer."""
        drift = round((ts - device.read_ts) - (now - device.read_at) * 1000)
        if abs(drift) > STEP_MS:
            device.rules.pause(drift)
            device.read_ts += drift

    def _look_again(self, name: str, device: _Device, now: float, ts: int) -> bool:
        """No reading for a while: what the rules know grows old. Whether that changed what they say."""
        if not device.read_ts:
            return False
        self._mind_step(device, ts, now)
        if not device.is_dark:
            latest = self._snapshot.latest(name, now)
            device.names = device.names or tuple(latest)
            device.seen = tuple(each.value if each.is_usable else None for each in latest.values())
            device.is_dark = not any(each.is_usable for each in latest.values())
        was_in_use = device.rules.in_use
        moved = self._publish(device.rules.update(max(ts, device.read_ts), device.names, device.seen, is_reading=False))
        return moved or device.rules.in_use is not was_in_use

    def _count_states(self) -> Counter[tuple[str, ReadinessState]]:
        """How many devices of each kind are in each state: a large site is rolled up with every change of one."""
        return Counter((device.settings.kind, device.state) for device in self._devices.values())

    def _tell_all(self, name: str, now: float, ts: int) -> list[Readiness]:
        told = (self._tell(self._devices[each], now, ts) for each in (name, *self._dependents.get(name, ())))
        return [readiness for readiness in told if readiness is not None]

    def _tell(self, device: _Device, now: float, ts: int) -> Readiness | None:
        judgement, stands_until = self._judge(device, now)
        previous = device.judgement
        if judgement == previous and now - device.told_at < REPEAT_S:
            device.look_at = min(stands_until, device.told_at + REPEAT_S)
            return None
        if previous is None or previous.state is not judgement.state:
            device.since = ts
            self._moved = True
            self._states[device.settings.kind, device.state] -= 1
            self._states[device.settings.kind, judgement.state] += 1
        device.judgement, device.told_at = judgement, now
        device.look_at = min(stands_until, now + REPEAT_S)
        return Readiness(
            device.settings.id, ts, judgement.state, device.since, ts + VALID_MS, judgement.score, judgement.reasons
        )

    def _judge(self, device: _Device, now: float) -> tuple[Judgement, float]:
        """The judgement as of `now`, and until when no point of it grows old."""
        usable, until = self._snapshot.usable(device.settings.id, device.watched, now)
        holding = [*device.rules.holding(), *self._inherited(device)]
        judgement = judge(
            device.groups,
            usable,
            device.labels,
            holding,
            lost=None if any(usable.values()) else self._lost(device.settings.id, now),
            in_use=device.rules.in_use,
            out_of_service=device.facts.get("work_order") is True,
            retired=device.facts.get("retired") is True,
        )
        return judgement, until

    def _lost(self, name: str, now: float) -> Status | None:
        """What all points of a device say, where that is one thing."""
        said = {latest.status for latest in self._snapshot.latest(name, now).values()}
        return said.pop() if len(said) == 1 else None

    def _inherited(self, device: _Device) -> Iterable[Holding]:
        """What the devices this one depends on take away from it."""
        for name in device.settings.depends_on:
            other = self._devices[name]
            found = inherited(other.settings, other.state, other.rules.spreads())
            if found is not None:
                yield found

    def _watch(self, device: DeviceSettings) -> _Device:
        site = self._site
        kind = site.kinds[device.kind]
        facts = facts_of(site, device)
        names = [point.name for point in device.points]
        groups = groups_of(device, facts)
        labels = {name: point.label for name, point in kind.points.items()}
        labels |= {point.name: point.label for point in device.points if point.label}
        alike = device.kind, tuple(names), repr(sorted(facts.items()))
        binding = self._bindings.get(alike)
        if binding is None:
            binding = self._bindings[alike] = bind(self._book.of_kind(device.kind), kind, names, facts)
        rules = DeviceRules(device.id, binding, dates_of(facts, kind.facts), self._zone, device.interval_s)
        return _Device(device, facts, rules, groups, labels, watched_by(device, groups))

    def _health_rules(self) -> DeviceRules:
        kind = self._site.kinds.get("gateway")
        packs = [pack for pack in self._book.packs if pack.kind == "gateway"]
        facts = {name: fact.default for name, fact in kind.facts.items() if fact.default is not None} if kind else {}
        facts |= {name: value for name, value in self._site.facts.items() if kind is not None and name in kind.facts}
        facts |= self._own_facts
        binding = bind(packs, kind, self._health_points, facts)
        return DeviceRules(GATEWAY, binding, {}, self._zone, HEALTH_INTERVAL_S)
