"""The local page in a real browser, on the demo's site served by the simulator and polled by a real gateway."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway import app
from gateway.model import Reading, Status
from gateway.settings.bundled import config_dir
from gateway.sim.faults import FaultName, LineFault
from gateway.sim.simulation import Simulation
from gateway.sim.simulation import serve as simulate
from gateway.store import open_store
from gateway.web.server import listen, serve
from gateway.web.site import build
from tests.browser import Browser, Page

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = Path(__file__).parents[1] / "unit" / "web" / "hostile.yaml"
FIRST_VIEW_BYTES = 100_000
OVERFLOWS = """[...document.querySelectorAll("body *")].filter((each) => {
    const box = each.getBoundingClientRect();
    return box.width && (box.right > innerWidth + 0.5 || box.left < -0.5);
}).map((each) => each.outerHTML.slice(0, 120))"""

#: Where the tile of ups-1 stands, and how many tiles may stand before a device whose state is not known.
PLACE = "[...document.querySelectorAll('.tile')].findIndex((each) => each.id === 'tile-ups-1')"
WORSE = "document.querySelectorAll('.tile.state-not_ready, .tile.state-unknown:not(#tile-ups-1)').length"
UNFOLD = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
#: Texts with less than 4.5:1 against what is behind them (WCAG 2.2, 1.4.3), with their ratio.
PALE = """(() => {
    const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const linear = (channel) => (channel /= 255) <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const behind = (element) => {
        for (; element; element = element.parentElement) {
            const found = channels(getComputedStyle(element).backgroundColor);
            if (found.length === 3 || found[3] > 0) return found;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const element of document.querySelectorAll("body *")) {
        const isText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!isText || !element.getBoundingClientRect().width) continue;
        const style = getComputedStyle(element);
        const ink = luminance(channels(element.namespaceURI.endsWith("svg") ? style.fill : style.color));
        const paper = luminance(behind(element));
        const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        if (ratio < 4.5) found.push([ratio, element.outerHTML.slice(0, 120)]);
    }
    return found;
})()"""
CLIPPED = """[...document.querySelectorAll("body *")].filter((each) => each.clientWidth
    && !each.closest("svg, .spoken") && getComputedStyle(each).display !== "inline"
    && each.scrollWidth > each.clientWidth + 1
).map((each) => each.outerHTML.slice(0, 120))"""


@dataclass(frozen=True, slots=True)
class Site:
    """A running site with its page at `address`."""

    address: str
    gateway: app.Gateway
    simulation: Simulation

    def silence(self, line: str) -> None:
        self.simulation._lines[line].bus.faults.set(None, LineFault(FaultName.SILENT))

    def revive(self, line: str) -> None:
        self.simulation._lines[line].bus.faults.clear(None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("page")
    settings = replace(app.load(config_dir() / "sites" / "demo.yaml"), state_dir=folder / "state")
    async with simulate(settings, ports=folder / "ports", free_ports=True) as simulation:
        store = open_store(folder / "state")
        gateway = app.Gateway(simulation.redirected(), store)
        sock = listen("127.0.0.1", 0)
        page = asyncio.create_task(serve(build(gateway.view), sock))
        running = asyncio.create_task(gateway.run())
        try:
            yield Site(f"http://127.0.0.1:{sock.getsockname()[1]}", gateway, simulation)
        finally:
            for task in (page, running):
                task.cancel()
            await asyncio.gather(page, running, return_exceptions=True)
            store.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, site: Site) -> AsyncIterator[Page]:
    """A fresh tab; whatever a test does, nothing may leave the machine and the console stays silent."""
    page = await browser.page()
    yield page
    assert [each for each in page.requests if not each.startswith((site.address, "data:"))] == []
    assert page.complaints == []
    await page.open("about:blank")


async def test_a_live_value_changes_without_reload(page: Page, site: Site) -> None:
    pump = site.simulation.devices["pump-2"]
    pump.hold("fuel_level", 71.5)
    await page.open(f"{site.address}/device/pump-2?lang=en")
    await page.until("document.querySelector('#point-fuel_level .text').textContent === '71.5'")
    await page.run("window.untouched = true")
    pump.hold("fuel_level", 33.25 * 2)
    await page.until("document.querySelector('#point-fuel_level .text').textContent === '66.5'")
    assert await page.run("window.untouched")
    pump.hold("fuel_level", None)


async def test_a_silent_device_becomes_unknown_and_moves_up(page: Page, site: Site) -> None:
    await page.open(f"{site.address}/?lang=en")
    await page.until("document.querySelector('#tile-ups-1.state-ready')")
    await page.run("window.untouched = true")
    assert await page.run(f"{PLACE} > {WORSE}")
    site.silence("ups-1")
    await page.until("document.querySelector('#tile-ups-1.state-unknown')")
    assert await page.run(f"{PLACE} <= {WORSE}")
    assert "Unknown" in await page.text("#tile-ups-1")
    assert await page.run("window.untouched")
    site.revive("ups-1")
    await page.until("document.querySelector('#tile-ups-1.state-ready')")


async def test_an_emergency_stop_comes_first_with_what_to_do(page: Page, site: Site) -> None:
    generator = site.simulation.devices["gen-2"]
    await page.open(f"{site.address}/?lang=en")
    await page.until("document.querySelector('#tile-gen-2.state-ready')")
    generator.hold("emergency_stop", True)
    await page.until("document.querySelector('#tile-gen-2.state-not_ready')")
    assert await page.run("document.querySelector('.tile').classList.contains('state-not_ready')")
    tile = await page.text("#tile-gen-2")
    assert "Emergency stop is pushed" in tile
    assert "release the button" in tile
    await page.open(f"{site.address}/device/gen-2")
    assert "Emergency stop yes" in await page.text(".because")
    generator.hold("emergency_stop", None)
    await page.until("document.querySelector('#device.state-ready')")
    assert "Nothing is wrong" in await page.text(".reasons")


async def test_the_language_switches_and_stays(page: Page, site: Site) -> None:
    await page.open(f"{site.address}/?lang=zh")
    assert await page.run("document.documentElement.lang") == "zh-CN"
    assert "1号发电机组" in await page.text("main")
    await page.follow("a.lang")
    assert await page.run("document.documentElement.lang") == "en"
    assert "Generator 1" in await page.text("main")
    await page.follow("#tile-gen-1")
    assert await page.run("document.documentElement.lang") == "en"
    assert "Fuel level" in await page.text("main")


async def test_the_trend_of_the_last_hour_is_drawn(page: Page, site: Site) -> None:
    await page.open(f"{site.address}/device/pump-2?lang=en")
    await page.until("document.querySelector('#point-fuel_level .text').textContent !== '—'")
    await page.click("#point-fuel_level button")
    await page.until("document.querySelector('#trend .what').textContent === 'Fuel level'")
    await page.until("document.querySelector('#trend svg .line')")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_phone_shows_everything_without_sideways_scrolling(page: Page, site: Site, language: str) -> None:
    await page.resize(390, 844, mobile=True)
    for path in ("/", "/device/gen-1", "/device/pump-1", "/health", "/configuration"):
        await page.open(f"{site.address}{path}?lang={language}")
        await page.run(UNFOLD)
        assert await page.run("document.documentElement.scrollWidth") <= 390, path
        assert await page.run(OVERFLOWS) == [], path


async def test_an_address_that_is_not_there_says_so(page: Page, site: Site) -> None:
    await page.open(f"{site.address}/device/%3Cimg%20src=x%20onerror=alert(1)%3E?lang=en")
    assert "There is no such page" in await page.text("main")
    assert len(page.complaints) == 1
    assert "404" in page.complaints.pop()


async def test_every_text_stands_out_and_none_is_clipped(page: Page, site: Site) -> None:
    site.silence("ups-1")
    site.simulation.devices["tank-1"].hold("level", 4.5)
    await page.open(f"{site.address}/?lang=zh")
    await page.until("document.querySelector('#tile-ups-1.state-unknown')")
    await page.until("document.querySelector('#tile-tank-1 .uncertain')")
    for scheme in ("light", "dark"):
        await page.prefer(scheme)
        for path in ("/", "/device/ups-1", "/device/tank-1", "/health", "/configuration"):
            await page.open(f"{site.address}{path}")
            await page.run(UNFOLD)
            assert await page.run(PALE) == [], (path, scheme)
            assert await page.run(CLIPPED) == [], (path, scheme)
    site.revive("ups-1")
    site.simulation.devices["tank-1"].hold("level", None)


async def test_the_health_page_renews_itself_and_stays_unfolded(page: Page, site: Site) -> None:
    await page.open(f"{site.address}/health?lang=en")
    await page.run(UNFOLD)
    await page.run("window.before = document.querySelector('#health-lines')")
    await page.run("renew()")
    assert await page.run("window.before !== document.querySelector('#health-lines')")
    assert await page.run("document.querySelector('details').open")
    await page.until("document.querySelector('#health-first tr')")
    assert "genset-bus" in await page.text("#health-lines")


async def test_the_keyboard_reaches_everything(page: Page, site: Site) -> None:
    await page.open(f"{site.address}/device/gen-1?lang=en")
    assert await page.run("[...document.querySelectorAll('a, button, summary')].every((each) => each.tabIndex === 0)")
    assert await page.run("document.querySelectorAll('[onclick], [style]').length") == 0
    assert await page.run("[...document.querySelectorAll('button, a')].every((each) => each.textContent.trim())")


async def test_the_first_view_is_light(page: Page, site: Site) -> None:
    await page.open(f"{site.address}/")
    assert 1_000 < sum(page.received.values()) < FIRST_VIEW_BYTES


async def test_hostile_names_and_values_stay_text(page: Page, tmp_path: Path) -> None:
    settings = replace(app.load(HOSTILE), state_dir=tmp_path / "state")
    store = open_store(settings.state_dir)
    gateway = app.Gateway(settings, store)
    sock = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{sock.getsockname()[1]}"
    serving = asyncio.create_task(serve(build(gateway.view), sock))
    attack = '"><img src=x onerror=pwned()>'
    await page.open(f"{address}/device/tank-1?lang=en")
    reading = Reading("tank-1", gateway.clock.wall_ms(), ("plate",), (attack,), (Status.Good,))
    gateway.pipeline.deliver(reading)
    await page.until("document.querySelector('#point-plate .text').textContent !== '—'")
    assert await page.text("#point-plate .text") == attack
    assert attack in await page.text("h2")
    assert await page.run("document.querySelectorAll('img, script:not([src])').length") == 0
    serving.cancel()
    await asyncio.wait([serving])
    store.close()
    await page.open("about:blank")
    assert all(each.startswith((address, "about:")) for each in page.requests)
    page.requests.clear()
    assert page.complaints == []


async def test_the_page_stops_cleanly_under_an_open_stream(
    page: Page, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    app_ = build(site.gateway.view)
    sock = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{sock.getsockname()[1]}"
    serving = asyncio.create_task(serve(app_, sock))
    await page.open(f"{address}/?lang=en")
    await page.until("typeof live === 'object' && live.readyState === 1")
    with caplog.at_level(logging.DEBUG):
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
    await page.until("!document.getElementById('lost').hidden")
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING or each.exc_info] == []
    assert all(each.startswith((site.address, address, "data:")) for each in page.requests)
    page.requests.clear()
    page.complaints.clear()
