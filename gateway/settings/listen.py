"""Addresses the product itself listens on."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
from dataclasses import replace
from pathlib import Path

from gateway.model import Text
from gateway.settings.files import WebKeys
from gateway.settings.nodes import Section
from gateway.settings.paths import named_file
from gateway.settings.problems import Problems
from gateway.settings.types import SiteSettings, WebSettings

#: Key and certificate the page made for itself.
OWN_CERTIFICATE = "page.pem"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_web(root: Section, keys: WebKeys | None, base: Path, problems: Problems) -> WebSettings | None:
    """The page, where there is one; who may read it has to be said where other machines reach it."""
    section = root.section("web")
    if section is None or keys is None:
        return None
    web = read_listen(section, keys.listen, "127.0.0.1:8321", problems)
    if web is None:
        return None
    if keys.read is None and not is_loopback(web.host):
        problems.add(
            section.key,
            Text("别的机器能打开这个页面，要写明谁可以看", "other machines reach this page; who may read is missing"),
            Text("read: open（任何人）或 read: login（先登录）", "read: open (everybody) or read: login"),
        )
    if keys.read == "login" and "operators_file" not in root.entries:
        problems.add(
            section.place_of("read"),
            Text("没有 operators_file，谁也无法登录", "without operators_file nobody can log in"),
            Text("写 operators_file: operators", "write operators_file: operators"),
        )
    cert_file = named_file(section, "cert_file", keys.cert_file, base, problems)
    key_file = named_file(section, "key_file", keys.key_file, base, problems)
    if (keys.cert_file is None) != (keys.key_file is None):
        one, other = ("cert_file", "key_file") if keys.key_file is None else ("key_file", "cert_file")
        problems.add(
            section.entries[one].key,
            Text(f"还要写 {other}", f"{other} is needed too"),
            Text(f"{other}: page.pem", f"{other}: page.pem"),
        )
    if keys.tls is not None and (keys.cert_file is not None or keys.key_file is not None):
        problems.add(
            section.entries["tls"].key,
            Text("已给出证书文件，不能再写 tls: self_signed", "a certificate is given already"),
            Text("去掉 tls，或去掉 cert_file 和 key_file", "leave out tls, or cert_file and key_file"),
        )
    certificate = (cert_file, key_file) if cert_file is not None and key_file is not None else None
    return replace(web, read=keys.read or "open", certificate=certificate, is_self_signed=keys.tls is not None)


def certificate_of(site: SiteSettings) -> tuple[Path, Path] | None:
    """The files of the page's certificate and of its key, None where the page is plain HTTP."""
    if site.web is None:
        return None
    own = site.state_dir / OWN_CERTIFICATE
    return (own, own) if site.web.is_self_signed else site.web.certificate


def read_listen(section: Section, listen: str, example: str, problems: Problems) -> WebSettings | None:
    """The address and port of a `listen` key, None with a problem."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        problems.add(
            section.place_of("listen"),
            Text("应当是“地址:端口”", "address:port is expected here"),
            Text(f'例如 "{example}"', f'such as "{example}"'),
        )
        return None
    return WebSettings(host.strip("[]"), int(port))


def fingerprint(path: Path) -> str:
    """SHA-256 of the first certificate of a PEM file, as browsers show it: `AB:CD:...`. OSError, ValueError."""
    text = path.read_text(encoding="ascii", errors="replace")
    begin = text.find("-----BEGIN CERTIFICATE-----")
    end_mark = "-----END CERTIFICATE-----"
    end = text.find(end_mark, begin)
    if begin < 0 or end < 0:
        raise ValueError("no certificate in this file")
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(text[begin : end + len(end_mark)])).hexdigest().upper()
    return ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))
