"""The broker: found, welcome, and for how long the certificates hold."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.commissioning.checks.certificates import der_expiry, pem_expiries
from gateway.commissioning.findings import Finding, Grade, fine
from gateway.model import Text
from gateway.mqtt import LinkFailed, LinkFault, LinkOptions, open_link
from gateway.settings.types import MqttSettings, Tls

TOPIC = "broker"
CERTIFICATES = "certificates"
CONNECT_S = 5.0
#: A certificate that ends sooner should be renewed now.
SOON = timedelta(days=30)

_DO: dict[LinkFault, Text] = {
    LinkFault.NAME: Text("检查 url 中的主机名和本机的 DNS", "check the host in url and this machine's DNS"),
    LinkFault.REFUSED: Text("检查端口，确认 broker 正在运行", "check the port, and that the broker runs"),
    LinkFault.UNREACHABLE: Text("检查网线、路由和 SIM 卡", "check cable, route and SIM card"),
    LinkFault.TIMEOUT: Text("检查防火墙和路由", "check firewall and route"),
    LinkFault.CREDENTIALS: Text("核对 username 和 password_file", "compare username and password_file with the broker"),
    LinkFault.NOT_AUTHORISED: Text("请中心核对访问列表", "have the centre check its access list"),
    LinkFault.TLS_NOT_SPOKEN: Text("核对 url：mqtt: 还是 mqtts:，以及端口", "check url: mqtt: or mqtts:, and the port"),
    LinkFault.HUNG_UP: Text("核对 url：mqtt: 还是 mqtts:，以及端口", "check url: mqtt: or mqtts:, and the port"),
    LinkFault.TLS_NOT_YET_VALID: Text("校准本机时钟", "set this machine's clock right"),
    LinkFault.TLS_CLIENT_CERTIFICATE: Text(
        "检查 cert_file 和 key_file，或请中心重新签发",
        "check cert_file and key_file, or have the centre issue new ones",
    ),
    LinkFault.LOCAL_FILE: Text("检查文件是否存在、可读", "see that the files exist and can be read"),
}
_ASK_CENTRE = Text("请中心检查 broker", "have the centre check the broker")


async def check_broker(settings: MqttSettings, client_id: str) -> list[Finding]:
    """Connect once under a name of its own, so that a running gateway is not thrown out."""
    where = f"{settings.host}:{settings.port}"
    findings = list(_check_secret(settings.password_file))
    began = time.monotonic()
    try:
        link = await open_link(settings, LinkOptions(client_id=client_id, connect_timeout_s=CONNECT_S))
    except LinkFailed as failure:
        told = failure.fault.value
        findings.append(
            Finding(
                TOPIC,
                Grade.FAILURE,
                Text(f"{where}：{told.zh}", f"{where}: {told.en}"),
                _DO.get(failure.fault, _ASK_CENTRE),
            )
        )
        return findings
    took_ms = round((time.monotonic() - began) * 1000)
    link.abort(LinkFailed(LinkFault.LOST, "only a try"))
    findings.append(fine(TOPIC, f"{where} 已连通，{took_ms} ms", f"{where} answers, in {took_ms} ms"))
    return findings


def _check_secret(path: Path | None) -> Iterator[Finding]:
    if path is None or not path.exists():
        return
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        yield Finding(
            TOPIC,
            Grade.WARNING,
            Text(f"{path} 其他用户也能读写", f"others may read or change {path}"),
            Text(f"执行 chmod 600 {path}", f"run: chmod 600 {path}"),
        )
    if not os.access(path, os.R_OK):
        yield Finding(
            TOPIC,
            Grade.FAILURE,
            Text(f"读不了 {path}", f"{path} cannot be read"),
            Text("改成由运行用户拥有", "give it to the user the gateway runs as"),
        )


def check_certificates(settings: MqttSettings, now: datetime | None = None) -> Iterator[Finding]:
    """The dates of the broker's certificate and of the files given for it."""
    if settings.tls is None:
        return
    moment = now or datetime.now(UTC)
    for path in (settings.tls.ca_file, settings.tls.cert_file):
        if path is not None:
            yield from check_file(path, moment)
    try:
        der = _broker_certificate(settings.host, settings.port, settings.tls)
        yield _dated(f"{settings.host}:{settings.port}", der_expiry(der), moment)
    except (OSError, ValueError):
        return  # why the broker cannot be reached is told by `check_broker`


def check_file(path: Path, now: datetime) -> Iterator[Finding]:
    """Until when the certificates of a PEM file hold."""
    try:
        ends = min(pem_expiries(path.read_text(encoding="utf-8", errors="replace")))
    except (OSError, ValueError) as error:
        yield Finding(
            CERTIFICATES,
            Grade.FAILURE,
            Text(f"{path} 无法使用：{error}", f"{path} cannot be used: {error}"),
            Text("换上正确的 PEM 证书文件", "put the right PEM certificate there"),
        )
        return
    yield _dated(str(path), ends, now)


def _dated(what: str, ends: datetime, now: datetime) -> Finding:
    day, left = ends.date().isoformat(), ends - now
    if left <= timedelta(0):
        return Finding(
            CERTIFICATES,
            Grade.FAILURE,
            Text(f"{what} 的证书已于 {day} 过期", f"the certificate of {what} ended on {day}"),
            Text(
                "换新证书；若日期不对，先校准系统时间", "renew it; if that date is still to come, set the clock first"
            ),
        )
    if left < SOON:
        return Finding(
            CERTIFICATES,
            Grade.WARNING,
            Text(f"{what} 的证书 {left.days} 天后过期", f"the certificate of {what} ends in {left.days} days"),
            Text("现在就换新证书", "renew it now"),
        )
    return fine(CERTIFICATES, f"{what} 的证书到 {day}", f"the certificate of {what} holds until {day}")


def _broker_certificate(host: str, port: int, tls: Tls) -> bytes:
    """What the broker shows, also if it is not to be trusted: only its date is looked at."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    with (
        socket.create_connection((host, port), CONNECT_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        der = secured.getpeercert(binary_form=True)
    if der is None:
        raise ValueError("the broker showed no certificate")
    return der
