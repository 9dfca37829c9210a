"""Blocking calls of client libraries, beside the loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


async def run_aside(work: Callable[[], Result]) -> Result:
    """`work()` in a daemon thread of its own: unlike a pool's, it is not waited for at exit when a server hangs."""
    outcome: Future[Result] = Future()

    def run() -> None:
        if not outcome.set_running_or_notify_cancel():
            return
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001  # raised again where `run_aside` is awaited
            outcome.set_exception(error)

    threading.Thread(target=run, name="ingest-request", daemon=True).start()
    return await asyncio.wrap_future(outcome)
