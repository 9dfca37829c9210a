"""A link that is there again whenever the network lets it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.mqtt.failures import LinkFailed, LinkFault
from gateway.mqtt.link import Link
from gateway.mqtt.opening import open_link
from gateway.mqtt.shapes import LinkOptions
from gateway.settings.types import MqttSettings

log = logging.getLogger(__name__)

FIRST_DELAY_S = 1.0
LAST_DELAY_S = 30.0
EAGER_S = 60.0
"""For so long after a loss every attempt waits only the first delay: most outages are restarts."""
STEADY_S = 20.0
"""A link that lived shorter belongs to the outage before it: the delays go on, and nothing is said twice."""

Serve = Callable[[Link], Awaitable[None]]


class Session:
    """Opens a link, serves it, and opens the next one when it ends."""

    def __init__(self, settings: MqttSettings, options: LinkOptions) -> None:
        self._settings = settings
        self._options = options
        self._link: Link | None = None
        self.failure: LinkFailed | None = None
        """Why there is no link now; None while there is one or before the first attempt has ended."""
        self.connects = 0
        self._announced: set[LinkFault] = set()
        self._delay_s = FIRST_DELAY_S
        self._down_since: float | None = None
        self._up_since: float | None = None

    @property
    def link(self) -> Link | None:
        """The link as long as it is up."""
        return self._link if self._link is not None and not self._link.lost.done() else None

    async def run(self, serve: Serve) -> None:
        """Run `serve(link)` for each link, until it returns by itself, somebody closes the link, or `run` is cancelled.

        `serve` is cancelled when its link ends, and may raise LinkFailed (also in a group). Cancelling `run` drops the
        link without a goodbye.
        """
        while True:
            try:
                link = await open_link(self._settings, self._options)
            except LinkFailed as failure:
                self._note_failure(failure)
            else:
                self._note_link(link)
                try:
                    if await self._serve(link, serve):
                        return
                finally:
                    self._link = None
                    link.abort(LinkFailed(LinkFault.LOST, "not served any more"))
            await asyncio.sleep(self._delay_s * random.uniform(0.6, 1.2))  # noqa: S311  # spreads a fleet

    async def _serve(self, link: Link, serve: Serve) -> bool:
        """True if it is over, by `serve` or by a goodbye."""
        serving = asyncio.ensure_future(serve(link))
        either: set[asyncio.Future[Any]] = {serving, link.lost}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended_by_itself = serving.done()
            serving.cancel()
            outcome = (await asyncio.gather(serving, return_exceptions=True))[0]
        failure = _link_failure(outcome)
        if link.is_closed:
            return True
        if failure is not None or not ended_by_itself:
            self._note_failure(link.lost.result() if link.lost.done() else failure or LinkFailed(LinkFault.LOST))
            return False
        return True

    def _note_failure(self, failure: LinkFailed) -> None:
        """Down once per outage and kind of failure; ERROR where waiting cures nothing."""
        now = asyncio.get_running_loop().time()
        was_steady = self._up_since is not None and now - self._up_since >= STEADY_S
        if self._down_since is None or was_steady:
            self._down_since = now
            self._announced.clear()
            self._delay_s = FIRST_DELAY_S
        if failure.fault.needs_person or now - self._down_since > EAGER_S:
            self._delay_s = min(self._delay_s * 2, LAST_DELAY_S)
        self._up_since = None
        self.failure = failure
        level = logging.ERROR if failure.fault.needs_person else logging.WARNING
        if failure.fault in self._announced:
            level = logging.DEBUG
        self._announced.add(failure.fault)
        log.log(level, "mqtt_down broker=%s fault=%s reason=%s", self._broker, failure.fault.name.lower(), failure)

    def _note_link(self, link: Link) -> None:
        now = asyncio.get_running_loop().time()
        outage_s = 0.0 if self._down_since is None else now - self._down_since
        self._link = link
        self.failure = None
        self.connects += 1
        self._up_since = now
        version = "5" if link.version == 5 else "3.1.1"
        log.info("mqtt_up broker=%s version=%s window=%d outage_s=%.1f", self._broker, version, link.window, outage_s)

    @property
    def _broker(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"


def _link_failure(outcome: BaseException | None) -> LinkFailed | None:
    """The LinkFailed in what `serve` ended with, if it is nothing else; anything else is raised."""
    if outcome is None or isinstance(outcome, asyncio.CancelledError):
        return None
    if isinstance(outcome, LinkFailed):
        return outcome
    if isinstance(outcome, BaseExceptionGroup):
        mine, rest = outcome.split(LinkFailed)
        if rest is None and mine is not None:
            return _first(mine)
    raise outcome


def _first(group: BaseExceptionGroup[LinkFailed]) -> LinkFailed:
    leaf = group.exceptions[0]
    return _first(leaf) if isinstance(leaf, BaseExceptionGroup) else leaf
