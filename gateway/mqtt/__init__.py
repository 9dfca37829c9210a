"""MQTT on the asyncio loop, shared by uplink and ingest: links that end, and a session that opens the next one."""

from gateway.mqtt.failures import LinkFailed, LinkFault
from gateway.mqtt.link import NO_MATCHING_SUBSCRIBERS, Link
from gateway.mqtt.opening import open_link
from gateway.mqtt.session import Session
from gateway.mqtt.shapes import LinkOptions, Message, Will

__all__ = [
    "NO_MATCHING_SUBSCRIBERS",
    "Link",
    "LinkFailed",
    "LinkFault",
    "LinkOptions",
    "Message",
    "Session",
    "Will",
    "open_link",
]
