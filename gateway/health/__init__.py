"""The gateway's own health as points of kind `gateway`."""

from gateway.health.itself import INTERVAL_S, Health, Source, lines, machine
from gateway.health.line_load import line_load
from gateway.health.supply import supply
from gateway.health.time_error import time_error

__all__ = ["INTERVAL_S", "Health", "Source", "line_load", "lines", "machine", "supply", "time_error"]
