"""InfluxDB 1.x over `/write` and `/query`: the reference store. Needs nothing but the standard library."""

from __future__ import annotations

import asyncio
import base64
import gzip
import logging
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlencode

from gateway.errors import SinkMisconfigured, SinkUnavailable
from gateway.ingest.answers import Meaning, Verdict, judge, query_error
from gateway.ingest.delivery import Delivery
from gateway.ingest.kept_connection import REQUEST_TIMEOUT_S, KeptConnection
from gateway.ingest.secret_file import read_secret
from gateway.ports import Fact

log = logging.getLogger(__name__)


class InfluxV1:
    """A Sink on one database of an InfluxDB 1.x, which is created if it is missing."""

    def __init__(
        self,
        url: str,
        database: str,
        username: str | None = None,
        password_file: Path | None = None,
        *,
        request_timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> None:
        self._connection = KeptConnection(url, request_timeout_s)
        self._database = database
        self._username = username
        self._password_file = password_file
        self._write_target = f"/write?db={quote(database, safe='')}&precision=ms"
        self._turn = asyncio.Lock()
        self._delivery = Delivery(self._post)

    async def write(self, facts: Sequence[Fact]) -> None:
        """See gateway.ports.Sink. One write at a time; others wait their turn."""
        async with self._turn:
            await self._delivery.deliver(facts)

    async def close(self) -> None:
        self._connection.close()

    async def _post(self, body: bytes, points: int) -> Verdict:
        packed = await asyncio.to_thread(gzip.compress, body, 1)
        verdict = await self._write(packed, points)
        if verdict.meaning is Meaning.NO_DATABASE:
            await self._create_database()
            verdict = await self._write(packed, points)
        return verdict

    async def _write(self, packed: bytes, points: int) -> Verdict:
        headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip", **self._login()}
        answer = await self._connection.post(self._write_target, packed, headers)
        return judge(answer.status, answer.body, answer.retry_after, points)

    async def _create_database(self) -> None:
        name = self._database.replace("\\", "\\\\").replace('"', '\\"')
        headers = {"Content-Type": "application/x-www-form-urlencoded", **self._login()}
        body = urlencode({"q": f'CREATE DATABASE "{name}"'}).encode()
        answer = await self._connection.post("/query", body, headers)
        error = query_error(answer.status, answer.body)
        if error is None:
            log.info("database created name=%s", self._database)
            return
        reason = f"database {self._database} is missing and cannot be created: {error}"
        verdict = judge(answer.status, answer.body, answer.retry_after, 1)
        if verdict.meaning is Meaning.TRY_LATER:
            raise SinkUnavailable(reason, verdict.after_s)
        raise SinkMisconfigured(reason)

    def _login(self) -> dict[str, str]:
        """Read anew for each request, so that a changed password needs no restart."""
        if self._username is None:
            return {}
        password = read_secret(self._password_file) if self._password_file is not None else ""
        login = base64.b64encode(f"{self._username}:{password}".encode()).decode("ascii")
        return {"Authorization": f"Basic {login}"}
