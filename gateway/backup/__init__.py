"""A site in one file, for a dead box: its configuration and its state, out of one machine and into another."""

from gateway.backup.make import Made, back_up
from gateway.backup.restore import Restored, restore

__all__ = ["Made", "Restored", "back_up", "restore"]
