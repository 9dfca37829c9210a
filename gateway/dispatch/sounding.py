"""When a horn sounds: for new alarms, until they are acknowledged, silenced or long enough. Pure; times in board ms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from gateway.dispatch.incident import is_kept_back, waits_for_ack
from gateway.model import Transition
from gateway.settings.notify_types import AnnunciatorSettings


@dataclass(frozen=True, slots=True)
class Sounding:
    """The alarms that call for it, each since when, and when somebody silenced it."""

    calls: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    silenced_at: int | None = None


def heard(sounding: Sounding, transition: Transition, settings: AnnunciatorSettings, now: int) -> Sounding:
    """After a transition: a new alarm calls, one that is acknowledged, over or kept back does so no longer."""
    alarm = transition.after
    if transition.is_announcement and alarm.priority in settings.priorities:
        return called(sounding, [alarm.key], now)
    if alarm.key in sounding.calls and (not waits_for_ack(alarm) or is_kept_back(alarm)):
        return without(sounding, alarm.key)
    return sounding


def called(sounding: Sounding, keys: Iterable[str], now: int) -> Sounding:
    """These alarms call from now on."""
    # one that comes in the very millisecond of the silence is new all the same
    at = now if sounding.silenced_at is None else max(now, sounding.silenced_at + 1)
    return replace(sounding, calls=MappingProxyType({**sounding.calls, **dict.fromkeys(keys, at)}))


def without(sounding: Sounding, key: str) -> Sounding:
    """This alarm calls no longer."""
    calls = {known: at for known, at in sounding.calls.items() if known != key}
    return Sounding(MappingProxyType(calls), sounding.silenced_at if calls else None)


def silenced(sounding: Sounding, now: int) -> Sounding:
    """Quiet until the next new alarm."""
    return replace(sounding, silenced_at=now) if sounding.calls else sounding


def is_on(sounding: Sounding, settings: AnnunciatorSettings, now: int) -> bool:
    """Whether it is to sound now."""
    return any(begin <= now < end for begin, end in _spans(sounding, settings))


def next_change(sounding: Sounding, settings: AnnunciatorSettings, now: int) -> int | None:
    """When that may change by itself."""
    return min((at for span in _spans(sounding, settings) for at in span if at > now), default=None)


def _spans(sounding: Sounding, settings: AnnunciatorSettings) -> Iterator[tuple[int, int]]:
    length, silence_s = round(settings.sound_s * 1000), settings.silence_s
    for at in sounding.calls.values():
        if sounding.silenced_at is None or at > sounding.silenced_at:
            yield at, at + length
        elif silence_s is not None:
            again = sounding.silenced_at + round(silence_s * 1000)
            yield again, again + length
