"""The search itself: every unit at every setting of the line, one short question each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from drivers.modbus.options import ModbusLine
from drivers.modbus.probe import PRESENCE, WHO, Probe, read_identification
from gateway.orders.probing import Heard
from gateway.scanning.asking import Ask
from gateway.scanning.proposals import Candidate
from gateway.settings.types import LineSettings

#: In the order in which they are met most.
BAUDRATES = (9600, 19200, 115200, 38400, 4800, 57600, 2400)
PARITIES = ("N", "E", "O")
#: An input register, for units that have nothing to say to other questions.
INPUT = Probe("input")


@dataclass(frozen=True, slots=True)
class Found:
    """A unit that answered. `code` is the exception it gave to the first question."""

    unit: int
    code: int | None
    identification: tuple[str, ...]
    proposals: tuple[str, ...]


def settings_to_try(
    line: LineSettings, baudrates: Sequence[int] | None, parities: Sequence[str] | None
) -> list[LineSettings]:
    """The line at every speed and parity; as it is where it is no serial port or nothing else is asked for."""
    options = line.options
    if not isinstance(options, ModbusLine) or options.serial is None or (baudrates is None and parities is None):
        return [line]
    return [
        replace(line, options=options.model_copy(update={"baudrate": baudrate, "parity": parity}))
        for parity in parities or (options.parity,)
        for baudrate in baudrates or (options.baudrate,)
    ]


def describe(line: LineSettings) -> str:
    """`9600 N 1` for a serial line, else empty."""
    options: Any = line.options
    if not isinstance(options, ModbusLine) or options.serial is None:
        return ""
    return f"{options.baudrate} {options.parity} {options.stopbits}"


class LineDown(Exception):
    """The line cannot be used; the message says why."""


class Search:
    """One line at one setting. `heard_noise`: something speaks that could not be understood. What was heard may have
    been a unit slower than expected, so silent ones are asked once more by `patient`, which waits longer: where others
    were found, and with `insists` in any case."""

    def __init__(
        self,
        ask: Ask,
        candidates: Sequence[Candidate],
        *,
        thorough: bool = False,
        patient: Ask | None = None,
        insists: bool = False,
    ) -> None:
        self._ask = ask
        self._patient = patient
        self._insists = insists
        self._candidates = candidates
        self._thorough = thorough
        self.heard_noise = False

    async def run(self, units: Sequence[int], step: Callable[[int], None]) -> AsyncIterator[Found]:
        """Units as they are found; `step` is told each unit before it is asked. LineDown where nothing can be asked."""
        silent = []
        for unit in units:
            step(unit)
            first = await self._put(PRESENCE, unit)
            if not first.is_there and self._thorough:
                first = await self._put(INPUT, unit)
            if first.is_there:
                yield await self._look(unit, first)
            else:
                silent.append(unit)
        is_worth_it = self._insists or len(silent) < len(units)
        if not self.heard_noise or self._patient is None or not is_worth_it:
            return
        self.heard_noise = False
        self._ask = self._patient
        for unit in silent:
            step(unit)
            first = await self._put(PRESENCE, unit)
            if first.is_there:
                yield await self._look(unit, first)

    async def _put(self, probe: Probe, unit: int) -> Heard:
        found = await self._ask(probe, unit)
        if found.down is not None:
            raise LineDown(found.down)
        self.heard_noise |= found.noise
        return found

    async def _look(self, unit: int, first: Heard) -> Found:
        answers: dict[Probe, bytes | None] = {PRESENCE: first.data}
        fitting = []
        for candidate in self._candidates:
            for probe in candidate.probes:
                if probe not in answers:
                    answers[probe] = (await self._put(probe, unit)).data
                if answers[probe] is None:
                    break
            if candidate.fits({probe: data for probe, data in answers.items() if data is not None}):
                fitting.append(candidate.profile)
        # a function that many units do not know and some are upset by: last, and only where it is wanted
        who = await self._put(WHO, unit) if self._thorough else Heard()
        return Found(unit, first.code, read_identification(who.data or b""), tuple(fitting))
