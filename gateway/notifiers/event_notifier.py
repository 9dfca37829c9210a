"""Notices as events of type `message`: to whoever listens to the site by MQTT, by way of the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from gateway.errors import NotifyRetry
from gateway.ports import Notice, Row
from gateway.settings.notify_types import ChannelSettings
from gateway.wire.messages import Json
from gateway.wire.topics import SITE

COMMIT_S = 10.0


class EventNotifier:
    """`tell` queues an event (gateway.pipeline.Pipeline.event), `committed` waits until it is on disk."""

    def __init__(
        self,
        channel: ChannelSettings,
        tell: Callable[[str, str, Mapping[str, Json]], Row | None],
        committed: Callable[[int], Awaitable[None]],
        commit_s: float = COMMIT_S,
    ) -> None:
        self._channel = channel
        self._tell = tell
        self._committed = committed
        self._commit_s = commit_s

    async def send(self, notice: Notice) -> None:
        """Taken as soon as it is on disk: the outbox sees to the rest."""
        devices = {alarm.partition("/")[0] for alarm in notice.alarms}
        data: dict[str, Json] = {
            "notice": notice.id,
            "channel": notice.channel,
            "priority": notice.priority.value,
            "title": notice.title,
            "text": notice.short if self._channel.form == "short" else notice.long,
            "count": len(notice.alarms),
        }
        row = self._tell(devices.pop() if len(devices) == 1 else SITE, "message", data)
        if row is None:
            raise NotifyRetry("the disk is too far behind", "磁盘写入落后太多")
        try:
            async with asyncio.timeout(self._commit_s):
                await self._committed(row.seq)
        except TimeoutError:
            raise NotifyRetry("the disk does not answer", "磁盘没有应答") from None

    async def close(self) -> None:
        """Nothing is held."""
