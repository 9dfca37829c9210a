"""Who is on a line, and which profile fits each unit: what `vigil init` proposes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from drivers.modbus import compile_device, open_line
from drivers.modbus.options import ModbusLine
from gateway.app import PROTOCOLS, load
from gateway.clock import SystemClock
from gateway.commissioning.catalogue import Card
from gateway.commissioning.fitting import Fit, best_first, fit_of
from gateway.commissioning.site_file import DraftLine
from gateway.model import Answer, Fault, FaultKind, Job
from gateway.polling.identification import marks_of
from gateway.ports import DevicePlan, Line, Values
from gateway.scanning import Found, Search, ask_directly, describe, load_candidates
from gateway.settings.types import DeviceSettings, LineSettings

#: How much longer units are waited for that may be slow.
_PATIENCE = 3
#: A profile is given up after so many single places that the device does not have.
_MOST_REFUSALS = 6
_TRIAL = """
schema: 1
site: {id: trial, name: {zh: 试, en: Trial}, kind: warehouse, timezone: UTC}
lines: {%s: {%s}}
devices: [{id: it, kind: %s, profile: %s, line: %s, unit: %d, interval: 1h, timeout: 1s}]
"""

NO_VALUES = Values((), (), ())

#: What is asked now and how many were found so far; None when the search is over.
Step = Callable[[str | None, int], None]


async def search_once(
    setting: LineSettings, units: Sequence[int], timeout_s: float, step: Step, *, insists: bool
) -> list[Found]:
    """Every unit at one setting."""
    clock = SystemClock()
    opened = open_line(setting, clock)
    asks = [ask_directly(opened, setting, clock, timeout_s * factor) for factor in (1, _PATIENCE)]
    search = Search(asks[0], load_candidates(PROTOCOLS), patient=asks[1], insists=insists)
    found: dict[int, Found] = {}
    name = describe(setting)
    try:
        async for unit in search.run(units, lambda unit: step(f"{name} {unit}", len(found))):
            found[unit.unit] = unit
    finally:
        await opened.close()
    return [found[unit] for unit in sorted(found)]


def line_settings(line: DraftLine) -> LineSettings:
    protocol = PROTOCOLS["modbus"]
    options = protocol.line_options.model_validate(dict(line.keys))
    return LineSettings(line.id, protocol.name, protocol.endpoint(options), options)


def port_keys(setting: LineSettings) -> Mapping[str, str | int]:
    options = setting.options
    if not isinstance(options, ModbusLine) or options.serial is None:
        return {}
    return {"baudrate": options.baudrate, "parity": options.parity, "stopbits": options.stopbits}


async def fits_of(setting: LineSettings, unit: Found, chosen: Sequence[Card]) -> list[Fit]:
    """Profiles for one unit: by identity, else by how well those of the makers named read."""
    if unit.proposals:
        return [Fit(profile, True, 1, 0, 0, 0) for profile in unit.proposals]
    clock = SystemClock()
    line = open_line(setting, clock)
    try:
        fits = [await _try(line, setting, unit.unit, card, clock) for card in chosen if not card.identity]
    finally:
        await line.close()
    return best_first(fits)


async def _try(line: Line, setting: LineSettings, unit: int, card: Card, clock: SystemClock) -> Fit:
    device = _trial_device(setting, unit, card)
    plan = compile_device(setting, device)
    for mark in marks_of(compile_device, setting, device):
        outcomes = await _poll(line, mark.plan, clock)
        if not mark.fits(mark.plan.decode(outcomes, 0.0).values[0]):
            return fit_of(card.profile, NO_VALUES)
    return fit_of(card.profile, plan.decode(await _poll(line, plan, clock), 0.0), len(card.family))


def _trial_device(setting: LineSettings, unit: int, card: Card) -> DeviceSettings:
    with tempfile.TemporaryDirectory(prefix="vigil-init-") as folder:
        path = Path(folder) / "site.yaml"
        path.write_text(_TRIAL % (setting.id, 'tcp: "127.0.0.1:502"', card.kind, card.profile, setting.id, unit))
        (device,) = load(path).devices
    return replace(device, id=f"{setting.id}-{unit}")


async def _poll(line: Line, plan: DevicePlan, clock: SystemClock) -> list[tuple[Job, Answer | Fault]]:
    """One poll; given up where the device has another map or does not answer."""
    outcomes: list[tuple[Job, Answer | Fault]] = []
    waiting, refusals = list(plan.together(plan.jobs())), 0
    while waiting:
        job = waiting.pop(0)
        outcome = await line.run(job, clock.monotonic() + job.timeout_s + job.wire_ms / 1000)
        given_up = isinstance(outcome, Fault) and outcome.kind is not FaultKind.REFUSED
        if isinstance(outcome, Fault) and outcome.kind is FaultKind.REFUSED:
            pieces = plan.refused(job, outcome.code, outcome.at)
            if pieces:
                waiting = [*pieces, *waiting]
                continue
            refusals += 1
            given_up = refusals > _MOST_REFUSALS
        outcomes.append((job, outcome))
        if given_up:
            fault = outcome if isinstance(outcome, Fault) else Fault(FaultKind.TIMEOUT, 0.0)
            return [*outcomes, *((each, fault) for each in waiting)]
    return outcomes
