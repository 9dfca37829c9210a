"""Writing to a sink until it has taken everything: waits out outages, says once that there is one and once that it is
over."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence

from gateway.errors import SinkMisconfigured, SinkRejected, SinkUnavailable
from gateway.ingest.books import Books
from gateway.ports import Fact, Sink

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.25
LAST_DELAY_S = 10.0


class PatientSink:
    """A sink that is only ever late. What waits here is one batch per caller."""

    def __init__(self, sink: Sink, books: Books) -> None:
        self._sink = sink
        self._books = books
        self._down_since: float | None = None
        self._kind: type[SinkUnavailable] | None = None

    @property
    def outage_s(self) -> float:
        """For how long the database has not taken anything; 0 while it does."""
        return 0.0 if self._down_since is None else asyncio.get_running_loop().time() - self._down_since

    async def write(self, facts: Sequence[Fact]) -> dict[int, str]:
        """Return when every fact is stored or refused for good; gives the reasons of the refused by their index."""
        delay_s = FIRST_DELAY_S
        while True:
            rejected: dict[int, str] = {}
            try:
                if facts:
                    await self._sink.write(facts)
            except SinkRejected as error:
                rejected = error.reasons
            except SinkUnavailable as error:
                self._books.retries += 1
                self._note_outage(error)
                await asyncio.sleep(max(delay_s * random.uniform(0.7, 1.0), error.after_s or 0.0))  # noqa: S311
                delay_s = min(delay_s * 2, LAST_DELAY_S)
                continue
            if facts:
                self._note_recovery()
                self._books.batches += 1
                self._books.facts += len(facts) - len(rejected)
                self._books.rejected += len(rejected)
            return rejected

    def _note_outage(self, error: SinkUnavailable) -> None:
        if self._down_since is None:
            self._down_since = asyncio.get_running_loop().time()
        if self._kind is not type(error):
            self._kind = type(error)
            needs_person = isinstance(error, SinkMisconfigured)
            level = logging.ERROR if needs_person else logging.WARNING
            log.log(level, "database_down needs_person=%s reason=%s", str(needs_person).lower(), error)

    def _note_recovery(self) -> None:
        if self._down_since is not None:
            log.info("database_up outage_s=%.1f", self.outage_s)
            self._down_since = self._kind = None
