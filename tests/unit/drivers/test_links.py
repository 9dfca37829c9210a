"""TCP and UDP links against plain sockets of the operating system."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import pytest

from drivers.links import LoopLink
from drivers.network_link import NetworkEndpoint


class Kept:
    """A receiver that keeps what it is told."""

    def __init__(self) -> None:
        self.data = b""
        self.why: list[str] = []
        self.changed = asyncio.Event()

    def received(self, data: bytes) -> None:
        self.data += data
        self.changed.set()

    def lost(self, why: str) -> None:
        self.why.append(why)
        self.changed.set()

    async def next(self) -> None:
        await self.changed.wait()
        self.changed.clear()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


async def opened(listener: socket.socket) -> tuple[LoopLink, Kept, socket.socket]:
    link, kept = LoopLink(NetworkEndpoint("127.0.0.1", listener.getsockname()[1])), Kept()
    await link.open(kept)
    return link, kept, listener.accept()[0]


async def test_bytes_go_both_ways(listener: socket.socket) -> None:
    link, kept, other = await opened(listener)
    with other, contextlib.closing(link):
        link.write(b"ask")
        assert other.recv(10) == b"ask"
        other.sendall(b"answer")
        await kept.next()
        assert kept.data == b"answer"


async def test_what_the_socket_does_not_take_at_once_follows(listener: socket.socket) -> None:
    link, _, other = await opened(listener)
    with other, contextlib.closing(link):
        sent = bytes(range(256)) * 40_000
        link.write(sent)
        link.write(b"end")
        other.setblocking(False)
        taken = b""
        while len(taken) < len(sent) + 3:
            taken += await asyncio.get_running_loop().sock_recv(other, 1 << 20)
        assert taken == sent + b"end"


async def test_what_came_before_a_request_is_drained(listener: socket.socket) -> None:
    link, kept, other = await opened(listener)
    with other, contextlib.closing(link):
        other.sendall(b"late")
        drained = b""
        while not drained:
            drained = link.drain()  # the loop gets no turn: only the link can have read it
        assert drained == b"late"
        assert not kept.data


async def test_the_end_is_told_once(listener: socket.socket) -> None:
    link, kept, other = await opened(listener)
    other.close()
    await kept.next()
    assert kept.why == ["closed by the other side"]
    assert not link.is_open
    link.write(b"nobody")
    assert link.drain() == b""


async def test_closing_tells_nothing(listener: socket.socket) -> None:
    link, kept, other = await opened(listener)
    with other:
        link.close()
        assert other.recv(1) == b""
    assert kept.why == []


async def test_nobody_listens(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(OSError, match="refused"):
        await LoopLink(NetworkEndpoint("127.0.0.1", port)).open(Kept())


async def test_a_name_is_looked_up(listener: socket.socket) -> None:
    link, kept = LoopLink(NetworkEndpoint("localhost", listener.getsockname()[1])), Kept()
    with contextlib.closing(link):
        await link.open(kept)
        assert link.is_open


async def test_datagrams_stay_whole_and_a_missing_server_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        link, kept = LoopLink(NetworkEndpoint("127.0.0.1", port, datagrams=True)), Kept()
        await link.open(kept)
        link.write(b"ask")
        _, address = server.recvfrom(10)
        server.sendto(b"one", address)
        await kept.next()
        assert kept.data == b"one"
        server.sendto(b"", address)
        await kept.next()
        assert link.is_open
    link.write(b"ask")
    await kept.next()
    assert len(kept.why) == 1
    assert not link.is_open
