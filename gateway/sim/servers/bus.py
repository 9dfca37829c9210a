"""The units of one line as seen by whatever carries its bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.sim.faults import FaultBoard, Reply
from gateway.sim.frames import Framing
from gateway.sim.memory import Memory
from gateway.sim.pdu import answer

BROADCAST = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a unit thinks, and what a byte takes on the wire (0 for networks)."""

    turnaround_s: float = 0.005
    byte_s: float = 0.0

    def due_s(self, request_bytes: int, reply_bytes: int) -> float:
        return self.turnaround_s + self.byte_s * (request_bytes + reply_bytes)


class Bus:
    """Answers requests for its units; a unit that is not there is silence. `counters`: requests, answers, strangers."""

    def __init__(
        self, units: Mapping[int, Memory], faults: FaultBoard, timing: Timing, framing: Callable[[], Framing]
    ) -> None:
        self._units = units
        self.faults = faults
        self._timing = timing
        self.framing = framing
        self.counters: Counter[str] = Counter()

    def replies(self, framing: Framing, data: bytes) -> list[Reply]:
        """What goes out because `data` came in, each with the time until its last byte is there."""
        out: list[Reply] = []
        for request in framing.feed(data):
            self.counters["requests"] += 1
            if request.unit == BROADCAST and BROADCAST not in self._units:
                for memory in self._units.values():
                    answer(memory, request.pdu)
                continue
            unit = self._units.get(request.unit)
            if unit is None:
                self.counters["strangers"] += 1
                continue
            for reply in self.faults.replies(framing, request, answer(unit, request.pdu)):
                self.counters["answers"] += 1
                due_s = self._timing.due_s(len(request.pdu) + 3, len(reply.data))
                out.append(Reply(reply.data, due_s + reply.delay_s))
        return out
