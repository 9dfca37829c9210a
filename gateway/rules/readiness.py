"""Could this be used right now? The judgement on one device and the roll-up of a site (pure; promise 5 of the product).

Of a device the first that holds: retired, out_of_service, not_ready, unknown, in_use, degraded, ready.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.model import Priority, ReadinessState, Reason, Status, Text

#: What an active rule of a priority takes off the score of 100.
WEIGHTS: Mapping[Priority, int] = {Priority.CRITICAL: 60, Priority.HIGH: 30, Priority.MEDIUM: 10, Priority.LOW: 3}


class Effect(StrEnum):
    """What a rule that holds does to readiness."""

    NONE = "none"
    DEGRADED = "degraded"
    NOT_READY = "not_ready"


_GRAVITY = {Effect.NOT_READY: 0, Effect.DEGRADED: 1, Effect.NONE: 2}


@dataclass(frozen=True, slots=True)
class Holding:
    """A rule whose condition holds now, with what it does to readiness."""

    rule: str
    priority: Priority
    effect: Effect
    text: Text


@dataclass(frozen=True, slots=True)
class Judgement:
    """The state of a device, why, and how well it stands (0..100, None while unknown)."""

    state: ReadinessState
    score: int | None
    reasons: tuple[Reason, ...]


#: What it means when nothing is heard of a device at all, told apart from points that are missing.
_SILENCE = {
    Status.BadNoCommunication: ("line_down", Text("线路中断或拒绝连接", "The line is down or refuses")),
    Status.BadTimeout: ("device_down", Text("设备不应答", "The device does not answer")),
}


def unseen(groups: Sequence[Sequence[Text]], lost: Status | None = None) -> Reason:
    """The reason `unknown` gives: what cannot be seen, each as the alternatives that would do. `lost` is what all
    points of the device say."""
    if lost is not None and lost in _SILENCE:
        rule, text = _SILENCE[lost]
        return Reason(rule, Priority.MEDIUM, text)
    zh = "、".join("或".join(each.zh for each in group) for group in groups)
    en = ", ".join(" or ".join(each.en for each in group) for group in groups)
    return Reason("no_data", Priority.MEDIUM, Text(f"没有可用数据：{zh}", f"No usable data: {en}"))


def judge(
    mandatory: Iterable[Sequence[str]],
    usable: Mapping[str, bool],
    labels: Mapping[str, Text],
    holding: Iterable[Holding] = (),
    *,
    in_use: bool = False,
    out_of_service: bool = False,
    retired: bool = False,
    lost: Status | None = None,
) -> Judgement:
    """The readiness of one device.

    `mandatory` lists requirements, each a group of point names of which one must be usable. A device whose kind asks
    for none is judged by whether any point of it is usable. `holding` are the rules that hold now; `lost` is what all
    points say, where that is one thing.
    """
    active = sorted(holding, key=lambda each: (-each.priority.level, _GRAVITY[each.effect], each.rule))
    groups = [tuple(group) for group in mandatory]
    if groups:
        missing = [group for group in groups if not _any_usable(group, usable)]
    else:
        missing = [] if any(usable.values()) else [tuple(usable)]
    reasons = [Reason(each.rule, each.priority, each.text) for each in active]
    state = _state(active, bool(missing), in_use=in_use, out_of_service=out_of_service, retired=retired)
    if missing:
        named = [[labels.get(name) or Text(name, name) for name in group] for group in missing]
        # What cannot be seen weighs more than whatever leaves the device usable.
        decisive = [index for index, each in enumerate(active, 1) if each.effect is Effect.NOT_READY]
        reasons.insert(max(decisive, default=0), unseen(named, lost))
    score = max(0, 100 - sum(WEIGHTS[each.priority] for each in active))
    return Judgement(state, None if state is ReadinessState.UNKNOWN else score, tuple(reasons))


def _any_usable(group: Sequence[str], usable: Mapping[str, bool]) -> bool:
    return any(usable.get(name, False) for name in group)


def _state(
    active: Sequence[Holding], missing: bool, *, in_use: bool, out_of_service: bool, retired: bool
) -> ReadinessState:
    if retired:
        return ReadinessState.RETIRED
    if out_of_service:
        return ReadinessState.OUT_OF_SERVICE
    if any(each.effect is Effect.NOT_READY for each in active):
        return ReadinessState.NOT_READY
    if missing:
        return ReadinessState.UNKNOWN
    if in_use:
        return ReadinessState.IN_USE
    if any(each.effect is Effect.DEGRADED for each in active):
        return ReadinessState.DEGRADED
    return ReadinessState.READY


#: States a roll-up counts; a retired device has left the totals.
COUNTED = tuple(state for state in ReadinessState if state is not ReadinessState.RETIRED)


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many devices of a kind stand in each counted state, how many are usable, how many the site must have."""

    states: Mapping[ReadinessState, int]
    required: int

    @property
    def usable(self) -> int:
        return sum(count for state, count in self.states.items() if state.is_usable)

    @property
    def unknown(self) -> int:
        return self.states[ReadinessState.UNKNOWN]


def roll_up(
    devices: Iterable[tuple[str, ReadinessState]], required: Mapping[str, int]
) -> tuple[ReadinessState, dict[str, KindCount]]:
    """The readiness of a site from `(kind, state)` of its devices, and the counts per kind."""
    return roll_up_counted(Counter(devices), required)


def roll_up_counted(
    numbers: Mapping[tuple[str, ReadinessState], int], required: Mapping[str, int]
) -> tuple[ReadinessState, dict[str, KindCount]]:
    """The same from how many devices of each kind are in each state."""
    counts = {
        kind: KindCount({state: numbers.get((kind, state), 0) for state in COUNTED}, required.get(kind, 0))
        for kind in sorted({kind for kind, _ in numbers} | required.keys())
    }
    if any(count.usable + count.unknown < count.required for count in counts.values()):
        return ReadinessState.NOT_READY, counts
    if any(count.usable < count.required for count in counts.values()):
        return ReadinessState.UNKNOWN, counts
    troubled = (ReadinessState.DEGRADED, ReadinessState.NOT_READY, ReadinessState.UNKNOWN)
    if any(count.states[state] for count in counts.values() for state in troubled):
        return ReadinessState.DEGRADED, counts
    return ReadinessState.READY, counts
