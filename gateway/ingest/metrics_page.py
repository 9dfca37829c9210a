"""`/metrics` as text, for Prometheus. Read-only, a few lines of HTTP; every wait is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

REQUEST_TIMEOUT_S = 5.0
MAX_REQUEST_BYTES = 8_192
MAX_CONNECTIONS = 16


@asynccontextmanager
async def metrics_page(host: str, port: int, text: Callable[[], str]) -> AsyncIterator[int]:
    """Serve `text()` while the context lasts; gives the port. OSError where the address is taken."""
    open_connections: set[asyncio.StreamWriter] = set()
    server = await asyncio.start_server(partial(_answer, text, open_connections), host, port, limit=MAX_REQUEST_BYTES)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in open_connections:
            writer.close()


async def _answer(
    text: Callable[[], str],
    open_connections: set[asyncio.StreamWriter],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    if len(open_connections) >= MAX_CONNECTIONS:
        writer.close()
        return
    open_connections.add(writer)
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            request = await reader.readuntil(b"\r\n\r\n")
            method, _, rest = request.partition(b" ")
            path = rest.partition(b" ")[0].partition(b"?")[0]
            if method not in (b"GET", b"HEAD"):
                status, body = "405 Method Not Allowed", "only GET\n"
            elif path != b"/metrics":
                status, body = "404 Not Found", "see /metrics\n"
            else:
                status, body = "200 OK", text()
            data = body.encode()
            head = (
                f"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode() + (b"" if method == b"HEAD" else data))
            await writer.drain()
    except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # whoever asked is gone, or does not speak HTTP
    finally:
        open_connections.discard(writer)
        writer.close()
