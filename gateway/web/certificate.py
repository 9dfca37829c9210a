"""A certificate of the page's own: made at its first start, renewed before it ends, told by its fingerprint.

Key and certificate stand in one file, so that they change together or not at all. A new one has a new fingerprint,
which people have to compare again; so it lasts long, and another address of the machine alone is no reason for it.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import secrets
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.settings.listen import fingerprint

if TYPE_CHECKING:
    from cryptography import x509

log = logging.getLogger(__name__)

LASTS = timedelta(days=730)
RENEWED_BEFORE = timedelta(days=30)
_EARLY = timedelta(days=1)
"""Valid from so long ago: the clock of who looks may be behind ours."""


def keep_certificate(path: Path, host: str, now: datetime | None = None) -> bool:
    """See to it that `path` holds a certificate that may be used for a while; whether it is a new one. OSError."""
    moment = now or datetime.now(UTC)
    if _is_good(path, moment):
        return False
    _write(path, _make(names_of(host), moment))
    log.info("page_certificate_made file=%s sha256=%s", path, fingerprint(path))
    return True


def names_of(host: str) -> tuple[str, ...]:
    """The names and addresses people may reach this machine by; `host` is what the page listens on."""
    found = {"localhost": None, "127.0.0.1": None, "::1": None}
    name = socket.gethostname()
    for each in (name, f"{name}.local", socket.getfqdn()):
        if each and each.isascii():
            found[each.lower()] = None
    for address in (host, *_addresses(name)):
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            continue
        if not parsed.is_unspecified:
            found[str(parsed)] = None
    return tuple(found)


def _addresses(name: str) -> list[str]:
    """The addresses of this machine: those its own name leads to, and the one it would speak to others from."""
    found = []
    try:
        found += [str(each[4][0]) for each in socket.getaddrinfo(name, None)]
    except OSError:
        log.debug("no_address_of_own_name name=%s", name)
    for family, far in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((far, 9))  # sends nothing: only asks which address would be used
                found.append(str(probe.getsockname()[0]))
            except OSError:
                continue
    return [each.partition("%")[0] for each in found]


def _is_good(path: Path, now: datetime) -> bool:
    """Whether the file holds key and certificate of one another, valid now and for a while."""
    from cryptography import x509

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return False
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEWED_BEFORE


def _make(names: tuple[str, ...], now: datetime) -> bytes:
    """A key and its certificate for `names`, as PEM."""
    # loaded where it is needed: 10 MB that a page with another certificate can do without
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = ec.generate_private_key(ec.SECP256R1())
    title = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Vigil")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(title)
        .issuer_name(title)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + LASTS)
        .add_extension(x509.SubjectAlternativeName([_named(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + certificate.public_bytes(serialization.Encoding.PEM)


def _named(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, pem: bytes) -> None:
    """All of it or nothing, readable by nobody else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
