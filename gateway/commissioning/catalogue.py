"""Every device model there is, as a person chooses one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.model import Text
from gateway.settings.bundled import config_dir
from gateway.settings.nodes import Section, plain
from gateway.settings.points import PointEntry
from gateway.settings.problems import Problems
from gateway.settings.profiles import Profile, ProfileShelf
from gateway.settings.protocol import Protocols
from gateway.settings.types import IdentityMark
from gateway.settings.vocabulary import load_vocabulary


@dataclass(frozen=True, slots=True)
class Card:
    """One device model."""

    profile: str
    vendor: str
    model: str
    kind: str
    kind_name: Text
    name: Text
    confidence: str
    sources: Sequence[str]
    """What it extends included."""
    firmware: Sequence[str]
    caveats: Sequence[Text]
    port: Mapping[str, Any]
    """Factory settings: baudrate, parity, stopbits."""
    unit: int | None
    identity: tuple[IdentityMark, ...]
    marks: Sequence[str]
    """Where `identity` stands, as the file says it."""
    points: Mapping[str, PointEntry]
    family: tuple[str, ...]
    """The profiles it builds on."""


def catalogue(protocols: Protocols, beside: Sequence[Path] = ()) -> list[Card]:
    """Cards of the bundled profiles and of those in the folders `beside`, by name; ConfigError for unsound ones."""
    problems = Problems()
    vocabulary = load_vocabulary()
    shelf = ProfileShelf([*beside, config_dir() / "profiles"], protocols, vocabulary, problems)
    profiles = [profile for name in shelf.names() if (profile := shelf.get(name)) is not None]
    problems.raise_any()
    return [_card(profile, vocabulary[profile.kind].label) for profile in profiles if profile.kind is not None]


def _card(profile: Profile, kind_name: Text) -> Card:
    line = [profile, *_bases(profile)]
    keys = profile.keys
    own = keys["model"]
    device = profile.device.entries if profile.device is not None else {}
    unit = plain(device["unit"].value) if "unit" in device else None
    return Card(
        profile=profile.name,
        vendor=keys["vendor"],
        model=own,
        kind=profile.kind or "",
        kind_name=kind_name,
        name=next(each.keys["name"] for each in line if each.keys.get("name") is not None),
        confidence=next((c for each in line if (c := each.keys.get("confidence"))), "low"),
        sources=_unique(source for each in line for source in each.keys.get("source", ())),
        firmware=keys.get("firmware", ()),
        caveats=_unique(text for each in reversed(line) for text in each.keys.get("caveats", ())),
        port=plain(profile.line) if isinstance(profile.line, Section) else {},
        unit=unit,
        identity=profile.identity,
        marks=[str(entry["at"]) for each in reversed(line) for entry in each.keys.get("identity", ())],
        points=profile.points,
        family=tuple(each.name for each in line[1:]),
    )


def _bases(profile: Profile) -> list[Profile]:
    return [] if profile.base is None else [profile.base, *_bases(profile.base)]


def _unique(items: Any) -> list[Any]:
    return list(dict.fromkeys(items))
