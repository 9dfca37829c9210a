"""A first site file as text, with a word on everything a person may want to change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.model import Text


@dataclass(frozen=True, slots=True)
class DraftLine:
    """`keys` as in a site file: serial, baudrate, parity, stopbits, or tcp."""

    id: str
    keys: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class DraftDevice:
    """`missing` are mandatory points that its profile does not give."""

    id: str
    name: Text
    kind: str
    profile: str
    line: str
    unit: int
    missing: Sequence[str] = ()
    caveats: Sequence[Text] = ()


@dataclass(slots=True)
class Draft:
    """All answers."""

    id: str
    name: Text
    kind: str
    timezone: str
    language: str
    lines: list[DraftLine] = field(default_factory=list)
    devices: list[DraftDevice] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    required: dict[str, int] = field(default_factory=dict)
    mqtt: dict[str, str] = field(default_factory=dict)
    web: str | None = None


_HEAD = Text(
    "由 vigil init 写成。改动后运行 vigil check 检查。", "Written by vigil init. Run vigil check after every change."
)
_MISSING = Text(
    "型号不提供必备测点 {points}：另接触点，或列入 not_measured，否则状态不明",
    "the model lacks the mandatory {points}: wire a contact or list them under not_measured; till then it is unknown",
)


def site_text(draft: Draft) -> str:
    """The file."""
    language = draft.language
    lines = [
        f"# {_HEAD[language]}",
        "schema: 1",
        "site:",
        f"  id: {draft.id}",
        f"  name: {{zh: {_quoted(draft.name.zh)}, en: {_quoted(draft.name.en)}}}",
        f"  kind: {draft.kind}",
        f"  timezone: {draft.timezone}",
        f"  language: {language}",
        "lines:",
    ]
    lines += [f"  {line.id}: {{{_keys(line.keys)}}}" for line in draft.lines]
    lines.append("devices:")
    for device in draft.devices:
        lines += [f"  # {caveat[language]}" for caveat in device.caveats]
        if device.missing:
            lines.append(f"  # {_MISSING[language].format(points=', '.join(device.missing))}")
        name = f"{{zh: {_quoted(device.name.zh)}, en: {_quoted(device.name.en)}}}"
        lines.append(
            f"  - {{id: {device.id}, name: {name}, kind: {device.kind}, profile: {device.profile},"
            f" line: {device.line}, unit: {device.unit}}}"
        )
    if draft.rules:
        lines.append(f"rules: [{', '.join(draft.rules)}]")
    if draft.required:
        lines.append(f"required: {{{', '.join(f'{kind}: {count}' for kind, count in draft.required.items())}}}")
    if draft.mqtt:
        lines += ["uplink:", f"  mqtt: {{{_keys(draft.mqtt)}}}"]
    if draft.web is not None:
        lines.append(f"web: {{listen: {_quoted(draft.web)}}}")
    return "\n".join(lines) + "\n"


def _keys(keys: Mapping[str, str | int]) -> str:
    return ", ".join(f"{key}: {value if isinstance(value, int) else _quoted(value)}" for key, value in keys.items())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
