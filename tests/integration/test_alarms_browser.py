"""Alarms in a real browser: they appear by themselves, operators acknowledge them, viewers are told they may not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from gateway import app
from gateway.model import Priority
from gateway.operators import operator_line
from gateway.settings.bundled import config_dir
from gateway.settings.types import AlarmSettings
from gateway.sim.simulation import serve as simulate
from gateway.store import open_store
from gateway.web.server import listen, serve
from gateway.web.site import build
from tests.browser import Browser, Page
from tests.integration.test_page_browser import CLIPPED, FIRST_VIEW_BYTES, OVERFLOWS, PALE, UNFOLD, Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

LARGE_PX, SMALL_PX = 40, 27
"""Letters 15 mm and 8 mm high on a screen of 0.28 mm pixels: read at three metres."""
SMALLEST = """Math.min(...[...document.querySelectorAll("main *")].filter((each) => {
    const isText = [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    return isText && each.getBoundingClientRect().width;
}).map((each) => parseFloat(getComputedStyle(each).fontSize)))"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("alarms")
    people = [operator_line(name, name, "secret") for name in ("viewer", "operator", "maintainer")]
    (folder / "operators").write_text("\n".join(people))
    settings = app.load(config_dir() / "sites" / "demo.yaml")
    two = AlarmSettings(two_person_ack=(Priority.CRITICAL,))
    settings = replace(settings, state_dir=folder / "state", operators_file=folder / "operators", alarms=two)
    async with simulate(settings, ports=folder / "ports", free_ports=True) as simulation:
        store = open_store(folder / "state")
        gateway = app.Gateway(simulation.redirected(), store)
        sock = listen("127.0.0.1", 0)
        tasks = [asyncio.create_task(serve(build(gateway.view), sock)), asyncio.create_task(gateway.run())]
        try:
            yield Site(f"http://127.0.0.1:{sock.getsockname()[1]}", gateway, simulation)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            store.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, site: Site) -> AsyncIterator[Page]:
    page = await browser.page()
    yield page
    assert [each for each in page.requests if not each.startswith((site.address, "data:"))] == []
    assert page.complaints == []
    await page.open("about:blank")


@pytest_asyncio.fixture(loop_scope="module")
async def stopped(page: Page, site: Site) -> AsyncIterator[str]:
    """An emergency stop of the second generator: where its alarm stands, until it is released and acknowledged."""
    await page.open(f"{site.address}/alarms?lang=en")
    await page.until("document.querySelector('#alarms .nothing')")
    site.simulation.devices["gen-2"].hold("emergency_stop", True)
    yield await page.until("document.querySelector('#alarms .alarm h3 a')?.pathname")
    site.simulation.devices["gen-2"].hold("emergency_stop", None)
    await page.open(f"{site.address}/login?lang=en")
    await enter(page, "maintainer")
    await page.open(f"{site.address}/alarms")
    clear = "!document.querySelector('#alarms .alarm')"
    for _ in range(3):
        if await page.run("!!document.querySelector('#alarms .alarm button')"):
            await page.follow("#alarms .alarm button")
        else:
            await page.until(f"{clear} || document.querySelector('#alarms .alarm button')")
    await page.until(clear)


async def enter(page: Page, name: str) -> None:
    await page.run(
        f"document.querySelector('[name=name]').value = '{name}';"
        "document.querySelector('[name=password]').value = 'secret'"
    )
    await page.follow("form.login button")


async def log_in(page: Page, site: Site, name: str, onward: str) -> None:
    await page.open(f"{site.address}/login?lang=en&next={onward}")
    await enter(page, name)
    assert name in await page.text("header")


async def test_an_alarm_appears_and_an_operator_acknowledges_it(
    page: Page, site: Site, browser: Browser, stopped: str
) -> None:
    other = await browser.page()
    await other.open(f"{site.address}/?lang=en")
    await other.until("document.querySelector('#loudest .text').textContent.includes('Emergency stop')")
    await other.run("window.untouched = true")
    assert "Log in to act" in await page.text("main")
    assert await page.run("getComputedStyle(document.querySelector('.alarm form')).display") == "none"
    await log_in(page, site, "operator", "/alarms")
    assert "Not acknowledged" in await page.text("#alarms")
    await page.follow("#alarms .alarm button")
    await page.until("document.querySelector('#alarms .alarm.acked')")
    assert "Acknowledged" in await page.text("#alarms .alarm .word")
    await other.until("document.getElementById('loudest').hidden && !document.querySelector('#badge.fill-high')")
    assert await other.run("window.untouched")
    await page.open(f"{site.address}{stopped}")
    assert "Acknowledged by operator" in await page.text("#alarm")
    assert "What happened" in await page.text("main")
    assert [each for each in other.requests if not each.startswith(site.address)] == []
    assert other.complaints == []
    await other.open("about:blank")


