"""Who may look, who may act, and how guessing, forging and stealing end."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from gateway import app
from gateway.operators import FREE_FAILURES, operator_line
from gateway.store import open_store
from gateway.web import access
from gateway.web.access import Access, Person
from gateway.web.login import inside
from gateway.web.server import listen, serve
from gateway.web.showing import Showing
from gateway.web.site import build
from tests.unit.web.conftest import HERE, Answer, Served

PEOPLE = [
    operator_line("duty-1", "operator", "correct horse"),
    operator_line("guest", "viewer", "1234"),
    operator_line("fixer", "maintainer", "spanner"),
]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def closed(tmp_path: Path) -> AsyncIterator[Served]:
    """A page that needs a login."""
    (tmp_path / "operators").write_text("\n".join(PEOPLE))
    site = app.load(HERE / "hostile.yaml")
    assert site.web is not None
    site = replace(
        site,
        state_dir=tmp_path / "state",
        operators_file=tmp_path / "operators",
        web=replace(site.web, read="login"),
    )
    store = open_store(site.state_dir)
    gateway = app.Gateway(site, store)
    sock = listen("127.0.0.1", 0)
    serving = asyncio.create_task(serve(build(gateway.view), sock))
    yield Served(gateway, sock.getsockname()[1])
    serving.cancel()
    await asyncio.wait([serving])
    store.close()


async def enter(page: Served, name: str, password: str, onward: str = "/", **headers: str) -> Answer:
    body = urlencode({"name": name, "password": password, "next": onward}).encode()
    return await page.ask("/login", method="POST", body=body, **{"Content_Type": FORM, **headers})


async def cookie_of(page: Served, name: str, password: str) -> str:
    answer = await enter(page, name, password)
    assert answer.status == 303
    return answer.headers["set-cookie"].partition(";")[0]


async def events(page: Served) -> list[dict[str, Any]]:
    """The gateway's own events as they wait in the outbox."""
    await page.gateway.store.flush()
    rows = await page.gateway.store.outbox.backlog((-1, -1), 10_000)
    bodies = [json.loads(b"{" + row.body.lstrip(b"{")) for row in rows if row.topic.endswith("_gateway/event")]
    return [{"type": each["type"], **each["data"]} for each in bodies]


@pytest.mark.parametrize("path", ["/", "/device/tank-1", "/health", "/configuration", "/nowhere"])
async def test_strangers_are_led_to_the_form(closed: Served, path: str) -> None:
    answer = await closed.ask(path)
    assert (answer.status, answer.headers["location"]) == (303, f"/login?next={path}")
    assert b"tank" not in answer.body


@pytest.mark.parametrize(
    "path", ["/api/site", "/api/configuration", "/api/openapi.json", "/metrics", "/live", "/trend/tank-1/level"]
)
async def test_programs_without_a_session_are_refused(closed: Served, path: str) -> None:
    assert (await closed.ask(path)).status == 401


async def test_the_form_tells_strangers_nothing_of_the_site(closed: Served) -> None:
    page = (await closed.ask("/login?lang=en")).text
    assert "depot" not in page
    assert closed.gateway.site.digest not in page
    assert (await closed.ask("/static/page.css")).status == 200


async def test_logging_in_opens_the_page_and_is_told_as_an_event(closed: Served) -> None:
    answer = await enter(closed, "duty-1", "correct horse", "/device/tank-1")
    assert (answer.status, answer.headers["location"]) == (303, "/device/tank-1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    page = await closed.ask("/?lang=en", Cookie=cookie.partition(";")[0])
    assert page.status == 200
    assert "duty-1 (operator)" in page.text
    assert (await closed.ask("/api/site", Cookie=cookie.partition(";")[0])).status == 200
    [told] = await events(closed)
    assert told == {"type": "login", "by": "duty-1", "via": "page", "client": "127.0.0.1", "role": "operator"}


async def test_a_wrong_password_opens_nothing_and_guessing_is_slowed_down(closed: Served) -> None:
    for _ in range(FREE_FAILURES):
        answer = await enter(closed, "duty-1", "guess")
        assert answer.status == 401
        assert "set-cookie" not in answer.headers
    answer = await enter(closed, "duty-1", "correct horse")
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) >= 1
    refused = [each for each in await events(closed) if each["type"] == "login_refused"]
    assert [(each["by"], each["count"]) for each in refused] == [("duty-1", 1)]


async def test_too_many_checks_at_once_are_put_off(closed: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MAX_CHECKS", 0)
    assert (await enter(closed, "duty-1", "correct horse")).status == 429


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/json"},
    ],
)
async def test_no_other_site_logs_anybody_in(closed: Served, headers: dict[str, str]) -> None:
    answer = await enter(closed, "duty-1", "correct horse", **headers)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


