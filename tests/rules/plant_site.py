"""A simulated site judged by the shipped rules in fast time: plant, snapshot and judge, without lines between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gateway.alarms.alarm import Place
from gateway.alarms.alarms import Alarms
from gateway.flow.snapshot import Snapshot
from gateway.model import Priority, Reading, Status, Transition, Value, Verdict
from gateway.ports import AlarmOrder
from gateway.rules.book import builtin_packs
from gateway.rules.given_facts import GivenFact, filed, laid_over
from gateway.rules.judge import Judge
from gateway.rules.types import RuleBook
from gateway.settings.types import DeviceSettings, Mandatory, SiteSettings
from gateway.settings.vocabulary import load_vocabulary
from gateway.sim.plant.site import Plant
from tests.unit.sim.sites import device, point, site

START_MS = int(datetime(2026, 6, 1, 0, 0, tzinfo=UTC).timestamp() * 1000)
"""08:00 at the site, which is when a plant begins."""
PACKS = RuleBook(builtin_packs())
VOCABULARY = load_vocabulary()


def equipment(
    id_: str, kind: str, facts: Mapping[str, Value] | None = None, depends_on: tuple[str, ...] = ()
) -> DeviceSettings:
    """A device with every point the plant shows of its kind."""
    known = VOCABULARY[kind]
    defaults = {name: fact.default for name, fact in known.facts.items() if fact.default is not None}
    given = defaults | dict(facts or {})
    bare = site(device(id_, kind, given))
    shown = Plant(bare).parts[id_].values()
    points = [point(name, known.points[name].type, known.points[name].unit) for name in shown if name in known.points]
    mandatory = tuple(Mandatory(each.points, each.when) for each in known.mandatory)
    return replace(device(id_, kind, given, points), mandatory=mandatory, depends_on=depends_on)


@dataclass
class PlantSite:
    """`pass_s` lets time go by; everything said since is in `verdicts` and `told`."""

    settings: SiteSettings
    verdicts: list[Verdict] = field(default_factory=list)
    told: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    """Device, state and the rules among its reasons, whenever one of them changed."""
    given: list[GivenFact] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    """Everything that ever happened to an alarm."""

    def __post_init__(self) -> None:
        self.plant = Plant(self.settings)
        self.snapshot = Snapshot({each.id: each.points for each in self.settings.devices})
        self.judge = Judge(self.settings, self.snapshot, PACKS, self._hear)
        self._places = {each.id: Place(each.kind, each.line, each.depends_on) for each in self.settings.devices}
        self.alarms = Alarms(self.judge.alarm_rules(), self._places, self.settings.alarms, self)
        self.now = 1000.0
        self.ts = START_MS
        self.silent: set[str] = set()
        self.bad: set[tuple[str, str]] = set()
        self._names = {each.id: tuple(each.name for each in each.points) for each in self.settings.devices}
        self._last: dict[str, tuple[str, tuple[str, ...]]] = {}

    def do(self, target: str, **inputs: Value) -> None:
        """Put inputs of a device, or of all of a kind."""
        for name in self.plant.devices(target):
            for key, value in inputs.items():
                self.plant.parts[name].inputs[key].put(value)

    def give_fact(self, device: str, name: str, value: Value) -> None:
        """What somebody sets while it runs."""
        fact = GivenFact(device, name, value, "duty-1", self.ts, filed(self.settings, device, name))
        self.given = [each for each in self.given if each.key != fact.key] + [fact]
        self.judge.use_facts(laid_over(self.settings, self.given), {})
        self.alarms.replace(self.judge.alarm_rules(), self._places, self.settings.alarms)
        self.judge.look_anew(self.now, self.ts)

    def pass_s(self, seconds: float, step_s: float = 1.0) -> None:
        for _ in range(round(seconds / step_s)):
            self.plant.advance(step_s)
            self.now += step_s
            self.ts += int(step_s * 1000)
            self.poll()

    def poll(self) -> None:
        """Read every device once."""
        for name, names in self._names.items():
            shown = self.plant.parts[name].values()
            lost = {each for each in names if name in self.silent or (name, each) in self.bad}
            values = tuple(None if each in lost else shown[each] for each in names)
            statuses = tuple(Status.BadTimeout if value is None else Status.Good for value in values)
            reading = Reading(name, self.ts, names, values, statuses)
            self.snapshot.update(reading, self.now)
            for readiness in self.judge.update(reading, self.now):
                found = (readiness.state.value, tuple(reason.rule for reason in readiness.reasons))
                if self._last.get(readiness.device) != found:
                    self._last[readiness.device] = found
                    self.told.append((readiness.device, *found))

        for transition in self.alarms.due(self.ts, self.now):
            self._take(transition)

    def order(self, act: str, name: str, rule: str) -> None:
        """What somebody does about an alarm."""
        self._take(self.alarms.order(AlarmOrder(act, name, rule, "duty-1", "operator"), self.ts))

    def raised(self, name: str, rule: str) -> list[Transition]:
        """When an alarm was announced to people, at which priority."""
        return [
            each
            for each in self.transitions
            if each.is_announcement and (each.after.device, each.after.rule) == (name, rule)
        ]

    # gateway.alarms.suppression.Surroundings

    def sampled_at(self, device: str) -> int:
        return self.judge.sampled_at(device)

    def in_maintenance(self, device: str) -> bool:
        return self.judge.is_in_maintenance(device)

    def is_line_silent(self, line: str) -> bool:
        return {each.id for each in self.settings.devices if each.line == line} <= self.silent

    def _hear(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)
        transition = self.alarms.hear(verdict, self.ts, self.now)
        if transition is not None:
            self._take(transition)

    def _take(self, transition: Transition) -> None:
        self.transitions.append(transition)
        self.alarms.apply(transition, self.ts, self.now)

    def state(self, name: str) -> tuple[str, tuple[str, ...]]:
        """State and rules among the reasons of a device, as they stand."""
        return self._last[name]

    def held(self, name: str, rule: str) -> Priority | None:
        return next(each.level for each in self.judge.rules(name).verdicts() if each.rule == rule)

    def announced(self, name: str, rule: str) -> Priority | None:
        return next(each.announced for each in self.judge.rules(name).verdicts() if each.rule == rule)


def plant_site(*devices: DeviceSettings) -> PlantSite:
    """A site with this equipment."""
    bare = site(*devices)
    return PlantSite(replace(bare, kinds=VOCABULARY))


DEPOT: dict[str, tuple[str, dict[str, Value]]] = {
    "gen-1": (
        "generator",
        {
            "battery_nominal_voltage": 24,
            "rated_power": 50,
            "tank_capacity": 200,
            "expected_load": 30,
            "battery_fitted": "2025-06-12",
        },
    ),
    "ats-1": ("ats", {}),
    "pump-1": (
        "pump",
        {
            "drive": "electric",
            "rated_power": 37,
            "rated_current": 70,
            "start_level": 1.2,
            "stop_level": 0.6,
            "high_level_limit": 1.8,
            "very_high_level_limit": 2.2,
        },
    ),
    "pump-2": ("pump", {"drive": "diesel", "tank_capacity": 150, "start_level": 1.4, "stop_level": 0.7}),
    "light-1": ("light_tower", {"power_source": "diesel", "lamp_rated_current": 17}),
    "truck-1": ("forklift", {"shift_from": "08:00", "shift_until": "18:00"}),
    "kitchen-1": ("field_kitchen", {"water_capacity": 500}),
    "air-1": ("scba_compressor", {"discharge_temperature_limit": 180}),
    "store-1": ("warehouse", {"goods": "textiles", "closed_from": "20:00", "closed_until": "07:00"}),
    "shelter-1": ("shelter", {"capacity": 400, "water_capacity": 20000, "toilets": 20, "taps": 12}),
    "cold-1": ("cold_store", {}),
    "rain-1": ("weather", {}),
    "river-1": ("hydrology", {}),
    "sensor-1": ("sensor", {}),
    "tank-1": ("tank", {"tank_capacity": 5000, "tank_height": 2.5}),
    "ups-1": ("ups", {}),
    "van-1": ("vehicle", {}),
}


def one_of_each() -> PlantSite:
    """A site with one of everything, as a depot would state it."""
    return plant_site(*(equipment(name, kind, facts) for name, (kind, facts) in DEPOT.items()))
