"""A site whose names attack the page, with readings given by hand and its page served on a free port."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gateway import app
from gateway.model import MaybeValue, Reading, Status
from gateway.store import open_store
from gateway.web.server import listen, serve
from gateway.web.site import build

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Served:
    """The page of `gateway` on `port`."""

    gateway: app.Gateway
    port: int

    def read(self, device: str, **points: MaybeValue | tuple[MaybeValue, Status]) -> None:
        """A reading of `device` came; a pair is a value and its status."""
        pairs = {name: given if isinstance(given, tuple) else (given, Status.Good) for name, given in points.items()}
        values, statuses = (tuple(column) for column in zip(*pairs.values(), strict=True))
        ts = self.gateway.clock.wall_ms()
        self.gateway.pipeline.deliver(Reading(device, ts, tuple(pairs), values, statuses))
        self.gateway.pipeline.tick()

    async def ask(self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await asyncio.to_thread(self._ask, method, path, body, named)

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())
        finally:
            connection.close()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[app.Gateway]:
    site = replace(app.load(HERE / "hostile.yaml"), state_dir=tmp_path / "state")
    store = open_store(site.state_dir)
    try:
        yield app.Gateway(site, store)
    finally:
        store.close()


@pytest.fixture
async def served(gateway: app.Gateway) -> AsyncIterator[Served]:
    sock = listen("127.0.0.1", 0)
    serving = asyncio.create_task(serve(build(gateway.view), sock))
    try:
        yield Served(gateway, sock.getsockname()[1])
    finally:
        serving.cancel()
        await asyncio.wait([serving])
        assert serving.cancelled()
