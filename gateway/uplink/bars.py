"""Topics the broker does not let us publish on: tried again after a wait, without holding up the others."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.uplink.ledger import FIRST_WAIT_S, LAST_WAIT_S


@dataclass(slots=True)
class _Bar:
    until: float
    wait_s: float
    holds: bool


class Bars:
    """Bounded by the number of topics. Times in monotonic seconds."""

    def __init__(self) -> None:
        self._bars: dict[str, _Bar] = {}

    def __bool__(self) -> bool:
        return bool(self._bars)

    def put(self, topic: str, now: float) -> bool:
        """`topic` was refused; True if that is new. Each refusal after a wait doubles the next one."""
        bar = self._bars.get(topic)
        if bar is None:
            self._bars[topic] = _Bar(now + FIRST_WAIT_S, FIRST_WAIT_S, True)
            return True
        if not bar.holds:
            bar.holds = True
            bar.wait_s = min(bar.wait_s * 2, LAST_WAIT_S)
            bar.until = now + bar.wait_s
        return False

    def holds(self, topic: str) -> bool:
        """Whether the backlog of `topic` has to wait."""
        bar = self._bars.get(topic)
        return bar is not None and bar.holds

    def expire(self, now: float) -> bool:
        """Let topics whose wait is over be tried again; True if there are any."""
        over = [bar for bar in self._bars.values() if bar.holds and bar.until <= now]
        for bar in over:
            bar.holds = False
        return bool(over)

    def lift(self, topic: str) -> bool:
        """A row of `topic` was taken; True if it had been barred."""
        return self._bars.pop(topic, None) is not None

    def clear(self) -> None:
        self._bars.clear()
