"""A site file served: every line an endpoint, every device a unit, one plant behind them all."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from gateway.errors import GatewayError
from gateway.settings.types import LineSettings, SiteSettings
from gateway.sim.binding import (
    field_of,
    framing_of,
    line_options,
    network_address,
    redirected,
    refuses_gaps,
    serial_path,
    timing_of,
    unit_of,
)
from gateway.sim.devices import SimulatedDevice
from gateway.sim.faults import FaultBoard
from gateway.sim.memory import Cell, Memory
from gateway.sim.plant.site import Plant
from gateway.sim.scenario import EMPTY, Scenario, Script
from gateway.sim.servers.bus import Bus
from gateway.sim.servers.network import TcpLine, UdpLine
from gateway.sim.servers.port_link import is_left_behind
from gateway.sim.servers.serial import SerialLine
from gateway.sim.staging import Stage

#: Real time between two steps of the plant.
TICK_S = 0.1
#: After a longer stop (a suspended machine) the plant goes on from where it was instead of catching up.
_LONGEST_LAG_S = 1.0


class CannotServe(GatewayError):
    """An endpoint cannot be opened."""


class ServedLine(Protocol):
    """One line's endpoint; `close` and `open` again keep its address."""

    bus: Bus

    @property
    def endpoint(self) -> str: ...
    async def open(self) -> None: ...
    async def close(self) -> None: ...


class Simulation:
    """A running plant and its endpoints, `tcp:127.0.0.1:1502` or `serial:/run/x/genset-bus` by line id."""

    def __init__(
        self,
        site: SiteSettings,
        plant: Plant,
        lines: Mapping[str, ServedLine],
        devices: Mapping[str, SimulatedDevice],
        scenario: Scenario,
        language: str,
    ) -> None:
        self.site = site
        self.plant = plant
        self.devices = devices
        self.ticking: asyncio.Task[None] | None = None
        """Advances the plant with real time, where nobody else does."""
        self._lines = lines
        self._cut: set[str] = set()
        self._script = Script(scenario)
        self._stage = Stage(site, plant, devices, {line: served.bus.faults for line, served in lines.items()})
        self._stage.check(scenario, language)

    @property
    def endpoints(self) -> Mapping[str, str]:
        return {line: served.endpoint for line, served in self._lines.items()}

    @property
    def counters(self) -> Counter[str]:
        """Requests, answers and strangers of all lines."""
        return sum((served.bus.counters for served in self._lines.values()), Counter())

    def redirected(self) -> SiteSettings:
        """The site with its lines pointing here."""
        lines = []
        for line in self.site.lines:
            endpoint, options = redirected(line, self.endpoints[line.id])
            lines.append(replace(line, endpoint=endpoint, options=options))
        return replace(self.site, lines=tuple(lines))

    async def advance(self, dt_s: float) -> None:
        """One step of `dt_s` plant seconds with all the scenario has for it; lines are cut and restored."""
        self.plant.advance(dt_s)
        elapsed_s = self.plant.elapsed_s
        self._stage.expire(elapsed_s)
        for action in self._script.due(elapsed_s):
            self._stage.perform(action, elapsed_s)
        for name, line in self._lines.items():
            is_cut = line.bus.faults.is_cut
            if is_cut and name not in self._cut:
                self._cut.add(name)
                await line.close()
            elif not is_cut and name in self._cut:
                self._cut.discard(name)
                await _open(line)

    async def run_until(self, stop: asyncio.Event) -> None:
        """Wait for `stop`; raises what ended the plant, should it end."""
        waiting = asyncio.create_task(stop.wait(), name="stop of the simulation")
        ticking = [self.ticking] if self.ticking is not None else []
        try:
            done, _ = await asyncio.wait([waiting, *ticking], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        for task in done - {waiting}:
            task.result()

    async def run(self, speed: float = 1.0) -> None:
        """Advance with real time, `speed` times as fast, until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time() + TICK_S
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self.advance(TICK_S * speed)
            due += TICK_S
            if loop.time() - due > _LONGEST_LAG_S:
                due = loop.time()


@asynccontextmanager
async def serve(
    site: SiteSettings,
    *,
    seed: int = 1,
    speed: float = 1.0,
    scenario: Scenario = EMPTY,
    ports: Path | None = None,
    free_ports: bool = False,
    paused: bool = False,
    strict: bool = False,
    language: str = "en",
) -> AsyncIterator[Simulation]:
    """Serve every line of `site` while the context lasts.

    TCP and UDP lines stand at their own address where that is on this machine, else at a free port of 127.0.0.1
    (`free_ports`: always). Serial lines are pseudo-terminals linked at their configured path where that is outside
    /dev and free, else below `ports` (default: a temporary folder). `paused`: nobody but the caller advances the plant.
    `strict`: devices refuse every address without a point; else one between points of a table reads as 0, but where
    settings say that the device takes no gap.
    ConfigError for a scenario that does not fit the site, CannotServe where an address is taken.
    """
    async with AsyncExitStack() as stack:
        if ports is None:
            folder = tempfile.TemporaryDirectory(prefix="vigil-ports-")
            ports_folder = Path(stack.enter_context(folder))
        else:
            ports_folder = ports
        plant = Plant(site, seed)
        devices = {device.id: SimulatedDevice(device, plant) for device in site.devices}
        lines = {
            line.id: _served_line(line, site, devices, seed, ports, ports_folder, free_ports=free_ports, strict=strict)
            for line in site.lines
        }
        simulation = Simulation(site, plant, lines, devices, scenario, language)
        # The instruments have settled before anybody looks.
        await simulation.advance(TICK_S)
        for line in lines.values():
            await _open(line)
            stack.push_async_callback(line.close)
        if not paused:
            simulation.ticking = asyncio.create_task(simulation.run(speed), name="simulated plant")
            stack.push_async_callback(_end, simulation.ticking)
        yield simulation


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def _open(line: ServedLine) -> None:
    try:
        await line.open()
    except OSError as error:
        is_taken = error.errno == errno.EADDRINUSE
        raise CannotServe(
            f"{line.endpoint}: {error.strerror or error}",
            f"{line.endpoint}：{'地址已被占用' if is_taken else error.strerror or error}",
        ) from error


def _served_line(
    line: LineSettings,
    site: SiteSettings,
    devices: Mapping[str, SimulatedDevice],
    seed: int,
    ports: Path | None,
    ports_folder: Path,
    *,
    free_ports: bool,
    strict: bool,
) -> ServedLine:
    units = {}
    for settings in site.devices:
        if settings.line == line.id:
            marks = [mark.point for mark in settings.identity]
            cells = [Cell(point.name, field_of(point)) for point in (*settings.points, *marks)]
            device = devices[settings.id]
            units[unit_of(settings)] = Memory(
                cells, device.read, device.write, serves_gaps=not (strict or refuses_gaps(settings))
            )
    bus = Bus(units, FaultBoard(f"{seed}/{line.id}"), timing_of(line), framing_of(line))
    options = line_options(line)
    if options.serial is not None:
        wanted = serial_path(line, site.source.parent)
        return SerialLine(bus, ports_folder / line.id if ports is not None or not _can_link(wanted) else wanted)
    host, port = network_address(line)
    if free_ports or not _is_here(host):
        host, port = "127.0.0.1", 0
    return TcpLine(bus, host, port) if options.tcp is not None else UdpLine(bus, host, port)


def _can_link(path: Path) -> bool:
    """Outside /dev, and nothing there but a link that leads nowhere, or that a killed simulator left behind."""
    return not path.is_relative_to("/dev") and (not path.exists() or is_left_behind(path))


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
