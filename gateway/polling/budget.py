"""How often units that do not answer are tried again. Pure: time is what it is told.

All silent units of a line together take at most `SHARE` of its time: each one is tried again only after its last
trial's cost times their number, divided by the share. In the first minute trials follow sooner, doubling up to that.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model import Fault, FaultKind

#: Share of a line's time that all its silent units may take together.
SHARE = 0.05
#: The share holds from this long after a unit fell silent; until then trials are closer. A unit alone on its line keeps
#: nobody waiting: it is tried at every poll for so long.
PATIENCE_S = 60.0

#: Units that fell silent this close together may have had one cause.
COMMON_CAUSE_S = 60.0

#: Trials of different units are at least this part of their even distance apart.
_APART = 0.8
_NEVER = float("-inf")
_FAILURES_OF_KNOWN = {FaultKind.TIMEOUT: 2, FaultKind.FRAME: 4}
_FAILURES_OF_NEW = {FaultKind.TIMEOUT: 1, FaultKind.FRAME: 2}
#: Gateway exceptions that stand for silence: path unavailable, target failed to respond.
_GATEWAY_SILENT = (0x0A, 0x0B)


def is_failure(fault: Fault) -> bool:
    """Whether `fault` says that the unit does not answer; a refusal is an answer, a line that is down says nothing."""
    if fault.kind is FaultKind.REFUSED:
        return fault.code in _GATEWAY_SILENT
    return fault.kind in (FaultKind.TIMEOUT, FaultKind.FRAME)


@dataclass(slots=True, eq=False)
class UnitHealth:
    """How one unit has answered. `fault` is its last failure, `cost_s` what that one took of the line's time."""

    failures: int = 0
    ever_answered: bool = False
    silent_since: float | None = None
    fault: Fault | None = None
    cost_s: float = 0.0
    trials: int = 0
    tried_at: float = 0.0


class ProbeBudget:
    """The units of one line and who of the silent ones may be tried."""

    def __init__(self) -> None:
        self._units: dict[int, UnitHealth] = {}
        self._silent = 0
        self._tried_at = _NEVER

    def add(self, unit: int) -> UnitHealth:
        """The record of `unit`, which is polled on this line."""
        health = self._units.get(unit)
        if health is None:
            health = self._units[unit] = UnitHealth()
        return health

    def keep(self, units: set[int]) -> None:
        """Forget all others."""
        for unit in self._units.keys() - units:
            if self._units.pop(unit).silent_since is not None:
                self._silent -= 1

    def answered(self, health: UnitHealth) -> None:
        health.failures = 0
        health.ever_answered = True
        health.fault = None
        if health.silent_since is not None:
            self._revive(health.silent_since)
            health.silent_since = None
            health.trials = 0
            self._silent -= 1

    def _revive(self, silent_since: float) -> None:
        """A unit is back: those that fell silent with it may be, too (a cable, a gateway), and are tried at once."""
        for other in self._units.values():
            if other.silent_since is not None and abs(other.silent_since - silent_since) < COMMON_CAUSE_S:
                other.tried_at = _NEVER

    def failed(self, health: UnitHealth, fault: Fault, cost_s: float) -> None:
        """One request of `health` failed (`is_failure`) and took `cost_s` of the line's time."""
        health.failures += 1
        health.fault = fault
        health.cost_s = cost_s
        health.tried_at = self._tried_at = fault.at
        if health.silent_since is not None:
            health.trials += 1
            return
        limits = _FAILURES_OF_KNOWN if health.ever_answered else _FAILURES_OF_NEW
        if health.failures >= limits.get(fault.kind, limits[FaultKind.TIMEOUT]):
            health.silent_since = fault.at
            self._silent += 1

    def may_try(self, health: UnitHealth, now: float, interval_s: float) -> bool:
        """Whether a silent unit polled every `interval_s` may be asked at `now`."""
        if health.silent_since is None:
            return True
        wait = health.cost_s * self._silent / SHARE
        if now - health.silent_since < PATIENCE_S:
            if len(self._units) == 1:
                return True
            wait = min(wait, interval_s * self._silent * 2.0 ** min(health.trials, 20))
        if now - health.tried_at < wait:
            return False
        # units that fell silent together are not tried in a row; one that is polled more rarely takes its chance
        pace = _APART * wait / self._silent
        return interval_s > pace or now - self._tried_at >= pace or health.tried_at == _NEVER
