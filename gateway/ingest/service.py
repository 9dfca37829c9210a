"""`vigil ingest` put together: a worker, the watch over silent sites, and the page of counters."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from gateway.errors import GatewayError
from gateway.ingest.books import Books, exposition
from gateway.ingest.dead_letters import DeadLetters
from gateway.ingest.metrics_page import metrics_page
from gateway.ingest.patience import PatientSink
from gateway.ingest.replay import Replayed, replay
from gateway.ingest.site_watch import SiteWatch, watch_session
from gateway.ingest.watch import Watch
from gateway.ingest.worker import Worker, worker_session
from gateway.ports import Clock, Sink
from gateway.settings.types import IngestSettings


async def run_ingest(settings: IngestSettings, sink: Sink, clock: Clock, stop: asyncio.Event) -> Books:
    """Carry messages into `sink` until `stop`; closes `sink`. Gives what was counted."""
    books = Books()
    patient = PatientSink(sink, books)
    worker = Worker(
        worker_session(settings.mqtt),
        patient,
        dead_letters_of(settings),
        books,
        share=settings.mqtt.share,
        confirm=settings.mqtt.confirm is True,
        wall_ms=clock.wall_ms,
    )
    watch = SiteWatch(watch_session(settings.mqtt), patient, books, clock, Watch())
    gauges = worker.gauges() | watch.gauges()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(sink.close)
        if settings.metrics is not None:
            page = metrics_page(settings.metrics.host, settings.metrics.port, partial(exposition, books, gauges))
            try:
                await stack.enter_async_context(page)
            except OSError as error:
                raise GatewayError(f"metrics: {error}", f"metrics（指标页面）：{error}") from error
        watching = asyncio.create_task(watch.run(), name="ingest-watch")
        working = asyncio.create_task(worker.run(stop), name="ingest-worker")
        try:
            await asyncio.wait({watching, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            if not stop.is_set():
                working.cancel()
            outcomes = await asyncio.gather(watching, working, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
                raise outcome
    return books


async def replay_dead_letters(settings: IngestSettings, sink: Sink, clock: Clock) -> Replayed:
    """Try every dead letter again; closes `sink`."""
    try:
        return await replay(dead_letters_of(settings), sink, clock.wall_ms())
    finally:
        await sink.close()


def dead_letters_of(settings: IngestSettings) -> DeadLetters:
    """The folder of dead letters below the state directory."""
    return DeadLetters(settings.state_dir / "dead-letters")
