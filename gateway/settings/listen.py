"""Addresses the product itself listens on."""

from __future__ import annotations

from gateway.model import Text
from gateway.settings.nodes import Section
from gateway.settings.problems import Problems
from gateway.settings.types import WebSettings


def read_listen(section: Section, listen: str, example: str, problems: Problems) -> WebSettings | None:
    """The address and port of a `listen` key, None with a problem."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        problems.add(
            section.place_of("listen"),
            Text("应当是“地址:端口”", "address:port is expected here"),
            Text(f'例如 "{example}"', f'such as "{example}"'),
        )
        return None
    return WebSettings(host.strip("[]"), int(port))
