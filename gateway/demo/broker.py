"""The demo's own broker: amqtt in this process, with a login, on a free port of this machine.

Fit for a demo only: it forgets everything at exit and speaks MQTT 3.1.1. A real centre runs mosquitto.
"""

from __future__ import annotations

import logging
import secrets
import socket
from pathlib import Path
from typing import Any, Self

from gateway.errors import GatewayError

HOST = "127.0.0.1"


def free_port(preferred: int | None = None) -> int:
    """`preferred` if nobody listens there, else a free one."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise GatewayError("no free port on this machine", "本机没有空闲端口")


class EmbeddedBroker:
    """A broker that lives as long as the `async with` block. `password_file` holds what clients log in with."""

    username = "vigil"

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.password_file = folder / "mqtt.secret"
        self._users = folder / "broker.users"
        self._broker: Any = None

    async def __aenter__(self) -> Self:
        try:
            from amqtt.broker import Broker
            from pwdlib import PasswordHash
            from pwdlib.hashers.argon2 import Argon2Hasher
        except ImportError as error:
            raise GatewayError(
                f"the demo needs its extra: pip install 'vigil-gateway[demo]' ({error.name})",
                f"演示需要安装附加组件：pip install 'vigil-gateway[demo]'（缺少 {error.name}）",
            ) from error
        logging.getLogger("amqtt").setLevel(logging.ERROR)
        logging.getLogger("transitions").setLevel(logging.ERROR)
        password = secrets.token_urlsafe(16)
        self.password_file.touch(0o600)
        self.password_file.write_text(password)
        self._users.write_text(f"{self.username}:{PasswordHash((Argon2Hasher(),)).hash(password)}\n")
        self._broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{self.port}", "max_connections": 50}},
                "plugins": {
                    "amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(self._users)},
                },
            }
        )
        await self._broker.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._broker.shutdown()
