"""Every way an MQTT link can fail, told apart, with what a person should look at."""

from __future__ import annotations

import socket
import ssl
from enum import Enum

from gateway.errors import SinkUnavailable
from gateway.model import Text

# OpenSSL verify codes, see X509_STORE_CTX_get_error(3)
_NOT_YET_VALID = 9
_EXPIRED = 10
_WRONG_NAME = {62, 64}
# Alerts of RFC 8446 section 6 by which a server refuses a client certificate, as OpenSSL names them
_CLIENT_CERTIFICATE_ALERTS = (
    "BAD_CERTIFICATE",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_REQUIRED",
    "CERTIFICATE_REVOKED",
    "CERTIFICATE_UNKNOWN",
    "HANDSHAKE_FAILURE",
    "UNKNOWN_CA",
)


class LinkFault(Enum):
    """What kind of failure, and the sentence an operator sees."""

    NAME = Text(zh="无法解析服务器地址的域名", en="the broker's name cannot be resolved")
    REFUSED = Text(zh="服务器拒绝连接：该端口没有服务", en="connection refused: nothing listens on that port")
    UNREACHABLE = Text(zh="网络不可达", en="the broker cannot be reached over the network")
    TIMEOUT = Text(zh="服务器没有在时限内应答", en="the broker did not answer in time")
    LOST = Text(zh="连接中断", en="the connection was lost")
    SILENT = Text(zh="连接仍在但没有应答", en="the connection is open but nothing answers")
    TLS_UNKNOWN_CA = Text(
        zh="服务器证书不是由受信任的机构签发的，请检查 ca_file",
        en="the broker's certificate is not signed by a trusted authority; check ca_file",
    )
    TLS_WRONG_HOST = Text(
        zh="服务器证书不是发给这个主机名的，请检查 url 中的主机名",
        en="the broker's certificate is for another host name; check the host in url",
    )
    TLS_EXPIRED = Text(
        zh="服务器证书已过期，请检查证书和本机时钟",
        en="the broker's certificate has expired; check it and this machine's clock",
    )
    TLS_NOT_YET_VALID = Text(
        zh="服务器证书尚未生效，本机时钟可能不准",
        en="the broker's certificate is not valid yet; this machine's clock is probably wrong",
    )
    TLS_CLIENT_CERTIFICATE = Text(
        zh="服务器不接受本机的客户端证书，请检查 cert_file 和 key_file",
        en="the broker does not accept our client certificate; check cert_file and key_file",
    )
    TLS_NOT_SPOKEN = Text(
        zh="服务器在 TLS 握手时挂断，该端口可能不使用 TLS（mqtt:）",
        en="the broker hung up during the TLS handshake; perhaps this port speaks no TLS (mqtt:)",
    )
    TLS = Text(zh="TLS 握手失败", en="the TLS handshake failed")
    HUNG_UP = Text(
        zh="服务器未应答就挂断，该端口可能要求 TLS（mqtts:）",
        en="the broker hung up without a welcome; perhaps this port wants TLS (mqtts:)",
    )
    LOCAL_FILE = Text(
        zh="无法读取密码文件、CA 文件或证书文件", en="the password, CA or certificate file cannot be used"
    )
    CREDENTIALS = Text(zh="服务器拒绝了用户名和密码", en="the broker refused user name and password")
    NOT_AUTHORISED = Text(zh="服务器不允许此操作", en="the broker does not permit this")
    CLIENT_ID = Text(zh="服务器不接受客户端标识", en="the broker does not accept the client id")
    TAKEN_OVER = Text(zh="另一个客户端使用了同一个客户端标识", en="another client connected with the same client id")
    PROTOCOL = Text(
        zh="服务器既不支持 MQTT 5 也不支持 3.1.1，或违反了协议",
        en="the broker speaks neither MQTT 5 nor 3.1.1, or broke the protocol",
    )
    BUSY = Text(zh="服务器繁忙或正在停止", en="the broker is busy or shutting down")

    @property
    def needs_person(self) -> bool:
        """Waiting will not cure it."""
        return self in _NEEDS_PERSON


