"""Those who pass notices on: one task for each channel, so that none waits for another (gateway.ports.Announcer)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Protocol
from zoneinfo import ZoneInfo

from gateway.dispatch.board_time import BoardTime
from gateway.dispatch.group import Batch
from gateway.dispatch.keeping import PREFIX
from gateway.dispatch.switchboard import Kept, Switchboard
from gateway.dispatch.wording import Moment, Names, write
from gateway.errors import NotifyRejected, NotifyRetry
from gateway.model import AlarmState, Transition, Value
from gateway.ports import Announcer, Clock, Notice, Notifier, Row
from gateway.settings.notify_types import ChannelSettings, NotifySettings
from gateway.settings.types import SiteSettings
from gateway.wire.messages import Json
from gateway.wire.topics import GATEWAY, SITE

log = logging.getLogger(__name__)

SEND_S = 60.0
"""How long one notice may take; a channel's own deadline is shorter."""
CLOSE_S = 2.0
LONGEST_REST_S = 60.0
MOST_NAMED = 50
"""Alarms that the event of a notice names."""

NOBODY = NotifySettings({}, ())


class Documents(Protocol):
    """Where incidents are kept (gateway.store.Documents)."""

    def loaded(self, prefix: str) -> Mapping[str, bytes]: ...

    def keep(self, documents: Mapping[str, bytes | None]) -> None: ...


class Tell(Protocol):
    """gateway.pipeline.Pipeline.event."""

    def __call__(
        self, device: str, type_: str, data: Mapping[str, Json], *, keep: Mapping[str, bytes | None] | None = None
    ) -> Row | None: ...


