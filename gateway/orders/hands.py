"""The running gateway as writing, reading by hand and probing see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from gateway.model import Answer, Fault, FaultKind, Job
from gateway.pipeline import Pipeline
from gateway.polling.poller import Poller
from gateway.ports import Clock, Line, PointAccess
from gateway.settings.types import DeviceSettings, LineSettings, SiteSettings
from gateway.store import Store
from gateway.wire.messages import Json

MakeProbe: TypeAlias = Callable[[LineSettings, str, int, int, int, float], Job]
"""Line, table, first address, count, unit and time-out to the job; ValueError for what cannot be asked."""


class Lines(Protocol):
    """gateway.field.Field."""

    @property
    def lines(self) -> Mapping[str, Line]: ...

    @property
    def pollers(self) -> Mapping[str, Poller]: ...


class Running(Protocol):
    """gateway.app.Gateway."""

    site: SiteSettings
    store: Store
    clock: Clock
    pipeline: Pipeline

    @property
    def field(self) -> Lines: ...


class SiteHands:
    """gateway.writing.Hands over a running gateway: every job goes through the owner of its line, between polls."""

    def __init__(
        self,
        gateway: Running,
        compile_access: Callable[[LineSettings, DeviceSettings], PointAccess],
        make_probe: MakeProbe,
    ) -> None:
        self.make_probe = make_probe
        self._gateway = gateway
        self._compile = compile_access
        self._access: dict[str, tuple[DeviceSettings, PointAccess]] = {}

    @property
    def site(self) -> SiteSettings:
        return self._gateway.site

    def access(self, device: DeviceSettings) -> PointAccess:
        known = self._access.get(device.id)
        if known is None or known[0] is not device:
            line = next(each for each in self.site.lines if each.id == device.line)
            known = self._access[device.id] = (device, self._compile(line, device))
        return known[1]

    async def ask(self, line: str, job: Job) -> Answer | Fault:
        poller = self._gateway.field.pollers.get(line)
        if poller is None:
            return Fault(FaultKind.DOWN, self._gateway.clock.monotonic(), detail="the line is closed")
        return await poller.lend(job)

    def rests_until(self, line: str, unit: int) -> float:
        owner = self._gateway.field.lines.get(line)
        return 0.0 if owner is None else owner.rests_until(unit)

    async def rest(self, line: str, unit: int, longest_s: float) -> None:
        """Wait until `unit` may be asked, at most `longest_s`."""
        clock = self._gateway.clock
        await clock.sleep_until(min(self.rests_until(line, unit), clock.monotonic() + longest_s))

    async def record(self, device: str, type_: str, data: Mapping[str, Json]) -> bool:
        row = self._gateway.pipeline.event(device, type_, data)
        if row is None:
            return False
        await self._gateway.store.outbox.committed(row.seq)
        return True
