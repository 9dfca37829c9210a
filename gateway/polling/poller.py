"""The one owner of a line: asks what is due, earliest deadline first, and gives one reading for each poll."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from gateway.model import Answer, Fault, FaultKind, Job, Reading
from gateway.polling.budget import ProbeBudget, UnitHealth, is_failure
from gateway.polling.gate import Gate
from gateway.polling.occupation import Occupation
from gateway.polling.poll import DeviceStats, Poll, PolledDevice
from gateway.polling.schedule import chance_phase
from gateway.ports import Clock, DevicePlan, Line

#: Longest sleep: how late `stop` and `replace` may be noticed.
_LONGEST_SLEEP_S = 1.0
#: Requests in a row that found the line down before it is: one connection may break and be made anew.
_DOWN_AFTER = 2
#: How often the line itself is asked whether its way is there.
_LOOK_EVERY_S = 0.5


class Poller:
    """Polls the devices of one line until stopped or cancelled.

    `deliver` gets each reading as it is made and must not block. `phases` (0..1 by device, `schedule.spread`) places
    first polls; devices without one are placed by their name. All pollers of a loop share one `gate`. The line stays
    open when the poller ends.
    """

    def __init__(
        self,
        line: Line,
        devices: Mapping[str, DevicePlan],
        clock: Clock,
        deliver: Callable[[Reading], None],
        phases: Mapping[str, float] | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._line = line
        self._occupation = Occupation(line, clock)
        self._clock = clock
        self._deliver = deliver
        self._plans = devices
        self._phases: Mapping[str, float] = phases or {}
        self._gate = gate or Gate()
        self._changed = True
        self._stopping = False
        self._devices: dict[str, PolledDevice] = {}
        self._shares: Counter[int] = Counter()
        """How many devices stand behind each unit."""
        self._budget = ProbeBudget()
        self._waiting: list[tuple[float, int, PolledDevice]] = []
        self._ready: list[tuple[float, int, Poll]] = []
        self._order = 0
        self._downs = 0
        """Requests in a row, until now, that found the line down."""
        self._look_at = 0.0
        self._is_down = False
        """The line is known to be down, and its devices are told."""
        self._lent = asyncio.Lock()
        self._is_asking = False
        self._asked = asyncio.Event()
        self.turned_at = clock.monotonic()
        """When the loop of `run` last had its turn (monotonic seconds)."""

    async def run(self) -> None:
        """Poll. A request under way when this is cancelled is given up by the line."""
        clock, gate = self._clock, self._gate
        while not self._stopping:
            if self._changed:
                self._apply()
            self.turned_at = now = clock.monotonic()
            if now >= self._look_at or self._downs or self._is_down:
                self._look(now)
            waiting = self._waiting
            while waiting and waiting[0][0] <= now:
                self._make_ready(heapq.heappop(waiting)[2], now)
            if self._ready:
                if not gate.is_open():
                    await gate.wait()
                    if self._changed:
                        continue
                if self._lent.locked():
                    async with self._lent:
                        continue
                self._is_asking = True
                try:
                    await self._step(clock.monotonic())
                finally:
                    self._is_asking = False
                    if self._lent.locked():
                        self._asked.set()
                continue
            wake = now + _LONGEST_SLEEP_S
            await clock.sleep_until(min(wake, waiting[0][0]) if waiting else wake)

    async def lend(self, job: Job) -> Answer | Fault:
        """Run a job that belongs to no poll, between two requests of polls; the polls only wait for it."""
        async with self._lent:
            while self._is_asking:
                self._asked.clear()
                await self._asked.wait()
            return await self._occupation.run(job)

    def taken_s(self) -> float:
        """How long the line was taken by requests, of polls and lent ones, since this poller was made; in seconds."""
        return self._occupation.taken_s()

    def stop(self) -> None:
        """End `run` after the request under way."""
        self._stopping = True

    def replace(self, devices: Mapping[str, DevicePlan], phases: Mapping[str, float] | None = None) -> None:
        """Poll these devices from now on. A device with the same plan object goes on as it was."""
        self._plans = devices
        self._phases = phases or self._phases
        self._changed = True

    def stats(self) -> Sequence[DeviceStats]:
        """How each device has answered, in the order of their names."""
        for device in self._devices.values():
            silences = [
                health.silent_since
                for unit in device.stats.units
                if (health := self._budget.add(unit)).silent_since is not None
            ]
            device.stats.silent_since = min(silences, default=None)
        return [self._devices[name].stats for name in sorted(self._devices)]

    def _apply(self) -> None:
        self._changed = False
        now = self._clock.monotonic()
        before, self._devices = self._devices, {}
        for name, plan in self._plans.items():
            device = before.get(name)
            if device is None or device.plan is not plan:
                if not plan.jobs():
                    continue
                phase = self._phases.get(name)
                device = PolledDevice(name, plan, now, chance_phase(name) if phase is None else phase)
            self._devices[name] = device
        kept = set(map(id, self._devices.values()))
        self._ready = [entry for entry in self._ready if id(entry[2].device) in kept]
        heapq.heapify(self._ready)
        self._shares = Counter(unit for device in self._devices.values() for unit in device.units())
        self._budget.keep(set(self._shares))
        for unit in self._shares:
            self._budget.add(unit)
        self._waiting = []
        for device in self._devices.values():
            if not device.queued:
                self._wait(device)

    def _look(self, now: float) -> None:
        """Whether the line is down, by what requests found or by what it knows itself; if that is news, devices that
        are polled rarely are told as soon as those that are polled often."""
        self._look_at = now + _LOOK_EVERY_S
        is_there = self._line.reach() if self._devices else None
        if is_there is False:
            self._downs = max(self._downs, _DOWN_AFTER)
        elif is_there and self._is_down:
            self._downs = 0
        is_down = self._downs >= _DOWN_AFTER
        if is_down is not self._is_down:
            self._is_down = is_down
            self._summon(now, lambda device: device.is_down() is not is_down)

    def _summon(self, now: float, wanted: Callable[[PolledDevice], bool]) -> None:
        """Poll the devices that are `wanted` now: something they do not know yet happened to their line or unit."""
        for device in self._devices.values():
            if not device.queued and wanted(device):
                device.due.hasten_next(now)
        self._waiting = []
        for device in self._devices.values():
            if not device.queued:
                self._wait(device)

    def _wait(self, device: PolledDevice) -> None:
        self._order += 1
        heapq.heappush(self._waiting, (device.due.next_at, self._order, device))

    def _make_ready(self, device: PolledDevice, now: float) -> None:
        device.queued = True
        poll = device.take(now)
        self._order += 1
        heapq.heappush(self._ready, (poll.deadline, self._order, poll))

    async def _step(self, now: float) -> None:
        """One request of the most urgent poll."""
        poll = self._ready[0][2]
        if poll.pending:
            job = poll.pending[-1]
            health = self._budget.add(job.unit)
            fault = self._withheld(job, health, now, poll)
            if fault is not None:
                poll.fail_unit(job.unit, fault)
                is_known = health.silent_since is not None and (health.trials or job.unit in poll.device.loss.units)
                if is_known or fault.kind is FaultKind.DOWN:
                    poll.device.lose(poll, job.unit, fault)
            else:
                poll.pending.pop()
                await self._ask(poll, job, health, now)
        if not poll.pending:
            self._finish(poll)

    def _withheld(self, job: Job, health: UnitHealth, now: float, poll: Poll) -> Fault | None:
        """Why `job` is not asked now: its unit is backed off or rests. Its status stays what it was found to be, unless
        its line is down since."""
        backed_off = health.silent_since is not None and not self._budget.may_try(
            health, now, poll.device.due.shortest_s
        )
        if not backed_off and self._line.rests_until(job.unit) <= now:
            return None
        if self._is_down:
            return Fault(FaultKind.DOWN, now, detail="the line is down")
        last = health.fault
        if last is None:
            return Fault(FaultKind.TIMEOUT, now, detail="the unit rests")
        return Fault(last.kind, now, last.code, last.detail)

    async def _ask(self, poll: Poll, job: Job, health: UnitHealth, now: float) -> None:
        outcome = await self._occupation.run(job)
        device, unit = poll.device, job.unit
        if isinstance(outcome, Answer):
            self._downs = 0
            if health.failures or health.fault is not None or not health.ever_answered:
                self._budget.answered(health)
            self._regain(poll, unit)
            poll.record(job, outcome)
            return
        device.stats.last_fault = outcome
        poll.record(job, outcome)
        if outcome.kind is FaultKind.DOWN:
            self._downs += 1
            poll.unanswered.add(unit)
            poll.fail(outcome)
            for each in device.units() if self._downs >= _DOWN_AFTER else tuple(device.loss.units):
                device.lose(poll, each, outcome)
            return
        self._downs = 0
        if is_failure(outcome):
            took_s = self._clock.monotonic() - now
            self._budget.failed(health, outcome, took_s)
            poll.unanswered.add(unit)
            poll.wasted_s += took_s
            if health.silent_since is not None:
                poll.fail_unit(unit, outcome)
            # a unit that answered something in this poll may only not know what it was asked then: its next trial says
            if unit in device.loss.units or (health.silent_since is not None and not poll.has_heard(unit)):
                device.lose(poll, unit, outcome)
                self._summon_others(device, unit, is_lost=True)
        else:
            self._budget.answered(health)
            self._regain(poll, unit)
            health.fault = outcome

    def _regain(self, poll: Poll, unit: int) -> None:
        """`unit` answers."""
        device = poll.device
        if unit in device.loss.units:
            device.regain(poll, unit)
            self._summon_others(device, unit, is_lost=False)

    def _summon_others(self, device: PolledDevice, unit: int, *, is_lost: bool) -> None:
        """Let other devices behind the same unit know."""
        if self._shares[unit] > 1:
            self._summon(
                self._clock.monotonic(),
                lambda other: (
                    other is not device and unit in other.units() and (unit in other.loss.units) is not is_lost
                ),
            )

    def _finish(self, poll: Poll) -> None:
        device = poll.device
        ready = self._ready
        if ready[0][2] is poll:
            heapq.heappop(ready)
        else:
            ready[:] = [entry for entry in ready if entry[2] is not poll]
            heapq.heapify(ready)
        device.queued = False
        if self._plans.get(device.id) is not device.plan:
            return  # replaced while it was asked: what it said is not what is wanted now
        device.settle(poll, self._clock.monotonic())
        self._wait(device)
        self._deliver(poll.reading(self._clock))
