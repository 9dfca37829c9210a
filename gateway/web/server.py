"""Serves the page inside the gateway's own loop, and bounds what clients may take: time, connections, memory."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

from gateway.web.guard import MAX_HEAD_BYTES
from gateway.web.patience import PatientProtocol

log = logging.getLogger(__name__)

GRACE_S = 1
MAX_REQUESTS = 200
"""Requests under way at once, open streams included; one more is told so with 503."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the gateway decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; OSError where the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


async def serve(app: Starlette, sock: socket.socket) -> None:
    """Serve `app` on `sock` until cancelled; returns at once where its certificate cannot be used."""
    cert_file, key_file = app.state.certificate or (None, None)
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        limit_concurrency=MAX_REQUESTS,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=cert_file,
        ssl_keyfile=key_file,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        log.error("page_certificate_unusable file=%s reason=%s", cert_file, error)
        sock.close()
        return
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[sock]))
    feeding = asyncio.ensure_future(app.state.live.run())
    try:
        done, _ = await asyncio.wait([serving, feeding], return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()
    finally:
        feeding.cancel()
        await asyncio.wait([feeding])
        server.should_exit = True
        await serving