async def test_logging_out_takes_the_token_of_the_session(closed: Served) -> None:
    mine, other = await cookie_of(closed, "duty-1", "correct horse"), await cookie_of(closed, "guest", "1234")
    csrf = [
        re.findall(r'name="csrf" value="([^"]+)"', (await closed.ask("/", Cookie=each)).text)[0]
        for each in (mine, other)
    ]
    for body in (b"", b"csrf=", urlencode({"csrf": csrf[1]}).encode()):
        answer = await closed.ask("/logout", method="POST", body=body, Cookie=mine, Content_Type=FORM)
        assert answer.status == 403
    body = urlencode({"csrf": csrf[0]}).encode()
    assert (await closed.ask("/logout", method="POST", body=body, Content_Type=FORM)).status in (303, 401)
    assert (await closed.ask("/", Cookie=mine)).status == 200
    assert (await closed.ask("/logout", method="POST", body=body, Cookie=mine, Content_Type=FORM)).status == 303
    assert (await closed.ask("/", Cookie=mine)).status == 303
    assert (await closed.ask("/", Cookie=other)).status == 200


async def test_without_operators_nobody_can_log_in(served: Served) -> None:
    assert (await served.ask("/login")).status == 404
    assert (await enter(served, "duty-1", "correct horse")).status == 404
    assert (await served.ask("/logout", method="POST", body=b"", Content_Type=FORM)).status == 401


async def test_a_session_cannot_be_fixed_before_it_begins(closed: Served) -> None:
    """A cookie somebody planted opens nothing, and logging in gives another one."""
    planted = f"{access.COOKIE}=planted-by-somebody-else"
    answer = await enter(closed, "duty-1", "correct horse", Cookie=planted)
    given = answer.headers["set-cookie"].partition(";")[0]
    assert given != planted
    assert (await closed.ask("/api/site", Cookie=planted)).status == 401
    assert (await closed.ask("/api/site", Cookie=given)).status == 200
    again = (await enter(closed, "duty-1", "correct horse", Cookie=given)).headers["set-cookie"].partition(";")[0]
    assert again != given
    assert (await closed.ask("/api/site", Cookie=given)).status == 401


async def test_who_comes_as_a_browser_does_is_let_in(closed: Served) -> None:
    host = f"127.0.0.1:{closed.port}"
    headers = {"Origin": f"http://{host}", "Host": host, "Sec_Fetch_Site": "same-origin"}
    assert (await enter(closed, "duty-1", "correct horse", **headers)).status == 303


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def sessions(closed: Served) -> tuple[Access, Time, Path]:
    time = Time()
    file = closed.gateway.site.operators_file
    assert file is not None
    return Access(Showing(closed.gateway.view), time), time, file


async def opened(sessions: Access, name: str = "duty-1", password: str = "correct horse") -> str:
    cookie = await sessions.log_in(name, password, "10.0.0.9")
    assert cookie is not None
    return cookie


async def test_a_session_ends_after_rest_and_after_its_longest_time(sessions: tuple[Access, Time, Path]) -> None:
    known, time, _ = sessions
    cookie = await opened(known)
    time.now += access.REST_S - 1
    assert await known.person(cookie) is not None
    time.now += access.REST_S + 1
    assert await known.person(cookie) is None
    cookie = await opened(known)
    for _ in range(round(access.LONGEST_S / access.REST_S * 2)):
        time.now += access.REST_S / 2
        assert await known.person(cookie) is not None
    time.now += 1
    assert await known.person(cookie) is None


async def test_who_is_struck_off_or_changed_is_out(sessions: tuple[Access, Time, Path]) -> None:
    known, time, file = sessions
    duty, guest = await opened(known), await opened(known, "guest", "1234")
    file.write_text("\n".join([operator_line("duty-1", "viewer", "correct horse"), PEOPLE[1]]))
    time.now += access.LOOK_AGAIN_S + 1
    assert await known.person(duty) is None
    assert await known.person(guest) is not None


async def test_sessions_are_bounded_and_the_one_that_rested_longest_goes(
    sessions: tuple[Access, Time, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "MAX_SESSIONS", 2)
    known, time, _ = sessions
    first = await opened(known)
    time.now += 1
    second = await opened(known)
    time.now += 1
    assert await known.person(first) is not None
    third = await opened(known)
    assert [await known.person(each) is not None for each in (first, second, third)] == [True, False, True]


async def test_made_up_cookies_are_nobody(sessions: tuple[Access, Time, Path]) -> None:
    known, _, _ = sessions
    await opened(known)
    for cookie in (None, "", "x", "../../etc/passwd", "\x00", "é"):
        assert await known.person(cookie) is None


@pytest.mark.parametrize(
    ("role", "may"),
    [("viewer", 1), ("operator", 2), ("maintainer", 3), ("caretaker", 1)],
)
async def test_roles_stand_one_above_the_other(sessions: tuple[Access, Time, Path], role: str, may: int) -> None:
    known, _, file = sessions
    file.write_text(operator_line("someone", role, "x"))
    person = await known.person(await opened(known, "someone", "x"))
    assert isinstance(person, Person)
    assert [person.may(each) for each in access.ROLES] == [number < may for number in range(3)]


@pytest.mark.parametrize(
    ("address", "led"),
    [
        ("/device/gen-1", "/device/gen-1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("", "/"),
    ],
)
def test_a_login_leads_only_inside(address: str, led: str) -> None:
    assert inside(address) == led
