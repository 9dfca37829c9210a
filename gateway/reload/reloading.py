"""A changed site file, applied while the gateway runs: what is different, what has to wait for a restart, and whether
devices that answered before still answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.errors import ConfigError, Problem
from gateway.field import is_asked_alike
from gateway.model import Text
from gateway.polling.poll import DeviceStats
from gateway.settings.types import SiteSettings
from gateway.wire.messages import Json

log = logging.getLogger(__name__)

TRIAL_S = 60.0
"""How long devices that answered before may be silent after a change, at least."""
LONGEST_TRIAL_S = 900.0
ALIVE_S = 60.0
"""A device that answered within this time, or three of its intervals, is alive."""
LOOK_EVERY_S = 0.2

_RESTART = Text(
    "运行中不能更改，须重启网关（{before} → {after}）",
    "cannot change while the gateway runs ({before} -> {after})",
)
_RESTART_HINT = Text("改回原值，或重启网关", "put the old value back, or restart the gateway")


@dataclass(frozen=True, slots=True)
class Difference:
    """What a new configuration changes; device ids in the order of the files."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    lines: tuple[str, ...]
    """Lines that are opened anew, or closed."""
    at_risk: frozenset[str]
    """Devices of both configurations on lines where anything is asked otherwise than before."""


def compare(before: SiteSettings, after: SiteSettings) -> Difference:
    """What is different, from the first configuration to the second."""
    old, new = ({device.id: device for device in site.devices} for site in (before, after))
    old_lines, new_lines = ({line.id: line for line in site.lines} for site in (before, after))
    opened = {name for name in old_lines.keys() | new_lines.keys() if old_lines.get(name) != new_lines.get(name)}
    touched = set(opened)
    for name in old.keys() | new.keys():
        one, other = old.get(name), new.get(name)
        if one is None or other is None or not is_asked_alike(one, other):
            touched |= {each.line for each in (one, other) if each is not None}
    return Difference(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        changed=tuple(name for name in new if name in old and new[name] != old[name]),
        lines=tuple(sorted(opened)),
        at_risk=frozenset(name for name in new if name in old and new[name].line in touched),
    )


def refuse_what_needs_a_restart(before: SiteSettings, after: SiteSettings, language: str = "en") -> None:
    """ConfigError where `after` changes what a running gateway cannot change."""
    pairs: tuple[tuple[str, object, object], ...] = (
        ("site.id", before.id, after.id),
        ("state_dir", before.state_dir, after.state_dir),
    )
    place, hint = (str(after.source), 1, 1), _RESTART_HINT[language]
    problems = [
        Problem(*place, path, _RESTART[language].format(before=one, after=other), hint)
        for path, one, other in pairs
        if one != other
    ]
    if problems:
        raise ConfigError(problems)


def alive(site: SiteSettings, stats: Iterable[DeviceStats], now: float) -> frozenset[str]:
    """The devices that answered lately; `now` is monotonic seconds."""
    intervals = {device.id: device.interval_s for device in site.devices}
    return frozenset(
        each.device
        for each in stats
        if each.device in intervals
        and each.last_answer_at is not None
        and now - each.last_answer_at <= max(ALIVE_S, 3 * intervals[each.device])
    )


def trial_s(site: SiteSettings, watched: frozenset[str], patience_s: float = TRIAL_S) -> float:
    """How long `watched` devices get to answer: `patience_s`, and time for two polls of each."""
    longest = max((device.interval_s for device in site.devices if device.id in watched), default=0.0)
    return min(max(patience_s, 2 * longest), LONGEST_TRIAL_S)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reload ended. Not `kept` with `lost` devices: the configuration before it is in force again; without: a
    later reload took its place."""

    difference: Difference
    kept: bool
    lost: tuple[str, ...] = ()


class Reloadable(Protocol):
    """What a reload needs of the running gateway."""

    @property
    def site(self) -> SiteSettings: ...

    def stats(self) -> Sequence[DeviceStats]: ...

    async def replace(self, site: SiteSettings) -> None:
        """`site` holds from now on."""
        ...

    def tell(self, type_: str, data: Mapping[str, Json]) -> object:
        """An event of the gateway itself."""
        ...


class Reloading:
    """Applies changed files one after the other; the last one that has proved itself is what is gone back to."""

    def __init__(
        self,
        gateway: Reloadable,
        load: Callable[[Path, str], SiteSettings],
        monotonic: Callable[[], float],
        *,
        patience_s: float = TRIAL_S,
    ) -> None:
        self._gateway = gateway
        self._load = load
        self._monotonic = monotonic
        self._patience_s = patience_s
        self._proven: SiteSettings | None = None
        """What was in force before the changes that are on trial."""
        self._alive: frozenset[str] = frozenset()
        self._turn = 0
        self._lock = asyncio.Lock()

    @property
    def source(self) -> Path:
        """The file, by its full name."""
        return self._gateway.site.source.resolve()

    async def reload(self, *, keep: bool = False, language: str = "en") -> Outcome:
        """Apply the file as it is now, and return when it has proved itself, or was undone; with `keep` at once.

        ConfigError, in `language`, where it cannot be used; then nothing was changed.
        """
        gateway = self._gateway
        async with self._lock:
            site = await asyncio.to_thread(self._load, gateway.site.source, language)
            refuse_what_needs_a_restart(gateway.site, site, language)
            if self._proven is None:
                self._proven, self._alive = gateway.site, alive(gateway.site, gateway.stats(), self._monotonic())
            before = self._proven
            difference = compare(before, site)
            self._turn += 1
            turn = self._turn
            await gateway.replace(site)
            applied_at = self._monotonic()
            self._tell("config_applied", site, difference)
        watched = frozenset() if keep else self._alive & difference.at_risk
        until = applied_at + trial_s(site, watched, self._patience_s)
        while waiting := self._silent(watched, applied_at):
            if self._monotonic() >= until:
                return await self._go_back(turn, difference, before, waiting)
            await asyncio.sleep(LOOK_EVERY_S)
            if self._turn != turn:
                return Outcome(difference, kept=False)
        if self._turn == turn:
            self._proven = None
        return Outcome(difference, kept=True)

    def _silent(self, watched: frozenset[str], since: float) -> tuple[str, ...]:
        answered = {
            each.device
            for each in self._gateway.stats()
            if each.last_answer_at is not None and each.last_answer_at > since
        }
        return tuple(sorted(watched - answered))

    async def _go_back(self, turn: int, difference: Difference, before: SiteSettings, lost: tuple[str, ...]) -> Outcome:
        async with self._lock:
            if self._turn != turn:
                return Outcome(difference, kept=False)
            log.error("config_rolled_back lost=%s", ",".join(lost))
            await self._gateway.replace(before)
            self._proven = None
            self._gateway.tell("config_rolled_back", {"config": before.digest, "lost": list(lost)})
        return Outcome(difference, kept=False, lost=lost)

    def _tell(self, type_: str, site: SiteSettings, difference: Difference) -> None:
        log.info(
            "config_applied config=%s added=%d removed=%d changed=%d lines=%d",
            site.digest, len(difference.added), len(difference.removed), len(difference.changed),
            len(difference.lines),
        )  # fmt: skip
        data: dict[str, Json] = {
            "config": site.digest,
            "added": list(difference.added),
            "removed": list(difference.removed),
            "changed": list(difference.changed),
        }
        self._gateway.tell(type_, data)
