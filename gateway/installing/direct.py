"""Reading and writing where no gateway runs: the command opens the line itself, holding the lock of the state."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import AsyncIterator, Mapping

from drivers.modbus import compile_device, open_line
from gateway.app import Gateway
from gateway.clock import SystemClock
from gateway.control import Peer, Registry, Request
from gateway.errors import StoreError
from gateway.flow.snapshot import Snapshot
from gateway.installing.requests import register_commissioning
from gateway.model import Fault, FaultKind, MaybeValue
from gateway.orders import CommandBook, register_orders
from gateway.orders.reading import read_rows
from gateway.polling.identification import identified
from gateway.polling.poll import PolledDevice
from gateway.settings.types import DeviceSettings, SiteSettings
from gateway.store import open_store
from gateway.wire.messages import Json


def _tell_nobody(_device: str, _found: Mapping[str, MaybeValue] | None) -> None:
    """The statuses of the points say it."""


class DirectReader:
    """One device, polled when it is asked for."""

    def __init__(self, site: SiteSettings, device: DeviceSettings) -> None:
        self._clock = SystemClock()
        self._device = device
        line = next(each for each in site.lines if each.id == device.line)
        self._line = open_line(line, self._clock)
        self._plan = identified(compile_device, _tell_nobody)(line, device)
        self._snapshot = Snapshot({device.id: device.points})

    async def read(self, names: tuple[str, ...]) -> Mapping[str, Json]:
        """The named points (all where none is named) after one poll of the device; `line_down` says why nothing could
        be asked."""
        clock, down = self._clock, None
        poll = PolledDevice(self._device.id, self._plan, clock.monotonic(), 0.0).take(clock.monotonic())
        while poll.pending:
            job = poll.pending.pop()
            outcome = await self._line.run(job, clock.monotonic() + job.timeout_s + job.wire_ms / 1000)
            poll.record(job, outcome)
            if isinstance(outcome, Fault) and outcome.kind is FaultKind.DOWN:
                down = outcome.detail
                poll.fail(outcome)
            elif isinstance(outcome, Fault) and outcome.kind is FaultKind.TIMEOUT:
                poll.fail_unit(job.unit, outcome)
        now = clock.monotonic()
        self._snapshot.update(poll.reading(clock), now)
        rows = read_rows(self._device, self._snapshot.latest(self._device.id, now), names, now)
        return rows if down is None else {**rows, "line_down": down}

    async def close(self) -> None:
        await self._line.close()


@contextlib.asynccontextmanager
async def reading(site: SiteSettings, device: DeviceSettings) -> AsyncIterator[DirectReader]:
    """A reader for as long as the block lasts."""
    reader = DirectReader(site, device)
    try:
        yield reader
    finally:
        await reader.close()


@contextlib.asynccontextmanager
async def orders_taken(site: SiteSettings) -> AsyncIterator[Registry]:
    """What a running gateway would be asked, answered by one that polls nothing: its journal keeps the record."""
    _refuse_foreign_state(site)
    store = open_store(site.state_dir)
    try:
        gateway = Gateway(site, store)
        registry = Registry()
        book = CommandBook(lambda: site.operators_file, store.documents, gateway.clock.wall_ms)
        hands = gateway.hands()
        writing = register_orders(gateway, hands, registry, book)
        register_commissioning(registry, hands)
        try:
            yield registry
        finally:
            await writing.close(5.0)
            await gateway.field.close()
    finally:
        store.close()


def _refuse_foreign_state(site: SiteSettings) -> None:
    """A state written by another user would keep the gateway from starting."""
    folder = site.state_dir
    if folder.exists() and folder.stat().st_uid != os.geteuid():
        raise StoreError(
            f"{folder}: belongs to another user; run this as its owner",
            f"{folder}：属于其他用户，请用其所有者的身份运行",
        )


def local_request(name: str, args: Mapping[str, Json]) -> Request:
    """A request by the user of this process."""
    return Request(name, args, Peer(os.getuid(), _user()))


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"
