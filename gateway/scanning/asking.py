"""How a unit is asked: over a line of our own, or through the gateway that owns the line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from drivers.modbus.probe import Probe, probe_job
from gateway.control import ControlClient
from gateway.orders.probing import LONGEST_REST_S, Heard, heard
from gateway.ports import Clock, Line
from gateway.settings.types import LineSettings

Ask: TypeAlias = Callable[[Probe, int], Awaitable[Heard]]


def ask_directly(line: Line, settings: LineSettings, clock: Clock, timeout_s: float) -> Ask:
    """Over a line that is ours alone."""

    async def ask(probe: Probe, unit: int) -> Heard:
        job = probe_job(settings, probe, unit, timeout_s)
        await clock.sleep_until(min(line.rests_until(unit), clock.monotonic() + LONGEST_REST_S))
        return heard(await line.run(job, clock.monotonic() + timeout_s + job.wire_ms / 1000))

    return ask


def ask_gateway(client: ControlClient, line: str, timeout_s: float) -> Ask:
    """Through the running gateway, between its polls."""

    async def ask(probe: Probe, unit: int) -> Heard:
        args = {
            "line": line,
            "unit": unit,
            "timeout_ms": round(timeout_s * 1000),
            "table": probe.table,
            "first": probe.first,
            "count": probe.count,
        }
        return Heard.of_result(await asyncio.to_thread(client.ask, "probe", args))

    return ask
