"""HTTP/1.1 with bounded patience: a client that sends or reads too slowly, or one too many, is let go."""

from __future__ import annotations

import asyncio
import logging

from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger(__name__)

REQUEST_S = 10.0
"""From the first byte of a request (or the opening of the connection) to its last."""
READ_S = 20.0
"""How long a client may leave what we send unread while more waits."""
MAX_CONNECTIONS = 400


class PatientProtocol(H11Protocol):
    """uvicorn's own protocol, which waits for ever in both directions."""

    _request_timer: asyncio.TimerHandle | None = None
    _read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._let_go("too_many")
        else:
            self._watch_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_arrived()
        self._is_read()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._read_timer is None:
            self._read_timer = self.loop.call_later(READ_S, self._let_go, "slow_reader")

    def resume_writing(self) -> None:
        self._is_read()
        super().resume_writing()

    def _watch_request(self) -> None:
        """The clock runs while a request is on its way in."""
        is_whole = self.cycle is not None and not self.cycle.more_body
        if is_whole:
            self._request_arrived()
        elif self._request_timer is None:
            self._request_timer = self.loop.call_later(REQUEST_S, self._let_go, "slow_request")

    def _request_arrived(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _is_read(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None

    def _let_go(self, reason: str) -> None:
        log.info("page_client_dropped reason=%s client=%s", reason, self.client)
        self.transport.abort()
