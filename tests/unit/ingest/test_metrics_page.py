"""The page of counters: small, bounded, and deaf to anything but GET /metrics."""

from __future__ import annotations

import asyncio

import pytest

from gateway.ingest import metrics_page as subject
from gateway.ingest.metrics_page import metrics_page


async def ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    ("request_", "status", "end"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"200", b"\r\n\r\na 1\n"),
        (b"GET /metrics?x=1 HTTP/1.0\r\n\r\n", b"200", b"a 1\n"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"200", b"\r\n\r\n"),
        (b"GET / HTTP/1.1\r\n\r\n", b"404", b"see /metrics\n"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405", b"only GET\n"),
    ],
)
async def test_each_request(request_: bytes, status: bytes, end: bytes) -> None:
    async with metrics_page("127.0.0.1", 0, lambda: "a 1\n") as port:
        answer = await ask(port, request_)
    assert answer.split(b" ")[1] == status
    assert answer.endswith(end)


async def test_who_says_too_much_or_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "REQUEST_TIMEOUT_S", 0.05)
    async with metrics_page("127.0.0.1", 0, lambda: "a 1\n") as port:
        assert await ask(port, b"") == b""
        assert await ask(port, b"x" * 20_000) == b""


async def test_only_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MAX_CONNECTIONS", 1)
    async with metrics_page("127.0.0.1", 0, lambda: "a 1\n") as port:
        _, first = await asyncio.open_connection("127.0.0.1", port)
        assert await ask(port, b"") == b""
        first.close()
        await first.wait_closed()
