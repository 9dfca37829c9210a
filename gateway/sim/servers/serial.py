"""Serial lines over pseudo-terminals, each behind a symbolic link that stays the same over a cut."""

from __future__ import annotations

import asyncio
import os
import tty
from pathlib import Path

from gateway.sim.servers.bus import Bus
from gateway.sim.servers.port_link import PortLink

#: Longer than any gap inside a request that reaches a pty; a unit forgets half a request after it.
_SILENCE_S = 0.05


class SerialLine:
    """A pty whose far end is the bus; a client opens `path` as it would a serial port."""

    def __init__(self, bus: Bus, path: Path) -> None:
        self.bus = bus
        self.path = path
        self._link = PortLink(path)
        self._framing = bus.framing()
        self._near = -1
        self._far = -1
        self._plugged = 0
        self._silence: asyncio.TimerHandle | None = None

    @property
    def endpoint(self) -> str:
        return f"serial:{self.path}"

    async def open(self) -> None:
        """OSError where the link cannot be made."""
        # The far side stays open here, or the near one would report a hang-up whenever no client is there.
        self._near, self._far = os.openpty()
        self._plugged += 1
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self._framing = self.bus.framing()
        self._link.lead_to(os.ttyname(self._far))
        asyncio.get_running_loop().add_reader(self._near, self._receive)

    async def close(self) -> None:
        """Unplug: the path is gone, an open port reports an error."""
        if self._near < 0:
            return
        asyncio.get_running_loop().remove_reader(self._near)
        if self._silence is not None:
            self._silence.cancel()
        self._link.remove()
        os.close(self._near)
        os.close(self._far)
        self._near = self._far = -1

    def _receive(self) -> None:
        data = self._take()
        loop = asyncio.get_running_loop()
        if self._silence is not None:
            self._silence.cancel()
        self._silence = loop.call_later(_SILENCE_S, self._framing.silence)
        for reply in self.bus.replies(self._framing, data):
            loop.call_later(reply.delay_s, self._send, self._plugged, reply.data)

    def _take(self) -> bytes:
        try:
            return os.read(self._near, 4096)
        except BlockingIOError:
            return b""

    def _send(self, plugged: int, data: bytes) -> None:
        if self._near < 0 or plugged != self._plugged:
            return  # the line was cut since
        try:
            os.write(self._near, data)
        except BlockingIOError:
            self.bus.counters["overruns"] += 1
