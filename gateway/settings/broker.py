"""The `mqtt` section of both files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from gateway.model import Text
from gateway.settings.files import MqttKeys
from gateway.settings.nodes import Section
from gateway.settings.paths import named_file
from gateway.settings.problems import Place, Problems
from gateway.settings.reading import read_section
from gateway.settings.texts import such_as
from gateway.settings.types import MqttSettings, Tls

PORTS = {"mqtt": 1883, "mqtts": 8883}

_EXAMPLE = Text("例如 mqtts://broker:8883", "such as mqtts://broker:8883")
_FILES = ("password_file", "ca_file", "cert_file", "key_file")


def read_broker(model: type[MqttKeys], section: Section, base: Path, problems: Problems) -> MqttSettings | None:
    """The broker a section describes, None with problems."""
    keys = read_section(model, section, problems)
    files = {key: named_file(section, key, keys.get(key), base, problems) for key in _FILES}
    url = (
        None if keys.get("url") is None else split_url(keys["url"], PORTS, section.place_of("url"), problems, _EXAMPLE)
    )
    _review(keys, section, url, problems)
    if url is None or len(problems):
        return None
    scheme, host, port = url
    tls = Tls(files["ca_file"], files["cert_file"], files["key_file"]) if scheme == "mqtts" else None
    return MqttSettings(
        host=host,
        port=port,
        tls=tls,
        username=keys["username"],
        password_file=files["password_file"],
        confirm=keys["confirm"],
        share=keys.get("share"),
        client_id=keys["client_id"],
        keepalive_s=round(keys["keepalive"] or 30),
        version=keys["version"],
    )


def _review(keys: Mapping[str, Any], section: Section, url: tuple[str, str, int] | None, problems: Problems) -> None:
    for key in ("ca_file", "cert_file", "key_file"):
        if keys.get(key) is not None and url is not None and url[0] == "mqtt":
            problems.add(
                section.entries[key].key,
                Text("mqtt:// 不加密，用不到证书", "mqtt:// is not encrypted and has no use for it"),
                Text("url 改用 mqtts://，或删去这个键", "write mqtts:// in url, or remove this key"),
            )
    for one, other in (("cert_file", "key_file"), ("key_file", "cert_file"), ("password_file", "username")):
        if one in section.entries and other not in section.entries:
            problems.add(
                section.entries[one].key,
                Text(f"还需要 {other}", f"{other} is needed with it"),
                Text(f"补上 {other}", f"add {other}"),
            )
    keepalive = keys.get("keepalive")
    if keepalive is not None and not 5 <= keepalive <= 3600:
        problems.add(
            section.place_of("keepalive"),
            Text("应在 5s 到 1h 之间", "must be between 5s and 1h"),
            such_as("keepalive: 30s"),
        )
    share = keys.get("share")
    if share is not None and any(mark in share for mark in "/+#"):
        problems.add(section.place_of("share"), Text("不能含 / + #", "may not hold / + or #"), such_as("share: vigil"))


def split_url(
    text: str, ports: Mapping[str, int], place: Place, problems: Problems, example: Text
) -> tuple[str, str, int] | None:
    """Scheme, host and port; None with a problem."""
    try:
        parts: SplitResult = urlsplit(text)
        port = parts.port
    except ValueError:
        problems.add(place, Text("地址写法不对", "this is no address"), example)
        return None
    if parts.scheme not in ports:
        schemes = ", ".join(f"{scheme}://" for scheme in ports)
        problems.add(place, Text(f"地址要以 {schemes} 开头", f"the address must start with one of {schemes}"), example)
        return None
    if "@" in parts.netloc:
        problems.add(
            place,
            Text("用户名和密码不能写在地址里", "a secret never stands in a configuration file"),
            Text("写 username 和 password_file", "write username and password_file"),
        )
        return None
    if not parts.hostname or port == 0 or any(letter.isspace() for letter in text):
        problems.add(place, Text("地址里没有主机", "the address has no usable host and port"), example)
        return None
    if parts.scheme.startswith("mqtt") and (parts.path.strip("/") or parts.query or parts.fragment):
        problems.add(place, Text("端口后面不能再写内容", "nothing may follow the port"), example)
        return None
    return parts.scheme, parts.hostname, port or ports[parts.scheme]
