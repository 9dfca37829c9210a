"""`make pictures` takes the pictures of the README: the demo's site, simulated, with faults, in a headless chromium."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gateway import app
from gateway.operators import operator_line
from gateway.settings.bundled import config_dir
from gateway.settings.types import ClockSettings
from gateway.sim.simulation import Simulation
from gateway.sim.simulation import serve as simulate
from gateway.store import open_store
from gateway.web.server import listen, serve
from gateway.web.site import build
from tests.browser import Browser, Page
from tests.png import shrink

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
DESK, PHONE = (1280, 800), (390, 844)
PERSON, PASSWORD = "duty-1", "only for pictures"
#: What is wrong on the pictures: device, point, value.
FAULTS = (
    ("warehouse-1", "fire_alarm", True),
    ("gen-2", "emergency_stop", True),
    ("leak-1", "water_detected", True),
    ("tank-1", "fill_level", 12.0),
)
ALARMS = 3
"""Of these faults so many are announced at once."""
READY = "document.querySelectorAll('.tile.state-unknown').length === 0"
TREND_S = 30.0
"""So long the values of the first pictures have been read."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its name, the page, language, day or night, and size."""

    name: str
    path: str
    language: str
    scheme: str
    size: tuple[int, int]


PICTURES = (
    Picture("overview-en", "/", "en", "light", DESK),
    Picture("overview-zh-phone", "/", "zh", "dark", PHONE),
    Picture("alarms-en-night", "/alarms", "en", "dark", DESK),
    Picture("alarms-en-phone", "/alarms", "en", "light", PHONE),
    Picture("device-en", "/device/gen-2", "en", "light", DESK),
    Picture("why-zh-phone", "/alarm/gen-2/emergency_stop_pushed", "zh", "dark", PHONE),
    Picture("wall-zh-night", "/wall", "zh", "dark", DESK),
)


async def take() -> dict[str, bytes]:
    """All pictures by name, as the browser gives them."""
    taken: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory(prefix="vigil-pictures-") as work:
        async with _site(Path(work)) as (address, simulation), Browser(Path(work) / "browser") as browser:
            pages = {size: await _page(browser, address, size) for size in (DESK, PHONE)}
            first = pages[DESK]
            await first.open(f"{address}/?lang=en")
            await first.until(READY)
            await asyncio.sleep(TREND_S)
            for device, point, value in FAULTS:
                simulation.devices[device].hold(point, value)
            await first.open(f"{address}/alarms?lang=en")
            await first.until(f"document.querySelectorAll('#alarms .alarm').length >= {ALARMS}")
            for picture in PICTURES:
                page = pages[picture.size]
                await page.prefer(picture.scheme)
                await page.open(f"{address}{picture.path}?lang={picture.language}")
                await page.until("live && live.readyState === 1")
                if picture.path.startswith("/device"):
                    await page.until("document.querySelector('#trend svg')")
                taken[picture.name] = await page.picture()
    return taken


async def _page(browser: Browser, address: str, size: tuple[int, int]) -> Page:
    """A tab of that size whose user is an operator."""
    page = await browser.page(*size)
    await page.resize(*size, mobile=size is PHONE)
    await page.open(f"{address}/login?lang=en")
    await page.run(
        f"document.querySelector('[name=name]').value = '{PERSON}';"
        f"document.querySelector('[name=password]').value = '{PASSWORD}'"
    )
    await page.follow("form.login button")
    return page


@asynccontextmanager
async def _site(folder: Path) -> AsyncIterator[tuple[str, Simulation]]:
    """The demo's site, running: the address of its page, and its simulated devices."""
    (folder / "operators").write_text(operator_line(PERSON, "operator", PASSWORD))
    site = replace(
        app.load(config_dir() / "sites" / "demo.yaml"),
        state_dir=folder / "state",
        operators_file=folder / "operators",
        clock=ClockSettings(hardware="trusted"),
    )
    async with simulate(site, ports=folder / "ports", free_ports=True) as simulation:
        store = open_store(site.state_dir)
        gateway = app.Gateway(simulation.redirected(), store)
        sock = listen("127.0.0.1", 0)
        tasks = [asyncio.create_task(serve(build(gateway.view), sock)), asyncio.create_task(gateway.run())]
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}", simulation
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            store.close()


def main() -> None:
    """Into the folder named on the command line, or where the README looks for them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in asyncio.run(take()).items():
        png = shrink(picture)
        (folder / f"{name}.png").write_bytes(png)
        print(f"{name}.png {len(png) // 1024} kB")


if __name__ == "__main__":
    main()
