"""What a line remembers of each unit on it: rests, late answers still due, silence."""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.modbus.pdu import Expected, expect
from gateway.model import Job

#: A unit that timed out on a line without transaction ids is not asked for this many time-outs.
LATE_WINDOW_TIMEOUTS = 4
#: Longest rest of a unit that says it is busy.
LONGEST_BUSY_S = 10.0
#: Time-outs in a row, of all units, after which a network connection is opened anew.
SILENT_CONNECTION = 3
#: Exceptions that ask to wait: acknowledge and busy (Modbus Application Protocol V1.1b3, section 7).
WAIT_CODES = (5, 6)

_MOST_OWED = 4


@dataclass(slots=True, eq=False)
class Unit:
    """One unit. `owed` are function and length of answers that never came and may come late, oldest first."""

    rests_until: float = 0.0
    silent: int = 0
    busy: int = 0
    owed: list[tuple[int, int]] = field(default_factory=list)

    def answered(self) -> None:
        self.silent = self.busy = 0
        if self.owed:
            self.owed.clear()

    def refused(self, code: int, now: float, timeout_s: float) -> None:
        """It answered with an exception. After 5 or 6 it is left alone, each time in a row for twice as long."""
        busy = self.busy + 1 if code in WAIT_CODES else 0
        self.answered()
        self.busy = busy
        if busy:
            self.rests_until = now + min(LONGEST_BUSY_S, timeout_s * 2.0 ** min(busy - 1, 8))

    def owes(self, expected: Expected) -> None:
        """Its answer did not come and may come later."""
        shape = (expected.function, expected.size)
        if shape in self.owed:
            self.owed.remove(shape)
        self.owed.append(shape)
        del self.owed[:-_MOST_OWED]

    def choose(self, job: Job) -> Expected:
        """What to ask for `job` so that no late answer has the form of the right one; where all forms are owed, the one
        owed longest."""
        usual = expect(job.unit, job.request)
        if not self.owed or job.spare is None:
            return usual
        spare = expect(job.unit, job.spare)
        forms = (usual, spare)
        return min(forms, key=lambda form: self._age((form.function, form.size)))

    def _age(self, shape: tuple[int, int]) -> int:
        return self.owed.index(shape) + 1 if shape in self.owed else 0


class Units:
    """All units a line was ever asked for."""

    def __init__(self) -> None:
        self._units: dict[int, Unit] = {}
        self._silent_in_a_row = 0

    def __getitem__(self, number: int) -> Unit:
        unit = self._units.get(number)
        if unit is None:
            unit = self._units[number] = Unit()
        return unit

    def rests_until(self, number: int) -> float:
        unit = self._units.get(number)
        return unit.rests_until if unit is not None else 0.0

    def answered(self, unit: Unit) -> None:
        unit.answered()
        self._silent_in_a_row = 0

    def refused(self, unit: Unit, code: int, now: float, timeout_s: float) -> None:
        unit.refused(code, now, timeout_s)
        self._silent_in_a_row = 0

    def was_silent(self, unit: Unit) -> bool:
        """Count one time-out; True where every unit is silent and the connection itself must be doubted."""
        unit.silent += 1
        self._silent_in_a_row += 1
        if self._silent_in_a_row < SILENT_CONNECTION or not all(unit.silent for unit in self._units.values()):
            return False
        self._silent_in_a_row = 0
        return True
