"""What goes into a link and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when the link ends without a DISCONNECT."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How a link is opened. `receive_maximum` bounds what the broker may send before it is acknowledged (MQTT 5)."""

    client_id: str
    will: Will | None = None
    manual_ack: bool = False
    receive_maximum: int | None = None
    clean_start: bool = True
    session_expiry_s: int = 0
    window: int = 100
    """Most publications in flight; the broker's Receive Maximum may make it less."""
    inbox: int = 2000
    """Messages that may wait for `receive` before the socket is no longer read."""
    maximum_packet_bytes: int = 1 << 20
    connect_timeout_s: float = 10.0
    answer_timeout_s: float = 20.0
    """How long a broker that owes an answer may be silent."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message received. `mid` is what `Link.ack` needs where the session acknowledges by hand."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    mid: int
    response_topic: str | None = None
    correlation: bytes | None = None
