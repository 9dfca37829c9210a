"""`vigil report` beside a gateway that runs, and without; the sheets printed on A4 by a real browser."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.reports import as_html, handover, handover_document, incident, incident_document, read_journal
from tests.browser import Browser
from tests.devices.recordings import RECORDINGS
from tests.devices.serving import device, tcp_server
from tests.processes import Vigil, run
from tests.servers import free_port
from tests.unit.reports.stories import at, names, night

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 城东库, en: Depot}}, kind: warehouse, timezone: Asia/Shanghai}}
lines: {{lan: {{tcp: "127.0.0.1:{tcp}"}}}}
devices:
  - {{id: gen-1, kind: generator, profile: dse/gencomm, line: lan, unit: 1, interval: 200ms, timeout: 2s}}
rules: [own.yaml]
state_dir: state
"""
RULES = """
schema: 1
kind: generator
name: {zh: 试验, en: Test}
rules:
  fuel_low:
    text: {zh: 燃油不足, en: Fuel low}
    action: {zh: 加油, en: Refuel}
    role: duty
    levels: [{priority: high, raise: fuel_level < 90, clear: fuel_level >= 95}]
"""
FORMATS = ("md", "html", "json")


async def test_reports_beside_a_gateway_and_without(tmp_path: Path) -> None:
    tcp = free_port()
    site = tmp_path / "site.yaml"
    site.write_text(SITE.format(tcp=tcp))
    (tmp_path / "own.yaml").write_text(RULES)
    machine = next(each for each in RECORDINGS if each.name == "dse-gencomm/recording")

    async def vigil(*words: str | Path) -> str:
        done = await asyncio.to_thread(run, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    empty = await vigil("report", "handover", site, "--lang", "zh")
    assert "尚无条目" in empty
    async with tcp_server(tcp, [device(1, machine.tables)]):
        with Vigil(tmp_path, "run", site) as gateway:
            gateway.wait_for("control_open")
            for _ in range(40):
                if "fuel_low" in await vigil("alarms", site, "--json"):
                    break
            await vigil("alarms", "ack", site, "gen-1/fuel_low", "--by", "值班甲", "--note", "已派油车")
            sheet = await vigil("report", "handover", site, "--lang", "zh")
            assert await asyncio.to_thread(gateway.stop) == 0
    assert "燃油不足" in sheet
    assert "已确认，未恢复" in sheet
    assert re.search(r"\| 值班甲 [^|]*\| .*确认：燃油不足 \| 已派油车 \|", sheet)
    assert "启动" in sheet.partition("八、")[2]
    bulletin = await vigil("report", "incident", site, "gen-1/fuel_low", "--lang", "zh")
    assert "（续报）" in bulletin
    assert "燃油油位 76 %" in bulletin
    for format_ in FORMATS:
        out = tmp_path / f"sheet.{format_}"
        await vigil("report", "handover", site, "--since", "1h", "--out", out)
        if format_ == "json":
            facts = json.loads(out.read_text())
            assert [each["rule"] for each in facts["open"]] == ["fuel_low"]
            assert facts["draft"] is True
        else:
            assert "Fuel low" in out.read_text()
    for words, code, told in (
        (("incident", site), 2, "say which alarm"),
        (("incident", site, "gen-1/nothing"), 1, "no such incident"),
        (("handover", site, "--since", "soon"), 2, "8h"),
        (("handover", site, "--shift", "8"), 2, "08:00-20:00"),
    ):
        done = await asyncio.to_thread(run, "report", *words, "--lang", "en")
        assert done.returncode == code
        assert told in done.stderr


@pytest_asyncio.fixture
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


A4_PIXELS = 794 - 2 * 53
"""210 mm less the margins, at 96 dots per inch."""


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("report", ["handover", "incident"])
async def test_sheets_print_on_a4_without_overflow(
    browser: Browser, report: str, language: str, tmp_path: Path
) -> None:
    called, journal = names(tmp_path, language), read_journal(night())
    if report == "handover":
        document = handover_document(handover(journal, at("20:00"), at("08:00", 22)), called)
    else:
        document = incident_document(incident(journal, "gen-1/battery_low", at("08:00", 22)), called)
    path = tmp_path / "sheet.html"
    path.write_text(as_html(document), encoding="utf-8")
    page = await browser.page(A4_PIXELS, 1123)
    await page.open(path.as_uri())
    await page.send("Emulation.setEmulatedMedia", media="print")
    assert await page.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    wide = "[...document.querySelectorAll('td,th,dd,p')].filter(each => each.scrollWidth > each.clientWidth + 1).length"
    assert await page.run(wide) == 0
    assert await page.run("document.querySelectorAll('script,b,i,img,link,iframe').length") == 0
    printed = base64.b64decode((await page.send("Page.printToPDF", preferCSSPageSize=True))["data"])
    assert printed.startswith(b"%PDF-")
    (box,) = set(re.findall(rb"/MediaBox \[([0-9. ]+)\]", printed))
    width, height = (float(number) for number in box.split()[2:])
    assert abs(width - 595) < 2
    assert abs(height - 842) < 2
    assert page.complaints == []
    assert [each for each in page.requests if not each.startswith("file:")] == []
