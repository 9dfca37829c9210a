"""Serves the page inside the gateway's own loop, and bounds what clients may take: time, connections, memory."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from gateway.web.certificate import keep_certificate
from gateway.web.guard import MAX_HEAD_BYTES
from gateway.web.patience import PatientProtocol

log = logging.getLogger(__name__)

GRACE_S = 1
MAX_REQUESTS = 200
"""Requests under way at once, open streams included; one more is told so with 503."""


RENEW_S = 3600.0
"""How often the page's own certificate is looked at; the clock may have been set since it was made."""


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
    certificate: tuple[Path, Path] | None = app.state.certificate
    cert_file, key_file = certificate or (None, None)
    host: str | None = app.state.makes_its_own
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
        if host is not None and cert_file is not None:
            await asyncio.to_thread(keep_certificate, cert_file, host)
        config.load()
    except OSError as error:  # ssl.SSLError is one
        log.error("page_certificate_unusable file=%s reason=%s", cert_file, error)
        sock.close()
        return
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[sock]))
    tasks = [asyncio.ensure_future(app.state.live.run())]
    if host is not None and cert_file is not None and config.ssl is not None:
        tasks.append(asyncio.ensure_future(_renew(cert_file, host, config.ssl)))
    try:
        done, _ = await asyncio.wait([serving, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        server.should_exit = True
        await serving


async def _renew(path: Path, host: str, context: ssl.SSLContext) -> None:
    """Use a new certificate for new connections once the old one nears its end."""
    while True:
        await asyncio.sleep(RENEW_S)
        try:
            if await asyncio.to_thread(keep_certificate, path, host):
                context.load_cert_chain(path)
        except OSError as error:
            log.error("page_certificate_not_renewed file=%s reason=%s", path, error)
