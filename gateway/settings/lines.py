"""The lines of a site: what can be busy, and which protocol is spoken there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gateway.model import Text
from gateway.settings import texts
from gateway.settings.files import LineKeys
from gateway.settings.nodes import Entry, Key, Section, plain
from gateway.settings.problems import Place, Problems, suggest
from gateway.settings.protocol import ProtocolModel, Protocols
from gateway.settings.reading import explain, keys_of, read_options, read_section, refuse_unknown
from gateway.settings.types import LineSettings
from gateway.settings.values import Id

_IDS = TypeAdapter(Id)


@dataclass(frozen=True, slots=True)
class LineEntry:
    """One line as written, before profiles have filled in what it leaves open."""

    id: str
    key: Place
    section: Section
    protocol: ProtocolModel


def read_lines(section: Section, protocols: Protocols, problems: Problems) -> dict[str, LineEntry]:
    """Every line whose protocol is known."""
    lines = {}
    for key, entry in section.entries.items():
        _check_id(key, entry, problems)
        if not isinstance(entry.value, Section):
            problems.add(
                entry.value.place,
                Text("线路要写成“键: 值”", "a line is written as `key: value` entries"),
                Text('{tcp: "10.0.0.5:502"}', '{tcp: "10.0.0.5:502"}'),
            )
            continue
        name = read_section(LineKeys, entry.value.only(keys_of(LineKeys)), problems).get("protocol")
        protocol = protocols.get(name) if name is not None else None
        if name is not None and protocol is None:
            problems.add(entry.value.place_of("protocol"), texts.no_protocol(name), suggest(name, protocols))
        if protocol is not None:
            known = [*keys_of(LineKeys), *keys_of(protocol.line_options)]
            refuse_unknown(entry.value, known, problems)
            lines[str(key)] = LineEntry(str(key), entry.key, entry.value, protocol)
    return lines


def _check_id(key: Key, entry: Entry, problems: Problems) -> None:
    try:
        _IDS.validate_python(key)
    except ValidationError as error:
        explain(error, Section(entry.key, entry.key), Id, problems)


def resolve_line(line: LineEntry, problems: Problems) -> LineSettings | None:
    """The line by its own keys alone."""
    options = read_options(line.protocol.line_options, line.section, problems)
    if options is None:
        return None
    return LineSettings(line.id, line.protocol.name, line.protocol.endpoint(options), options)


def with_defaults(line: LineEntry, settings: LineSettings, defaults: Mapping[Key, Entry]) -> LineSettings:
    """The line with `defaults` where it says nothing itself, as far as its protocol takes them."""
    model = line.protocol.line_options
    given: dict[Key, Any] = plain(line.section.only(keys_of(model)))
    for key, entry in defaults.items():
        if key in line.section.entries:
            continue
        wider = {**given, key: plain(entry.value)}
        try:
            settings, given = replace(settings, options=model.model_validate(wider)), wider
        except ValidationError:
            continue  # it goes against what the line says itself
    return settings


def refuse_shared_endpoints(
    lines: Mapping[str, LineEntry], settled: Mapping[str, LineSettings], problems: Problems
) -> None:
    """Two lines may not share an endpoint: each would disturb the other's requests."""
    first: dict[str, str] = {}
    for name, line in settled.items():
        other = first.setdefault(line.endpoint, name)
        if other != name:
            problems.add(
                lines[name].key,
                Text(
                    f"与线路 {other} 是同一个端口 {line.endpoint}",
                    f"the same endpoint as line {other}: {line.endpoint}",
                ),
                Text(f"把设备都挂到 {other} 上", f"put the devices on {other}"),
            )
