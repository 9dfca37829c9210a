"""What a service tells systemd of itself (sd_notify(3)): one datagram to the socket named in NOTIFY_SOCKET."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


class ServiceManager:
    """The service manager that started this process; telling it anything does nothing where there is none."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        facts = os.environ if environment is None else environment
        self._address = facts.get("NOTIFY_SOCKET", "")
        self.watchdog_s = _watchdog_s(facts)
        """It ends a process that was silent for so long; None where it does not watch."""

    def tell(self, **facts: str) -> bool:
        """Send `KEY=value` lines; False where nobody was told. Never blocks."""
        if not self._address.startswith(("/", "@")):
            return False
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        message = "\n".join(f"{key}={value}" for key, value in facts.items()).encode()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as out:
            try:
                out.sendto(message, address)
            except OSError as error:
                log.warning("service_manager_not_told reason=%s", error)
                return False
        return True


def _watchdog_s(facts: Mapping[str, str]) -> float | None:
    """WATCHDOG_USEC, where it is meant for this process (sd_watchdog_enabled(3))."""
    microseconds, process = facts.get("WATCHDOG_USEC", ""), facts.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    if process and process != str(os.getpid()):
        return None
    return int(microseconds) / 1e6
