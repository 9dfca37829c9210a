"""What `vigil doctor` notices, on machines made of folders and certificates made for the moment."""

from __future__ import annotations

import grp
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from gateway.commissioning.checks import ports as port_checks
from gateway.commissioning.checks.broker import check_broker, check_certificates
from gateway.commissioning.checks.certificates import der_expiry, pem_expiries
from gateway.commissioning.checks.machine import check_clock, check_disk, check_python
from gateway.commissioning.checks.ports import check_ports, list_ports
from gateway.commissioning.findings import Finding, Grade
from gateway.settings.types import MqttSettings, Tls
from tests.servers import Mosquitto, free_port

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def graded(findings: list[Finding]) -> dict[str, list[Grade]]:
    found: dict[str, list[Grade]] = {}
    for finding in findings:
        assert finding.text.zh
        assert finding.text.en
        assert (finding.do is None) == (finding.grade is Grade.FINE)
        found.setdefault(finding.topic, []).append(finding.grade)
    return found


def machine(root: Path, *, latency_ms: int = 16) -> Path:
    """A machine with one USB adapter, known by its id as well."""
    (root / "dev/serial/by-id").mkdir(parents=True)
    (root / "dev/ttyUSB0").touch()
    (root / "dev/serial/by-id/usb-FTDI_A1").symlink_to(root / "dev/ttyUSB0")
    timer = root / "sys/bus/usb-serial/devices/ttyUSB0/latency_timer"
    timer.parent.mkdir(parents=True)
    timer.write_text(f"{latency_ms}\n")
    return root / "dev/serial/by-id/usb-FTDI_A1"


def test_a_port_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    stable = machine(tmp_path)
    (finding,) = check_ports([tmp_path / "dev/ttyUSB7"], tmp_path)
    assert finding.grade is Grade.FAILURE
    assert finding.do is not None
    assert str(stable) in finding.do.en


def test_a_name_that_changes_is_told_with_the_one_that_stays(tmp_path: Path) -> None:
    stable = machine(tmp_path, latency_ms=1)
    findings = list(check_ports([tmp_path / "dev/ttyUSB0"], tmp_path))
    assert [finding.grade for finding in findings] == [Grade.FINE, Grade.WARNING, Grade.FINE]
    assert findings[1].do is not None
    assert str(stable) in findings[1].do.en
    assert graded(list(check_ports([stable], tmp_path))) == {"ports": [Grade.FINE, Grade.FINE]}
    assert list_ports(tmp_path) == [stable]


def test_a_slow_adapter_is_told_with_the_rule_that_cures_it(tmp_path: Path) -> None:
    stable = machine(tmp_path, latency_ms=16)
    slow = list(check_ports([stable], tmp_path))[-1]
    assert slow.grade is Grade.WARNING
    assert slow.do is not None
    assert "61-vigil-serial.rules" in slow.do.en


def test_a_port_one_may_not_open_names_its_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stable = machine(tmp_path, latency_ms=1)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(port_checks, "_group_of", lambda target: "dialout")
    monkeypatch.setenv("SUDO_USER", "li")
    finding = next(iter(check_ports([stable], tmp_path)))
    assert finding.grade is Grade.FAILURE
    assert finding.do is not None
    assert "usermod -aG dialout li" in finding.do.zh


def test_nobody_is_asked_to_join_the_group_of_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = tmp_path / "ttyUSB0"
    port.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(port_checks.grp, "getgrgid", lambda gid: grp.struct_group(("root", "x", 0, [])))
    finding = next(each for each in check_ports([port], tmp_path) if each.grade is Grade.FAILURE)
    assert finding.do is not None
    assert "usermod -aG dialout" in finding.do.en


def test_a_machine_without_ports_or_clock_chip_is_told_so(tmp_path: Path) -> None:
    assert graded(list(check_ports([], tmp_path))) == {"ports": [Grade.NOTE]}
    assert graded(list(check_clock(is_synced=False, root=tmp_path))) == {"clock": [Grade.WARNING, Grade.NOTE]}
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/rtc0").touch()
    assert graded(list(check_clock(is_synced=True, root=tmp_path))) == {"clock": [Grade.FINE]}


def test_python_has_all_it_needs() -> None:
    assert graded(list(check_python())) == {"python": [Grade.FINE]}


def test_a_state_folder_in_memory_is_told(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\ntmpfs {tmp_path} tmpfs rw 0 0\n")
    grades = graded(list(check_disk(tmp_path / "not/yet/there", mounts)))
    assert Grade.WARNING in grades["disk"]
    mounts.write_text("/dev/sda1 / ext4 rw 0 0\n")
    assert Grade.FAILURE not in graded(list(check_disk(tmp_path, mounts)))["disk"]


def test_dates_of_certificates_are_read(tmp_path: Path) -> None:
    ends = datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", not_after=ends)
    pem = issued.cert_chain_pems[0].bytes().decode()
    assert pem_expiries(pem + pem) == [ends, ends]
    assert pem_expiries(authority.cert_pem.bytes().decode())[0] > NOW
    with pytest.raises(ValueError, match="no certificate"):
        pem_expiries("nothing")
    for size in range(40):
        with pytest.raises(ValueError, match="not a certificate"):
            der_expiry(b"\x30\x82" + bytes(size))


def settings(port: int, tls: Tls | None = None, password_file: Path | None = None) -> MqttSettings:
    return MqttSettings("localhost", port, tls, "depot-1" if password_file else None, password_file, "ingest")


@pytest.mark.parametrize(("days", "grade"), [(-1, Grade.FAILURE), (20, Grade.WARNING), (300, Grade.FINE)])
def test_the_end_of_a_certificate_is_told_in_time(tmp_path: Path, days: int, grade: Grade) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days=days, hours=1))
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    files = f"cafile {tmp_path}/ca.pem\ncertfile {tmp_path}/cert.pem\nkeyfile {tmp_path}/key.pem"
    with Mosquitto(tmp_path / "mosquitto", files) as broker:
        findings = list(check_certificates(settings(broker.port, Tls(tmp_path / "ca.pem", None, None))))
    assert [finding.grade for finding in findings] == [Grade.FINE, grade]
    assert graded(findings)


def test_a_certificate_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    findings = list(check_certificates(settings(free_port(), Tls(tmp_path / "ca.pem", None, None))))
    assert graded(findings) == {"certificates": [Grade.FAILURE]}


async def test_a_broker_is_welcoming_or_why_not(mosquitto: Mosquitto, tmp_path: Path) -> None:
    assert graded(await check_broker(settings(mosquitto.port), "depot-1-doctor")) == {"broker": [Grade.FINE]}
    (finding,) = await check_broker(settings(free_port()), "depot-1-doctor")
    assert finding.grade is Grade.FAILURE
    assert finding.do is not None
    assert "port" in finding.do.en
    secret = tmp_path / "mqtt.secret"
    secret.write_text("word")
    secret.chmod(0o644)
    findings = await check_broker(settings(mosquitto.port, password_file=secret), "depot-1-doctor")
    assert [each.grade for each in findings] == [Grade.WARNING, Grade.FINE]
