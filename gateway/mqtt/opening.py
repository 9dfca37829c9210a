"""From settings to a link the broker has welcomed, on the newest version it speaks."""

from __future__ import annotations

import asyncio

from paho.mqtt.enums import MQTTProtocolVersion

from gateway.mqtt.failures import LinkFailed, LinkFault
from gateway.mqtt.link import Link
from gateway.mqtt.shapes import LinkOptions
from gateway.mqtt.stream import open_stream
from gateway.settings.types import MqttSettings

MQTT5 = int(MQTTProtocolVersion.MQTTv5)
MQTT311 = int(MQTTProtocolVersion.MQTTv311)
UNWELCOME = "connected, but no CONNACK"


async def open_link(settings: MqttSettings, options: LinkOptions) -> Link:
    """A link the broker has welcomed, on MQTT 5 or else 3.1.1. Raises LinkFailed; each version tried has
    `options.connect_timeout_s`."""
    if settings.version != "auto":
        version = MQTT5 if settings.version == "5" else MQTT311
        return await _open(settings, options, version, options.connect_timeout_s)
    try:
        return await _open(settings, options, MQTT5, options.connect_timeout_s / 2)
    except LinkFailed as failure:
        if not _means_too_new(failure):
            raise
        return await _open(settings, options, MQTT311, options.connect_timeout_s)


def _means_too_new(failure: LinkFailed) -> bool:
    """Old brokers refuse MQTT 5 with a return code, hang up, or wait for the rest of what they misread."""
    return failure.fault in (LinkFault.PROTOCOL, LinkFault.LOST, LinkFault.HUNG_UP) or failure.detail == UNWELCOME


async def _open(settings: MqttSettings, options: LinkOptions, version: int, welcome_s: float) -> Link:
    try:
        async with asyncio.timeout(options.connect_timeout_s):
            stream, password = await open_stream(settings, options.connect_timeout_s)
    except TimeoutError as error:
        raise LinkFailed(LinkFault.TIMEOUT, f"{options.connect_timeout_s:.0f} s") from error
    link = Link(stream, password, settings, options, version)
    try:
        async with asyncio.timeout(welcome_s):
            await link.greeted()
    except TimeoutError as error:
        raise LinkFailed(LinkFault.TIMEOUT, UNWELCOME) from error
    except LinkFailed as failure:
        if failure.fault is LinkFault.LOST and settings.tls is None:
            raise LinkFailed(LinkFault.HUNG_UP, failure.detail) from failure
        raise
    finally:
        if not link.is_welcome:
            link.abort(LinkFailed(LinkFault.LOST, "not welcomed"))
    return link
