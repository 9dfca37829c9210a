"""Live streams: first everything, then what changed; shared, bounded, ended with the page."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gateway.web import live
from gateway.web.live import Viewer, changes
from gateway.web.server import listen, serve
from gateway.web.showing import Showing
from gateway.web.site import build
from tests.unit.web.conftest import Served


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY_S", 0.02)


class Stream:
    """A client that looks at a stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def next(self) -> dict[str, Any]:
        while True:
            line = await asyncio.wait_for(self._reader.readline(), 20)
            if not line:
                raise EOFError
            if line.startswith(b"data: "):
                found = json.loads(line.removeprefix(b"data: "))
                assert isinstance(found, dict)
                return found

    async def end(self) -> None:
        """Wait for the stream's end."""
        while await asyncio.wait_for(self._reader.readline(), 20):
            pass

    async def until(self, device: str, point: str) -> dict[str, Any]:
        """The next message that says something of `point`."""
        while True:
            said = await self.next()
            if point in said["devices"].get(device, {}).get("points", {}):
                return said


async def look(port: int, query: str = "") -> Stream:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /live{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return Stream(reader, writer)


async def test_first_everything_then_only_what_changed(served: Served) -> None:
    served.read("tank-1", temperature=17.25, level=2.0, leak=False)
    stream = await look(served.port, "?lang=en")
    first = await stream.next()
    assert set(first["devices"]) == {"tank-1", "pump-1"}
    assert first["devices"]["tank-1"]["points"]["temperature"][:2] == ["17.25", "good"]
    assert first["config"] == served.gateway.site.digest
    served.read("tank-1", temperature=17.5, level=2.0, leak=False)
    later = await stream.until("tank-1", "temperature")
    assert later["devices"] == {"tank-1": {"points": {"temperature": ["17.5", "good", "good"]}}}
    stream.writer.close()


async def test_a_device_has_a_stream_of_its_own(served: Served) -> None:
    stream = await look(served.port, "?device=tank-1&lang=zh")
    assert set((await stream.next())["devices"]) == {"tank-1"}
    served.read("pump-1", running=True, current=1.0)
    served.read("tank-1", leak=True)
    said = await stream.until("tank-1", "leak")
    assert said["devices"]["tank-1"]["points"]["leak"][0] == "是"
    stream.writer.close()
    assert (await served.ask("/live?device=none")).status == 404


async def test_viewers_of_one_language_share_one_rendering(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [await look(served.port, "?device=tank-1&lang=en") for _ in range(5)]
    for stream in streams:
        await stream.next()
    rendered = 0
    device = Showing.device

    def count(self: Showing, name: str, language: str) -> Any:
        nonlocal rendered
        rendered += 1
        return device(self, name, language)

    monkeypatch.setattr(Showing, "device", count)
    served.read("tank-1", leak=True)
    said = [await stream.until("tank-1", "leak") for stream in streams]
    assert said == [said[0]] * 5
    assert rendered == 1
    for stream in streams:
        stream.writer.close()


async def test_too_many_viewers_are_told_so(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.Live, "is_full", True)
    answer = await served.ask("/live?lang=en")
    assert answer.status == 503
    assert "Too many" in answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert 'vigil_page_viewers_refused_total{site="depot-9"} 1' in (await served.ask("/metrics")).text


async def test_a_viewer_that_leaves_makes_room(served: Served) -> None:
    app = build(served.gateway.view)
    sock = listen("127.0.0.1", 0)
    serving = asyncio.create_task(serve(app, sock))
    stream = await look(sock.getsockname()[1])
    await stream.next()
    assert app.state.live.viewers == 1
    stream.writer.close()
    async with asyncio.timeout(20):
        while app.state.live.viewers:
            served.read("pump-1", running=True, current=1.0)
            await asyncio.sleep(0.02)
    serving.cancel()
    await asyncio.wait([serving])


async def test_stopping_ends_open_streams_at_once(served: Served) -> None:
    sock = listen("127.0.0.1", 0)
    serving = asyncio.create_task(serve(build(served.gateway.view), sock))
    stream = await look(sock.getsockname()[1])
    await stream.next()
    serving.cancel()
    await stream.end()
    await asyncio.wait([serving])
    assert serving.cancelled()
    stream.writer.close()


async def test_a_slow_viewer_is_let_go_and_comes_back_for_everything() -> None:
    viewer = Viewer()
    for number in range(live.MAX_WAITING + 2):
        viewer.put(b"%d" % number)
    assert not viewer.is_open
    assert [message async for message in viewer] == []


async def test_a_viewer_gets_its_messages_in_order() -> None:
    viewer = Viewer()
    viewer.put(b"1")
    viewer.put(b"2")
    found = []
    async for message in viewer:
        found.append(message)
        if len(found) == 2:
            break
    assert found == [b"1", b"2"]


def test_changes_are_members_that_differ_and_points_one_by_one() -> None:
    before = {"state": "ready", "since": "1", "points": {"a": ["1"], "b": ["2"]}}
    after = {"state": "ready", "since": "2", "points": {"a": ["1"], "b": ["3"]}}
    assert changes(before, after) == {"since": "2", "points": {"b": ["3"]}}
    assert changes(after, after) == {}
    assert changes({}, after) == after
