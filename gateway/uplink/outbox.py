"""What the uplink asks of the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.ports import Confirmed, Row


class Outbox(Protocol):
    """The rows that were accepted and are not confirmed, and the newest row of each retained topic."""

    @property
    def id(self) -> str:
        """Twelve hex digits."""
        ...

    async def backlog(self, after: tuple[int, int], limit: int) -> Sequence[Row]:
        """Held rows in order of rank and sequence number, those behind `after` (rank, seq), at most `limit`;
        StoreUnavailable where they cannot be read for now."""
        ...

    async def newest_retained(self) -> Sequence[Row]:
        """The newest row of each retained topic, confirmed or not."""
        ...

    async def confirm(self, confirmed: Confirmed) -> None:
        """Forget these rows; numbers that are not held are passed over."""
        ...

    async def set_aside(self, seq: int, reason: str) -> None:
        """The broker will never take this row: to the dead letters, with the broker's reason."""
        ...
