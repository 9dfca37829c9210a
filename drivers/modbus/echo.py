"""Adapters that hear what they send: whether the line's does, told or found out, and whether this request was heard."""

from __future__ import annotations

from drivers.modbus.pdu import Expected


class Echo:
    """`known`: the adapter repeats what is sent (True), does not (False), or it is found out from reads, whose answer
    never equals the request."""

    def __init__(self, known: bool | None) -> None:
        self._known = known
        self._repeats = known
        self.was_heard = False
        """The echo of the request under way has come."""

    def reset(self) -> None:
        """The link is a new one."""
        self._repeats = self._known

    def may_come(self, expected: Expected) -> bool:
        """Whether what equals the request is its echo."""
        removes = expected.is_read if self._repeats is None else self._repeats
        return removes and not self.was_heard

    def learn(self, expected: Expected) -> None:
        """The request is over."""
        if self._known is None and expected.is_read:
            self._repeats = True if self.was_heard else None
