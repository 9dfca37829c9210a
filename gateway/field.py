"""The lines of a site and who asks them: opened, polled, changed while they run, closed in bounded time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.model import Reading
from gateway.polling.gate import Gate
from gateway.polling.poll import DeviceStats
from gateway.polling.poller import Poller
from gateway.polling.schedule import spread
from gateway.ports import Clock, DevicePlan, Line
from gateway.settings.types import DeviceSettings, LineSettings, SiteSettings

log = logging.getLogger(__name__)

CLOSE_S = 1.0
"""How long a line may take to close."""

OpenLine = Callable[[LineSettings, Clock], Line]
CompileDevice = Callable[[LineSettings, DeviceSettings], DevicePlan]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of a site are asked: compiled, not yet in use."""

    lines: Mapping[str, LineSettings]
    devices: Mapping[str, DeviceSettings]
    plans: Mapping[str, Mapping[str, DevicePlan]]
    """Of each line, by device."""


def is_asked_alike(one: DeviceSettings, other: DeviceSettings) -> bool:
    """Whether two settings of a device lead to the same requests, whatever is made of the answers."""
    return _asking(one) == _asking(other)


def _asking(device: DeviceSettings) -> DeviceSettings:
    return replace(
        device, name=None, kind="", profile=None, facts={}, mandatory=(), depends_on=(), not_measured=(), writes={},
        longest_interval_s={},
    )  # fmt: skip


class Field:
    """Owns lines and pollers. `deliver` gets each reading; it must not block."""

    def __init__(
        self, clock: Clock, deliver: Callable[[Reading], None], open_line: OpenLine, compile_device: CompileDevice
    ) -> None:
        self.lines: dict[str, Line] = {}
        """A live view: what is polled now."""
        self.pollers: dict[str, Poller] = {}
        self._clock = clock
        self._deliver = deliver
        self._open_line = open_line
        self._compile = compile_device
        self._layout = Layout({}, {}, {})
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._gate = Gate()
        self._past: dict[str, int] = {"polls": 0, "skipped": 0}

    def plan(self, site: SiteSettings) -> Layout:
        """Compile what is new in `site`; devices that are asked as before keep what was learnt about them. Changes
        nothing yet and may run in another thread."""
        lines = {line.id: line for line in site.lines}
        before = self._layout
        plans: dict[str, dict[str, DevicePlan]] = {line: {} for line in lines}
        for device in site.devices:
            known = before.devices.get(device.id)
            is_same_line = before.lines.get(device.line) == lines[device.line]
            if known is not None and is_same_line and is_asked_alike(known, device):
                plans[device.line][device.id] = before.plans[device.line][device.id]
            else:
                plans[device.line][device.id] = self._compile(lines[device.line], device)
        return Layout(lines, {device.id: device for device in site.devices}, plans)

    async def apply(self, layout: Layout) -> None:
        """Ask as `layout` says from now on. Lines that are the same are not interrupted."""
        before, self._layout = self._layout, layout
        closing = [name for name, line in before.lines.items() if layout.lines.get(name) != line]
        leaving = [(self._tasks.pop(name, None), self.lines.pop(name)) for name in closing]
        for name in closing:
            self._note_past(self.pollers.pop(name).stats())
        for task, _ in leaving:
            if task is not None:
                task.cancel()
        for name, poller in self.pollers.items():
            plans, known = layout.plans[name], before.plans[name]
            if plans != known:
                gone = {name for name, plan in known.items() if plans.get(name) is not plan}
                self._note_past([each for each in poller.stats() if each.device in gone])
                poller.replace(plans, spread(tuple(plans)))
        await _close(leaving)
        self.open(layout)

    def open(self, layout: Layout) -> None:
        """Open the lines of `layout` that are not open; they connect with their first request."""
        self._layout = layout
        for name, line in layout.lines.items():
            if name in self.lines:
                continue
            plans = layout.plans[name]
            self.lines[name] = self._open_line(line, self._clock)
            phases = spread(tuple(plans))
            self.pollers[name] = Poller(self.lines[name], plans, self._clock, self._deliver, phases, self._gate)
            self._start(name)

    async def run(self) -> None:
        """Poll until cancelled; then give up what is under way and close all lines."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for name in self.pollers:
                    self._start(name)
                await asyncio.get_running_loop().create_future()
        finally:
            self._group = None
            await self.close()

    async def close(self) -> None:
        """Stop asking and let go of all lines, in bounded time."""
        leaving = [(self._tasks.pop(name, None), line) for name, line in self.lines.items()]
        for task, _ in leaving:
            if task is not None:
                task.cancel()
        await _close(leaving)

    def stats(self) -> list[DeviceStats]:
        """How each device has answered."""
        return [stats for poller in self.pollers.values() for stats in poller.stats()]

    @property
    def past(self) -> Mapping[str, int]:
        """`polls` and `skipped` of pollers that are gone, so that sums never run back."""
        return self._past

    def turned_at(self) -> float:
        """When the poller that is furthest behind last had its turn (monotonic seconds); now, where there is none."""
        return min((poller.turned_at for poller in self.pollers.values()), default=self._clock.monotonic())

    def _start(self, name: str) -> None:
        if self._group is not None:
            self._tasks[name] = self._group.create_task(self.pollers[name].run(), name=f"poller-{name}")

    def is_silent(self, line: str) -> bool:
        """Whether no device of `line` answers."""
        poller = self.pollers.get(line)
        return poller is not None and all(each.silent_since is not None for each in poller.stats())

    def _note_past(self, stats: Sequence[DeviceStats]) -> None:
        for each in stats:
            self._past["polls"] += each.polls
            self._past["skipped"] += each.skipped


async def _close(leaving: Sequence[tuple[asyncio.Task[None] | None, Line]]) -> None:
    tasks = [task for task, _ in leaving if task is not None]
    if tasks:
        await asyncio.wait(tasks, timeout=CLOSE_S)
    closing = [asyncio.ensure_future(line.close()) for _, line in leaving]
    if closing:
        _, late = await asyncio.wait(closing, timeout=CLOSE_S)
        for each in late:
            log.warning("line_close_abandoned after_s=%.1f", CLOSE_S)
            each.cancel()
        for each in closing:
            if each.done() and not each.cancelled():
                each.result()
