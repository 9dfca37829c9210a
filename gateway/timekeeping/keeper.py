"""What time it is while nobody can be sure: a small board has no clock chip and starts somewhere in the past.

Until the system clock is synchronised, time stamps are provisional: they run with monotonic time from behind the last
one on disk, rows are held back, and get their true times once the clock is known. After a while without it they go out
as they are, labelled `free`. A clock that is set changes labels only; nothing here schedules anything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum, auto

from gateway.ports import Clock
from gateway.settings.types import ClockSettings
from gateway.timekeeping.boot import Boot

RELEASED_MS = 1_790_000_000_000
"""No clock that shows an earlier time (September 2026) is right."""
UNSEEN_MS = 62_000
"""So much later than the newest on disk the last time stamp before a power cut may be: what is confirmed at once stands
only in the local history, which is written once a minute."""


class Mode(Enum):
    HELD = auto()
    """Time stamps are provisional, rows wait."""
    FREE = auto()
    """Nobody vouches for the clock; rows go out and say so."""
    SYNCED = auto()


@dataclass(frozen=True, slots=True)
class Scale:
    """The provisional time of one boot: `offset_ms` + milliseconds since boot, used from `since_ms` on."""

    boot: str
    offset_ms: int
    since_ms: int

    def dumps(self) -> bytes:
        return json.dumps({"boot": self.boot, "offset_ms": self.offset_ms, "since_ms": self.since_ms}).encode()

    @classmethod
    def loads(cls, data: bytes) -> Scale:
        found = json.loads(data)
        return cls(found["boot"], found["offset_ms"], found["since_ms"])


@dataclass(frozen=True, slots=True)
class Settled:
    """The times given out provisionally are known now: those from `since_ms` on move by `shift_ms`."""

    since_ms: int
    shift_ms: int
    synced: bool


class Timekeeper:
    """Implements `gateway.ports.Clock`; `tick` it every second."""

    def __init__(
        self, clock: Clock, settings: ClockSettings, boot: Boot, *, last_ts: int, kept: Scale | None = None
    ) -> None:
        """`clock` is the system's, whose monotonic time counts from boot; `last_ts` the newest time stamp on disk, and
        `kept` the scale of rows held there."""
        self._clock = clock
        self.monotonic = clock.monotonic
        self.sleep_until = clock.sleep_until
        self._is_trusted = settings.hardware == "trusted"
        self._wait_s = settings.wait_s
        since_boot_ms = self._monotonic_ms()
        self._floor_ms = last_ts + 1
        if kept is not None and kept.boot == boot.id:
            self.scale = kept
        else:
            told_ms = clock.wall_ms()
            since_ms = told_ms if told_ms >= self._floor_ms else self._floor_ms + UNSEEN_MS
            self.scale = Scale(boot.id, since_ms - since_boot_ms, since_ms)
        is_plausible = clock.wall_ms() >= max(RELEASED_MS, self._floor_ms)
        if self._is_trusted or clock.synced:
            self.mode = Mode.SYNCED
        elif settings.hardware == "auto" and boot.has_clock and is_plausible:
            self.mode = Mode.FREE
        else:
            self.mode = Mode.FREE if self._has_waited() else Mode.HELD
        self.since_start = self.settled()
        """What became known with the start itself, for rows that an earlier run of this boot held."""

    def configure(self, settings: ClockSettings) -> None:
        """These settings hold from the next look on."""
        self._is_trusted = settings.hardware == "trusted"
        self._wait_s = settings.wait_s

    @property
    def synced(self) -> bool:
        return self.mode is Mode.SYNCED and (self._is_trusted or self._clock.synced)

    def wall_ms(self) -> int:
        """UTC milliseconds as they are told; provisional while held."""
        if self.mode is Mode.HELD:
            return self._provisional_ms()
        told = self._clock.wall_ms()
        if self.mode is Mode.FREE and told < self._floor_ms:
            return self._provisional_ms()
        return told

    def tick(self) -> Settled | None:
        """Look at the clock again; what is known from now on, where that is new and rows were held for it."""
        if self.mode is Mode.SYNCED:
            return None
        was_held = self.mode is Mode.HELD
        if self._is_trusted or self._clock.synced:
            self.mode = Mode.SYNCED
        elif was_held and self._has_waited():
            self.mode = Mode.FREE
        return self.settled() if was_held else None

    def settled(self) -> Settled | None:
        """How provisional times become final ones as things stand; None while they do not."""
        if self.mode is Mode.HELD:
            return None
        synced = self.mode is Mode.SYNCED
        shift_ms = self._clock.wall_ms() - self._provisional_ms() if synced else 0
        return Settled(self.scale.since_ms, shift_ms, synced)

    def _has_waited(self) -> bool:
        return self._clock.monotonic() >= self._wait_s

    def _monotonic_ms(self) -> int:
        return round(self._clock.monotonic() * 1000)

    def _provisional_ms(self) -> int:
        return self.scale.offset_ms + self._monotonic_ms()
