"""Live changes, shared: each stream is rendered once per language, however many look at it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gateway.flow.snapshot import Subscription
from gateway.web.alarm_showing import badge_shown
from gateway.web.rendering import Rendering
from gateway.web.showing import Showing, Shown

EVERY_S = 1.0
"""Changes of so long go out together."""
QUIET_S = 5.0
"""What time alone changes (ages, states), and a sign of life, at least this often."""
MAX_VIEWERS = 100
MAX_WAITING = 8
"""Messages a viewer may be behind; one further behind is let go and comes back for the whole picture."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a stream is about: the overview (`site`), the list of `alarms`, one `device`, or only what every page
    says of alarms (`badge`)."""

    page: str
    device: str | None = None


PAGES = ("site", "alarms", "badge")


class Viewer:
    """One open stream; iterating gives its messages until the page closes or it falls too far behind."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_WAITING)
        self.is_open = True

    def put(self, message: bytes) -> None:
        if self._waiting.full():
            self.close()
        elif self.is_open:
            self._waiting.put_nowait(message)

    def close(self) -> None:
        """End the stream, leaving out what waits."""
        self.is_open = False
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (message := await self._waiting.get()) is not None:
            yield message


class _Stream:
    """What all viewers of one subject in one language see."""

    def __init__(self, showing: Showing, rendering: Rendering, language: str, subject: Subject) -> None:
        self._showing = showing
        self._rendering = rendering
        self._language = language
        self._subject = subject
        self._devices: dict[str, Shown] = {}
        self._members: Shown = {}
        self._alarms_of: object = None
        self.viewers: list[Viewer] = []
        self.render(showing.devices, is_quiet=True)

    def whole(self) -> bytes:
        """Everything as last rendered, and the configuration it belongs to."""
        return self._message(self._members, self._devices, config=self._showing.view.site.digest)

    def render(self, devices: Iterable[str], *, is_quiet: bool) -> bytes | None:
        """What changed since the last call, of the devices only of `devices`; None where nothing did.

        Alarms are looked at where they changed, and when `is_quiet`: what they say of time grows old.
        """
        members = self._changed_members(is_quiet=is_quiet)
        self._members.update(members)
        found = {}
        for device in devices:
            if self._subject.page == "site":
                shown = self._showing.tile(device, self._language)
            elif device == self._subject.device:
                shown = self._showing.device(device, self._language)
            else:
                continue
            changed = changes(self._devices.get(device, {}), shown)
            self._devices[device] = shown
            if changed:
                found[device] = changed
        return self._message(members, found) if members or found else None

    def alive(self) -> bytes:
        return self._message({}, {})

    def _changed_members(self, *, is_quiet: bool) -> Shown:
        members: Shown = {}
        if self._subject.page == "site":
            members["site"] = self._showing.site(self._language)
        alarms = tuple(self._showing.alarms)
        if alarms != self._alarms_of or is_quiet:
            self._alarms_of = alarms
            members["badge"] = badge_shown(self._showing, self._language)
            if self._subject.page == "alarms":
                members["alarms"] = self._rendering.board(self._language)
            elif self._subject.device is not None:
                members["alarms"] = self._rendering.device_alarms(self._subject.device, self._language)
        return {name: member for name, member in members.items() if self._members.get(name) != member}

    def _message(self, members: Shown, devices: Mapping[str, Shown], **more: str) -> bytes:
        said: dict[str, Any] = {"clock": self._showing.clock(), "devices": devices, **members, **more}
        return b"data: " + json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


class Live:
    """The live streams of a site; `run` feeds them."""

    def __init__(self, showing: Showing, rendering: Rendering, max_viewers: int = MAX_VIEWERS) -> None:
        self._showing = showing
        self._rendering = rendering
        self._max_viewers = max_viewers
        self._streams: dict[tuple[str, Subject], _Stream] = {}
        self._watched = asyncio.Event()
        self._closed = False
        self.refused = 0

    @property
    def viewers(self) -> int:
        return sum(len(stream.viewers) for stream in self._streams.values())

    @property
    def is_full(self) -> bool:
        return self.viewers >= self._max_viewers

    @contextmanager
    def watch(self, language: str, subject: Subject) -> Iterator[Viewer]:
        """A new viewer of `subject`; it first gets the whole picture."""
        key = language, subject
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = _Stream(self._showing, self._rendering, language, subject)
        viewer = Viewer()
        stream.viewers.append(viewer)
        viewer.put(stream.whole())
        if self._closed:
            viewer.close()
        self._watched.set()
        try:
            yield viewer
        finally:
            stream.viewers.remove(viewer)
            if not stream.viewers and self._streams.get(key) is stream:
                del self._streams[key]

    async def run(self) -> None:
        """Feed the viewers until cancelled; while nobody looks, do nothing."""
        try:
            while True:
                await self._watched.wait()
                self._watched.clear()
                with self._showing.view.snapshot.subscribe() as changed:
                    await self._feed(changed)
        finally:
            self._closed = True
            self._send_off()

    def _send_off(self) -> None:
        """End all streams; who still looks comes back for the whole picture."""
        for stream in self._streams.values():
            for viewer in stream.viewers:
                viewer.close()
        self._streams = {}

    async def _feed(self, changed: Subscription) -> None:
        loop = asyncio.get_running_loop()
        quiet_at = loop.time() + QUIET_S
        site = self._showing.refresh().site
        while self._streams:
            await asyncio.sleep(EVERY_S)
            if self._showing.refresh().site is not site:
                self._send_off()
                return
            is_quiet = loop.time() >= quiet_at
            devices = changed.take()
            if is_quiet:
                quiet_at = loop.time() + QUIET_S
                devices = tuple(self._showing.devices)
            for stream in list(self._streams.values()):
                message = stream.render(devices, is_quiet=is_quiet) or (stream.alive() if is_quiet else None)
                if message is not None:
                    for viewer in stream.viewers:
                        viewer.put(message)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Shown:
    """The members of `after` that `before` has not alike; `points` by point."""
    found = {key: value for key, value in after.items() if key != "points" and before.get(key) != value}
    known = before.get("points", {})
    points = {name: value for name, value in after["points"].items() if known.get(name) != value}
    return {**found, "points": points} if points else found
