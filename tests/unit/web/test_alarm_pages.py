"""Alarms on the page: who may do what with them, in which order they stand, and that each act has its actor."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import jsonschema
import pytest

from gateway import app
from gateway.model import Ack, AlarmCondition, Priority, Text
from gateway.ports import AlarmOrder, Refused
from gateway.store import open_store
from gateway.web import live
from gateway.web.server import listen, serve
from gateway.web.site import build
from tests.fakes.desk import FakeDesk, alarm
from tests.unit.web.conftest import HERE, Answer, Served
from tests.unit.web.test_live import look
from tests.unit.web.test_login import FORM, PEOPLE, cookie_of

ATTACK = '"><img src=x onerror=pwned()>'


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk([alarm("tank-1", "too_warm", Priority.CRITICAL, acks_needed=2), alarm("pump-1", "no_water")])


@pytest.fixture
async def page(tmp_path: Path, desk: FakeDesk) -> AsyncIterator[Served]:
    """A page that everybody may read, with people who may act."""
    (tmp_path / "operators").write_text("\n".join(PEOPLE))
    site = app.load(HERE / "hostile.yaml")
    site = replace(site, state_dir=tmp_path / "state", operators_file=tmp_path / "operators")
    store = open_store(site.state_dir)
    gateway = app.Gateway(site, store)
    sock = listen("127.0.0.1", 0)
    serving = asyncio.create_task(serve(build(lambda: replace(gateway.view(), alarms=desk)), sock))
    yield Served(gateway, sock.getsockname()[1])
    serving.cancel()
    await asyncio.wait([serving])
    store.close()


class Somebody:
    """A person with a session and the token of its forms."""

    def __init__(self, page: Served, cookie: str, csrf: str) -> None:
        self._page = page
        self.cookie = cookie
        self.csrf = csrf

    async def send(self, path: str, *, csrf: str | None = None, **fields: str) -> Answer:
        body = urlencode({"csrf": self.csrf if csrf is None else csrf, **fields}).encode()
        return await self._page.ask(path, method="POST", body=body, Content_Type=FORM, Cookie=f"{self.cookie}; lang=en")

    async def see(self, path: str) -> str:
        return (await self._page.ask(path, Cookie=f"{self.cookie}; lang=en")).text


async def somebody(page: Served, name: str, password: str) -> Somebody:
    cookie = await cookie_of(page, name, password)
    shown = (await page.ask("/", Cookie=cookie)).text
    return Somebody(page, cookie, re.findall(r'name="csrf" value="([^"]+)"', shown)[0])


async def test_an_operator_acknowledges_and_is_named(page: Served, desk: FakeDesk) -> None:
    duty = await somebody(page, "duty-1", "correct horse")
    answer = await duty.send("/alarm/pump-1/no_water/ack", note="crew sent", next="/alarms#alarm-pump-1-no_water")
    assert (answer.status, answer.headers["location"]) == (303, "/alarms#alarm-pump-1-no_water")
    [order] = desk.orders
    assert (order.act, order.by, order.role, order.note) == ("ack", "duty-1", "operator", "crew sent")
    shown = await duty.see("/alarm/pump-1/no_water")
    assert "Acknowledged" in shown
    assert "crew sent" in shown


async def test_a_second_person_is_asked_for_and_the_first_is_told_so(page: Served, desk: FakeDesk) -> None:
    duty, fixer = await somebody(page, "duty-1", "correct horse"), await somebody(page, "fixer", "spanner")
    await duty.send("/alarm/tank-1/too_warm/ack")
    shown = await duty.see("/alarm/tank-1/too_warm")
    assert "You have acknowledged; another person is needed" in shown
    assert "/alarm/tank-1/too_warm/ack" not in shown
    again = await duty.send("/alarm/tank-1/too_warm/ack")
    assert again.status == 409
    assert 'href="/alarm/tank-1/too_warm?lang=zh"' in again.text
    assert "another person is needed" in again.text
    assert "Acknowledge as second person" in await fixer.see("/alarm/tank-1/too_warm")
    assert "(1/2 · duty-1)" in await fixer.see("/alarms")
    await fixer.send("/alarm/tank-1/too_warm/ack")
    assert desk.found["tank-1/too_warm"].condition is AlarmCondition.ACKED


@pytest.mark.parametrize("act", ["ack", "reset", "shelve", "unshelve", "out_of_service", "return"])
async def test_a_viewer_is_refused_with_words(page: Served, desk: FakeDesk, act: str) -> None:
    guest = await somebody(page, "guest", "1234")
    assert "Your role may only look" in await guest.see("/alarms")
    assert "<button" not in (await guest.see("/alarm/pump-1/no_water")).partition("<main")[2]
    answer = await guest.send(f"/alarm/pump-1/no_water/{act}", note="x", minutes="15", work_order="W-1")
    assert answer.status == 403
    assert "Your role may not do this" in answer.text
    assert desk.orders == []


async def test_only_a_maintainer_takes_out_of_service(page: Served, desk: FakeDesk) -> None:
    duty, fixer = await somebody(page, "duty-1", "correct horse"), await somebody(page, "fixer", "spanner")
    assert (await duty.send("/alarm/pump-1/no_water/out_of_service", work_order="W-1")).status == 403
    assert (await fixer.send("/alarm/pump-1/no_water/out_of_service", work_order="W-1")).status == 303
    assert desk.found["pump-1/no_water"].work_order == "W-1"
    assert (await fixer.send("/alarm/pump-1/no_water/return")).status == 303
    assert [each.by for each in desk.orders] == ["fixer", "fixer"]


async def test_shelving_takes_one_of_the_offered_lengths(page: Served, desk: FakeDesk) -> None:
    duty = await somebody(page, "duty-1", "correct horse")
    for minutes in ("", "0", "-15", "99999", "1e3", "15; DROP"):
        answer = await duty.send("/alarm/pump-1/no_water/shelve", note="noisy", minutes=minutes)
        assert answer.status == 409
        assert "choose for how long" in answer.text
    assert desk.orders == []
    assert (await duty.send("/alarm/pump-1/no_water/shelve", note="noisy", minutes="30")).status == 303
    assert desk.orders[0].for_s == 1800
    assert "shelved until" in await duty.see("/alarms")


async def test_nobody_acts_without_a_session_or_with_anothers_form(page: Served, desk: FakeDesk) -> None:
    duty, guest = await somebody(page, "duty-1", "correct horse"), await somebody(page, "guest", "1234")
    answer = await page.ask("/alarm/pump-1/no_water/ack", method="POST", body=b"csrf=", Content_Type=FORM)
    assert (answer.status, answer.headers["location"]) == (303, "/login?next=/alarm/pump-1/no_water")
    for csrf in ("", "x", guest.csrf):
        answer = await duty.send("/alarm/pump-1/no_water/ack", csrf=csrf)
        assert answer.status == 403
        assert "out of date" in answer.text
    assert (await page.ask("/alarm/pump-1/no_water/ack", Cookie=duty.cookie)).status == 405
    assert desk.orders == []


async def test_other_sites_and_other_kinds_of_bodies_do_nothing(page: Served, desk: FakeDesk) -> None:
    duty = await somebody(page, "duty-1", "correct horse")
    body = urlencode({"csrf": duty.csrf}).encode()
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "multipart/form-data; boundary=x"},
    ):
        sent = {"Content_Type": FORM, "Cookie": duty.cookie, **headers}
        assert (await page.ask("/alarm/pump-1/no_water/ack", method="POST", body=body, **sent)).status == 403
    assert desk.orders == []


async def test_an_answer_leads_only_inside(page: Served) -> None:
    duty = await somebody(page, "duty-1", "correct horse")
    answer = await duty.send("/alarm/pump-1/no_water/ack", next="//evil.example")
    assert answer.headers["location"] == "/"


async def test_the_worst_stands_first_and_what_followed_under_it(page: Served, desk: FakeDesk) -> None:
    desk.found.clear()
    desk.put(
        alarm("pump-1", "acked", Priority.CRITICAL, condition=AlarmCondition.ACKED),
        alarm("pump-1", "low", Priority.LOW),
        alarm("tank-1", "second", Priority.CRITICAL, first_out="first"),
        alarm("tank-1", "first", Priority.MEDIUM, is_first_out=True),
        alarm("pump-1", "high", Priority.HIGH),
        alarm("pump-1", "stale", Priority.CRITICAL, is_stale=True),
        alarm(
            "pump-1", "shelved", Priority.CRITICAL, shelved_until=1_763_764_800_000, shelf=(Ack("duty-1", 1, "noisy"),)
        ),
        alarm("pump-1", "suppressed", Priority.CRITICAL, is_suppressed=True, suppressed_by="parent tank-1"),
        alarm("pump-1", "serviced", Priority.CRITICAL, work_order="W-1"),
    )
    shown = (await page.ask("/alarms?lang=en")).text
    order = re.findall(r'<article [^>]*id="alarm-[a-z0-9-]+-([a-z]+)"', shown)
    assert order == ["first", "second", "high", "low", "acked", "stale", "shelved", "suppressed", "serviced"]
    folds = re.findall(r'<details class="fold" id="fold-(\w+)"( open)?>', shown)
    assert folds == [("stale", " open"), ("shelved", ""), ("suppressed", ""), ("serviced", "")]
    assert "what it depends on is lost:" in shown
    assert 'class="badge fill-critical"' in shown


async def test_a_flood_stays_bounded(page: Served, desk: FakeDesk) -> None:
    desk.put(*(alarm(f"gen-{number}", "flooded") for number in range(1000)))
    shown = (await page.ask("/alarms?lang=en")).text
    assert shown.count("<article") == 60
    assert "More alarms not listed here: 942" in shown
    assert (await page.ask("/api/alarms")).json["open"] == 1002


async def test_notes_texts_and_names_never_become_markup(page: Served, desk: FakeDesk) -> None:
    acks = (Ack(ATTACK, 1_763_764_800_000, ATTACK),)
    shelf = (Ack("duty-1", 1, ATTACK),)
    desk.put(
        alarm("tank-1", "too_warm", acks=acks, acks_needed=2, because={"plate": ATTACK, ATTACK: 1}),
        alarm("pump-1", "on_shelf", shelved_until=1_863_764_800_000, shelf=shelf),
        alarm("pump-1", "in_service", work_order=ATTACK),
    )
    page.read("tank-1", plate=ATTACK, temperature=41.0, level=1.0, leak=False)
    for path in ("/", "/wall", "/alarms", "/alarm/tank-1/too_warm", "/device/tank-1", "/device/pump-1"):
        for language in ("zh", "en"):
            shown = (await page.ask(f"{path}?lang={language}")).text
            assert "<img" not in shown, path
            assert "<script>" not in shown, path


async def test_why_a_rule_says_what_it_says(page: Served) -> None:
    page.read("tank-1", temperature=41.0, level=1.0, leak=False, plate="x")
    shown = (await page.ask("/alarm/tank-1/too_warm?lang=en")).text
    assert "<b>holds</b>" in shown
    assert "temperature &gt; 30" in shown
    page.read("tank-1", temperature=None)
    assert "/alarm/tank-1/too_warm" in (await page.ask("/device/tank-1?lang=en")).text
    assert (await page.ask("/alarm/tank-1/none")).status == 404
    assert (await page.ask("/alarm/none/none")).status == 404
    told = (await page.ask("/api/devices/tank-1/rules/too_warm")).json
    assert told["says"] in ("true", "cannot_tell")


async def test_alarms_come_by_themselves(page: Served, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY_S", 0.02)
    streams = [await look(page.port, query) for query in ("?page=alarms&lang=en", "?page=badge&lang=en", "?lang=en")]
    on_device = await look(page.port, "?device=pump-1&lang=en")
    for stream in [*streams, on_device]:
        assert (await stream.next())["badge"]["unacked"] == 2
    desk.put(alarm("pump-1", "burst", Priority.CRITICAL))
    said = [await stream.next() for stream in streams]
    assert [each["badge"]["unacked"] for each in said] == [3, 3, 3]
    assert "alarm-pump-1-burst" in said[0]["alarms"]
    assert 'value=""' in said[0]["alarms"]
    assert ["alarms" in each for each in said] == [True, False, False]
    assert "alarm-pump-1-burst" in (await on_device.next())["alarms"]
    for stream in [*streams, on_device]:
        stream.writer.close()
    assert (await page.ask("/live?page=none")).status == 404


async def test_metrics_count_alarms(page: Served, desk: FakeDesk) -> None:
    desk.put(alarm("pump-1", "serviced", work_order="W-1"))
    text = (await page.ask("/metrics")).text
    assert 'vigil_alarms{site="depot-9",priority="critical",acked="false"} 1' in text
    assert 'vigil_alarms{site="depot-9",priority="low",acked="true"} 0' in text
    assert 'vigil_alarms_kept_back{site="depot-9",suppression="out_of_service"} 1' in text


async def test_the_siren_is_silenced_by_who_may(page: Served) -> None:
    duty, guest = await somebody(page, "duty-1", "correct horse"), await somebody(page, "guest", "1234")
    assert "Silence" not in await duty.see("/alarms")
    assert (await duty.send("/silence")).status == 404
    silenced: list[str] = []

    async def silence(by: str) -> None:
        if silenced:
            raise Refused("quiet", Text("没有在响", "nothing sounds"))
        silenced.append(by)

    sock = listen("127.0.0.1", 0)
    with_siren = build(lambda: replace(page.gateway.view(), silence=silence))
    serving = asyncio.create_task(serve(with_siren, sock))
    loud = Served(page.gateway, sock.getsockname()[1])
    duty, guest = await somebody(loud, "duty-1", "correct horse"), await somebody(loud, "guest", "1234")
    assert "Silence the siren" in await duty.see("/alarms")
    assert (await guest.send("/silence")).status == 403
    assert (await duty.send("/silence")).status == 303
    assert silenced == ["duty-1"]
    refused = await duty.send("/silence")
    assert (refused.status, "nothing sounds" in refused.text) == (409, True)
    serving.cancel()
    await asyncio.wait([serving])


async def test_what_machines_are_told_of_alarms_fits_the_document(page: Served, desk: FakeDesk) -> None:
    acks = (Ack("duty-1", 1_763_764_800_000, "crew sent"),)
    desk.put(alarm("tank-1", "too_warm", acks=acks, because={"temperature": 41.0}, shelved_until=1, shelf=acks))
    document = (await page.ask("/api/openapi.json")).json
    for path, name in (("/api/alarms", "Alarms"), ("/api/alarms/tank-1/too_warm", "AlarmAndHistory")):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        told = (await page.ask(path)).json
        jsonschema.Draft202012Validator(schema).validate(told)
    assert told["alarm"]["acks"] == [{"by": "duty-1", "ts": 1_763_764_800_000, "note": "crew sent"}]


async def test_what_happened_comes_from_the_journal(page: Served) -> None:
    """The gateway's own desk: raised by a reading, acknowledged, over; the newest first."""
    page.read("tank-1", temperature=41.0, level=1.0, leak=False, plate="x")
    order = AlarmOrder("ack", "tank-1", "too_warm", by="duty-1", role="operator", note="crew sent")
    await page.gateway.view().alarms.order(order)
    page.read("tank-1", temperature=10.0)
    await page.gateway.store.flush()
    steps = (await page.ask("/api/alarms/tank-1/too_warm")).json["history"]
    assert [(each["event"], each["state"], each["by"]) for each in steps] == [
        ("return", "NORMAL", ""),
        ("ack", "ACKED", "duty-1"),
        ("raise", "UNACK", ""),
    ]
    shown = (await page.ask("/alarm/tank-1/too_warm?lang=en")).text
    assert "duty-1 · crew sent" in shown


async def test_health_is_there_from_the_start(page: Served) -> None:
    assert (await page.ask("/api/health")).json["points"]["uptime"]["value"] >= 0
    assert "Uptime" in (await page.ask("/health?lang=en")).text


async def test_the_health_page_shows_the_load_of_each_line_beside_the_planned_one(page: Served) -> None:
    told = (await page.ask("/api/health")).json["points"]
    planned = {name: round(100 * share, 1) for name, share in app.planned_loads(page.gateway.site).items()}
    assert max(planned.values()) > 0
    texts = {language: (await page.ask(f"/health?lang={language}")).text for language in ("zh", "en")}
    for line, share in planned.items():
        name = f"line_{line.replace('-', '_')}_load"
        assert (told[name]["value"], told[name]["unit"]) == (0.0, "%")
        assert (told[f"{name}_planned"]["value"], told[f"{name}_planned"]["unit"]) == (share, "%")
        words = {"zh": "计划", "en": "planned"}
        for language, text in texts.items():
            assert f'<td class="number">0.0 %<small class="planned">{words[language]} {share} %</small></td>' in text
    assert all(word in texts["zh"] for word in ("负荷", "线路最高负荷"))
    assert all(word in texts["en"] for word in ("Load", "Highest line load"))