_NEEDS_PERSON = {
    LinkFault.TLS_UNKNOWN_CA,
    LinkFault.TLS_WRONG_HOST,
    LinkFault.TLS_EXPIRED,
    LinkFault.TLS_CLIENT_CERTIFICATE,
    LinkFault.LOCAL_FILE,
    LinkFault.CREDENTIALS,
    LinkFault.NOT_AUTHORISED,
    LinkFault.CLIENT_ID,
    LinkFault.TAKEN_OVER,
    LinkFault.PROTOCOL,
}

# CONNACK and DISCONNECT reason codes, MQTT 5.0 section 2.4; paho gives 3.1.1 return codes the same numbers
_REASONS = {
    0x81: LinkFault.PROTOCOL,
    0x82: LinkFault.PROTOCOL,
    0x84: LinkFault.PROTOCOL,
    0x85: LinkFault.CLIENT_ID,
    0x86: LinkFault.CREDENTIALS,
    0x87: LinkFault.NOT_AUTHORISED,
    0x88: LinkFault.BUSY,
    0x89: LinkFault.BUSY,
    0x8A: LinkFault.NOT_AUTHORISED,
    0x8B: LinkFault.BUSY,
    0x8C: LinkFault.CREDENTIALS,
    0x8E: LinkFault.TAKEN_OVER,
    0x93: LinkFault.PROTOCOL,
    0x95: LinkFault.PROTOCOL,
    0x97: LinkFault.BUSY,
    0x9F: LinkFault.BUSY,
}


class LinkFailed(SinkUnavailable):
    """There is no link, or it just ended; `fault` says in which way, `detail` in the library's or broker's words."""

    def __init__(self, fault: LinkFault, detail: str = "") -> None:
        super().__init__(f"{fault.value.en} ({detail})" if detail else fault.value.en)
        self.fault = fault
        self.detail = detail


def failure_of(error: OSError) -> LinkFailed:
    """The failure an operating system or TLS error means."""
    detail = str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == _NOT_YET_VALID:
            return LinkFailed(LinkFault.TLS_NOT_YET_VALID, error.verify_message)
        if error.verify_code == _EXPIRED:
            return LinkFailed(LinkFault.TLS_EXPIRED, error.verify_message)
        if error.verify_code in _WRONG_NAME:
            return LinkFailed(LinkFault.TLS_WRONG_HOST, error.verify_message)
        return LinkFailed(LinkFault.TLS_UNKNOWN_CA, error.verify_message)
    if isinstance(error, ssl.SSLError):
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return LinkFailed(LinkFault.LOST, "closed within TLS")
        reason = (error.reason or "").upper()
        if "ALERT" in reason and any(alert in reason for alert in _CLIENT_CERTIFICATE_ALERTS):
            return LinkFailed(LinkFault.TLS_CLIENT_CERTIFICATE, error.reason or detail)
        return LinkFailed(LinkFault.TLS, error.reason or detail)
    if isinstance(error, socket.gaierror):
        return LinkFailed(LinkFault.NAME, detail)
    if isinstance(error, TimeoutError):
        return LinkFailed(LinkFault.TIMEOUT, detail)
    if isinstance(error, ConnectionRefusedError):
        return LinkFailed(LinkFault.REFUSED, detail)
    if isinstance(error, ConnectionError):
        return LinkFailed(LinkFault.LOST, detail)
    return LinkFailed(LinkFault.UNREACHABLE, detail)


def failure_of_reason(code: int, detail: str) -> LinkFailed:
    """The failure a SUBACK or DISCONNECT reason code of 0x80 and above means."""
    return LinkFailed(_REASONS.get(code, LinkFault.LOST), f"{detail}, 0x{code:02x}")


def failure_of_welcome(code: int, detail: str) -> LinkFailed:
    """The failure a CONNACK means. Brokers say "not authorised" for a wrong password, too."""
    failure = failure_of_reason(code, detail)
    if failure.fault is LinkFault.NOT_AUTHORISED:
        return LinkFailed(LinkFault.CREDENTIALS, failure.detail)
    return failure
