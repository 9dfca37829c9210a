"""The few requests of Grafana's HTTP API that are needed, with the standard library. Every failure says what to do."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from gateway import __version__
from gateway.errors import GatewayError

TIMEOUT_S = 20.0
MAX_ANSWER_BYTES = 32 * 1024 * 1024


class GrafanaError(GatewayError):
    """Grafana cannot be reached or refuses; the sentence says why and what to do."""


class NotAnAddress(GrafanaError):
    """The URL cannot be that of a Grafana."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    location: str


class Grafana:
    """One Grafana at `url` (a path before its API is kept), spoken to with the token of a service account."""

    def __init__(self, url: str, token: str, ca_file: Path | None = None, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotAnAddress(
                f"{url} is no address of a Grafana; write https://grafana.example/ or http://127.0.0.1:3000/",
                f"{url} 不是 Grafana 的地址，请写成 https://grafana.example/ 或 http://127.0.0.1:3000/",
            )
        try:
            self._port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise NotAnAddress(f"{url}: the port is no port", f"{url} 的端口无效") from error
        self.is_clear = parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")
        """Whether the token travels over a network as it is."""
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        self._host = parts.hostname
        self._path = parts.path.rstrip("/")
        self._tls = _tls(ca_file) if parts.scheme == "https" else None
        self._token = token
        self._timeout_s = timeout_s

    def greet(self) -> None:
        """GrafanaError where something else answers at this address."""
        path = "/api/health"
        answer = self._ask("GET", path, None)
        found = _parsed(answer.body)
        if 300 <= answer.status < 400:
            raise self._refusal("GET", path, answer, "")
        if not (isinstance(found, dict) and "database" in found):
            raise self._no_grafana(answer)

    def get(self, path: str) -> Any:
        """The JSON at `path`, or None where there is nothing (404)."""
        answer = self._ask("GET", path, None)
        if answer.status == 404:
            if answer.body.strip() and _parsed(answer.body) is None:
                raise self._no_grafana(answer)
            return None  # Grafana itself says it with JSON or with nothing at all
        return self._checked("GET", path, answer)

    def send(self, method: str, path: str, body: object) -> Any:
        """Send `body` and give what is answered."""
        data = json.dumps(body, ensure_ascii=False).encode()
        return self._checked(method, path, self._ask(method, path, data))

    def _checked(self, method: str, path: str, answer: _Answer) -> Any:
        found = _parsed(answer.body)
        if 200 <= answer.status < 300 and (found is not None or not answer.body.strip()):
            return found
        said = str(found.get("message") or found.get("error") or "") if isinstance(found, dict) else ""
        raise self._refusal(method, path, answer, said)

    def _refusal(self, method: str, path: str, answer: _Answer, said: str) -> GrafanaError:
        status = answer.status
        if 300 <= status < 400:
            return GrafanaError(
                f"{self.url} sends elsewhere, to {answer.location}; give that address",
                f"{self.url} 转到了 {answer.location}，请直接写那个地址",
            )
        if status == 401:
            return GrafanaError(
                "Grafana does not accept the token (401); make one for a service account and put it into the file",
                "Grafana 不接受这个令牌（401）；请为服务账户生成令牌并写入文件",
            )
        if status == 403:
            return GrafanaError(
                f"the token may not do this (403): {method} {path}; the service account needs the role Admin, or "
                f"Editor with the right to create folders. {said}".rstrip(),
                f"令牌没有这项权限（403）：{method} {path}；服务账户需要 Admin 角色，或带建文件夹权限的 Editor。{said}",
            )
        if status == 412:
            return GrafanaError(
                f"somebody changed it at the same moment (412): {path}; run this again. {said}".rstrip(),
                f"刚刚有人改过（412）：{path}；请重新运行。{said}",
            )
        if not said:
            return self._no_grafana(answer)
        return GrafanaError(
            f"Grafana refuses {method} {path} ({status}): {said}", f"Grafana 拒绝了 {method} {path}（{status}）：{said}"
        )

    def _no_grafana(self, answer: _Answer) -> GrafanaError:
        return GrafanaError(
            f"what answers at {self.url} is not Grafana's API (status {answer.status}); is a part of the path missing, "
            "or is it a proxy?",
            f"{self.url} 上应答的不是 Grafana 的接口（状态 {answer.status}）；是不是少写了路径，或者中间有代理？",
        )

    def _ask(self, method: str, path: str, data: bytes | None) -> _Answer:
        connection = self._connection()
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/json",
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": f"vigil/{__version__}",
            # What is pushed stays editable in Grafana.
            "X-Disable-Provenance": "true",
        }
        try:
            connection.request(method, f"{self._path}{path}", data, headers)
            answer = connection.getresponse()
            body = answer.read(MAX_ANSWER_BYTES)
            return _Answer(answer.status, body, answer.getheader("Location") or "")
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        if self._tls is None:
            return HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        return HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=self._tls)

    def _unreachable(self, error: Exception) -> GrafanaError:
        if isinstance(error, ssl.SSLCertVerificationError):
            return GrafanaError(
                f"the certificate of {self.url} is not trusted: {error.verify_message}; name its authority with "
                "--ca-file",
                f"{self.url} 的证书不受信任：{error.verify_message}；请用 --ca-file 指定签发它的证书",
            )
        if isinstance(error, ssl.SSLError):
            return GrafanaError(
                f"no TLS with {self.url}: {error.reason}; is it http:// instead?",
                f"与 {self.url} 无法建立加密连接：{error.reason}；是不是应写 http://？",
            )
        if isinstance(error, ConnectionRefusedError):
            return GrafanaError(
                f"nobody listens at {self.url}; does Grafana run, and is the port right?",
                f"{self.url} 没有程序在监听；Grafana 运行了吗，端口对吗？",
            )
        if isinstance(error, socket.gaierror):
            return GrafanaError(f"the name {self._host} is not known", f"找不到主机 {self._host}")
        if isinstance(error, TimeoutError):
            return GrafanaError(
                f"{self.url} did not answer within {self._timeout_s:g} s",
                f"{self.url} 在 {self._timeout_s:g} 秒内没有应答",
            )
        why = " ".join(str(error).split()) or type(error).__name__
        return GrafanaError(f"the connection to {self.url} failed: {why}", f"与 {self.url} 的连接失败：{why}")


def escaped(uid: str) -> str:
    """One segment of a path."""
    return quote(uid, safe="")


def _parsed(body: bytes) -> Any:
    """The JSON of a body, None where it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise NotAnAddress(f"{ca_file} holds no certificate: {error}", f"{ca_file} 中没有证书：{error}") from error
