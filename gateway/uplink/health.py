"""What the uplink knows of itself."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.mqtt import LinkFailed


@dataclass(slots=True)
class Counters:
    """Counts since start; `stored_at` is monotonic."""

    sent: int = 0
    resent: int = 0
    confirmed: int = 0
    refused: int = 0
    deferred: int = 0
    """Rows that could not be sent live."""
    latency_s: float | None = None
    """How long the broker took to answer the last row."""
    stored_at: float | None = None

    def note_sent(self, *, again: bool) -> None:
        self.sent += 1
        if again:
            self.resent += 1


@dataclass(frozen=True, slots=True)
class Health:
    """One look at the uplink. `stored_ago_s` is None until the first confirmation of this run."""

    connected: bool
    failure: LinkFailed | None
    connects: int
    in_flight: int
    unconfirmed: int
    """Rows sent whose time to be confirmed runs."""
    sent: int
    resent: int
    confirmed: int
    refused: int
    deferred: int
    latency_s: float | None
    stored_ago_s: float | None
    is_authorised: bool
    has_subscribers: bool
    malformed: int
    """Messages on our topics that could not be read."""

    def points(self) -> dict[str, bool | float]:
        """Those of the points of kind `gateway` that the uplink can tell."""
        points: dict[str, bool | float] = {
            "uplink_connected": self.connected,
            "uplink_reconnects": max(self.connects - 1, 0),
            "rows_sent": self.sent,
            "rows_resent": self.resent,
            "rows_confirmed": self.confirmed,
            "rows_refused": self.refused,
        }
        if self.latency_s is not None:
            points["uplink_latency"] = round(self.latency_s * 1000, 1)
        return points
