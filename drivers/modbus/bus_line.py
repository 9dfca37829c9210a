"""A line whose frames carry no transaction id: RTU and ASCII, on a serial port or carried over TCP.

Only unit, function, length and check tell one answer from another, so time must do the rest: a unit that timed out is
left alone until its late answer is past, and is then asked for another length where the map allows it. Other units go
on at once. docs/modbus-risk.md says what risk remains.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from drivers.modbus.exchange import Exchange
from drivers.modbus.framing import Failure, Outcome
from drivers.modbus.pdu import Expected
from drivers.modbus.units import LATE_WINDOW_TIMEOUTS, Unit, Units
from gateway.model import Answer, Fault, FaultKind, Job
from gateway.ports import Clock


class BusLine:
    """One request under way. `gap_s`: silence before each request; `char_s`: time of one character, 0 over a network;
    `reopens`: whether a connection on which every unit is silent is opened anew."""

    def __init__(self, exchange: Exchange, clock: Clock, *, gap_s: float, char_s: float, reopens: bool) -> None:
        self._exchange = exchange
        self._clock = clock
        self._gap_s = gap_s
        self._char_s = char_s
        self._reopens = reopens
        self._units = Units()
        self._sent_until = 0.0

    async def run(self, job: Job, deadline: float) -> Answer | Fault:
        exchange = self._exchange
        if not exchange.may_begin() and not await exchange.wait_turn(deadline):
            return Fault(FaultKind.TIMEOUT, self._clock.monotonic(), detail="the line is busy")
        try:
            return await self._transact(job, deadline)
        finally:
            exchange.give_turn()

    async def _transact(self, job: Job, deadline: float) -> Answer | Fault:
        clock, exchange = self._clock, self._exchange
        unit = self._units[job.unit]
        if unit.rests_until > clock.monotonic():
            return Fault(FaultKind.TIMEOUT, clock.monotonic(), detail="the unit rests")
        why = None if exchange.is_open else await exchange.ready(deadline)
        if why is not None:
            return Fault(FaultKind.DOWN, clock.monotonic(), detail=why)
        expected = unit.choose(job)
        started = clock.monotonic()
        try:
            outcome = await self._ask(expected, deadline)
            # what may have been done is never done again unasked
            again = expected.is_read and clock.monotonic() + job.wire_ms / 1000 < deadline
            if outcome is Failure.GARBLED and again:
                exchange.retries += 1
                took = clock.monotonic() - started
                outcome = await self._ask(expected, deadline)
                # if the broken frame was not the first answer, one answer too many is still to come
                self._sent_until = clock.monotonic() + took
        except asyncio.CancelledError:
            self._leave(job, unit, expected, clock.monotonic())
            raise
        return self._conclude(job, unit, expected, outcome)

    async def _ask(self, expected: Expected, deadline: float) -> Outcome:
        if not await self._wait_for_silence(deadline):
            self._exchange.answer_at = self._clock.monotonic()
            return Failure.BROKEN
        chars = self._exchange.framing.wire_chars(expected)
        self._sent_until = self._clock.monotonic() + chars * self._char_s
        return await self._exchange.ask(expected, deadline)

    def _leave(self, job: Job, unit: Unit, expected: Expected, at: float) -> None:
        """The answer did not come; it may still, and must then answer nothing."""
        unit.owes(expected)
        unit.rests_until = at + LATE_WINDOW_TIMEOUTS * (job.timeout_s + job.wire_ms / 1000)
        self._exchange.framing.owing.add(job.unit)

    async def _wait_for_silence(self, deadline: float) -> bool:
        """Until nothing came or went for the gap; False where the line does not fall silent before `deadline`."""
        clock, exchange = self._clock, self._exchange
        while True:
            exchange.drain()
            now = clock.monotonic()
            silent_at = max(exchange.last_byte_at, self._sent_until) + self._gap_s
            if silent_at <= now:
                return now < deadline
            if silent_at >= deadline:
                return False
            await clock.sleep_until(silent_at)

    def _conclude(self, job: Job, unit: Unit, expected: Expected, outcome: Outcome) -> Answer | Fault:
        exchange = self._exchange
        at = exchange.answer_at
        if isinstance(outcome, bytes):
            self._units.answered(unit)
            exchange.framing.owing.discard(job.unit)
            return Answer(outcome, at)
        if isinstance(outcome, int):
            self._units.refused(unit, outcome, at, job.timeout_s)
            exchange.framing.owing.discard(job.unit)
            return Fault(FaultKind.REFUSED, at, outcome)
        if outcome is Failure.GARBLED:
            return Fault(FaultKind.FRAME, at, detail=outcome.value)
        self._leave(job, unit, expected, at)
        if outcome is Failure.LOST:
            return Fault(FaultKind.DOWN, at, detail=outcome.value)
        if self._units.was_silent(unit) and self._reopens:
            exchange.drop()
        kind = FaultKind.TIMEOUT if outcome is Failure.SILENT else FaultKind.FRAME
        return Fault(kind, at, detail=outcome.value)

    def rests_until(self, unit: int) -> float:
        return self._units.rests_until(unit)

    def reach(self) -> bool | None:
        return self._exchange.reach()

    def counters(self) -> Mapping[str, int]:
        return self._exchange.counters()

    async def close(self) -> None:
        await self._exchange.close()
