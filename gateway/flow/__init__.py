"""From readings to what others see: the latest of every point, and what is due to be sent."""

from gateway.flow.reporter import Reporter
from gateway.flow.snapshot import Latest, Snapshot, Subscription

__all__ = ["Latest", "Reporter", "Snapshot", "Subscription"]
