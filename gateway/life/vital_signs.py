"""Whether the gateway does its work, and telling the service manager: it is fed only while polls and store move."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from gateway.life.service_manager import ServiceManager
from gateway.model import Text

log = logging.getLogger(__name__)

LONGEST_TURN_S = 60.0
"""A poller turns at least every second, and after every request; no request may take so long."""
LONGEST_COMMIT_S = 60.0
"""A commit that takes longer hangs in a disk that does not answer. One that fails and is tried again is no such case:
a restart would not help and would lose what waits."""
LONGEST_FEED_S = 10.0

_STATUS = Text(
    "设备 {devices} 台，无应答 {silent} 台；{uplink}；待确认 {rows} 条",
    "{devices} devices, {silent} silent; {uplink}; {rows} messages wait for confirmation",
)
_CONNECTED = Text("上行已连接", "uplink connected")
_CUT_OFF = Text("上行中断", "uplink down")
_LOCAL = Text("无上行", "no uplink")


class Living(Protocol):
    """What shows that a gateway lives."""

    def turned_at(self) -> float:
        """Monotonic seconds: when the poller furthest behind had its last turn."""
        ...

    def now(self) -> float: ...

    def store_late_s(self) -> float: ...

    def standing(self) -> tuple[str, int, int, bool | None, int]:
        """Language, devices, silent devices, whether the uplink is connected (None: there is none), rows held."""
        ...


def stuck(gateway: Living) -> str | None:
    """What does not move any more; None while all is well."""
    if gateway.now() - gateway.turned_at() > LONGEST_TURN_S:
        return "polls"
    if gateway.store_late_s() > LONGEST_COMMIT_S:
        return "store"
    return None


def status_line(gateway: Living) -> str:
    """One line for a person who asks the service manager."""
    language, devices, silent, connected, rows = gateway.standing()
    uplink = _LOCAL if connected is None else _CONNECTED if connected else _CUT_OFF
    return _STATUS[language].format(devices=devices, silent=silent, uplink=uplink[language], rows=rows)


async def report_life(gateway: Living, manager: ServiceManager) -> None:
    """Say READY, then feed the watchdog for as long as the gateway moves; STOPPING at the end."""
    manager.tell(READY="1", STATUS=status_line(gateway))
    pause_s = min(LONGEST_FEED_S, (manager.watchdog_s or 3 * LONGEST_FEED_S) / 3)
    was_stuck: str | None = None
    try:
        while True:
            await asyncio.sleep(pause_s)
            what = stuck(gateway)
            if what is None:
                manager.tell(WATCHDOG="1", STATUS=status_line(gateway))
            elif what != was_stuck:
                log.error("watchdog_not_fed stuck=%s", what)
            was_stuck = what
    finally:
        manager.tell(STOPPING="1")
