"""What devices do to those that depend on them: a flooded pump room makes its pump not ready."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.model import Priority, ReadinessState, Text
from gateway.rules.readiness import Effect, Holding
from gateway.settings.types import DeviceSettings

#: The reason a device is not ready because of another; no rule of a pack has this name.
DEPENDS = "depends_on"
_UNUSABLE = frozenset({ReadinessState.NOT_READY, ReadinessState.OUT_OF_SERVICE, ReadinessState.RETIRED})


def inherited(other: DeviceSettings, state: ReadinessState, spreading: Sequence[Holding]) -> Holding | None:
    """What `other`, which is in `state` and of which these spreading rules hold, does to what depends on it."""
    if spreading:
        first = max(spreading, key=lambda each: each.priority.level)
        return _because_of(other, first.text, first.priority, Effect.NOT_READY)
    if state in _UNUSABLE:
        return _because_of(other, Text("不可用", "is not ready"), Priority.HIGH, Effect.NOT_READY)
    if state is ReadinessState.UNKNOWN:
        return _because_of(other, Text("状态未知", "cannot be seen"), Priority.LOW, Effect.DEGRADED)
    return None


def dependents_of(devices: Iterable[DeviceSettings]) -> dict[str, tuple[str, ...]]:
    """Who depends on each device, nearest first, at any distance."""
    direct: dict[str, list[str]] = {}
    for device in devices:
        for name in device.depends_on:
            direct.setdefault(name, []).append(device.id)
    found: dict[str, tuple[str, ...]] = {}
    for name in direct:
        reached: dict[str, None] = {}
        waiting = list(direct[name])
        while waiting:
            each = waiting.pop(0)
            if each not in reached:
                reached[each] = None
                waiting += direct.get(each, [])
        found[name] = tuple(reached)
    return found


def _because_of(other: DeviceSettings, what: Text, priority: Priority, effect: Effect) -> Holding:
    label = other.name or Text(other.id, other.id)
    return Holding(DEPENDS, priority, effect, Text(f"{label.zh}：{what.zh}", f"{label.en}: {what.en}"))
