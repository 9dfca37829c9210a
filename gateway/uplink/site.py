"""The uplink of one site: its session, its status, what it listens to, and the courier that moves its rows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from gateway.mqtt import Link, LinkFailed, LinkFault, LinkOptions, Message, Session, Will
from gateway.ports import Row
from gateway.settings.types import MqttSettings
from gateway.uplink.commands import CommandDesk, Execute, refuse
from gateway.uplink.courier import Courier
from gateway.uplink.health import Health
from gateway.uplink.outbox import Outbox
from gateway.wire import topics
from gateway.wire.decode import Malformed, decode
from gateway.wire.encode import status_payload
from gateway.wire.messages import GatewayStatus, Stored

log = logging.getLogger(__name__)

FAREWELL_S = 2.0
OFFLINE = status_payload(GatewayStatus(online=False))


@dataclass(frozen=True, slots=True)
class Identity:
    """What `status` says of this gateway. `since` is when this run began (UTC ms), so that a reader can tell a gateway
    that was off from one that was cut off."""

    site: str
    since: int
    version: str
    config: str


class SiteUplink:
    """Owns the MQTT session of a site. `run` it as one task; `offer` every accepted row."""

    def __init__(
        self,
        settings: MqttSettings,
        identity: Identity,
        outbox: Outbox,
        execute: Execute = refuse,
        *,
        answer_timeout_s: float = 20.0,
    ) -> None:
        self._identity = identity
        self._outbox = outbox
        self._by_ingest = settings.confirm != "broker"
        self._courier = Courier(outbox, confirm_by_broker=not self._by_ingest)
        self._desk = CommandDesk(execute)
        self._status_topic = topics.status(identity.site)
        options = LinkOptions(
            client_id=settings.client_id or f"vigil-{identity.site}",
            will=Will(self._status_topic, OFFLINE),
            answer_timeout_s=answer_timeout_s,
        )
        self._session = Session(settings, options)
        self._stopping = asyncio.Event()
        self._refused: set[str] = set()
        self._malformed = 0

    def offer(self, row: Row) -> bool:
        """Send an accepted row live; False where it waits in the outbox instead. Never blocks, never loses."""
        return self._courier.offer(row)

    def look_again(self) -> None:
        """Rows of the outbox that were held back may go now."""
        self._courier.look_again()

    def identify(self, identity: Identity) -> None:
        """Say this under `status` from now on; the site stays the same."""
        self._identity = identity
        link = self._session.link
        if link is not None:
            with contextlib.suppress(LinkFailed):  # the next link says it
                link.publish(self._status_topic, self._online(), retain=True)

    async def run(self) -> None:
        """Keep the site connected until `stop` is called or this is cancelled (which leaves the last will to speak)."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._courier.books.keep(), name="uplink-books"),
                group.create_task(self._desk.run(), name="uplink-commands"),
                group.create_task(self._session.run(self._serve), name="uplink-session"),
            ]
            await self._stopping.wait()
            await self._say_goodbye()
            for task in tasks:
                task.cancel()
        await self._courier.books.write()

    def stop(self) -> None:
        """Let `run` say `offline`, close the link and return, within 5 s."""
        self._stopping.set()

    def health(self) -> Health:
        """How the uplink stands now."""
        courier, counters = self._courier, self._courier.counters
        link = self._session.link
        now = asyncio.get_running_loop().time()
        return Health(
            connected=link is not None,
            failure=self._session.failure,
            connects=self._session.connects,
            in_flight=link.in_flight if link is not None else 0,
            unconfirmed=courier.waiting,
            sent=counters.sent,
            resent=counters.resent,
            confirmed=counters.confirmed,
            refused=counters.refused,
            deferred=counters.deferred,
            latency_s=counters.latency_s,
            stored_ago_s=now - counters.stored_at if counters.stored_at is not None else None,
            is_authorised=courier.is_authorised and not self._refused,
            has_subscribers=courier.has_subscribers,
            malformed=self._malformed + self._desk.malformed + (link.malformed if link is not None else 0),
        )

    async def _serve(self, link: Link) -> None:
        site = self._identity.site
        if self._by_ingest:
            await self._listen_to(link, topics.stored(site))
        await self._listen_to(link, topics.command(site, "+"))
        link.publish(self._status_topic, self._online(), retain=True)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._courier.serve(link), name="uplink-courier")
            group.create_task(self._receive(link), name="uplink-receive")

    async def _listen_to(self, link: Link, pattern: str) -> None:
        """A broker that does not let us hear this still gets our data; a person must act."""
        try:
            await link.subscribe([pattern])
        except LinkFailed as failure:
            if failure.fault is not LinkFault.NOT_AUTHORISED:
                raise
            if pattern not in self._refused:
                self._refused.add(pattern)
                log.error("mqtt_subscription_refused topic=%s reason=%s", pattern, failure)
        else:
            self._refused.discard(pattern)

    def _online(self) -> bytes:
        who = self._identity
        return status_payload(GatewayStatus(True, who.since, who.version, self._outbox.id, who.config))

    async def _receive(self, link: Link) -> None:
        while True:
            for message in await link.receive():
                self._take(link, message)

    def _take(self, link: Link, message: Message) -> None:
        topic = topics.parse(message.topic)
        if topic is None or topic.site != self._identity.site:
            self._malformed += 1
        elif topic.channel is topics.Channel.STORED:
            self._take_stored(topic, message)
        elif topic.channel is topics.Channel.COMMAND:
            self._desk.take(link, topic, message)

    def _take_stored(self, topic: topics.Topic, message: Message) -> None:
        try:
            stored = decode(topic, message.payload)
        except Malformed as error:
            self._malformed += 1
            log.warning("stored_malformed reason=%s", error)
            return
        if isinstance(stored, Stored):
            self._courier.confirm(stored.outbox, stored.done)

    async def _say_goodbye(self) -> None:
        link = self._session.link
        if link is None:
            return
        self._courier.hold()
        try:
            async with asyncio.timeout(FAREWELL_S):
                await link.wait_for_room()
                await link.publish(self._status_topic, OFFLINE, retain=True)
        except (TimeoutError, LinkFailed) as error:
            log.warning("mqtt_goodbye_failed reason=%s", error)
        await link.close()
