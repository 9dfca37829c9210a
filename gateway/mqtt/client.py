"""paho's client as a link uses it: on a stream already connected, with no queue and no reconnecting of its own."""

from __future__ import annotations

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.mqtt.shapes import LinkOptions, Message
from gateway.mqtt.stream import Stream
from gateway.settings.types import MqttSettings


class Client(paho.Client):
    stream: Stream

    def _create_socket(self) -> Stream:
        return self.stream


def new_client(
    stream: Stream, password: str | None, settings: MqttSettings, options: LinkOptions, version: int
) -> Client:
    """A client that has sent nothing yet; its callbacks are the caller's to set before `say_hello`."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=options.client_id,
        clean_session=None if version == MQTTProtocolVersion.MQTTv5 else options.clean_start,
        protocol=MQTTProtocolVersion(version),
        reconnect_on_failure=False,
        manual_ack=options.manual_ack,
    )
    client.stream = stream
    client.max_inflight_messages_set(0)  # the window is the link's; paho's own queue would have no bound
    client.username_pw_set(settings.username, password)
    if options.will is not None:
        client.will_set(options.will.topic, options.will.payload, qos=1, retain=True)
    return client


def say_hello(client: Client, settings: MqttSettings, options: LinkOptions, version: int) -> None:
    """Queue the CONNECT."""
    if version != MQTTProtocolVersion.MQTTv5:
        client.connect(settings.host, settings.port, settings.keepalive_s)
        return
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = options.maximum_packet_bytes
    if options.receive_maximum is not None:
        properties.ReceiveMaximum = options.receive_maximum
    if options.session_expiry_s:
        properties.SessionExpiryInterval = options.session_expiry_s
    client.connect(
        settings.host, settings.port, settings.keepalive_s, clean_start=options.clean_start, properties=properties
    )


def received(topic: str, message: paho.MQTTMessage) -> Message:
    """paho's message in our own shape; `topic` is decoded by the caller, since that may fail."""
    properties = message.properties
    return Message(
        topic,
        bytes(message.payload),
        message.qos,
        message.retain,
        message.dup,
        message.mid,
        getattr(properties, "ResponseTopic", None),
        getattr(properties, "CorrelationData", None),
    )
