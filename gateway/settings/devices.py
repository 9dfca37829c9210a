"""The devices of a site: entries laid on their profiles, checked, and resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from gateway.model import Point, ReportPolicy, Text, Value
from gateway.settings import texts
from gateway.settings.facts import SITUATION, read_facts
from gateway.settings.files import DeviceKeys
from gateway.settings.identity import read_identity
from gateway.settings.lines import LineEntry
from gateway.settings.nodes import Listing, Node, Scalar, Section
from gateway.settings.pace_keys import read_pace
from gateway.settings.points import PointEntry, judge_points, points_of, read_points
from gateway.settings.problems import Problems, suggest
from gateway.settings.profiles import DEFAULT_PROTOCOL, Profile, ProfileShelf, overridden
from gateway.settings.protocol import ProtocolModel, Protocols
from gateway.settings.reading import keys_of, read_options, read_section, read_sound, refuse_missing, refuse_unknown
from gateway.settings.types import DeviceSettings, IdentityMark, Kind, Mandatory, WritePolicy
from gateway.settings.values import ReportRule
from gateway.settings.writes import settle_writes

DEFAULT_INTERVAL_S = 5.0
#: Profiles of this kind serve devices of any kind: a leak sensor is a warehouse's, a temperature probe a pump room's.
SENSOR = "sensor"

_COMMON = [key for key in keys_of(DeviceKeys) if key != "points"]

_POINTS_EXAMPLE = Text('例如 level: {at: "holding:40", unit: m}', 'such as level: {at: "holding:40", unit: m}')


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """One device as written; `settings` where nothing is wrong with it."""

    id: str | None
    section: Section
    line: str | None
    kind: str | None
    profile: Profile | None
    depends_on: tuple[str, ...]
    points: Mapping[str, PointEntry]
    settings: DeviceSettings | None


@dataclass(frozen=True, slots=True)
class SiteFrame:
    """What of the site a device is read with."""

    lines: Mapping[str, LineEntry]
    shelf: ProfileShelf
    vocabulary: Mapping[str, Kind]
    report: ReportPolicy
    facts: Mapping[str, Value]
    longest_interval_s: Mapping[str, float]
    protocols: Protocols
    alike: dict[object, tuple[Point, ...]] = field(default_factory=dict)
    """Points by what they were made of: devices that are alike share theirs."""

    def likely_protocol(self) -> ProtocolModel | None:
        """The protocol a device without a line most likely speaks."""
        return self.protocols.get(DEFAULT_PROTOCOL)


def read_devices(node: Node | None, frame: SiteFrame, problems: Problems) -> list[DeviceEntry]:
    """Every device that can be spoken of, wrong ones included."""
    devices = []
    for item in node.items if isinstance(node, Listing) else ():
        if isinstance(item, Section):
            devices.append(_read_device(item, frame, problems))
        else:
            problems.add(
                item.place,
                Text("设备要写成“键: 值”", "a device is written as `key: value` entries"),
                Text("{id: gen-1, ...}", "{id: gen-1, ...}"),
            )
    return devices


def _read_device(section: Section, frame: SiteFrame, problems: Problems) -> DeviceEntry:
    before = len(problems)
    own = read_sound(DeviceKeys, section, ("profile", "line"))
    profile = _profile(section, own.get("profile"), frame.shelf, problems)
    protocol = _protocol(section, own.get("line"), profile, frame, problems)
    merged = overridden(profile, section)
    if protocol is not None:
        refuse_unknown(section, [*keys_of(DeviceKeys), *keys_of(protocol.device_options)], problems)
    keys = read_section(DeviceKeys, merged.only(_COMMON), problems)
    kind_name = _kind(section, keys.get("kind"), profile, frame.vocabulary, problems)
    kind = frame.vocabulary.get(kind_name or "")
    options = None if protocol is None else read_options(protocol.device_options, merged, problems)
    points = _points(section, protocol, profile, kind, frame.vocabulary, problems)
    facts = _facts(merged, kind, frame.facts, problems)
    not_measured = _not_measured(merged, keys.get("not_measured", ()), kind, points, problems)
    writes = _writes(merged, keys, points, kind, problems)
    identity = _identity(section, protocol, profile, problems)
    longest_interval_s = {**frame.longest_interval_s, **read_pace(section, keys.get("longest_interval"), problems)}
    depends_on = keys.get("depends_on", ())
    settings = None
    sound = (
        len(problems) == before and (profile is None or profile.sound) and all(each.sound for each in points.values())
    )
    if sound and options is not None and kind is not None and {"id", "line"} <= keys.keys():
        settings = _settle(keys, profile, kind, options, points, facts, not_measured, frame, writes, identity)
        settings = replace(settings, longest_interval_s=MappingProxyType(longest_interval_s))
    return DeviceEntry(keys.get("id"), section, own.get("line"), kind_name, profile, depends_on, points, settings)


def _profile(section: Section, name: str | None, shelf: ProfileShelf, problems: Problems) -> Profile | None:
    if name is None:
        return None
    profile = shelf.get(name)
    if profile is None and shelf.path(name) is None:
        problems.add(section.place_of("profile"), texts.no_profile(name), suggest(name, shelf.names()))
    return profile


def _protocol(
    section: Section, line: str | None, profile: Profile | None, frame: SiteFrame, problems: Problems
) -> ProtocolModel | None:
    if line is not None and line in frame.lines:
        protocol = frame.lines[line].protocol
        if profile is not None and profile.protocol.name != protocol.name:
            problems.add(
                section.place_of("profile"),
                Text(
                    f"这个型号用 {profile.protocol.name}，线路 {line} 用 {protocol.name}",
                    f"this model speaks {profile.protocol.name}, line {line} speaks {protocol.name}",
                ),
                Text("换一条线路", "use another line"),
            )
        return protocol
    if line is not None:
        example = f'lines: {{{line}: {{tcp: "10.0.0.5:502"}}}}'
        problems.add(
            section.place_of("line"),
            Text(f"没有线路 {line}", f"there is no line {line}"),
            suggest(line, frame.lines) or texts.such_as(example),
        )
    return profile.protocol if profile is not None else frame.likely_protocol()


def _kind(
    section: Section, name: str | None, profile: Profile | None, vocabulary: Mapping[str, Kind], problems: Problems
) -> str | None:
    if name is None:
        if "kind" not in section.entries and profile is None and "profile" not in section.entries:
            refuse_missing(section, "kind", problems, Text("例如 kind: generator", "such as kind: generator"))
        return profile.kind if profile is not None else None
    if name not in vocabulary:
        problems.add(section.place_of("kind"), texts.no_kind(name), suggest(name, vocabulary))
    elif profile is not None and profile.kind not in (None, SENSOR, name):
        problems.add(
            section.place_of("kind"),
            Text(
                f"型号文件 {profile.name} 是 {profile.kind}，不是 {name}",
                f"profile {profile.name} is for a {profile.kind}, not a {name}",
            ),
            Text(
                f"写 kind: {profile.kind}，或在 profiles/ 里用 extends 另做一个",
                f"write kind: {profile.kind}, or make a profile of your own that extends it",
            ),
        )
    return name


def _points(
    section: Section,
    protocol: ProtocolModel | None,
    profile: Profile | None,
    kind: Kind | None,
    vocabulary: Mapping[str, Kind],
    problems: Problems,
) -> Mapping[str, PointEntry]:
    points = dict(profile.points) if profile is not None else {}
    home = vocabulary.get(profile.kind or "") if profile is not None else None
    foreign = home is not None and kind is not None and home.name == SENSOR != kind.name
    if foreign:
        points = {name: replace(entry, home=home) for name, entry in points.items()}
    inline = section.get("points")
    if inline is not None and not isinstance(inline, Section):
        empty = isinstance(inline, Scalar) and inline.value is None
        problems.add(inline.place, texts.EMPTY if empty else texts.MAPPING, _POINTS_EXAMPLE)
    elif inline is not None and protocol is not None:
        points |= read_points(inline, protocol, problems)
    if kind is not None and (foreign or isinstance(inline, Section)):
        judge_points(points, kind, problems, section.place_of("profile"))
    if inline is None and "profile" not in section.entries:
        refuse_missing(section, "points", problems, Text("写 profile 或 points", "write profile or points"))
    return points


def _identity(
    section: Section, protocol: ProtocolModel | None, profile: Profile | None, problems: Problems
) -> tuple[IdentityMark, ...]:
    known = profile.identity if profile is not None else ()
    if protocol is None:
        return known
    return (*known, *read_identity(section.get("identity"), protocol, problems, len(known), of_model=False))


def _facts(merged: Section, kind: Kind | None, site_facts: Mapping[str, Value], problems: Problems) -> dict[str, Value]:
    if kind is None:
        return {}
    facts = {name: fact.default for name, fact in kind.facts.items() if fact.default is not None}
    for name in SITUATION:
        fact = kind.facts.get(name)
        if fact is not None and name in site_facts and (not fact.words or site_facts[name] in fact.words):
            facts[name] = site_facts[name]
    section = merged.section("facts")
    return facts if section is None else facts | read_facts(section, kind.facts, problems)


def _not_measured(
    merged: Section, names: tuple[str, ...], kind: Kind | None, points: Mapping[str, PointEntry], problems: Problems
) -> tuple[str, ...]:
    listing = merged.get("not_measured")
    if kind is None or not isinstance(listing, Listing):
        return names
    given = {source.name for entry in points.values() for source in entry.sources}
    required = sorted({point for requirement in kind.mandatory for point in requirement.points})
    for item in listing.items:
        name = item.value if isinstance(item, Scalar) else None
        if not isinstance(name, str):
            continue
        if name in given:
            problems.add(
                item.place,
                Text(f"{name} 已经是测点，不能又说没有", f"{name} is a point of this device and cannot be missing"),
                Text("删去一处", "remove one of them"),
            )
        elif name not in required:
            problems.add(
                item.place,
                Text(f"{name} 不是 {kind.name} 的必备测点", f"{name} is no mandatory point of a {kind.name}"),
                suggest(name, required),
            )
    return names


def _writes(
    merged: Section, keys: Mapping[str, Any], points: Mapping[str, PointEntry], kind: Kind | None, problems: Problems
) -> Mapping[str, WritePolicy]:
    allowed = keys.get("write")
    if not allowed or kind is None:
        return MappingProxyType({})
    known = [point for entry in points.values() for point in points_of(entry, kind, DEFAULT_INTERVAL_S, ReportPolicy())]
    return settle_writes(merged, allowed, points, known, kind.name, problems)


def _settle(
    keys: Mapping[str, Any],
    profile: Profile | None,
    kind: Kind,
    options: BaseModel,
    points: Mapping[str, PointEntry],
    facts: Mapping[str, Value],
    not_measured: tuple[str, ...],
    frame: SiteFrame,
    writes: Mapping[str, WritePolicy],
    identity: tuple[IdentityMark, ...],
) -> DeviceSettings:
    rule: ReportRule | None = keys.get("report")
    report = frame.report if rule is None else rule.over(frame.report)
    interval_s = keys.get("interval") or DEFAULT_INTERVAL_S
    made_of = kind.name, interval_s, report, tuple(map(id, points.values()))
    shared = frame.alike.get(made_of)
    if shared is None:
        made = (point for entry in points.values() for point in points_of(entry, kind, interval_s, report))
        shared = frame.alike[made_of] = tuple(made)
    return DeviceSettings(
        id=keys["id"],
        name=keys.get("name"),
        kind=kind.name,
        profile=profile.name if profile is not None else None,
        line=keys["line"],
        points=shared,
        interval_s=interval_s,
        facts=MappingProxyType(dict(facts)),
        mandatory=_mandatory(kind, not_measured),
        depends_on=keys.get("depends_on", ()),
        not_measured=not_measured,
        options=options,
        writes=writes,
        identity=identity,
    )


def _mandatory(kind: Kind, not_measured: tuple[str, ...]) -> tuple[Mandatory, ...]:
    left = (
        Mandatory(tuple(point for point in each.points if point not in not_measured), each.when)
        for each in kind.mandatory
    )
    return tuple(each for each in left if each.points)
