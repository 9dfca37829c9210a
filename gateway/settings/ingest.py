"""The centre's file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.model import Text
from gateway.settings import texts
from gateway.settings.broker import read_broker, split_url
from gateway.settings.document import read
from gateway.settings.files import InfluxKeys, IngestFile, IngestMqttKeys
from gateway.settings.listen import read_listen
from gateway.settings.nodes import Section
from gateway.settings.paths import named_file
from gateway.settings.problems import Problems
from gateway.settings.reading import read_section, refuse_missing
from gateway.settings.types import InfluxSettings, IngestSettings

_PORTS = {"http": 80, "https": 443}
_EXAMPLE = Text("例如 http://127.0.0.1:8086", "such as http://127.0.0.1:8086")
_V1, _V2 = ("database", "username", "password_file"), ("org", "bucket", "token_file")


def load_ingest(path: Path, language: str = "en") -> IngestSettings:
    """The centre's file, resolved; ConfigError with every problem in it."""
    problems = Problems(language)
    root, _ = read(path, problems)
    settings = None if root is None else _resolve(path, root, problems)
    problems.raise_any()
    if settings is None:
        raise AssertionError("a file without problems gives settings")
    return settings


def _resolve(path: Path, root: Section, problems: Problems) -> IngestSettings | None:
    base = path.resolve().parent
    keys = read_section(IngestFile, root, problems)
    mqtt, influx = root.section("mqtt"), root.section("influx")
    broker = None if mqtt is None else read_broker(IngestMqttKeys, mqtt, base, problems)
    database = None if influx is None else _influx(influx, base, problems)
    listening = None
    if (section := root.section("metrics")) is not None and keys.get("metrics") is not None:
        listening = read_listen(section, keys["metrics"].listen, "127.0.0.1:9321", problems)
    if broker is None or database is None or "state_dir" not in keys:
        return None
    return IngestSettings(path, broker, database, base / keys["state_dir"], listening)


def _influx(section: Section, base: Path, problems: Problems) -> InfluxSettings | None:
    keys = read_section(InfluxKeys, section, problems)
    files = {key: named_file(section, key, keys.get(key), base, problems) for key in ("password_file", "token_file")}
    if keys.get("url") is not None:
        split_url(keys["url"], _PORTS, section.place_of("url"), problems, _EXAMPLE)
    if keys.get("api") is not None:
        _review_api(keys, section, problems)
    if len(problems):
        return None
    return InfluxSettings(
        url=keys["url"].rstrip("/"),
        api=keys["api"],
        database=keys["database"],
        username=keys["username"],
        password_file=files["password_file"],
        org=keys["org"],
        bucket=keys["bucket"],
        token_file=files["token_file"],
    )


def _review_api(keys: Mapping[str, Any], section: Section, problems: Problems) -> None:
    api = keys["api"]
    needed, foreign = (("database",), _V2) if api == "v1" else (_V2, _V1)
    for key in needed:
        if key not in section.entries:
            refuse_missing(section, key, problems, Text(f"api: {api} 需要它", f"api: {api} needs it"))
    for key in foreign:
        if key in section.entries:
            problems.add(
                section.entries[key].key,
                Text(f"api: {api} 不用这个键", f"api: {api} has no use for this key"),
                Text("删去，或改 api", "remove it, or change api"),
            )
    if api == "v1" and ("username" in section.entries) != ("password_file" in section.entries):
        given, other = sorted(("username", "password_file"), key=lambda key: key not in section.entries)
        example = "ingest" if other == "username" else "influx.secret"
        problems.add(section.entries[given].key, texts.needs(other), texts.such_as(f"{other}: {example}"))
