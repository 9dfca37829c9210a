"""The page with a certificate of its own."""

from __future__ import annotations

import asyncio
import logging
import ssl
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from gateway import app
from gateway.operators import operator_line
from gateway.store import open_store
from gateway.web.server import listen, serve
from gateway.web.site import build
from tests.unit.web.conftest import HERE


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[app.Gateway]:
    (tmp_path / "operators").write_text(operator_line("duty-1", "operator", "correct horse"))
    site = app.load(HERE / "hostile.yaml")
    assert site.web is not None
    web = replace(site.web, certificate=(tmp_path / "page.crt", tmp_path / "page.key"))
    site = replace(site, state_dir=tmp_path / "state", web=web, operators_file=tmp_path / "operators")
    store = open_store(site.state_dir)
    yield app.Gateway(site, store)
    store.close()


async def test_the_page_is_https_and_its_cookies_stay_there(gateway: app.Gateway, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "page.crt"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "page.key"))
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    sock = listen("127.0.0.1", 0)
    address = f"https://localhost:{sock.getsockname()[1]}"
    serving = asyncio.create_task(serve(build(gateway.view), sock))

    def ask(path: str, body: bytes | None = None) -> tuple[int, str]:
        with urllib.request.urlopen(f"{address}{path}", body, timeout=20, context=trusting) as answer:
            return answer.status, str(answer.headers)

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    def enter() -> str:
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trusting), Stay)
        try:
            opener.open(f"{address}/login", b"name=duty-1&password=correct+horse", timeout=20)
        except urllib.error.HTTPError as answer:
            return str(answer.headers["set-cookie"])
        raise AssertionError("no redirection")

    assert (await asyncio.to_thread(ask, "/"))[0] == 200
    assert "Secure" in await asyncio.to_thread(enter)
    serving.cancel()
    await asyncio.wait([serving])


async def test_a_certificate_that_cannot_be_used_ends_the_page_alone(
    gateway: app.Gateway, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "page.crt").write_text("no certificate")
    (tmp_path / "page.key").write_text("no key")
    with caplog.at_level(logging.ERROR):
        await asyncio.wait_for(serve(build(gateway.view), listen("127.0.0.1", 0)), 20)
    assert [each.message.split()[0] for each in caplog.records] == ["page_certificate_unusable"]
