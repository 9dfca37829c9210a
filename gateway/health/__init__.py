"""The gateway's own health as points of kind `gateway`."""

from gateway.health.itself import INTERVAL_S, Health, lines, machine

__all__ = ["INTERVAL_S", "Health", "lines", "machine"]
