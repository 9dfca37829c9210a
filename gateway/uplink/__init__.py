"""The way to the world: one MQTT session per site, rows out, confirmations and commands in."""

from gateway.uplink.commands import Execute, refuse
from gateway.uplink.health import Health
from gateway.uplink.outbox import Outbox
from gateway.uplink.site import Identity, SiteUplink

__all__ = ["Execute", "Health", "Identity", "Outbox", "SiteUplink", "refuse"]
