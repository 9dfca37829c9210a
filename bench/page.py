"""What browsers on the local page cost the gateway: `python -m bench.page [--viewers 50] [--seconds 20]`.

60 devices of 10 points change every second (600 points/s), judged by the rules of generators; some of their alarms come
and go all the time. Half of the viewers look at the overview, a quarter at the list of alarms, a quarter at devices
one by one, in both languages; they run in another process. The figure is the processor time of the gateway's process
with viewers less that without, as a share of one core.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gateway import app
from gateway.model import Reading, Status
from gateway.store import open_store
from gateway.web.server import listen, serve
from gateway.web.site import build

DEVICES, POINTS = 60, 10
_KINDS = ("voltage_l1", "voltage_l2", "voltage_l3", "frequency", "power", "battery_voltage", "fuel_level")
_NAMES = (*_KINDS, "coolant_temperature", "oil_pressure", "speed")


RULES = """schema: 1
kind: generator
name: {zh: 测量, en: Bench}
rules:
  comes_and_goes:
    text: {zh: 时有时无, en: It comes and goes}
    action: {zh: 无, en: None}
    role: operator
    levels:
      - {priority: high, raise: oil_pressure > 236, clear: oil_pressure < 224}
    cases:
      - steps:
          - {set: {oil_pressure: bad}, expect: cannot_tell}
          - {set: {oil_pressure: 240}, for: 1s, expect: high, announced: high}
          - {set: {oil_pressure: 200}, for: 1s, expect: none, announced: none}
"""
"""A rule whose alarm is raised and ends every few seconds on each device."""


def site_text(folder: Path) -> str:
    points = ", ".join(f'{name}: {{at: "holding:{place}", scale: 0.1}}' for place, name in enumerate(_NAMES))
    devices = "\n".join(
        f"  - {{id: gen-{number}, kind: generator, line: lan, unit: {number + 1}, interval: 1s, points: {{{points}}}}}"
        for number in range(DEVICES)
    )
    return f"""schema: 1
site:
  {{id: bench, name: {{zh: 测量, en: Bench}}, kind: warehouse, location: {{lat: 0, lon: 0}}, timezone: Asia/Shanghai}}
lines: {{lan: {{tcp: "127.0.0.1:1502"}}}}
devices:
{devices}
rules: [builtin/generator, builtin/communication, {folder / "bench-rules.yaml"}]
web: {{listen: "127.0.0.1:8321"}}
state_dir: {folder / "state"}
"""


async def change(gateway: app.Gateway) -> None:
    """Every device gets a reading a second, spread over the second, all values other than before."""
    loop, number = asyncio.get_running_loop(), 0
    due = loop.time()
    good = (Status.Good,) * POINTS
    names = {device.id: tuple(point.name for point in device.points) for device in gateway.site.devices}
    while True:
        for device, points in names.items():
            number += 1
            values = tuple(round(230 + 9 * math.sin(number + place), 1) for place in range(POINTS))
            gateway.pipeline.deliver(Reading(device, gateway.clock.wall_ms(), points, values, good))
            due += 1 / DEVICES
            await asyncio.sleep(max(0.0, due - loop.time()))


async def look(port: int, viewers: int) -> None:
    """Open streams and read them until they end; says so when all have begun."""

    async def one(number: int, begun: asyncio.Queue[int]) -> None:
        language = ("zh", "en")[number // 4 % 2]
        device = f"&device=gen-{number}" if number % 4 == 1 else "&page=alarms" if number % 4 == 3 else ""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /live?lang={language}{device} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await reader.readuntil(b"data: ")
        begun.put_nowait(number)
        while await reader.read(65536):
            pass

    begun: asyncio.Queue[int] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        for number in range(viewers):
            group.create_task(one(number, begun))
        for _ in range(viewers):
            await begun.get()
        print("looking", flush=True)


async def share_of_core(seconds: float) -> float:
    """Processor time of this process per second of time."""
    started, used = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    return (time.process_time() - used) / (time.monotonic() - started)


async def measure(viewers: int, seconds: float) -> tuple[float, float]:
    """The share of a core without viewers and with them."""
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        path = Path(folder) / "site.yaml"
        path.write_text(site_text(Path(folder)), encoding="utf-8")
        (Path(folder) / "bench-rules.yaml").write_text(RULES, encoding="utf-8")
        site = app.load(path)
        store = open_store(site.state_dir)
        gateway = app.Gateway(site, store)
        sock = listen("127.0.0.1", 0)
        page = build(gateway.view)
        tasks = [asyncio.create_task(change(gateway)), asyncio.create_task(serve(page, sock))]
        try:
            await asyncio.sleep(3)
            alone = await share_of_core(seconds)
            command = [sys.executable, "-m", "bench.page", "--look", str(sock.getsockname()[1]), str(viewers)]
            browsers = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
            if browsers.stdout is None or await browsers.stdout.readline() != b"looking\n":
                raise RuntimeError("the viewers did not begin")
            try:
                watched = await share_of_core(seconds)
                print(f"alarms listed {len(gateway.view().alarms.alarms())}")
                if page.state.live.viewers != viewers:
                    raise RuntimeError(f"only {page.state.live.viewers} of {viewers} viewers stayed")
                return alone, watched
            finally:
                browsers.kill()
                await browsers.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--look", nargs=2, type=int, metavar=("PORT", "VIEWERS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.look:
        asyncio.run(look(*options.look))
        return
    alone, watched = asyncio.run(measure(options.viewers, options.seconds))
    print(f"gateway alone, {DEVICES * POINTS} points/s   {alone:6.1%} of a core")
    print(f"with {options.viewers} viewers            {watched:6.1%} of a core")
    print(f"cost of the page          {watched - alone:6.1%} of a core")


if __name__ == "__main__":
    main()
