"""What system errors and reason codes mean to an operator."""

from __future__ import annotations

import errno
import socket
import ssl
from pathlib import Path

import pytest

from gateway.mqtt import LinkFault
from gateway.mqtt.failures import failure_of, failure_of_reason, failure_of_welcome


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (socket.gaierror(-2, "Name or service not known"), LinkFault.NAME),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), LinkFault.REFUSED),
        (ConnectionResetError(errno.ECONNRESET, "reset"), LinkFault.LOST),
        (TimeoutError(errno.ETIMEDOUT, "timed out"), LinkFault.TIMEOUT),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), LinkFault.UNREACHABLE),
        (ssl.SSLEOFError(8, "EOF"), LinkFault.LOST),
    ],
)
def test_system_errors(error: OSError, fault: LinkFault) -> None:
    assert failure_of(error).fault is fault


def test_a_refused_password_is_told_from_a_refused_topic() -> None:
    assert failure_of_welcome(0x87, "Not authorized").fault is LinkFault.CREDENTIALS
    assert failure_of_reason(0x87, "Not authorized").fault is LinkFault.NOT_AUTHORISED
    assert failure_of_welcome(0x88, "Server unavailable").fault is LinkFault.BUSY
    assert failure_of_reason(0xFF, "?").fault is LinkFault.LOST


def test_every_fault_has_its_sentence_in_both_languages() -> None:
    sentences = [fault.value for fault in LinkFault]
    assert len({text.en for text in sentences}) == len({text.zh for text in sentences}) == len(LinkFault)
    assert all(any("一" <= letter <= "鿿" for letter in text.zh) for text in sentences)


def test_the_manual_names_every_fault_and_which_need_a_person() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "uplink.md").read_text(encoding="utf-8")
    for fault in LinkFault:
        assert f"| `{fault.name.lower()}`{' !' if fault.needs_person else ''} |" in manual
