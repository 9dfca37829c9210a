"""Framing without I/O: what a line is told by the bytes that come, however they are cut.

A framing knows the one request under way. It believes a frame only when everything in it that can be checked is right,
finds it at any byte, and counts what it passes over by reason.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import Protocol, TypeAlias

from drivers.modbus.pdu import Expected


class Failure(Enum):
    """How a request ended without an answer."""

    SILENT = "nothing came that was for us"
    BROKEN = "something came, but no frame that could be believed"
    GARBLED = "the answer came broken and is over: asking again is safe"
    STREAM = "the stream can no longer be cut into frames: close it"
    LOST = "the link went away"


#: Data of the answer, code of an exception, or how it failed.
Outcome: TypeAlias = bytes | int | Failure


class Framing(Protocol):
    """One way to put requests on the wire. `discarded` counts reasons; `owing` are units with a late answer due, kept
    by the line, so that such a frame is counted as `late`."""

    discarded: Counter[str]
    owing: set[int]
    noise_bytes: int
    """Bytes that belonged to no frame."""

    def start(self, expected: Expected) -> bytes:
        """The frame to send; what came before belongs to no request."""
        ...

    def feed(self, data: bytes) -> Outcome | None:
        """Take what came; the outcome once it is certain."""
        ...

    def settle(self) -> Outcome | None:
        """Nothing came for a while, more may follow: an answer that hid behind noise, GARBLED, or None: wait on."""
        ...

    def finish(self) -> Outcome:
        """Nothing more counts: the request is over."""
        ...

    def reset(self) -> None:
        """The link is a new one: forget every byte and request."""
        ...

    def wire_chars(self, expected: Expected) -> int:
        """Characters of the request's frame."""
        ...
