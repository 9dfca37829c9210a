"""One MQTT connection from CONNECT to its end: paho's packets on the asyncio loop, without a thread.

A link is never revived. What was in flight when it ended is its owner's to send again, so that paho's own resending
(all at once, whatever the window) never happens.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import paho.mqtt.client as paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.mqtt.client import Client, new_client, received, say_hello
from gateway.mqtt.failures import LinkFailed, LinkFault, failure_of, failure_of_reason, failure_of_welcome
from gateway.mqtt.packets import PUBACK, publish_packet, read_puback
from gateway.mqtt.shapes import LinkOptions, Message
from gateway.mqtt.stream import Stream
from gateway.settings.types import MqttSettings

_Answer = TypeVar("_Answer")

NO_MATCHING_SUBSCRIBERS = 0x10
UNKNOWN_RECEIVE_MAXIMUM = 20
MQTT5_RECEIVE_MAXIMUM = 65535
"""What MQTT 5.0 section 3.2.2.3.3 takes where CONNACK does not say."""
FIRST_MID, LAST_MID = 1024, 65535
"""Message ids of publications; paho numbers its few packets from 1."""
TICK_S = 0.5
CLOSE_LINGER_S = 2.0


@dataclass(frozen=True, slots=True)
class _Greeting:
    """The CONNACK."""

    reason: ReasonCode
    properties: Mapping[str, Any]
    session_present: bool


class Link:
    """An open connection. All methods belong to the loop it was opened on.

    `lost` is done when the link has ended, with the LinkFailed that says why.
    """

    def __init__(
        self, stream: Stream, password: str | None, settings: MqttSettings, options: LinkOptions, version: int
    ):
        self._loop = asyncio.get_running_loop()
        self._stream = stream
        self._options = options
        self.version = version
        """5, or 4 for MQTT 3.1.1."""
        self.window = min(options.window, UNKNOWN_RECEIVE_MAXIMUM)
        self.largest_packet_bytes: int | None = None
        """The broker's Maximum Packet Size, where it has one."""
        self.session_present = False
        self.lost: asyncio.Future[LinkFailed] = self._loop.create_future()
        self.is_welcome = False
        """Whether the broker has accepted the connection."""
        self.is_closed = False
        """Whether `close` was called."""
        self.malformed = 0
        """Messages dropped because their topic is no UTF-8."""
        self.has_room: Callable[[], object] = _nobody
        """Called once for all the answers that came together."""
        self._flights: dict[int, tuple[Callable[[int], object], float]] = {}
        self._awaited: set[asyncio.Future[int]] = set()
        self._last_mid = LAST_MID
        self._subscribing: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._greeting: asyncio.Future[_Greeting] = self._loop.create_future()
        self._inbox: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._reading = False
        self._flushing = False
        self._blocked = False
        self._heard_bytes = 0
        self._heard_at = self._loop.time()
        self._client = self._start(password, settings)
        self._ticker = self._loop.call_later(TICK_S, self._tick)

    # opening

    def _start(self, password: str | None, settings: MqttSettings) -> Client:
        client = new_client(self._stream, password, settings, self._options, self.version)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_want_write
        self._client = client
        self._resume_reading()
        say_hello(client, settings, self._options, self.version)
        return client

    async def greeted(self) -> None:
        """Wait for the broker's welcome; LinkFailed if it has none."""
        greeting = await self._answered(self._greeting)
        if greeting.reason.is_failure:
            raise failure_of_welcome(greeting.reason.value, str(greeting.reason))
        said = greeting.properties
        if said.get("MaximumQoS", 1) < 1:
            raise LinkFailed(LinkFault.PROTOCOL, "the broker offers QoS 0 only")
        unsaid = MQTT5_RECEIVE_MAXIMUM if self.version == 5 else UNKNOWN_RECEIVE_MAXIMUM
        self.window = min(self._options.window, said.get("ReceiveMaximum", unsaid))
        self.largest_packet_bytes = said.get("MaximumPacketSize")
        self.is_welcome = True
        self.session_present = greeting.session_present

    # sending

    @property
    def in_flight(self) -> int:
        """Publications the broker has not answered yet."""
        return len(self._flights)

    @property
    def room(self) -> int:
        """How many publications the window still takes."""
        return max(self.window - len(self._flights), 0) if not self.lost.done() else 0

    async def wait_for_room(self) -> None:
        """Return when `publish` may be called; LinkFailed when the link has ended."""
        while not self.room:
            if self.lost.done():
                raise self.lost.result()
            self._room.clear()
            await self._room.wait()

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> asyncio.Future[int]:
        """Send with QoS 1; the future gives the PUBACK's reason code (0 on 3.1.1), or LinkFailed if none came.

        Only when `room` is not 0. A reason code of 0x80 and above is a refusal. `correlation` goes along on MQTT 5.
        """
        flight: asyncio.Future[int] = self._loop.create_future()
        self.send(topic, payload, partial(self._settle, flight), retain=retain, correlation=correlation)
        self._awaited.add(flight)
        return flight

    def send(
        self,
        topic: str,
        payload: bytes,
        answered: Callable[[int], object],
        *,
        retain: bool = False,
        correlation: bytes | None = None,
    ) -> None:
        """The same for many: `answered` is called with the reason code, never if the link ends before."""
        if not self.room:
            raise self.lost.result() if self.lost.done() else LinkFailed(LinkFault.BUSY, "window full")
        mid = self._free_mid()
        self._stream.send(publish_packet(topic, payload, mid, self.version, retain=retain, correlation=correlation))
        self._on_want_write()
        self._flights[mid] = answered, self._loop.time()

    def _settle(self, flight: asyncio.Future[int], reason: int) -> None:
        self._awaited.discard(flight)
        if not flight.done():
            flight.set_result(reason)

    def _free_mid(self) -> int:
        """A message id that neither a flight nor paho, which counts its own from 1, has in use."""
        mid = self._last_mid
        while mid == self._last_mid or mid in self._flights:
            mid = mid + 1 if mid < LAST_MID else FIRST_MID
        self._last_mid = mid
        return mid

    # receiving

    async def subscribe(self, filters: Sequence[str], *, qos: int = 1, no_local: bool = False) -> None:
        """Subscribe; LinkFailed if the broker refuses one of `filters` or does not answer."""
        options: Any = qos
        if self.version == 5:
            options = SubscribeOptions(qos=qos, noLocal=no_local)
        if self.lost.done():
            raise self.lost.result()
        _, mid = self._client.subscribe([(name, options) for name in filters])
        if mid is None:
            raise LinkFailed(LinkFault.LOST, "subscribe")
        answer: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self._subscribing[mid] = answer
        try:
            async with asyncio.timeout(self._options.answer_timeout_s):
                reasons = await self._answered(answer)
        except TimeoutError as error:
            raise LinkFailed(LinkFault.TIMEOUT, "SUBACK") from error
        finally:
            del self._subscribing[mid]
        for name, reason in zip(filters, reasons, strict=False):
            if reason.is_failure:
                code = reason.value if reason.value != 0x80 else 0x87  # 3.1.1 has one code for every refusal
                raise failure_of_reason(code, f"subscribe {name}: {reason}")

    async def _answered(self, answer: asyncio.Future[_Answer]) -> _Answer:
        waiting: set[asyncio.Future[Any]] = {answer, self.lost}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise self.lost.result()
        return answer.result()

    async def receive(self) -> list[Message]:
        """All messages that have come, at least one, in order; LinkFailed when the link has ended."""
        while not self._inbox:
            if self.lost.done():
                raise self.lost.result()
            self._arrived.clear()
            await self._arrived.wait()
        messages = list(self._inbox)
        self._inbox.clear()
        if not self._reading and not self.lost.done():
            self._resume_reading()
        return messages

    def ack(self, message: Message) -> None:
        """Acknowledge a QoS 1 message of a link opened with `manual_ack`; nothing if the link has ended."""
        if message.qos and not self.lost.done():
            self._client.ack(message.mid, message.qos)

    # ending

    async def close(self) -> None:
        """Say goodbye, so that the broker does not publish the will; bounded in time."""
        self.is_closed = True
        if not self.lost.done():
            self._client.disconnect()
            await asyncio.wait({self.lost}, timeout=CLOSE_LINGER_S)
        self.abort(LinkFailed(LinkFault.LOST, "closed"))

    def abort(self, failure: LinkFailed) -> None:
        """End the link at once; the broker publishes the will."""
        if self.lost.done():
            return
        self.lost.set_result(failure)
        self._ticker.cancel()
        self._unwatch()
        self._stream.close()
        for flight in self._awaited:
            if not flight.done():
                flight.set_exception(failure)
                flight.exception()  # an owner that does not care need not look
        self._awaited.clear()
        self._flights.clear()
        self._arrived.set()
        self._room.set()

    def _end(self, failure: LinkFailed) -> None:
        """paho found the link ended: prefer what the operating system said."""
        self.abort(failure_of(self._stream.error) if self._stream.error is not None else failure)

    # the loop's side

    def _resume_reading(self) -> None:
        self._reading = True
        self._loop.add_reader(self._stream.fileno(), self._read)
        if self._stream.has_input:
            self._loop.call_soon(self._read)

    def _unwatch(self) -> None:
        descriptor = self._stream.fileno()
        if descriptor >= 0:
            self._loop.remove_reader(descriptor)
            self._loop.remove_writer(descriptor)
        self._reading = False

    def _read(self) -> None:
        in_flight = len(self._flights)
        self._take_packets()
        if len(self._flights) < in_flight and not self.lost.done():
            self._room.set()
            self.has_room()

    def _take_packets(self) -> None:
        stream = self._stream
        stream.allow_read()
        while not self.lost.done() and self._reading:
            if len(self._inbox) >= self._options.inbox:
                self._reading = False
                self._loop.remove_reader(stream.fileno())
                return
            packet = stream.next_packet()
            if packet is None:
                if stream.is_over:
                    self._client.loop_read()
                return
            if packet[0] == PUBACK:
                self._take_puback(packet)
            else:
                stream.hand(packet)
                self._client.loop_read()

    def _take_puback(self, packet: bytes) -> None:
        answer = read_puback(packet)
        if answer is None:
            self._end(LinkFailed(LinkFault.PROTOCOL, "malformed PUBACK"))
            return
        mid, reason = answer
        flight = self._flights.pop(mid, None)
        if flight is not None:
            flight[0](reason)

    def _on_want_write(self, *_: object) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        """Hand paho's packets to the stream and write them in one go."""
        self._flushing = False
        if self.lost.done():
            return
        self._client.loop_write()
        if self.lost.done():
            return
        try:
            done = self._stream.flush()
        except OSError as error:
            self._end(failure_of(error))
            return
        if self._blocked and done:
            self._loop.remove_writer(self._stream.fileno())
        elif not done:
            self._loop.add_writer(self._stream.fileno(), self._write)
        self._blocked = not done

    def _tick(self) -> None:
        self._ticker = self._loop.call_later(TICK_S, self._tick)
        self._client.loop_misc()
        if self.lost.done():
            return
        now = self._loop.time()
        if self._stream.received != self._heard_bytes or not self._reading:
            self._heard_bytes = self._stream.received
            self._heard_at = now
        keepalive_s = self._client.keepalive
        silent_s = now - self._heard_at
        if keepalive_s and silent_s > keepalive_s + self._options.answer_timeout_s:
            self.abort(LinkFailed(LinkFault.SILENT, f"nothing for {silent_s:.0f} s"))
        elif self._flights:
            _, sent_at = next(iter(self._flights.values()))
            owed_s = min(now - sent_at, silent_s)
            if owed_s > self._options.answer_timeout_s:
                self.abort(LinkFailed(LinkFault.SILENT, f"no PUBACK for {owed_s:.0f} s"))

    # paho's callbacks

    def _on_connect(
        self,
        _client: object,
        _data: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if not self._greeting.done():
            said = {name: getattr(properties, name) for name in _CONNACK_NUMBERS if hasattr(properties, name)}
            self._greeting.set_result(_Greeting(reason, said, flags.session_present))

    def _on_disconnect(
        self,
        _client: object,
        _data: object,
        flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server and reason.is_failure:
            self._end(failure_of_reason(reason.value, str(reason)))
        else:
            self._end(LinkFailed(LinkFault.LOST, str(reason)))

    def _on_subscribe(
        self, _client: object, _data: object, mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        answer = self._subscribing.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(reasons)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self.malformed += 1
            if self._options.manual_ack and message.qos:
                self._client.ack(message.mid, message.qos)
            return
        self._inbox.append(received(topic, message))
        self._arrived.set()

    def _on_socket_close(self, *_: object) -> None:
        self._unwatch()


def _nobody() -> None:
    """Nobody wants to know."""


_CONNACK_NUMBERS = ("ReceiveMaximum", "MaximumQoS", "MaximumPacketSize")
