"""A horn or lamp on a coil, sounded by the gateway itself: with uplink, broker and centre gone.

Every switching is a write like any other (docs/writing.md): allowed to the role `annunciator` by profile and site, on
record, read back.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from gateway.dispatch.board_time import BoardTime
from gateway.dispatch.sounding import Sounding, called, heard, is_on, next_change, silenced
from gateway.errors import NotifyRetry
from gateway.flow.snapshot import Latest
from gateway.model import Text, Transition, Value
from gateway.ports import Clock, Notice, Refused, Row
from gateway.settings.notify import ANNUNCIATOR_ROLE
from gateway.settings.notify_types import AnnunciatorSettings
from gateway.wire.messages import Json
from gateway.wire.topics import SITE
from gateway.writing import Order, Outcome

log = logging.getLogger(__name__)

PREFIX = "annunciator/"
CALL, SILENCED = f"{PREFIX}call/", f"{PREFIX}silenced"
WRITE_S = 8.0
STOP_S = 1.5
RETRIES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
LONGEST_REST_S = 60.0
LOUD_TRIES = 2
LOOK_S = 1.0
AGAIN_S = 2.0
"""What is believed to be so already is not written again sooner than this."""


class Documents(Protocol):
    """Where it is kept for which alarms it sounds (gateway.store.Documents)."""

    def loaded(self, prefix: str) -> Mapping[str, bytes]: ...

    def keep(self, documents: Mapping[str, bytes | None]) -> None: ...


class Annunciator:
    """gateway.ports.Announcer. `write` switches the coil (gateway.writing.Writing.write), `tell` queues an event,
    `read` gives the latest that was read of a device's point, None where there is no such point."""

    def __init__(
        self,
        settings: AnnunciatorSettings | None,
        documents: Documents,
        clock: Clock,
        write: Callable[[Order], Awaitable[Outcome]],
        tell: Callable[[str, str, Mapping[str, Json]], Row | None],
        read: Callable[[str, str], Latest | None],
    ) -> None:
        self._settings = settings
        self._documents = documents
        self._monotonic = clock.monotonic
        self._time = BoardTime(clock)
        self._write = write
        self._tell = tell
        self._read = read
        self._planned = self._heard = _restored(documents.loaded(PREFIX), self._time.now())
        self._shows: bool | None = None
        """What the coil was last switched to, None where nobody knows."""
        self._last: bool | None = None
        """What was last ordered, whatever came of it."""
        self._written_at = self._not_before = -math.inf
        """When that was over, and when the same may be ordered again; monotonic seconds."""
        self._is_lost = False
        """Since it was switched the coil could not be read."""
        self._doubts = 0
        self._tries = 0
        self._switches = 0
        self._changed = asyncio.Event()
        self._settled = asyncio.Event()

    # gateway.ports.Announcer

    def plan(self, transition: Transition) -> Mapping[str, bytes | None]:
        if self._settings is None:
            return {}
        before = self._planned
        self._planned = heard(before, transition, self._settings, self._time.now())
        return _changes(before, self._planned)

    def told(self, transition: Transition) -> None:
        if self._settings is not None:
            before = self._heard
            self._heard = heard(before, transition, self._settings, self._time.now())
            self._urge(is_new=any(before.calls.get(key) != at for key, at in self._heard.calls.items()))

    # what people and routes ask of it

    async def silence(self, by: str) -> None:
        """Quiet until the next new alarm; Refused where it does not sound. Whoever took the order puts it on record."""
        if not self.is_sounding:
            raise Refused("not_sounding", Text("警报器没有在响", "the annunciator is not sounding"))
        before, now = self._planned, self._time.now()
        self._planned, self._heard = silenced(self._planned, now), silenced(self._heard, now)
        self._documents.keep(_changes(before, self._planned))
        log.info("annunciator_silenced by=%r", by)
        self._changed.set()

    def call(self, alarms: Iterable[str]) -> None:
        """Sound for these alarms, whatever their priority."""
        keys, now, before = tuple(alarms), self._time.now(), self._planned
        self._planned, self._heard = called(self._planned, keys, now), called(self._heard, keys, now)
        self._documents.keep(_changes(before, self._planned))
        self._urge(is_new=not before.calls.keys() >= set(keys))

    async def sounded(self) -> None:
        """Return once the coil shows what it should; NotifyRetry while it cannot be switched."""
        tries = self._tries
        while self._settings is not None and self._shows is not self.is_sounding:
            if self._tries > tries:
                raise NotifyRetry("the coil cannot be switched", "线圈不能切换")
            self._settled.clear()
            await self._settled.wait()

    @property
    def is_sounding(self) -> bool:
        """Whether it is to sound now."""
        return self._settings is not None and is_on(self._heard, self._settings, self._time.now())

    def health(self) -> dict[str, Value]:
        """Its figures, by their names in the vocabulary of kind `gateway`; none where there is no annunciator."""
        if self._settings is None:
            return {}
        return {"annunciator_on": self.is_sounding, "annunciator_failing": self._tries >= LOUD_TRIES}

    # the life of it

    async def run(self) -> None:
        """Keep the coil as it should be, until cancelled: set at the start, and again where it reads as something else
        or may have been without supply."""
        while True:
            self._changed.clear()
            if self._settings is not None:
                self._look(self._settings)
                on = self.is_sounding
                is_due = on is not self._last or self._monotonic() >= self._not_before
                if self._shows is not on and is_due:
                    await self._switch(self._settings, on)
            await self._rest()

    async def replace(self, settings: AnnunciatorSettings | None) -> None:
        """These settings hold from now on; a coil that is no longer the one is switched off."""
        before, self._settings = self._settings, settings
        if before == settings:
            return
        if before is not None and self._last and (settings is None or _coil(settings) != _coil(before)):
            with suppress(TimeoutError, Refused):
                async with asyncio.timeout(STOP_S):
                    await self._write(self._order(before, False))
        if settings is None or before is None or _coil(settings) != _coil(before):
            self._shows, self._last, self._tries, self._is_lost = None, None, 0, False
        self._changed.set()

    async def close(self) -> None:
        """Leave the coil in a defined state: off, unless an alarm that nobody silenced still calls."""
        on = self.is_sounding
        if self._settings is None or self._shows is on:
            return
        try:
            async with asyncio.timeout(STOP_S):
                outcome = await self._write(self._order(self._settings, on))
        except (TimeoutError, Refused) as error:
            log.error("annunciator_left_as_it_was reason=%s", error or "no answer in time")
        else:
            self._shows = on if outcome.is_done else None

    # inside

    async def _rest(self) -> None:
        now, due = self._time.now(), None
        if self._settings is not None:
            due = next_change(self._heard, self._settings, now)
        rest_s = LONGEST_REST_S if due is None else min(LONGEST_REST_S, max(0.001, (due - now) / 1000))
        if self._settings is not None:
            rest_s = min(rest_s, LOOK_S)
            if self._shows is None:
                rest_s = min(rest_s, max(0.001, self._not_before - self._monotonic()))
        with suppress(TimeoutError):
            async with asyncio.timeout(rest_s):
                await self._changed.wait()

    def _look(self, settings: AnnunciatorSettings) -> None:
        """Believe no longer what the coil was switched to once it reads as something else, or can be read again."""
        found = self._read(settings.device, settings.point)
        if found is None or found.at is None or found.at <= self._written_at:
            return
        if not found.is_usable:
            self._is_lost = True
            return
        is_back, self._is_lost = self._is_lost, False
        if self._shows is None:
            if is_back and self._tries:
                self._hurry()
        elif is_back or found.value != self._shows:
            log.warning("annunciator_in_doubt on=%s reads=%s was_lost=%s", self._shows, found.value, is_back)
            if self._monotonic() - self._written_at > LONGEST_REST_S:
                self._doubts = 0
            self._not_before = self._written_at + _nth(self._doubts)
            self._doubts += 1
            self._shows = None

    def _urge(self, *, is_new: bool) -> None:
        """It is called for: a new call is written even where the coil is believed to be on."""
        if is_new and self._shows:
            self._shows = None
        self._hurry()
        self._changed.set()

    def _hurry(self) -> None:
        self._not_before = min(self._not_before, self._written_at + AGAIN_S)

    async def _switch(self, settings: AnnunciatorSettings, on: bool) -> None:
        why, self._last = "", on
        try:
            async with asyncio.timeout(WRITE_S):
                outcome = await self._write(self._order(settings, on))
            if not outcome.is_done:
                why = outcome.text.en
        except TimeoutError:
            why = "no answer in time"
        except Refused as refused:
            why = refused.text.en
        self._written_at = self._monotonic()
        if why:
            self._failed(why)
        else:
            self._worked(on)
        self._settled.set()

    def _failed(self, why: str) -> None:
        self._shows = None
        self._tries += 1
        self._not_before = self._written_at + _nth(self._tries - 1)
        if self._tries == LOUD_TRIES:
            log.error("annunciator_failing reason=%s", why)
            self._tell(SITE, "annunciator_failing", {"why": why})

    def _worked(self, on: bool) -> None:
        if self._tries >= LOUD_TRIES:
            log.info("annunciator_recovered")
            self._tell(SITE, "annunciator_recovered", {})
        self._shows, self._tries, self._is_lost = on, 0, False
        log.info("annunciator_switched on=%s", on)

    def _order(self, settings: AnnunciatorSettings, on: bool) -> Order:
        self._switches += 1
        by = ANNUNCIATOR_ROLE
        return Order(settings.device, settings.point, on, by, by, by, f"{by}-{self._time.now()}-{self._switches}")


