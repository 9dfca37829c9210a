"""Facts that people gave while the gateway ran, over those of the site file; kept in the journal.

The later word holds: a fact given here is in force while the file still says what it said then. Once the file says
something else of that fact, the file holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from gateway.model import Value
from gateway.settings.facts import SITUATION
from gateway.settings.types import DeviceSettings, Kind, SiteSettings
from gateway.wire.messages import Json

PREFIX = "fact/"
SITE, GATEWAY = "_site", "_gateway"
#: The event that tells of a fact given, or overtaken by the file.
FACT_EVENT = "fact"


@dataclass(frozen=True, slots=True)
class GivenFact:
    """One fact of a device, of `_site` or of `_gateway`. `filed` is what the file said of it then."""

    device: str
    name: str
    value: Value
    by: str
    ts: int
    filed: Value | None

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.device}/{self.name}"

    def document(self) -> bytes:
        return json.dumps({"value": self.value, "by": self.by, "ts": self.ts, "filed": self.filed}).encode()


class GivenFacts:
    """All of them. The file they are laid over is that of `site`, without them."""

    def __init__(self, found: Mapping[str, bytes], site: SiteSettings) -> None:
        """`found` are the documents under `PREFIX`; those the file has overtaken are passed over."""
        given = [_read(key, body) for key, body in found.items()]
        self._given = {each.key: each for each in given if is_in_force(each, site)}
        self.overtaken = tuple(each.key for each in given if each.key not in self._given)
        """Keys of documents that are of no use any more."""

    def note(self, fact: GivenFact) -> None:
        """It is in force; its document is kept by whoever tells of it."""
        self._given[fact.key] = fact

    def take_back(self, device: str, name: str) -> None:
        """What the file says of it holds again."""
        self._given.pop(f"{PREFIX}{device}/{name}", None)

    def in_force(self, site: SiteSettings) -> tuple[GivenFact, ...]:
        """Those that hold with this file, by device and name."""
        return tuple(each for _, each in sorted(self._given.items()) if is_in_force(each, site))

    def over(self, site: SiteSettings) -> SiteSettings:
        """The site as it is with them."""
        return laid_over(site, self.in_force(site))

    def of_gateway(self, site: SiteSettings) -> Mapping[str, Value]:
        """Those of the gateway itself."""
        return {each.name: each.value for each in self.in_force(site) if each.device == GATEWAY}


def fact_data(
    name: str, before: Value | None, value: Value | None, *, by: str, via: str, order: str = "", note: str = ""
) -> dict[str, Json]:
    """What the event of a fact carries; values are JSON texts, so that a field has one type in the database."""
    shown = {"before": json.dumps(before, ensure_ascii=False), "value": json.dumps(value, ensure_ascii=False)}
    return {"name": name, **shown, "by": by, "via": via, "order": order, "note": note}


def laid_over(site: SiteSettings, given: Iterable[GivenFact]) -> SiteSettings:
    """The site with other facts. Those of the situation hold for the devices too, save where the entry of a device
    says otherwise than the file's site."""
    by_device: dict[str, dict[str, Value]] = {}
    for each in given:
        by_device.setdefault(each.device, {})[each.name] = each.value
    if not by_device.keys() - {GATEWAY}:
        return site
    of_site = by_device.get(SITE, {})
    devices = tuple(
        replace(device, facts=MappingProxyType(_facts(site, device, of_site) | by_device.get(device.id, {})))
        for device in site.devices
    )
    return replace(site, facts=MappingProxyType({**site.facts, **of_site}), devices=devices)


def filed(site: SiteSettings, device: str, name: str) -> Value | None:
    """What the file says of a fact; the vocabulary's default where it says nothing; KeyError for an unknown device."""
    if device in (SITE, GATEWAY):
        fact = kind_of(site, device).facts.get(name)
        default = fact.default if fact is not None else None
        return site.facts.get(name, default) if device == SITE else default
    return _found(site, device).facts.get(name)


def kind_of(site: SiteSettings, device: str) -> Kind:
    """The vocabulary of a device, of `_site` or of `_gateway`; KeyError where there is no such device."""
    if device == GATEWAY:
        return site.kinds["gateway"]
    return site.kinds[site.kind if device == SITE else _found(site, device).kind]


def is_in_force(fact: GivenFact, site: SiteSettings) -> bool:
    """Whether the file still says what it said when the fact was given."""
    try:
        known = kind_of(site, fact.device).facts.get(fact.name)
    except KeyError:
        return False
    if known is None or (known.words and fact.value not in known.words):
        return False
    return filed(site, fact.device, fact.name) == fact.filed


def _found(site: SiteSettings, device: str) -> DeviceSettings:
    for each in site.devices:
        if each.id == device:
            return each
    raise KeyError(device)


def _facts(site: SiteSettings, device: DeviceSettings, of_site: Mapping[str, Value]) -> dict[str, Value]:
    """The facts of a device with the situation the site is in now."""
    facts = dict(device.facts)
    for name in SITUATION:
        known = site.kinds[device.kind].facts.get(name)
        if known is None or name not in of_site or (known.words and of_site[name] not in known.words):
            continue
        if facts.get(name) in (site.facts.get(name), known.default):
            facts[name] = of_site[name]
    return facts


def _read(key: str, body: bytes) -> GivenFact:
    device, _, name = key.removeprefix(PREFIX).partition("/")
    found = json.loads(body)
    return GivenFact(device, name, found["value"], found["by"], found["ts"], found["filed"])
