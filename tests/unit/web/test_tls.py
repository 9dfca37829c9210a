"""The page with a certificate of its own."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import logging
import re
import ssl
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from gateway import app
from gateway.commissioning.checks.page import check_page
from gateway.errors import ConfigError
from gateway.operators import operator_line
from gateway.settings.listen import fingerprint
from gateway.store import open_store
from gateway.web.certificate import LASTS, RENEWED_BEFORE, keep_certificate
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


def ask_unverified(port: int) -> tuple[int, bytes]:
    """Status of the page and the certificate it shows, trusted or not."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
    try:
        connection.request("GET", "/health?lang=en")
        shown = connection.sock.getpeercert(binary_form=True)
        answer = connection.getresponse()
        body = answer.read().decode()
        assert hashlib.sha256(shown).hexdigest().upper() in body.replace(":", "")
        return answer.status, shown
    finally:
        connection.close()


async def test_the_page_makes_its_own_certificate_once(gateway: app.Gateway, caplog: pytest.LogCaptureFixture) -> None:
    assert gateway.site.web is not None
    web = replace(gateway.site.web, certificate=None, is_self_signed=True)
    site = replace(gateway.site, web=web)
    file = site.state_dir / "page.pem"
    shown = []
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            sock = listen("127.0.0.1", 0)
            serving = asyncio.create_task(serve(build(lambda: replace(gateway.view(), site=site)), sock))
            status, certificate = await asyncio.to_thread(ask_unverified, sock.getsockname()[1])
            assert status == 200
            shown.append(certificate)
            serving.cancel()
            await asyncio.wait([serving])
    assert shown[0] == shown[1]
    assert file.stat().st_mode & 0o777 == 0o600
    [said] = [each.getMessage() for each in caplog.records if "page_certificate_made" in each.getMessage()]
    assert said.endswith(f"sha256={fingerprint(file)}")
    assert fingerprint(file).replace(":", "").lower() == hashlib.sha256(shown[0]).hexdigest()
    [dated, printed] = check_page(site)
    assert fingerprint(file) in printed.text.en
    assert "holds until" in dated.text.en


def test_a_certificate_is_renewed_before_it_ends_and_after_the_clock_was_wrong(tmp_path: Path) -> None:
    file, made = tmp_path / "state" / "page.pem", datetime(2026, 6, 1, tzinfo=UTC)
    assert keep_certificate(file, "0.0.0.0", made)
    first = fingerprint(file)
    assert not keep_certificate(file, "0.0.0.0", made + LASTS - RENEWED_BEFORE - timedelta(days=1))
    assert fingerprint(file) == first
    assert keep_certificate(file, "0.0.0.0", made + LASTS - RENEWED_BEFORE)
    assert keep_certificate(file, "0.0.0.0", made - timedelta(days=2))
    assert len({first, fingerprint(file)}) == 2
    assert [each.name for each in file.parent.iterdir()] == ["page.pem"]


@pytest.mark.parametrize(
    "content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_damaged_certificate_is_made_anew(tmp_path: Path, content: str) -> None:
    file = tmp_path / "page.pem"
    file.write_text(content)
    assert keep_certificate(file, "10.0.0.7")
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(each) for each in names.get_values_for_type(x509.IPAddress)}
    assert {"127.0.0.1", "::1", "10.0.0.7"} <= addresses
    assert "localhost" in names.get_values_for_type(x509.DNSName)


async def test_where_it_cannot_be_written_the_page_alone_ends(
    gateway: app.Gateway, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert gateway.site.web is not None
    (tmp_path / "file").write_text("in the way")
    web = replace(gateway.site.web, certificate=None, is_self_signed=True)
    site = replace(gateway.site, web=web, state_dir=tmp_path / "file" / "state")
    with caplog.at_level(logging.ERROR):
        page = build(lambda: replace(gateway.view(), site=site))
        await asyncio.wait_for(serve(page, listen("127.0.0.1", 0)), 20)
    assert [each.message.split()[0] for each in caplog.records] == ["page_certificate_unusable"]


def test_a_certificate_is_given_or_made_never_both(tmp_path: Path) -> None:
    (tmp_path / "hostile-rules.yaml").write_text((HERE / "hostile-rules.yaml").read_text())
    text = (HERE / "hostile.yaml").read_text()
    for name in ("page.crt", "page.key"):
        (tmp_path / name).write_text("x")
    file = tmp_path / "site.yaml"
    own = 'web: {listen: "127.0.0.1:8321", tls: self_signed}'
    file.write_text(re.sub(r"web: .*", own, text))
    site = app.load(file)
    assert site.web is not None
    assert site.web.is_self_signed
    file.write_text(re.sub(r"web: .*", own.replace("}", ", cert_file: page.crt, key_file: page.key}"), text))
    with pytest.raises(ConfigError, match="a certificate is given already"):
        app.load(file)


async def test_a_certificate_that_cannot_be_used_ends_the_page_alone(
    gateway: app.Gateway, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "page.crt").write_text("no certificate")
    (tmp_path / "page.key").write_text("no key")
    with caplog.at_level(logging.ERROR):
        await asyncio.wait_for(serve(build(gateway.view), listen("127.0.0.1", 0)), 20)
    assert [each.message.split()[0] for each in caplog.records] == ["page_certificate_unusable"]
