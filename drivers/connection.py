"""Keeps a link open: opens it when it is wanted, waits longer after each failure, says once that it is down and once
that it is back."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from dataclasses import dataclass

from drivers.links import Link, Receiver
from gateway.ports import Clock

log = logging.getLogger(__name__)

#: A link that was open so long and is closed while nobody asks is opened again at once.
STEADY_S = 5.0
#: One that is closed sooner, without ever having been wanted, is looked for again after this time.
UNWANTED_S = 30.0


@dataclass(slots=True)
class Backoff:
    """Seconds to wait after each failure in a row: doubling from `first_s` to `most_s`, each up to a third shorter by
    chance, so that many gateways do not come at once."""

    first_s: float
    most_s: float
    _failures: int = 0

    def next_s(self) -> float:
        wait = min(self.most_s, self.first_s * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return wait * (1 - random.random() / 3)  # noqa: S311 - jitter

    def reset(self) -> None:
        self._failures = 0


class Connection:
    """One link, opened by whoever needs it; attempts go on in the background up to `open_s`."""

    def __init__(self, link: Link, receiver: Receiver, clock: Clock, backoff: Backoff, open_s: float) -> None:
        self.link = link
        self.opened = 0
        self._receiver = receiver
        self._clock = clock
        self._backoff = backoff
        self._open_s = open_s
        self._attempt: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._unwanted_until = 0.0
        self._opened_at = 0.0
        self._why = ""
        self._down_since: float | None = None
        self._is_wanted = False
        self._answered = False

    async def ready(self, deadline: float) -> str | None:
        """None where the link is open, else why not. Of those who ask the first waits for an attempt, at most until
        `deadline`."""
        if self.link.is_open:
            return None
        attempt, is_awaited = self._attempt, self._is_wanted
        self._is_wanted = True
        if attempt is None:
            if self._clock.monotonic() < self._not_before:
                return self._why
            attempt, is_awaited = self._begin(), False
        if not is_awaited:
            await asyncio.wait((attempt,), timeout=max(0.0, deadline - self._clock.monotonic()))
            if attempt.done() and not attempt.cancelled():
                attempt.result()
        return None if self.link.is_open else self._why or "connecting"

    def reach(self) -> bool | None:
        """Whether the link is open; False since opening failed, None where that is not known. Opens it again in the
        background though nobody asks, but not where an open link says nothing of the other side."""
        if self.link.is_open:
            return True if self.link.has_peer else None
        was_tried = self.opened or self._down_since is not None
        if not self.link.has_peer or not was_tried:
            return None
        if self._attempt is None and self._clock.monotonic() >= max(self._not_before, self._unwanted_until):
            self._is_wanted = False
            self._begin()
        return None if self._down_since is None else False

    def _begin(self) -> asyncio.Task[None]:
        self._attempt = asyncio.create_task(self._open(), name=f"open {self.link.name}")
        return self._attempt

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(self._open_s):
                await self.link.open(self._receiver)
        except TimeoutError:
            self._fail("no answer to connecting")
        except OSError as error:
            self._fail(os.strerror(error.errno) if error.errno else error.strerror or str(error))
        else:
            self.opened += 1
            self._opened_at = self._clock.monotonic()
            self._answered = False
            self._why = ""
            if self._down_since is not None:
                seconds = self._clock.monotonic() - self._down_since
                self._down_since = None
                log.info("line up endpoint=%s down_s=%.1f", self.link.name, seconds)
        finally:
            self._attempt = None

    def answered(self) -> None:
        """Something believable came: the next loss is not held against the other side."""
        if not self._answered:
            self._answered = True
            self._backoff.reset()

    def lost(self, why: str, *, asking: bool) -> None:
        """The link is gone; `asking`: while a request was under way. One that gave answers, or held long and was closed
        unused, is opened again at once; others are waited for."""
        self._why = why
        now = self._clock.monotonic()
        if self._answered or (not asking and now - self._opened_at >= STEADY_S):
            self._not_before = self._unwanted_until = 0.0
            self._answered = False
        elif asking or self._is_wanted:
            self._fail(why)
        else:
            self._unwanted_until = now + UNWANTED_S

    def drop(self) -> None:
        """Close the link to start afresh with the next request; no fault of the other side's listener."""
        self.link.close()
        self._not_before = 0.0

    def _fail(self, why: str) -> None:
        self._why = why
        self._unwanted_until = 0.0
        wait = self._backoff.next_s()
        self._not_before = self._clock.monotonic() + wait
        if self._down_since is None:
            self._down_since = self._clock.monotonic()
            log.warning("line down endpoint=%s why=%s retry_s=%.1f", self.link.name, why, wait)

    async def close(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait((self._attempt,))
        self.link.close()
