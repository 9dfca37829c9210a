"""One level of one rule over time: raised, held with hysteresis, announced after its delays. Pure; time is given.

*Cannot tell* neither raises nor clears, and the time it lasts counts for no delay.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delays:
    """Milliseconds: how long the condition must be true to hold, to be announced, and false to be announced as over."""

    for_ms: int = 0
    on_ms: int = 0
    off_ms: int = 0


@dataclass(slots=True)
class Condition:
    """What is remembered of a level. Times are sample times in UTC milliseconds."""

    held: bool = False
    announced: bool = False
    unsure: bool = False
    """The latest look could not tell."""
    since: int | None = None
    """When it began to hold, or ceased to."""
    true_since: int | None = None
    """The raising condition is true since then, still short of `for`."""
    pending_since: int | None = None
    """`held` and `announced` differ since then."""
    looked_at: int | None = None

    def look(self, truth: bool | None, ts: int, delays: Delays) -> bool:
        """Take in one look at `ts`: whether the raising condition holds, or, while held, whether it still does.

        `truth` is the raising condition while not held; while held, true until the clearing condition is met. False
        where it says what the last one said and nothing is pending.
        """
        if truth is self.held and not self.unsure and not self.is_waiting:
            self.looked_at = ts
            return False
        self._pass(ts, frozen=truth is None or self.unsure)
        self.unsure = truth is None
        if truth is False and not self.held:
            self.true_since = None
        elif truth is not None and truth is not self.held and (not truth or self._true_long_enough(ts, delays.for_ms)):
            self.held, self.since, self.true_since = truth, ts, None
            self.pending_since = ts if self.held is not self.announced else None
        self._announce(ts, delays)
        return True

    @property
    def is_waiting(self) -> bool:
        """Whether time alone can change something."""
        return self.true_since is not None or self.pending_since is not None

    def pause(self) -> None:
        """After an outage nobody knows what was between: the next look counts from its own time."""
        self.unsure = True

    def settle(self, *, announced: bool) -> None:
        """It is known to have been so before an outage, and no more than that."""
        self.held = self.announced = announced
        self.true_since = self.pending_since = None
        self.pause()

    def _pass(self, ts: int, *, frozen: bool) -> None:
        """Let time go by since the last look; frozen time, and a clock set back, move what is waiting along."""
        last, self.looked_at = self.looked_at, ts
        if last is None or (ts >= last and not frozen):
            return
        gap = ts - last
        if self.true_since is not None:
            self.true_since += gap
        if self.pending_since is not None:
            self.pending_since += gap

    def _true_long_enough(self, ts: int, for_ms: int) -> bool:
        if self.true_since is None:
            self.true_since = ts
        return ts - self.true_since >= for_ms

    def _announce(self, ts: int, delays: Delays) -> None:
        if self.pending_since is None or self.unsure:
            return
        if ts - self.pending_since >= (delays.on_ms if self.held else delays.off_ms):
            self.announced, self.pending_since = self.held, None
