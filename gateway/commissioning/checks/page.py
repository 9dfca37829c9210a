"""The page's certificate: until when it holds, and the fingerprint that people compare with their browser's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from gateway.commissioning.checks.broker import CERTIFICATES, check_file
from gateway.commissioning.findings import Finding, Grade, fine
from gateway.model import Text
from gateway.settings.listen import certificate_of, fingerprint
from gateway.settings.types import SiteSettings


def check_page(site: SiteSettings, now: datetime | None = None) -> Iterator[Finding]:
    """Nothing where the page is plain HTTP or there is none."""
    files = certificate_of(site)
    if files is None:
        return
    path = files[0]
    if not path.exists() and site.web is not None and site.web.is_self_signed:
        yield Finding(
            CERTIFICATES,
            Grade.NOTE,
            Text("网页证书将在首次启动时生成", "the page makes its certificate at its first start"),
            None,
        )
        return
    yield from check_file(path, now or datetime.now(UTC))
    try:
        shown = fingerprint(path)
    except (OSError, ValueError):
        return  # why it cannot be read is told by `check_file`
    yield fine(CERTIFICATES, f"网页证书指纹 SHA-256 {shown}", f"the page's certificate, SHA-256 {shown}")