async def test_a_fire_alarm_takes_two_people(page: Page, site: Site) -> None:
    store, card = site.simulation.devices["warehouse-1"], "#alarm-warehouse-1-fire"
    store.hold("fire_alarm", True)
    await log_in(page, site, "operator", "/alarms")
    await page.until(f"document.querySelector('{card}.fill-critical')")
    assert "Two people have to acknowledge" in await page.text(card)
    await page.follow(f"{card} button")
    assert "another person is needed (1/2 · operator)" in await page.text(card)
    assert await page.run(f"document.querySelector('{card} form').hidden")
    await log_in(page, site, "maintainer", "/alarms")
    assert await page.text(f"{card} button") == "Acknowledge as second person"
    await page.follow(f"{card} button")
    assert await page.run(f"document.querySelector('{card}').classList.contains('acked')")
    store.hold("fire_alarm", None)
    await page.until(f"!document.querySelector('{card}')")


async def test_a_viewer_is_refused(page: Page, site: Site, stopped: str) -> None:
    await log_in(page, site, "viewer", stopped)
    assert "Your role may only look" in await page.text("main")
    assert await page.run("document.querySelectorAll('main button').length") == 0
    answer = await page.run(
        "fetch(location.pathname + '/ack', {method: 'POST', headers: {'content-type': "
        "'application/x-www-form-urlencoded'}, body: 'csrf=' + document.body.dataset.csrf})"
        ".then((answer) => answer.text().then((text) => [answer.status, text]))"
    )
    assert answer[0] == 403
    assert "Your role may not do this" in answer[1]
    assert "403" in page.complaints.pop()


async def test_the_keyboard_alone_acknowledges(page: Page, site: Site, stopped: str) -> None:
    del stopped
    await log_in(page, site, "operator", "/alarms")
    for _ in range(40):
        await page.press("Tab")
        if await page.run("document.activeElement.matches('.alarm button')"):
            break
    assert await page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert "Acknowledge: Emergency stop" in await page.run("document.activeElement.ariaLabel")
    await page.enter()
    await page.until("document.querySelector('#alarms .alarm.acked')")


async def test_a_note_half_written_survives_what_else_happens(page: Page, site: Site, stopped: str) -> None:
    await log_in(page, site, "operator", stopped)
    await page.run("document.querySelector('#acts input[name=note]').focus()")
    for letter in "crew":
        await page.press(letter, text=letter)
    await page.run("renew()")
    assert await page.run("document.querySelector('#acts input[name=note]').value") == "crew"
    await page.enter()
    await page.until("document.querySelector('#alarm .acks')?.textContent.includes('crew')")


async def test_shelving_has_an_end_and_a_reason(page: Page, site: Site, stopped: str) -> None:
    await log_in(page, site, "operator", stopped)
    await page.run(UNFOLD)
    await page.run("document.querySelector('form[action$=shelve] [name=note]').value = '<b>noisy</b>'")
    await page.follow("form[action$=shelve] button")
    assert "shelved until" in await page.text("#alarm")
    assert "<b>noisy</b>" in await page.text("#alarm")
    await page.open(f"{site.address}/alarms")
    await page.run(UNFOLD)
    assert "Emergency stop" in await page.text("#fold-shelved")
    await page.open(f"{site.address}{stopped}")
    await page.follow("form[action$=unshelve] button")
    assert "shelved until" not in await page.text("#alarm")


async def test_why_it_says_so_stands_beside_it(page: Page, site: Site, stopped: str) -> None:
    await page.open(f"{site.address}{stopped}?lang=en")
    why = await page.text("#why")
    assert "This rule now holds" in why
    assert "Emergency stop" in why
    await page.open(f"{site.address}/device/gen-2")
    await page.run(UNFOLD)
    assert "holds" in await page.text(".rules li")
    assert stopped in await page.run("document.querySelector('.reasons a').pathname")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_alarms_fit_a_phone_and_stand_out_by_day_and_night(
    page: Page, site: Site, stopped: str, language: str
) -> None:
    await log_in(page, site, "operator", "/alarms")
    for width, height in ((390, 844), (1280, 800)):
        await page.resize(width, height, mobile=width < 500)
        for scheme in ("light", "dark"):
            await page.prefer(scheme)
            for path in ("/", "/alarms", stopped, "/device/gen-2", "/wall", "/alarm/gen-1/battery_low"):
                await page.open(f"{site.address}{path}?lang={language}")
                await page.run(UNFOLD)
                where = (path, scheme, width)
                assert await page.run("document.documentElement.scrollWidth") <= width, where
                assert await page.run(OVERFLOWS) == [], where
                assert await page.run(PALE) == [], where
                assert await page.run(CLIPPED) == [], where


async def test_the_wall_is_read_at_three_metres(page: Page, site: Site, stopped: str) -> None:
    del stopped
    await page.open(f"{site.address}/wall?lang=en")
    await page.until("document.querySelector('#tile-gen-2.state-not_ready')")
    assert await page.run(SMALLEST) >= SMALL_PX
    size = "parseFloat(getComputedStyle(document.querySelector('{}')).fontSize)"
    for place in (".site .word", "#tile-gen-2 .name", "#tile-gen-2 .word"):
        assert await page.run(size.format(place)) >= LARGE_PX
    assert await page.run("getComputedStyle(document.querySelector('.tile.state-ready')).display") == "none"


async def test_alarms_are_light_to_load(page: Page, site: Site, stopped: str) -> None:
    del stopped
    await page.open("about:blank")
    await page.send("Network.clearBrowserCache")
    page.received.clear()
    await page.open(f"{site.address}/alarms")
    assert 1_000 < sum(page.received.values()) < FIRST_VIEW_BYTES