class Crew:
    """The way to people of one site. `make` gives the notifier of a channel."""

    def __init__(
        self,
        site: SiteSettings,
        documents: Documents,
        clock: Clock,
        make: Callable[[ChannelSettings], Notifier],
        tell: Tell,
    ) -> None:
        self._documents = documents
        self._clock = clock
        self._time = BoardTime(clock)
        self._make = make
        self._tell = tell
        self._site = site
        self._names = Names(site)
        self._board = Switchboard(site.notify or NOBODY, site.id, ZoneInfo(site.timezone))
        self._board.restore(documents.loaded(PREFIX), self._time.now())
        self._wakes: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._told_dropped = 0

    # gateway.ports.Announcer

    def plan(self, transition: Transition) -> Mapping[str, bytes | None]:
        if not self._board.settings.channels:
            return {}
        return self._board.plan(transition, self._time.now(), self._clock.wall_ms())

    def told(self, transition: Transition) -> None:
        self._board.told(transition)
        self._wake_all()

    # the life of it

    def correct(self, alarms: Iterable[AlarmState]) -> None:
        """How all alarms stand at the start: what changed while nobody was to be told is made good."""
        self._keep(self._board.correct(alarms, self._time.now()))

    async def run(self) -> None:
        """Pass notices on until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                self._open(self._board.settings.channels)
                await asyncio.get_running_loop().create_future()
            finally:
                self._group = None
                for task in self._tasks.values():
                    task.cancel()

    def replace(self, site: SiteSettings, alarms: Iterable[AlarmState]) -> None:
        """`site` holds from now on, and this is how all alarms stand. Channels that stay the same are not
        interrupted."""
        before, chosen = self._board.settings.channels, site.notify or NOBODY
        self._site, self._names = site, Names(site)
        self._keep(self._board.replace(chosen, ZoneInfo(site.timezone)))
        self.correct(alarms)
        changed = [name for name in self._tasks if chosen.channels.get(name) != before.get(name)]
        for name in changed:
            self._tasks.pop(name).cancel()
        self._open(name for name in chosen.channels if name not in self._tasks)
        self._wake_all()

    def health(self) -> dict[str, Value]:
        """Its figures, by their names in the vocabulary of kind `gateway`."""
        paces = self._board.paces.values()
        return {
            "notifications_pending": self._board.waiting,
            "notifications_sent": sum(pace.sent for pace in paces),
            "notifications_failed": sum(pace.failed for pace in paces) + self._board.dropped,
            "notify_channels_failing": sum(pace.is_failing for pace in paces),
        }

    # one channel

    def _open(self, names: Iterable[str]) -> None:
        if self._group is not None:
            for name in names:
                self._wakes[name] = asyncio.Event()
                self._tasks[name] = self._group.create_task(self._serve(name), name=f"notify-{name}")

    async def _serve(self, name: str) -> None:
        notifier, wake = self._make(self._board.settings.channels[name]), self._wakes[name]
        try:
            while True:
                wake.clear()
                self._hand_on()
                now, wall = self._time.now(), self._clock.wall_ms()
                found = self._board.take(name, now, wall)
                if found is None:
                    await self._rest(wake, self._board.next_at(name, now, wall))
                else:
                    await self._pass_on(name, notifier, *found)
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await notifier.close()

    async def _rest(self, wake: asyncio.Event, at: int | None) -> None:
        rest_s = LONGEST_REST_S if at is None else min(LONGEST_REST_S, max(0.001, (at - self._time.now()) / 1000))
        with suppress(TimeoutError):
            async with asyncio.timeout(rest_s):
                await wake.wait()

    async def _pass_on(self, name: str, notifier: Notifier, id_: str, made: Batch) -> None:
        notice = self._write(name, id_, made)
        try:
            async with asyncio.timeout(SEND_S):
                await notifier.send(notice)
        except TimeoutError:
            self._failed(name, id_, made, "no answer in time", None)
        except NotifyRetry as error:
            self._failed(name, id_, made, str(error), error.after_s)
        except NotifyRejected as error:
            self._refused(name, notice, made, str(error))
        else:
            self._sent(name, notice, made)

    def _write(self, name: str, id_: str, made: Batch) -> Notice:
        moment = Moment(
            self._time.now(), self._clock.wall_ms(), ZoneInfo(self._site.timezone), is_known=self._clock.synced
        )
        return write(id_, made, self._board.settings.channels[name].language, self._names, moment)

    # what became of it

    def _sent(self, name: str, notice: Notice, made: Batch) -> None:
        now = self._time.now()
        since = self._board.paces[name].took(now)
        log.info("notice_sent channel=%s id=%s alarms=%d", name, notice.id, len(notice.alarms))
        self._record(notice, made, "sent", self._board.sent(made, now))
        if since is not None:
            log.info("channel_recovered channel=%s outage_s=%.0f", name, (now - since) / 1000)
            self._tell(GATEWAY, "channel_recovered", {"channel": name, "outage_s": (now - since) / 1000})
        self._tell_dropped()

    def _refused(self, name: str, notice: Notice, made: Batch, why: str) -> None:
        now = self._time.now()
        self._board.paces[name].refused(now)
        log.error("notice_refused channel=%s id=%s reason=%s", name, notice.id, why)
        self._record(notice, made, "refused", self._board.refused(made, now), why)
        self._wake_all()

    def _failed(self, name: str, id_: str, made: Batch, why: str, after_s: float | None) -> None:
        now, pace = self._time.now(), self._board.paces[name]
        if pace.failed_at(now, after_s):
            log.error("channel_failing channel=%s reason=%s", name, why)
            self._tell(GATEWAY, "channel_failing", {"channel": name, "why": why})
        late, kept = self._board.failed(id_, made, now)
        if late:
            log.error("notices_given_up channel=%s count=%d", name, len(late))
            data: dict[str, Json] = {
                "channel": name,
                "result": "given_up",
                "count": len(late),
                "alarms": [each.key for each in late[:MOST_NAMED]],
            }
            self._keep_with(SITE, data, kept)

    def _hand_on(self) -> None:
        kept = self._board.hand_on(self._time.now())
        if kept:
            self._keep(kept)
            self._wake_all()

    def _record(self, notice: Notice, made: Batch, result: str, kept: Kept, why: str = "") -> None:
        """Who was told of what and when, in one transaction with the log that keeps it from being told again."""
        devices = {line.alarm.device for line in made.lines}
        first = made.lines[0]
        data: dict[str, Json] = {
            "notice": notice.id,
            "channel": notice.channel,
            "result": result,
            "what": first.what.value,
            "priority": notice.priority.value,
            "role": first.alarm.role,
            "count": len(notice.alarms),
            "alarms": list(notice.alarms[:MOST_NAMED]),
        }
        step = max(each.step for each in made.deliveries)
        if step:
            data["escalated_after_s"] = step / 1000
        if why:
            data["why"] = why
        self._keep_with(devices.pop() if len(devices) == 1 else SITE, data, kept)

    def _keep_with(self, device: str, data: Mapping[str, Json], kept: Kept) -> None:
        if self._tell(device, "notice", data, keep=kept) is None:
            self._keep(kept)

    def _keep(self, kept: Kept) -> None:
        if kept:
            self._documents.keep(kept)

    def _tell_dropped(self) -> None:
        new = self._board.dropped - self._told_dropped
        if new:
            self._told_dropped = self._board.dropped
            log.error("alarms_not_followed count=%d", new)
            self._tell(SITE, "notice", {"result": "dropped", "count": new})

    def _wake_all(self) -> None:
        for wake in self._wakes.values():
            wake.set()


class Announcers:
    """Several announcers as one."""

    def __init__(self, *announcers: Announcer) -> None:
        self._announcers = announcers

    def plan(self, transition: Transition) -> Mapping[str, bytes | None]:
        return {key: data for each in self._announcers for key, data in each.plan(transition).items()}

    def told(self, transition: Transition) -> None:
        for each in self._announcers:
            each.told(transition)
