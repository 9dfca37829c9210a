"""What can be wrong between a client and the units of one line; set by a scenario, applied to answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from gateway.sim.frames import Framing, Request
from gateway.sim.pdu import exception


class FaultName(StrEnum):
    """The words of a scenario's `fault`."""

    SILENT = "silent"
    """The unit does not answer."""
    LATE = "late"
    """The answer comes `delay` later."""
    CRC = "crc"
    """The check of the frame is wrong (the transaction id on Modbus TCP)."""
    EXCEPTION = "exception"
    """The unit refuses with `code`."""
    GARBAGE = "garbage"
    """Stray bytes stand before the frame."""
    TRUNCATED = "truncated"
    """The frame ends in its middle."""
    FOREIGN = "foreign"
    """The frame carries another unit's id."""
    CUT = "cut"
    """The line is not there: port unplugged, connection refused."""


@dataclass(frozen=True, slots=True)
class LineFault:
    name: FaultName
    delay_s: float = 1.0
    code: int = 4
    share: float = 1.0
    """Of the answers that suffer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Bytes to send, `delay_s` after they would be due."""

    data: bytes
    delay_s: float = 0.0


class FaultBoard:
    """The faults of one line that are on now: of single units, or of all (`unit` None)."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 - a simulation must be repeatable
        self._faults: dict[int | None, LineFault] = {}

    @property
    def is_cut(self) -> bool:
        return any(fault.name is FaultName.CUT for fault in self._faults.values())

    def set(self, unit: int | None, fault: LineFault) -> None:
        self._faults[unit] = fault

    def clear(self, unit: int | None) -> None:
        self._faults.pop(unit, None)

    def replies(self, framing: Framing, request: Request, pdu: bytes) -> Sequence[Reply]:
        """What goes out for a healthy answer `pdu`, after the faults that are on."""
        fault = self._faults.get(request.unit) or self._faults.get(None)
        healthy = framing.frame(request, pdu)
        if fault is None or (fault.share < 1.0 and self._random.random() >= fault.share):
            return (Reply(healthy),)
        match fault.name:
            case FaultName.SILENT | FaultName.CUT:
                return ()
            case FaultName.LATE:
                return (Reply(healthy, fault.delay_s),)
            case FaultName.CRC:
                return (Reply(framing.spoil(healthy)),)
            case FaultName.EXCEPTION:
                return (Reply(framing.frame(request, exception(request.pdu, fault.code))),)
            case FaultName.GARBAGE:
                return (Reply(self._random.randbytes(3) + healthy),)
            case FaultName.TRUNCATED:
                return (Reply(healthy[: max(1, len(healthy) // 2)]),)
            case FaultName.FOREIGN:
                other = Request(request.unit % 247 + 1, request.pdu, request.transaction)
                return (Reply(framing.frame(other, pdu)),)
