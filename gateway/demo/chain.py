"""Starts the parts of the demo in order, runs them in one loop, and stops them so that the books balance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gateway import app
from gateway.clock import SystemClock
from gateway.control import Registry, serve_control
from gateway.demo.broker import HOST, EmbeddedBroker, free_port
from gateway.demo.centre import HistorySink
from gateway.demo.people import People, introduce
from gateway.ingest.service import run_ingest
from gateway.orders import CommandBook, register_orders
from gateway.settings.bundled import config_dir
from gateway.settings.types import ClockSettings, InfluxSettings, IngestSettings, MqttSettings, SiteSettings
from gateway.sim.scenario_file import load_scenario
from gateway.sim.simulation import Simulation, serve
from gateway.store import open_store
from gateway.web.server import listen
from gateway.web.server import serve as serve_page
from gateway.web.site import build

DRAIN_S = 10.0
FINISH_S = 1.0
OPERATORS = "operators"
OF_THE_RUN = f"operators_file: {OPERATORS}\nstate_dir: gateway\n"
"""What stands in the file of a run beside what ships."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What flowed, in point samples (entries of `v` and `bad`); `stored` counts each sample once."""

    polled: int
    published: int
    unchanged: int
    stored: int

    @property
    def balance(self) -> bool:
        return self.polled == self.published + self.unchanged and self.published == self.stored


@dataclass(frozen=True, slots=True)
class Chain:
    """The running demo, for those who print or test it."""

    page: str
    broker: str
    folder: Path
    file: Path
    """The site file, for commands beside the demo."""
    people: People
    simulation: Simulation
    gateway: app.Gateway
    sink: HistorySink

    def counts(self) -> Counts:
        books = self.gateway.pipeline.counts
        return Counts(books.polled, books.sent, books.unchanged, self.sink.samples)


@asynccontextmanager
async def run_chain(folder: Path, *, seed: int, speed: float, language: str) -> AsyncIterator[Chain]:
    """Everything of the demo, running while the context lasts; at its end nothing is on the way any more.

    `folder` holds its state. CannotServe or GatewayError where something cannot start.
    """
    people, file = introduce(folder / OPERATORS), folder / "demo.yaml"
    file.write_text((config_dir() / "sites" / "demo.yaml").read_text("utf-8") + OF_THE_RUN, "utf-8")
    site = replace(app.load(file, language), language=language, clock=ClockSettings(hardware="trusted"))
    scenario = load_scenario(config_dir() / "scenarios" / "demo.yaml", language)
    clock = SystemClock()
    simulating = serve(
        site, seed=seed, speed=speed, scenario=scenario, ports=folder / "ports", free_ports=True, language=language
    )
    async with EmbeddedBroker(folder) as broker, simulating as simulation:
        mqtt = MqttSettings(
            HOST, broker.port, None, broker.username, broker.password_file, confirm="ingest", version="3.1.1"
        )
        site = replace(simulation.redirected(), mqtt=mqtt)
        centre, state = open_store(folder / "centre"), open_store(site.state_dir)
        try:
            sink = HistorySink(centre.history)
            gateway = app.Gateway(site, state, clock)
            registry = Registry()
            book = CommandBook(lambda: site.operators_file, state.documents, gateway.clock.wall_ms)
            writing = register_orders(gateway, gateway.hands(), registry, book)
            gateway.obey = book.execute
            sock = listen(HOST, free_port(site.web.port if site.web else None))
            page = f"http://{HOST}:{sock.getsockname()[1]}/"
            stop = asyncio.Event()
            ingest = _ingest_settings(site, mqtt, folder)
            async with _together(
                lambda: run_ingest(ingest, sink, clock, stop),
                gateway.run,
                lambda: serve_page(build(lambda: replace(gateway.view(), trend=centre.history.trend)), sock),
                lambda: serve_control(site.state_dir, registry),
            ) as tasks:
                yield Chain(page, f"mqtt://{HOST}:{broker.port}", folder, file, people, simulation, gateway, sink)
                await writing.close(FINISH_S)
                await gateway.drain(DRAIN_S)
                stop.set()
                await asyncio.wait(tasks[:1])
        finally:
            state.close()
            centre.close()


@asynccontextmanager
async def _together(*parts: Callable[[], Awaitable[object]]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Run `parts` while the context lasts; the first error ends it."""

    async def run(part: Callable[[], Awaitable[object]]) -> None:
        await part()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(part)) for part in parts]
        yield tasks
        for task in tasks:
            task.cancel()


def _ingest_settings(site: SiteSettings, mqtt: MqttSettings, folder: Path) -> IngestSettings:
    nowhere = InfluxSettings("", "v1", "demo", None, None, None, None, None)
    return IngestSettings(site.source, replace(mqtt, confirm=True), nowhere, folder / "ingest")