class AnnunciatorNotifier:
    """The same horn as a channel of routes and escalations."""

    def __init__(self, annunciator: Annunciator) -> None:
        self._annunciator = annunciator

    async def send(self, notice: Notice) -> None:
        """Sound for the alarms of a notice that somebody has to acknowledge."""
        self._annunciator.call(notice.calls)
        await self._annunciator.sounded()

    async def close(self) -> None:
        """The horn belongs to its owner."""


def _coil(settings: AnnunciatorSettings) -> tuple[str, str]:
    return settings.device, settings.point


def _nth(times: int) -> float:
    """How long to wait before the next try, seconds."""
    return RETRIES_S[min(times, len(RETRIES_S) - 1)]


def _restored(found: Mapping[str, bytes], now: int) -> Sounding:
    calls = {key.removeprefix(CALL): min(int(at), now) for key, at in found.items() if key.startswith(CALL)}
    at = found.get(SILENCED)
    return Sounding(calls, None if at is None else min(int(at), now))


def _changes(before: Sounding, after: Sounding) -> dict[str, bytes | None]:
    """What of it has to be kept anew."""
    changed: dict[str, bytes | None] = {
        CALL + key: str(at).encode() for key, at in after.calls.items() if before.calls.get(key) != at
    }
    changed |= {CALL + key: None for key in before.calls if key not in after.calls}
    if before.silenced_at != after.silenced_at:
        changed[SILENCED] = None if after.silenced_at is None else str(after.silenced_at).encode()
    return changed
