"""What attackers and broken clients try on the page; each is refused, and the page goes on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
from typing import Any

import pytest

from gateway.web import guard, patience
from gateway.web.guard import is_local_name
from tests.unit.web.conftest import Served

ATTACK = '"><img src=x onerror=pwned()>'


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ["/", "/device/tank-1", "/configuration", "/health", f"/device/{ATTACK[2:10]}"])
async def test_names_and_values_never_become_markup(served: Served, path: str, language: str) -> None:
    served.read("tank-1", plate=ATTACK, temperature=1.0, level=1.0, leak=False)
    page = (await served.ask(f"{path.replace(' ', '%20')}?lang={language}")).text
    assert "<img" not in page
    assert "<script>pwned" not in page
    assert re.findall(r"<script[^>]*>", page) == ['<script src="/static/page.js" defer>']


@pytest.mark.parametrize(
    "path",
    [
        "/static/../page.py",
        "/static/%2e%2e/page.py",
        "/static/..%2fpage.py",
        "/static/%2e%2e%2f%2e%2e%2fapp.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/..\\page.py",
        "/static/page.css%00.png",
        "/device/../../etc/passwd",
        "/trend/tank-1/..%2f..%2fetc%2fpasswd",
    ],
)
async def test_no_path_leads_out(served: Served, path: str) -> None:
    answer = await served.ask(path)
    assert answer.status == 404
    assert b"root:" not in answer.body
    assert b"import" not in answer.body


async def test_every_answer_locks_the_browser_down(served: Served) -> None:
    for path in ("/", "/static/page.js", "/api/site", "/metrics", "/nowhere"):
        headers = (await served.ask(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers


async def test_a_foreign_host_name_is_refused_while_the_page_is_local(served: Served) -> None:
    assert (await served.ask("/api/site", Host="evil.example")).status == 421
    assert (await served.ask("/api/site", Host=f"localhost:{served.port}")).status == 200


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1:8321", True),
        ("localhost", True),
        ("LOCALHOST:1", True),
        ("[::1]:8321", True),
        ("[::1]", True),
        ("10.0.0.7", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example:80", False),
        ("", False),
    ],
)
def test_which_host_names_are_local(host: str, is_local: bool) -> None:
    assert is_local_name(host) is is_local


async def test_what_is_too_large_is_refused(served: Served) -> None:
    assert (await served.ask("/?" + "x" * 3000)).status == 414
    assert (await served.ask("/", method="POST", body=b"x" * 20_000)).status == 413
    assert (await served.ask("/", Cookie="x" * 40_000)).status == 431
    assert (await served.ask("/", method="POST", body=b"x")).status == 405
    assert (await served.ask("/")).status == 200


async def test_a_body_without_length_is_bounded_too(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
    writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n" + b"4000\r\n" + b"x" * 0x4000 + b"\r\n0\r\n\r\n")
    assert (await asyncio.wait_for(reader.readline(), 10)).split()[1] in (b"200", b"413")
    writer.close()
    assert (await served.ask("/")).status == 200


@pytest.mark.parametrize(
    "opening",
    [b"", b"GET / HTTP/1.1\r\nHost: loc", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"],
)
async def test_a_slow_request_is_let_go(served: Served, opening: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "REQUEST_S", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(opening)
    with contextlib.suppress(ConnectionError):
        assert b" 200 " not in await asyncio.wait_for(reader.read(), 30)
    writer.close()
    assert (await served.ask("/")).status == 200


async def test_an_idle_stream_outlives_the_patience_for_requests(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "REQUEST_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"data: "), 10)
    await asyncio.sleep(0.2)
    served.read("pump-1", running=True)
    assert b"pump-1" in await asyncio.wait_for(reader.readuntil(b'"pump-1":{"state"'), 10)
    writer.close()


async def test_one_connection_too_many_is_let_go(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "MAX_CONNECTIONS", 2)
    held = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(2)]
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(1), 10)
    for _, each in [*held, (reader, writer)]:
        each.close()


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00\x01\x00\n\n", b"GET\r\n\r\n", b"\x00" * 100, b"GET / HTTP/9.9\r\n\r\n"]
)
async def test_what_is_no_http_ends_there(served: Served, junk: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(junk)
    writer.write_eof()
    assert b" 200 " not in await asyncio.wait_for(reader.read(), 30)
    writer.close()
    assert (await served.ask("/")).status == 200


async def test_a_client_that_reads_nothing_is_let_go(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "READ_S", 0.1)
    with socket.socket() as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(greedy, ("127.0.0.1", served.port))
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(_ask_for_ever(loop, greedy), 60)
    assert (await served.ask("/")).status == 200


async def _ask_for_ever(loop: asyncio.AbstractEventLoop, client: socket.socket) -> None:
    while True:
        await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"path": "/?" + "x" * 3000}, 414),
        ({"path": "/", "method": "POST", "body": b"x" * 20_000}, 413),
        ({"path": "/", "Cookie": "x" * 40_000}, 431),
        ({"path": "/api/site", "Host": "evil.example"}, 421),
    ],
)
async def test_what_is_refused_is_logged_once(
    served: Served, caplog: pytest.LogCaptureFixture, request_: dict[str, Any], status: int
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert (await served.ask(**request_)).status == status
    [said] = [each.getMessage() for each in caplog.records if each.name == "gateway.web.guard"]
    assert said.startswith(f"page_request_refused status={status} client=127.0.0.1")


def test_a_refusal_is_said_again_after_a_minute_with_its_number(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    refusals = guard._Refusals(lambda: now)
    with caplog.at_level(logging.WARNING):
        for second in range(0, 90, 10):
            now = float(second)
            refusals.note(413, {"client": ("10.0.0.9", 1), "path": "/"})
        for client in range(1000):
            refusals.note(414, {"client": (f"10.1.0.{client}", 1), "path": "/"})
    said = [each.getMessage() for each in caplog.records if "10.0.0.9" in each.getMessage()]
    assert [each.rpartition("=")[2] for each in said] == ["0", "5"]
    assert len(refusals._said) == guard.MOST_CLIENTS


@pytest.mark.parametrize(
    "path",
    [
        "/?lang=en%0d%0aSet-Cookie:%20vigil_session=x",
        "/alarms?lang=%0d%0aX-Evil:%201",
        "/login?next=/%0d%0aX-Evil:%201",
        "/device/tank-1%0d%0aX-Evil:%201",
        "/alarm/tank-1/x%0d%0aX-Evil:%201",
        "/live?page=site&lang=%0d%0aX-Evil:1&device=%0d%0a",
    ],
)
async def test_no_header_is_injected(served: Served, path: str) -> None:
    headers = (await served.ask(path)).headers
    assert "x-evil" not in headers
    assert "vigil_session" not in headers.get("set-cookie", "")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost:80@evil.example", "[::1", ""])
async def test_a_host_header_is_never_reflected(served: Served, host: str) -> None:
    answer = await served.ask("/", Host=host)
    assert answer.status in (400, 421)
    assert "evil" not in answer.text


async def test_two_lengths_or_two_hosts_are_no_request(served: Served) -> None:
    for head in (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\x00c\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(head)
        writer.write_eof()
        assert b" 200 " not in await asyncio.wait_for(reader.read(), 30)
        writer.close()


async def test_many_slow_clients_do_not_keep_others_out(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slowloris: hundreds of requests that never end."""
    monkeypatch.setattr(patience, "REQUEST_S", 1.0)
    slow = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(150)]
    for _, writer in slow:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    assert (await served.ask("/")).status == 200
    for reader, writer in slow:
        with contextlib.suppress(ConnectionError):
            assert b" 200 " not in await asyncio.wait_for(reader.read(), 30)
        writer.close()
    assert (await served.ask("/")).status == 200


async def test_a_flood_of_nonsense_loses_no_reading(served: Served) -> None:
    for number in range(20):
        served.read("pump-1", running=True, current=float(number))
        await served.ask("/" + "%2e%2e/" * number + "etc/passwd")
        await served.ask("/", method="POST", body=b"x" * 20_000)
    assert (await served.ask("/api/devices/pump-1")).json["points"]["current"]["value"] == 19
