"""A plain MQTT peer for tests: publishes as a gateway would and hears what a gateway would hear."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from gateway.mqtt import Link, LinkFailed, LinkFault, LinkOptions, open_link
from gateway.settings.types import MqttSettings
from tests.servers import Server

OUTBOX = "9c41f07be2a3"


async def eventually(wanted: Callable[[], object], timeout_s: float = 30) -> None:
    """Wait for something that has no event of its own."""
    give_up = asyncio.get_running_loop().time() + timeout_s
    while True:
        if wanted():
            return
        assert asyncio.get_running_loop().time() < give_up, "it did not happen"
        await asyncio.sleep(0.01)


def broker_settings(broker: Server, **changes: Any) -> MqttSettings:
    found: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": broker.port,
        "tls": None,
        "username": None,
        "password_file": None,
        "confirm": True,
    }
    return MqttSettings(**(found | changes))


class Peer:
    """One connection; `heard` grows with all that comes on the topics it listens to."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.heard: list[tuple[str, bytes]] = []
        self._news = asyncio.Event()

    async def publish(self, topic: str, payload: bytes | dict[str, Any] | str, *, retain: bool = False) -> int:
        """The broker's reason code, when it has the message."""
        data = json.dumps(payload, ensure_ascii=False) if isinstance(payload, dict) else payload
        await self.link.wait_for_room()
        flight = self.link.publish(topic, data.encode() if isinstance(data, str) else data, retain=retain)
        async with asyncio.timeout(20):
            return await flight

    async def listen(self) -> None:
        while True:
            for message in await self.link.receive():
                self.heard.append((message.topic, message.payload))
            self._news.set()

    async def until(self, wanted: Callable[[], object], timeout_s: float = 30) -> None:
        """Wait until `wanted()` is true, looking at every arrival."""
        async with asyncio.timeout(timeout_s):
            while not wanted():
                self._news.clear()
                await self._news.wait()

    def stored(self, site: str = "depot-07", outbox: str = OUTBOX) -> list[int]:
        """Every sequence number reported as stored so far, in order of arrival, repeats included."""
        numbers: list[int] = []
        for topic, payload in self.heard:
            if topic == f"vigil/v1/{site}/_gateway/stored":
                found = json.loads(payload)
                if found["outbox"] == outbox:
                    numbers += [number for first, last in found["done"] for number in range(first, last + 1)]
        return numbers


@asynccontextmanager
async def peer(broker: Server, *filters: str, **changes: Any) -> AsyncIterator[Peer]:
    """A peer that listens to `filters`; `changes` go to its broker settings."""
    link = await open_link(broker_settings(broker, **changes), LinkOptions(client_id=f"peer-{id(object()):x}"))
    found = Peer(link)
    if filters:
        await link.subscribe(filters)
    listening = asyncio.create_task(found.listen())
    try:
        yield found
    finally:
        listening.cancel()
        outcome = (await asyncio.gather(listening, return_exceptions=True))[0]
        link.abort(LinkFailed(LinkFault.LOST, "test over"))
        if not isinstance(outcome, (asyncio.CancelledError, LinkFailed)):
            raise AssertionError(outcome)


def telemetry(seq: int, ts: int, outbox: str = OUTBOX, **values: Any) -> dict[str, Any]:
    return {
        "id": f"{outbox}-{seq:06d}",
        "ts": ts,
        "kind": "generator",
        "labels": {"city": "xining"},
        "clock": "synced",
        "v": values or {"battery_voltage": seq / 8},
    }
