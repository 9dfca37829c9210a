"""Byte transports: they move bytes and say when the way is gone; nothing here knows a frame.

A link is opened, used and closed many times in its life. It gives its receiver every byte as it comes and says once
that it was lost.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

_READ = 4096
_MOST_DRAINED = 16 * _READ


class Receiver(Protocol):
    """Who uses a link."""

    def received(self, data: bytes) -> None: ...

    def lost(self, why: str) -> None:
        """The link closed itself; not called for `close`."""
        ...


class Link(Protocol):
    """One way to the field."""

    @property
    def name(self) -> str:
        """The endpoint as a person writes it."""
        ...

    @property
    def is_open(self) -> bool: ...

    @property
    def has_peer(self) -> bool:
        """Whether an open link shows that the other side is there; datagrams are sent to nobody as well."""
        ...

    async def open(self, receiver: Receiver) -> None:
        """OSError where it is not there."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of `data`; a failure is told through `lost`."""
        ...

    def drain(self) -> bytes:
        """What came and was not handed over yet."""
        ...

    def close(self) -> None:
        """Now, without waiting; what was not sent is lost."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """An open way: a descriptor that never blocks."""

    descriptor: int
    why_ended: Callable[[], str | None]
    """Asked after an empty read: why nothing more will come; None where more may."""
    shut: Callable[[], None]
    """Let go of it, without waiting."""
    of_datagrams: bool = False
    """An empty read is an empty datagram."""


class Endpoint(Protocol):
    """What a link leads to. `name` and `has_peer` as in `Link`."""

    @property
    def name(self) -> str: ...

    @property
    def has_peer(self) -> bool: ...

    async def open(self) -> Opened:
        """OSError where it is not there."""
        ...


class LoopLink:
    """A link whose descriptor the event loop watches. Read and written without a transport between: half the work for
    each answer."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._opened: Opened | None = None
        self._receiver: Receiver | None = None
        self._unsent = b""

    @property
    def name(self) -> str:
        return self._endpoint.name

    @property
    def is_open(self) -> bool:
        return self._opened is not None

    @property
    def has_peer(self) -> bool:
        return self._endpoint.has_peer

    async def open(self, receiver: Receiver) -> None:
        opened = await self._endpoint.open()
        self._opened, self._receiver, self._unsent = opened, receiver, b""
        asyncio.get_running_loop().add_reader(opened.descriptor, self._readable)

    def write(self, data: bytes) -> None:
        opened = self._opened
        if opened is None:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = os.write(opened.descriptor, data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._lose(error.strerror or str(error))
            return
        if sent < len(data):
            self._unsent = data[sent:]
            asyncio.get_running_loop().add_writer(opened.descriptor, self._writable)

    def _writable(self) -> None:
        data, self._unsent = self._unsent, b""
        if self._opened is not None:
            asyncio.get_running_loop().remove_writer(self._opened.descriptor)
        self.write(data)

    def _readable(self) -> None:
        data = self._read()
        if data is not None and self._receiver is not None:
            self._receiver.received(data)

    def _read(self) -> bytes | None:
        """What came; None where nothing did or the way is gone."""
        opened = self._opened
        if opened is None:
            return None
        try:
            data = os.read(opened.descriptor, _READ)
        except BlockingIOError:
            return None
        except OSError as error:
            self._lose(error.strerror or str(error))
            return None
        if data or opened.of_datagrams:
            return data
        why = opened.why_ended()
        if why is not None:
            self._lose(why)
        return None

    def drain(self) -> bytes:
        drained = b""
        while len(drained) <= _MOST_DRAINED and (data := self._read()) is not None:
            drained += data
        return drained

    def _lose(self, why: str) -> None:
        receiver = self._receiver
        self.close()
        if receiver is not None:
            receiver.lost(why)

    def close(self) -> None:
        opened, self._opened, self._receiver = self._opened, None, None
        if opened is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(opened.descriptor)
        loop.remove_writer(opened.descriptor)
        opened.shut()
