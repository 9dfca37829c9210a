"""A line whose frames carry a transaction id: Modbus TCP, and the same frames in UDP datagrams."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.modbus.exchange import Exchange
from drivers.modbus.framing import Failure
from drivers.modbus.pdu import expect
from drivers.modbus.units import Units
from gateway.model import Answer, Fault, FaultKind, Job
from gateway.ports import Clock


class TransactionLine:
    """One request under way, because many gateways drop more. A late answer is known by its retired id, so that no unit
    has to rest after a time-out."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock
        self._units = Units()

    async def run(self, job: Job, deadline: float) -> Answer | Fault:
        exchange = self._exchange
        if not exchange.may_begin() and not await exchange.wait_turn(deadline):
            return Fault(FaultKind.TIMEOUT, self._clock.monotonic(), detail="the line is busy")
        try:
            why = None if exchange.is_open else await exchange.ready(deadline)
            if why is not None:
                return Fault(FaultKind.DOWN, self._clock.monotonic(), detail=why)
            outcome = await exchange.ask(expect(job.unit, job.request), deadline)
        finally:
            exchange.give_turn()
        unit = self._units[job.unit]
        if isinstance(outcome, bytes):
            self._units.answered(unit)
            return Answer(outcome, exchange.answer_at)
        at = exchange.answer_at
        if isinstance(outcome, int):
            self._units.refused(unit, outcome, at, job.timeout_s)
            return Fault(FaultKind.REFUSED, at, outcome)
        if outcome is Failure.LOST:
            return Fault(FaultKind.DOWN, at, detail=outcome.value)
        if outcome is Failure.SILENT:
            if self._units.was_silent(unit):
                exchange.drop()
            return Fault(FaultKind.TIMEOUT, at, detail=outcome.value)
        return Fault(FaultKind.FRAME, at, detail=outcome.value)

    def rests_until(self, unit: int) -> float:
        return self._units.rests_until(unit)

    def reach(self) -> bool | None:
        return self._exchange.reach()

    def counters(self) -> Mapping[str, int]:
        return self._exchange.counters()

    async def close(self) -> None:
        await self._exchange.close()
