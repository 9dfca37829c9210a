"""What every answer carries and what every request must obey, whichever page it is about."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

SAY_EVERY_S = 60.0
"""How often the same refusal of the same client is logged, with their number."""
MOST_CLIENTS = 200
MAX_BODY_BYTES = 16 * 1024
MAX_ADDRESS_BYTES = 2048
MAX_HEAD_BYTES = 16 * 1024
#: `no-referrer` would have browsers send `Origin: null` with our own forms, which then nobody could tell from others'.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Bounds what comes in, and lets nothing be loaded from elsewhere or framed.

    With `local_only` (the page listens on this machine alone) a foreign host name is refused: a web site could point
    its own name here and read the answers.
    """

    def __init__(self, app: ASGIApp, *, local_only: bool) -> None:
        self._app = app
        self._local_only = local_only
        self._refusals = _Refusals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                # Kept, and asked for again: after an update of the gateway old scripts must not run.
                is_static = scope["path"].startswith("/static/")
                headers.setdefault("cache-control", "no-cache" if is_static else "no-store")
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            self._refusals.note(refusal.status_code, scope)
            await refusal(scope, receive, with_headers)
            return
        try:
            await self._app(scope, _bounded(receive), with_headers)
        except _TooLarge:
            self._refusals.note(413, scope)
            await PlainTextResponse("Content Too Large", 413)(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = dict(scope["headers"])
        if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_ADDRESS_BYTES:
            return PlainTextResponse("URI Too Long", 414)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEAD_BYTES:
            return PlainTextResponse("Request Header Fields Too Large", 431)
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            return PlainTextResponse("Content Too Large", 413)
        if self._local_only and not is_local_name(headers.get(b"host", b"").decode("latin-1")):
            return PlainTextResponse("Misdirected Request", 421)
        return None


class _Refusals:
    """Logs what was refused, once a minute for each client and reason: who attacks must not fill the log."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._said: dict[tuple[int, str], tuple[float, int]] = {}

    def note(self, status: int, scope: Scope) -> None:
        client = scope["client"][0] if scope.get("client") else ""
        now, key = self._monotonic(), (status, client)
        said_at, silent = self._said.pop(key, (-SAY_EVERY_S, 0))
        if now - said_at >= SAY_EVERY_S:
            path = scope["path"][:80]
            log.warning("page_request_refused status=%d client=%s path=%r since_last=%d", status, client, path, silent)
            said_at, silent = now, -1
        if len(self._said) >= MOST_CLIENTS:
            del self._said[next(iter(self._said))]
        self._said[key] = (said_at, silent + 1)


class _TooLarge(Exception):
    """More came than was announced or than may come."""


def _bounded(receive: Receive) -> Receive:
    came = 0

    async def take() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > MAX_BODY_BYTES:
            raise _TooLarge
        return message

    return take


def is_local_name(host: str) -> bool:
    """Whether a Host header names this machine or an address as numbers, which no name server can redirect."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
    if name.lower() == "localhost":
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
