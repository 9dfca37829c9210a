"""Every shipped profile, simulated and read back by the driver: two independent encoders must agree on every point."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers.modbus import compile_device, open_line
from gateway import app
from gateway.clock import SystemClock
from gateway.model import Answer, Fault, FaultKind, Job, Status
from gateway.ports import DevicePlan, Line, Values
from gateway.settings.bundled import config_dir
from gateway.settings.document import parse
from gateway.settings.nodes import Scalar
from gateway.settings.problems import Problems
from gateway.settings.types import SiteSettings
from gateway.sim.binding import field_of
from gateway.sim.registers import Table
from gateway.sim.simulation import serve

PROFILES = sorted((config_dir() / "profiles").rglob("*.yaml"))
HEAD = """
schema: 1
site: {id: depot-1, name: {zh: 库, en: Depot}, kind: warehouse, timezone: Asia/Shanghai}
lines: {lan: {tcp: "127.0.0.1:15999"}}
devices: [{id: it, kind: %s, profile: %s, line: lan, unit: 1, interval: 10s, timeout: 2s}]
"""


def site_of(profile: Path, folder: Path) -> SiteSettings:
    root = parse(profile.read_bytes(), str(profile), Problems())
    assert root is not None
    kind = root.get("kind")
    assert isinstance(kind, Scalar)
    path = folder / "site.yaml"
    path.write_text(HEAD % (kind.text, f"{profile.parent.name}/{profile.stem}"))
    return app.load(path)


async def poll(plan: DevicePlan, line: Line, clock: SystemClock) -> tuple[Values, int]:
    """One poll with everything asked again that was refused; how many were."""
    outcomes: list[tuple[Job, Answer | Fault]] = []
    waiting, refused = list(plan.jobs()), 0
    while waiting:
        job = waiting.pop(0)
        outcome = await line.run(job, clock.monotonic() + 10)
        if isinstance(outcome, Fault) and outcome.kind is FaultKind.REFUSED:
            refused += 1
            waiting = [*plan.refused(job, outcome.code, clock.monotonic()), *waiting]
        else:
            outcomes.append((job, outcome))
    return plan.decode(outcomes, clock.monotonic()), refused


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_the_driver_reads_what_the_plant_shows(profile: Path, tmp_path: Path) -> None:
    site = site_of(profile, tmp_path)
    (device,) = site.devices
    clock = SystemClock()
    async with asyncio.timeout(60), serve(site, free_ports=True, paused=True) as simulation:
        served = simulation.redirected().lines[0]
        plan, line = compile_device(served, device), open_line(served, clock)
        values, refused = await poll(plan, line, clock)
        while refused:
            values, refused = await poll(plan, line, clock)
        await line.close()
    points = {point.name: point for point in device.points}
    assert set(values.points) == set(points)
    places = {name: field_of(point) for name, point in points.items()}
    worded = {(place.table, address) for place in places.values() if not place.is_plain for address in place.addresses}
    for name, value, status in zip(values.points, values.values, values.statuses, strict=True):
        place = places[name]
        if place.is_plain and any((place.table, address) in worded for address in place.addresses):
            continue  # the raw register of a point with words
        shown = simulation.devices["it"].read(name)
        assert status in (Status.Good, Status.UncertainEngineeringUnitsExceeded), (
            f"{name}: {status.name}, shows {shown!r}"
        )
        if isinstance(shown, bool | str) or value is None or isinstance(value, bool | str):
            known = not place.words or shown in place.words.values()
            assert not known or value == shown, f"{name}: {value!r} instead of {shown!r}"
            continue
        step = 0 if place.type.startswith("float") or place.table in (Table.COIL, Table.DISCRETE) else 0.51
        resolution = float(place.scale) * step * (1 if place.scale_point is None else 100)
        assert float(value) == pytest.approx(float(shown), rel=1e-3, abs=abs(resolution)), name
