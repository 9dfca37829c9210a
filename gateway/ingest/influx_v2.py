"""InfluxDB 2.x and 3.x over `/api/v2/write`, through `influxdb-client` (extra `ingest`).

Its queue and retries stay off: they live in memory only and would confirm what is not stored. It is given our own line
protocol and runs in a thread, one request at a time.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from gateway.errors import GatewayError, SinkUnavailable
from gateway.ingest.answers import STORED, Verdict, judge
from gateway.ingest.aside import run_aside
from gateway.ingest.delivery import Delivery
from gateway.ingest.secret_file import read_secret
from gateway.ports import Fact

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
REQUEST_TIMEOUT_S = 40.0


class InfluxV2:
    """A Sink on one bucket. The bucket must exist: making one needs rights that a writing token should not have."""

    def __init__(self, url: str, org: str, bucket: str, token_file: Path) -> None:
        self._library = _library()
        self._url = url
        self._org = org
        self._bucket = bucket
        self._token_file = token_file
        self._token = ""
        self._client: Any = None
        self._send: Callable[[bytes], int] | None = None
        self._turn = asyncio.Lock()
        self._delivery = Delivery(self._post)

    async def write(self, facts: Sequence[Fact]) -> None:
        """See gateway.ports.Sink. One write at a time; others wait their turn."""
        async with self._turn:
            await self._delivery.deliver(facts)

    async def close(self) -> None:
        if self._client is not None:
            client, self._client, self._send = self._client, None, None
            await asyncio.to_thread(client.close)

    async def _post(self, body: bytes, points: int) -> Verdict:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                return await run_aside(lambda: self._write(body, points))
        except TimeoutError as error:
            self._client = self._send = None
            raise SinkUnavailable("no answer in time") from error

    def _write(self, body: bytes, points: int) -> Verdict:
        urllib3_errors = importlib.import_module("urllib3.exceptions")
        refusal = importlib.import_module("influxdb_client.rest").ApiException
        try:
            status = self._sender()(body)
        except refusal as error:
            if not error.status:
                raise SinkUnavailable(str(error.reason).replace("\n", ": ")) from error
            headers = error.headers or {}
            text = error.body or ""
            answer = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
            return judge(error.status, answer, headers.get("Retry-After"), points)
        except (urllib3_errors.HTTPError, OSError, UnicodeDecodeError) as error:
            raise SinkUnavailable(f"{type(error).__name__}: {error}") from error
        return STORED if status == 204 else judge(status, b"", None, points)

    def _sender(self) -> Callable[[bytes], int]:
        """The library's write call, made anew when the token's file has changed."""
        token = read_secret(self._token_file)
        if self._send is None or token != self._token:
            if self._client is not None:
                self._client.close()
            client = self._library.InfluxDBClient(
                url=self._url,
                token=token,
                org=self._org,
                enable_gzip=True,
                timeout=(int(CONNECT_TIMEOUT_S * 1000), int(READ_TIMEOUT_S * 1000)),
            )
            synchronous = importlib.import_module("influxdb_client.client.write_api").SYNCHRONOUS
            writer = client.write_api(write_options=synchronous)

            def send(body: bytes) -> int:
                writer.write(bucket=self._bucket, org=self._org, record=body, write_precision="ms")
                return int(client.api_client.last_response.status)

            self._client, self._send, self._token = client, send, token
        return self._send


def _library() -> ModuleType:
    """`influxdb_client`, or a clear word on how to get it."""
    try:
        return importlib.import_module("influxdb_client")
    except ModuleNotFoundError as error:
        raise GatewayError(
            "`api: v2` needs influxdb-client: pip install 'vigil-gateway[ingest]'",
            "`api: v2` 需要 influxdb-client：pip install 'vigil-gateway[ingest]'",
        ) from error
