"""What people may ask of a running gateway, over the control socket and by MQTT."""

from gateway.orders.book import CommandBook, Done
from gateway.orders.hands import SiteHands
from gateway.orders.register import register_orders

__all__ = ["CommandBook", "Done", "SiteHands", "register_orders"]
