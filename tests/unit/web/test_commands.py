"""Commands over HTTP: hostile JSON, wrong credentials and floods are refused; what is right is carried out once."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway import app
from gateway.clock import SystemClock
from gateway.model import Text
from gateway.orders import CommandBook
from gateway.orders.book import Done
from gateway.store import open_store
from gateway.web import alarm_api
from gateway.web.server import listen, serve
from gateway.web.site import build
from gateway.wire.messages import Command, Reply
from tests.unit.web.conftest import HERE, Answer, Served
from tests.unit.web.test_login import PEOPLE

RIGHT: dict[str, Any] = {"id": "c-1", "cmd": "echo", "args": {"x": 1}, "by": "duty-1", "auth": "correct horse"}


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Served]:
    """A page that only people who logged in may read, before a book that knows the command `echo`."""
    (tmp_path / "operators").write_text("\n".join(PEOPLE))
    site = app.load(HERE / "hostile.yaml")
    assert site.web is not None
    operators = tmp_path / "operators"
    web = replace(site.web, read="login")
    site = replace(site, state_dir=tmp_path / "state", operators_file=operators, web=web)
    store = open_store(site.state_dir)
    gateway = app.Gateway(site, store)
    book = CommandBook(lambda: operators, store.documents, SystemClock().wall_ms)

    async def echo(device: str, command: Command, operator: object) -> Done:
        del operator
        return Done(True, Text("好", "done"), data={"device": device, **command.args})

    book.register("echo", echo, ("x",))
    gateway.obey = book.execute
    sock = listen("127.0.0.1", 0)
    serving = asyncio.create_task(serve(build(gateway.view), sock))
    yield Served(gateway, sock.getsockname()[1])
    serving.cancel()
    await asyncio.wait([serving])
    store.close()


async def send(page: Served, body: bytes, device: str = "tank-1", kind: str = "application/json") -> Answer:
    return await page.ask(f"/api/cmd/{device}", method="POST", body=body, Content_Type=kind)


async def test_a_command_with_its_credential_needs_no_session_and_is_done_once(page: Served) -> None:
    answer = await send(page, json.dumps(RIGHT).encode())
    assert (answer.status, answer.json["ok"], answer.json["data"]) == (200, True, {"device": "tank-1", "x": 1})
    again = await send(page, json.dumps(RIGHT).encode())
    assert (again.status, again.json["error"]) == (409, "repeated")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"ack"',
        b"{}",
        b'{"id": "c", "id": "d", "cmd": "echo", "by": "duty-1"}',
        b'{"id": 1, "cmd": "echo", "by": "duty-1"}',
        b'{"id": "c", "cmd": ["echo"], "by": "duty-1"}',
        b'{"id": "c", "cmd": "echo", "args": 3, "by": "duty-1"}',
        b'{"id": "c", "cmd": "echo", "args": {"x": NaN}, "by": "duty-1"}',
        b'{"id": "c", "cmd": "echo", "args": {"x": 1e999}, "by": "duty-1"}',
        b'{"id": "c", "cmd": "echo", "by": "\\ud800"}',
        b'{"id": "c", "cmd": "echo", "by": "duty-1", "auth": {}}',
        b"\xff\xfe{}",
        b"[" * 5000,
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        b'{"id": "c", "cmd": "echo", "by": "duty-1", "args": {"x": ' + b"9" * 6000 + b"}}",
        b'{"__proto__": {"ok": true}}',
    ],
)
async def test_hostile_json_is_refused_once_and_the_page_goes_on(
    page: Served, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = await send(page, body)
    assert answer.status == 400
    assert [each.getMessage().split()[0] for each in caplog.records] == ["command_malformed"]
    assert (await send(page, json.dumps(RIGHT).encode())).status == 200


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"auth": "wrong"}, 403, "not_allowed"),
        ({"by": "nobody"}, 403, "not_allowed"),
        ({"by": "../../etc/passwd"}, 403, "not_allowed"),
        ({"by": "duty-1\r\nmaintainer"}, 403, "not_allowed"),
        ({"cmd": "__class__"}, 400, "unknown_command"),
        ({"id": "x" * 100}, 400, "bad_request"),
    ],
)
async def test_what_is_not_allowed_says_so(page: Served, changed: dict[str, str], status: int, error: str) -> None:
    answer = await send(page, json.dumps({**RIGHT, **changed}).encode())
    assert (answer.status, answer.json["error"]) == (status, error)
    assert "correct horse" not in answer.text


async def test_no_form_of_another_site_is_a_command(page: Served) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert (await send(page, json.dumps(RIGHT).encode(), kind=kind)).status == 415
    assert (await page.ask("/api/cmd/tank-1")).status == 405
    assert (await send(page, json.dumps(RIGHT).encode(), device="none")).status == 404
    assert (await send(page, b"x" * 20_000)).status == 413


async def test_guessing_makes_a_name_wait_here_too(page: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for number in range(5):
            guess = {**RIGHT, "id": f"g-{number}", "auth": f"guess-{number}"}
            assert (await send(page, json.dumps(guess).encode())).status == 403
        assert (await send(page, json.dumps(RIGHT).encode())).status == 403
    assert [each.getMessage().split()[0] for each in caplog.records] == ["credential_refused"] * 5
    assert "guess" not in caplog.text


async def test_too_many_at_once_are_put_off(page: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_api, "MAX_COMMANDS", 0)
    answer = await send(page, json.dumps(RIGHT).encode())
    assert (answer.status, int(answer.headers["retry-after"]) > 0) == (503, True)


async def test_an_answer_that_takes_too_long_is_given_up(page: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_device: str, _command: Command) -> Reply:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    monkeypatch.setattr(alarm_api, "COMMAND_S", 0.05)
    page.gateway.obey = never
    assert (await send(page, json.dumps(RIGHT).encode())).status == 504
