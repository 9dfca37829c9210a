"""Until when a certificate may be used: `notAfter` of X.509 in DER (RFC 5280, section 4.1.2.5), nothing else of it."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_SEQUENCE, _EXPLICIT_VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18


def pem_expiries(text: str) -> list[datetime]:
    """When each certificate of a PEM file ends, UTC; ValueError for what is none."""
    found = [base64.b64decode("".join(block.split()), validate=True) for block in _blocks(text)]
    return [der_expiry(der) for der in found]


def _blocks(text: str) -> list[str]:
    blocks = _PEM.findall(text)
    if not blocks:
        raise ValueError("no certificate in this file")
    return blocks


def der_expiry(der: bytes) -> datetime:
    """`notAfter` of one certificate, UTC; ValueError for what is none."""
    try:
        tag, certificate, _ = _element(der, 0)
        inner_tag, body, _ = _element(certificate, 0)
        if tag != _SEQUENCE or inner_tag != _SEQUENCE:
            raise ValueError("not a certificate")
        at = 0
        tag, _, _ = _element(body, at)
        skip = 4 if tag == _EXPLICIT_VERSION else 3
        for _ in range(skip):
            _, _, at = _element(body, at)
        _, validity, _ = _element(body, at)
        _, _, second = _element(validity, 0)
        tag, not_after, _ = _element(validity, second)
        return _time(tag, not_after.decode("ascii"))
    except (IndexError, UnicodeDecodeError, binascii.Error) as error:
        raise ValueError("not a certificate") from error


def _element(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag, content and end of the element at `at`."""
    tag, size, start = data[at], data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + size > len(data):
        raise IndexError(at)
    return tag, data[start : start + size], start + size


def _time(tag: int, text: str) -> datetime:
    if tag == _UTC_TIME:
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("not a time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
