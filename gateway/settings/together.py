"""What shows only when devices are seen together: on one line, or at one site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.model import Text
from gateway.settings.devices import DeviceEntry
from gateway.settings.lines import LineEntry, refuse_shared_endpoints, resolve_line, with_defaults
from gateway.settings.nodes import Entry, Key, Listing, Scalar, Section, find
from gateway.settings.problems import REMOVE, Place, Problems, suggest
from gateway.settings.protocol import SERIAL, Finding
from gateway.settings.types import LineSettings


def settle_lines(
    lines: Mapping[str, LineEntry], devices: Sequence[DeviceEntry], problems: Problems
) -> dict[str, LineSettings]:
    """The lines whose own keys are right, serial ports with their devices' factory settings where they say nothing."""
    settled = {}
    for name, line in lines.items():
        settings = resolve_line(line, problems)
        if settings is None:
            continue
        there = [device for device in devices if device.line == name]
        is_port = settings.endpoint.startswith(SERIAL)
        settled[name] = with_defaults(line, settings, _port_defaults(line, there, problems)) if is_port else settings
    refuse_shared_endpoints(lines, settled, problems)
    return settled


def _port_defaults(line: LineEntry, devices: Sequence[DeviceEntry], problems: Problems) -> dict[Key, Entry]:
    """What the profiles on a port say of it; two that differ need a word from the site file."""
    defaults: dict[Key, Entry] = {}
    owners: dict[Key, str] = {}
    for device in devices:
        if device.profile is None or device.profile.line is None:
            continue
        for key, entry in device.profile.line.entries.items():
            known = defaults.setdefault(key, entry)
            owner = owners.setdefault(key, device.id or "?")
            if _value(known) != _value(entry) and key not in line.section.entries:
                problems.add(
                    line.key.below(str(key)),
                    Text(
                        f"{owner} 出厂是 {_value(known)}，{device.id} 出厂是 {_value(entry)}",
                        f"the maker of {owner} sets {_value(known)}, that of {device.id} {_value(entry)}",
                    ),
                    Text(
                        f"在线路上写明 {key}，并把设备都改成它", f"write {key} on the line, and set the devices to it"
                    ),
                )
    return defaults


def _value(entry: Entry) -> object:
    return entry.value.value if isinstance(entry.value, Scalar) else None


def review_together(devices: Sequence[DeviceEntry], problems: Problems) -> None:
    """What only shows between devices: ids that are taken, dependencies, one name with two types."""
    _refuse_same_ids(devices, problems)
    _review_dependencies(devices, problems)
    _refuse_two_types(devices, problems)


def _refuse_same_ids(devices: Sequence[DeviceEntry], problems: Problems) -> None:
    first: dict[str, Place] = {}
    for device in devices:
        if device.id is None:
            continue
        place = device.section.place_of("id")
        if device.id in first:
            line = first[device.id].line
            problems.add(
                place,
                Text(
                    f"编号 {device.id} 已被第 {line} 行的设备使用",
                    f"the id {device.id} is taken by the device on line {line}",
                ),
                Text(f"换一个编号，例如 {device.id}-b", f"use another id, such as {device.id}-b"),
            )
        first.setdefault(device.id, place)


def _review_dependencies(devices: Sequence[DeviceEntry], problems: Problems) -> None:
    known = {device.id: device for device in devices if device.id is not None}
    reported: set[str] = set()
    for device in devices:
        listing = device.section.get("depends_on")
        for item in listing.items if isinstance(listing, Listing) else ():
            name = item.value if isinstance(item, Scalar) else None
            if name not in device.depends_on:
                continue
            if name not in known:
                others = [other for other in known if other != device.id]
                problems.add(
                    item.place, Text(f"没有设备 {name}", f"there is no device {name}"), suggest(name, others) or REMOVE
                )
            elif device.id is not None and device.id not in reported:
                circle = _circle(device.id, str(name), known)
                if circle is not None:
                    reported.update(circle)
                    shown = " -> ".join((device.id, *circle))
                    problems.add(
                        item.place,
                        Text(f"设备互相依赖：{shown}", f"devices depend on each other in a circle: {shown}"),
                        Text("去掉其中一个依赖", "remove one of these dependencies"),
                    )


def _circle(start: str, first: str, known: Mapping[str, DeviceEntry]) -> list[str] | None:
    """The way from `first` back to `start` along dependencies."""
    ways = [[first]]
    seen = {first}
    while ways:
        way = ways.pop()
        if way[-1] == start:
            return way
        for name in known[way[-1]].depends_on:
            if name in known and (name not in seen or name == start):
                seen.add(name)
                ways.append([*way, name])
    return None


def _refuse_two_types(devices: Sequence[DeviceEntry], problems: Problems) -> None:
    first: dict[tuple[str, str], tuple[str | None, str]] = {}
    for device in devices:
        if device.kind is None:
            continue
        for entry in device.points.values():
            for source in entry.sources:
                other, type_ = first.setdefault((device.kind, source.name), (device.id, source.type))
                if type_ != source.type:
                    problems.add(
                        entry.key,
                        Text(
                            f"{source.name} 在 {other} 是 {type_}，这里是 {source.type}；同类设备同名测点类型必须相同",
                            f"{source.name} is a {type_} in {other} and a {source.type} here; "
                            "devices of one kind share the type of a name",
                        ),
                        Text("改名或改类型", "change the name or the type"),
                    )


def review_line(entry: LineEntry, line: LineSettings, devices: Sequence[DeviceEntry], problems: Problems) -> None:
    """Hand the sound devices of a line to its protocol and tell what it finds at its place."""
    there = {device.id: device for device in devices if device.line == line.id and device.settings is not None}
    settings = [device.settings for device in there.values() if device.settings is not None]
    for finding in entry.protocol.review(line, settings):
        device = None if finding.device is None else there.get(finding.device)
        problems.add(_place(finding, entry, device), finding.text, finding.hint)


def _place(finding: Finding, line: LineEntry, device: DeviceEntry | None) -> Place:
    if device is None:
        return _below(line.section, finding.key)
    if finding.point is None:
        return _below(device.section, finding.key)
    for point in device.points.values():
        if finding.point == point.name or any(source.name == finding.point for source in point.sources):
            return _below(point.section, finding.key)
    return device.section.key


def _below(section: Section, key: str) -> Place:
    """The value of `key`, a path of keys and indices with dots between; the section's own key without one."""
    if not key:
        return section.key
    parts = [int(part) if part.isdigit() else part for part in key.replace("[", ".").replace("]", "").split(".")]
    found, place, complete = find(section, parts)
    return place if complete or not isinstance(found, Section) else found.place_of(str(parts[-1]))
