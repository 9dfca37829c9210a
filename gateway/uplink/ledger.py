"""What was sent and is not confirmed yet, and when it is to be sent again. Pure: told the time, never asks.

A row is sent live once. If nobody says within 30 s that it is stored it belongs to the backlog, of which at most 500
rows are outstanding; each of those waits twice as long for every time it was sent, up to 10 minutes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gateway.ports import Row
from gateway.uplink.spans import Range, Spans

FIRST_WAIT_S = 30.0
LAST_WAIT_S = 600.0
MOST_OUTSTANDING = 500
MOST_LIVE = 20_000
"""Live rows whose 30 s run at once; above this the oldest become backlog early."""

Place = tuple[int, int]
"""Where a row stands in the backlog: rank, then sequence number."""
START: Place = (-1, -1)


def place(row: Row) -> Place:
    return row.rank, row.seq


class _Wait(NamedTuple):
    rank: int
    due_at: float


class Ledger:
    """Rows are known by sequence number; places tell from where the backlog must be read again."""

    def __init__(self) -> None:
        self.sent = Spans()
        """Everything sent and not confirmed: only of these may somebody say that they are stored."""
        self._live: dict[int, _Wait] = {}
        self._outstanding: dict[int, _Wait] = {}
        self._waits: dict[int, float] = {}
        self._unheard: dict[int, int] = {}
        self._heard_at: float | None = None

    @property
    def room(self) -> int:
        """How many backlog rows may still be sent."""
        return MOST_OUTSTANDING - len(self._outstanding)

    @property
    def waiting(self) -> int:
        return len(self._live) + len(self._outstanding)

    def is_waiting(self, seq: int) -> bool:
        """Sent, and neither confirmed nor due again."""
        return seq in self._live or seq in self._outstanding

    def note_live(self, row: Row, now: float) -> Place | None:
        """`row` was sent live; the place of a row that had to become backlog for it, if any."""
        self.sent.add(row.seq, row.seq)
        self._live[row.seq] = _Wait(row.rank, now + FIRST_WAIT_S)
        if self._heard_at is None:
            self._heard_at = now
        if len(self._live) <= MOST_LIVE:
            return None
        seq = next(iter(self._live))
        return self._live.pop(seq).rank, seq

    def note_backlog(self, row: Row, now: float) -> None:
        """`row` was sent as backlog; only where there is `room`."""
        self.sent.add(row.seq, row.seq)
        wait_s = self._waits.get(row.seq, FIRST_WAIT_S)
        self._outstanding[row.seq] = _Wait(row.rank, now + wait_s)
        self._waits[row.seq] = min(wait_s * 2, LAST_WAIT_S)
        if len(self._waits) > 2 * MOST_OUTSTANDING:
            del self._waits[next(iter(self._waits))]
        if self._heard_at is None:
            self._heard_at = now

    def note_unheard(self, row: Row) -> None:
        """The broker had nobody to give `row` to: it is due as soon as somebody is there again."""
        if self.is_waiting(row.seq):
            self._unheard[row.seq] = row.rank

    def forget(self, seq: int) -> None:
        """`seq` was not taken by the broker: it is as if it had not been sent."""
        self._live.pop(seq, None)
        self._outstanding.pop(seq, None)
        self._waits.pop(seq, None)
        self.sent.remove(seq, seq)

    def confirm(self, ranges: Iterable[Range], now: float) -> tuple[list[Range], Place | None]:
        """Somebody says that `ranges` are stored. Gives the part of them that was sent, and from where the backlog is
        to be read again if this makes rows due: all outstanding ones after a silence, else those nobody had heard."""
        accepted = self.sent.shared(ranges)
        for first, last in accepted:
            self.sent.remove(first, last)
            for seq in range(first, last + 1):
                self._live.pop(seq, None)
                self._outstanding.pop(seq, None)
                self._waits.pop(seq, None)
        ends_silence = self._heard_at is not None and now - self._heard_at >= FIRST_WAIT_S
        due = START if ends_silence else self._first_unheard()
        if ends_silence:
            self._outstanding.clear()
            self._waits.clear()
        self._unheard.clear()
        self._heard_at = now if self.waiting else None
        return accepted, due

    def _first_unheard(self) -> Place | None:
        places = [(rank, seq) for seq, rank in self._unheard.items() if self.is_waiting(seq)]
        for _, seq in places:
            self._live.pop(seq, None)
            self._outstanding.pop(seq, None)
        return min(places, default=None)

    def expire(self, now: float) -> Place | None:
        """Rows whose time is over become backlog again; the first place among them."""
        due: list[Place] = []
        for seq, wait in self._live.items():
            if wait.due_at > now:
                break
            due.append((wait.rank, seq))
        due.extend((wait.rank, seq) for seq, wait in self._outstanding.items() if wait.due_at <= now)
        for _, seq in due:
            self._live.pop(seq, None)
            self._outstanding.pop(seq, None)
            self._unheard.pop(seq, None)
        return min(due, default=None)

    def restart(self) -> None:
        """The link is new: whatever was sent before may be lost, and its confirmation, too."""
        self._live.clear()
        self._outstanding.clear()
        self._waits.clear()
        self._unheard.clear()
        self._heard_at = None
