"""One request at a time over a link: sends its frame, gives what comes to the framing, ends it at its deadline."""

from __future__ import annotations

import asyncio

from drivers.connection import Backoff, Connection
from drivers.links import Link
from drivers.modbus.framing import Failure, Framing, Outcome
from drivers.modbus.pdu import REASONS, Expected
from gateway.ports import Clock


class Exchange:
    """The sending half and the receiving half of one line, with its books. `quiet_s`: silence after which a frame that
    came broken is taken to be over. `open_s`: how long opening the link may take."""

    def __init__(
        self, link: Link, framing: Framing, clock: Clock, *, quiet_s: float, open_s: float, backoff: Backoff
    ) -> None:
        self.framing = framing
        self.connection = Connection(link, self, clock, backoff, open_s)
        self.last_byte_at = 0.0
        self.requests = 0
        self.answers = 0
        self.refused = 0
        self.timeouts = 0
        self.broken = 0
        self.retries = 0
        self.busy_s = 0.0
        self.answer_at = 0.0
        self._link = link
        self._clock = clock
        self._quiet_s = quiet_s
        self._bytes_in = 0
        self._bytes_out = 0
        self._drained_bytes = 0
        self._is_taken = False
        self._waiting: list[asyncio.Future[None]] = []
        self._future: asyncio.Future[Outcome] | None = None
        self._deadline = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self._settler: asyncio.TimerHandle | None = None

    def may_begin(self) -> bool:
        """Become the one who asks, if nobody is; otherwise `wait_turn`. End it with `give_turn`."""
        if self._is_taken:
            return False
        self._is_taken = True
        return True

    async def wait_turn(self, deadline: float) -> bool:
        """Become the one who asks after all who came before; False where they were not done by `deadline`."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(deadline - self._clock.monotonic()):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.give_turn()  # it came too late
            if isinstance(error, TimeoutError):
                return False
            raise
        return True

    def give_turn(self) -> None:
        """Let the next one ask."""
        while self._waiting:
            turn = self._waiting.pop(0)
            if not turn.done():
                turn.set_result(None)
                return
        self._is_taken = False

    @property
    def is_open(self) -> bool:
        """Whether the link is open; otherwise ask `ready`."""
        return self._link.is_open

    async def ready(self, deadline: float) -> str | None:
        """None once the link is open, else why not."""
        return await self.connection.ready(deadline)

    def reach(self) -> bool | None:
        """Whether the link is open or cannot be opened; None where that is not known yet."""
        return self.connection.reach()

    def drop(self) -> None:
        """Close the link; the next request opens a new one."""
        self.connection.drop()
        self.framing.reset()

    def drain(self) -> None:
        """Take what waits in the port before anything is sent: it answers nothing that is still asked."""
        data = self._link.drain()
        if data:
            self._drained_bytes += len(data)
            self.received(data)

    async def ask(self, expected: Expected, deadline: float) -> Outcome:
        """Send the request of `expected`; its outcome, at the latest at `deadline` (monotonic seconds)."""
        clock = self._clock
        started = clock.monotonic()
        frame = self.framing.start(expected)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._future = future
        self._deadline = deadline
        if self._alarm is None or self._alarm_at > deadline:
            self._set_alarm(deadline - started)
        self.requests += 1
        self._bytes_out += len(frame)
        try:
            self._link.write(frame)
            if not self._link.is_open:
                self._end(Failure.LOST)
            outcome = await future
        finally:
            self._future = None
            self.busy_s += clock.monotonic() - started
        if isinstance(outcome, bytes):
            self.answers += 1
            self.connection.answered()
        elif isinstance(outcome, int):
            self.refused += 1
            self.connection.answered()
        elif outcome is Failure.SILENT:
            self.timeouts += 1
        elif outcome is not Failure.LOST:
            self.broken += 1
        if outcome is Failure.STREAM:
            self.drop()
        return outcome

    def received(self, data: bytes) -> None:
        now = self._clock.monotonic()
        self.last_byte_at = now
        self._bytes_in += len(data)
        outcome = self.framing.feed(data)
        future = self._future
        if future is None or future.done():
            if outcome is Failure.STREAM:
                self.drop()
        elif outcome is not None:
            self.answer_at = now
            future.set_result(outcome)
        elif self._settler is None:
            self._settler = asyncio.get_running_loop().call_later(self._quiet_s, self._settle)

    def lost(self, why: str) -> None:
        self.connection.lost(why, asking=self._future is not None)
        self.framing.reset()
        self._end(Failure.LOST)

    def counters(self) -> dict[str, int]:
        """Counts since start; `busy_ms` is the time requests were under way."""
        framing = self.framing
        return {
            "requests": self.requests,
            "answers": self.answers,
            "refused": self.refused,
            "timeouts": self.timeouts,
            "broken": self.broken,
            "retries": self.retries,
            "bytes_in": self._bytes_in,
            "bytes_out": self._bytes_out,
            "drained_bytes": self._drained_bytes,
            "noise_bytes": framing.noise_bytes,
            "reconnects": max(0, self.connection.opened - 1),
            "busy_ms": int(self.busy_s * 1000),
            **{f"discarded_{reason}": framing.discarded[reason] for reason in REASONS},
        }

    async def close(self) -> None:
        for timer in (self._alarm, self._settler):
            if timer is not None:
                timer.cancel()
        self._end(Failure.LOST)
        await self.connection.close()

    def _end(self, outcome: Outcome) -> None:
        future = self._future
        if future is not None and not future.done():
            self.answer_at = self._clock.monotonic() if isinstance(outcome, Failure) else self.last_byte_at
            future.set_result(outcome)

    def _set_alarm(self, delay_s: float) -> None:
        """One timer serves many requests: it is set anew only when it rings, so that an answer costs no timer."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = self._clock.monotonic() + max(0.0, delay_s)
        self._alarm = asyncio.get_running_loop().call_later(max(0.0, delay_s), self._ring)

    def _ring(self) -> None:
        self._alarm = None
        future = self._future
        if future is None or future.done():
            return
        left = self._deadline - self._clock.monotonic()
        if left > 0:
            self._set_alarm(left)
        else:
            self._end(self.framing.finish())

    def _settle(self) -> None:
        self._settler = None
        future = self._future
        if future is None or future.done():
            return
        left = self.last_byte_at + self._quiet_s - self._clock.monotonic()
        if left > 0:
            self._settler = asyncio.get_running_loop().call_later(left, self._settle)
            return
        outcome = self.framing.settle()
        if outcome is not None:
            self._end(outcome)
