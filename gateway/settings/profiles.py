"""Device models as data: `config/profiles/<vendor>/<model>.yaml`, and `profiles/` beside a site file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.model import Text
from gateway.settings import texts
from gateway.settings.bundled import config_dir
from gateway.settings.document import read
from gateway.settings.facts import read_facts
from gateway.settings.files import DeviceDefaults, ProfileFile
from gateway.settings.identity import read_identity
from gateway.settings.nodes import Entry, Section, overlay
from gateway.settings.points import PointEntry, judge_points, read_points
from gateway.settings.problems import Problems, suggest
from gateway.settings.protocol import ProtocolModel, Protocols
from gateway.settings.reading import (
    instead_of,
    keys_of,
    read_section,
    refuse_missing,
    refuse_unknown,
    review_options,
)
from gateway.settings.types import IdentityMark, Kind
from gateway.settings.vocabulary import load_vocabulary

DEFAULT_PROTOCOL = "modbus"


@dataclass(frozen=True, slots=True)
class Profile:
    """One device model with everything it builds on laid together."""

    name: str
    kind: str | None
    protocol: ProtocolModel
    line: Section | None
    device: Section | None
    points: Mapping[str, PointEntry]
    identity: tuple[IdentityMark, ...]
    sound: bool
    contents: tuple[tuple[str, bytes], ...]
    """Names and bytes of the files it was read from."""
    keys: Mapping[str, Any]
    """What its own file says of the model: vendor, model, name, source, confidence, firmware, caveats, unit."""
    base: Profile | None


class ProfileShelf:
    """Finds and reads profiles, each once; problems are told where they stand, in the profile's own file."""

    def __init__(
        self, folders: Sequence[Path], protocols: Protocols, vocabulary: Mapping[str, Kind], problems: Problems
    ) -> None:
        self._folders = folders
        self._protocols = protocols
        self._vocabulary = vocabulary
        self._problems = problems
        self._read: dict[str, Profile | None] = {}
        self._reading: set[str] = set()

    def names(self) -> list[str]:
        """Every profile there is."""
        found = {
            path.relative_to(folder).with_suffix("").as_posix()
            for folder in self._folders
            for path in folder.glob("*/**/*.yaml")
        }
        return sorted(found)

    def path(self, name: str) -> Path | None:
        """The file of a profile; a site's own comes before the bundled one of the same name."""
        paths = (folder / f"{name}.yaml" for folder in self._folders)
        return next((path for path in paths if path.is_file()), None)

    def get(self, name: str) -> Profile | None:
        """The profile, None where it cannot be used at all."""
        if name not in self._read:
            path = self.path(name)
            self._read[name] = None if path is None else self.read(path, name)
        return self._read[name]

    def read(self, path: Path, name: str) -> Profile | None:
        """Read and check the profile in `path`."""
        self._reading.add(name)
        try:
            return self._check(path, name)
        finally:
            self._reading.discard(name)

    def _check(self, path: Path, name: str) -> Profile | None:
        problems, before = self._problems, len(self._problems)
        root, data = read(path, problems)
        if root is None:
            return None
        keys = read_section(ProfileFile, root, problems)
        base = self._base(root, keys.get("extends"))
        protocol = self._protocol(root, keys.get("protocol"), base)
        kind = keys.get("kind") or (base.kind if base is not None else None)
        if base is None:
            for key in ("kind", "name"):
                if key not in root.entries:
                    refuse_missing(root, key, problems, instead_of(ProfileFile, key))
        if kind is not None and kind not in self._vocabulary:
            problems.add(root.place_of("kind"), texts.no_kind(kind), suggest(kind, self._vocabulary))
        if protocol is None:
            return None
        points = dict(base.points) if base is not None else {}
        section = root.section("points")
        if section is not None:
            points |= read_points(section, protocol, problems)
        known = self._vocabulary.get(kind or "")
        if known is not None:
            judge_points(points, known, problems)
        inherited = base.identity if base is not None else ()
        return Profile(
            name,
            kind,
            protocol,
            self._line(root, protocol, base),
            self._device(root, protocol, known, base),
            points,
            (*inherited, *read_identity(root.get("identity"), protocol, problems, len(inherited))),
            len(problems) == before and (base is None or base.sound),
            ((name, data), *(base.contents if base is not None else ())),
            keys,
            base,
        )

    def _base(self, root: Section, name: str | None) -> Profile | None:
        if name is None:
            return None
        place, extends_itself = root.place_of("extends"), name in self._reading
        base = None if extends_itself else self.get(name)
        if extends_itself:
            circle = Text("型号文件绕圈引用自己", "this profile extends itself, directly or through others")
            self._problems.add(place, circle, Text("去掉其中一个 extends", "remove one extends"))
        elif base is None and self.path(name) is None:
            self._problems.add(place, texts.no_profile(name), suggest(name, self.names()))
        return base

    def _protocol(self, root: Section, name: str | None, base: Profile | None) -> ProtocolModel | None:
        if name is None and base is not None:
            return base.protocol
        protocol = self._protocols.get(name or DEFAULT_PROTOCOL)
        if protocol is None:
            place = root.place_of("protocol")
            self._problems.add(place, texts.no_protocol(name or DEFAULT_PROTOCOL), suggest(name, self._protocols))
        return protocol

    def _line(self, root: Section, protocol: ProtocolModel, base: Profile | None) -> Section | None:
        section = root.section("line")
        below = base.line if base is not None else None
        if section is None:
            return below
        refuse_unknown(section, keys_of(protocol.line_options), self._problems)
        review_options(protocol.line_options, section, self._problems)
        return section if below is None else overlay(below, section)

    def _device(
        self, root: Section, protocol: ProtocolModel, kind: Kind | None, base: Profile | None
    ) -> Section | None:
        section = root.section("device") or Section(root.place, root.key, {})
        if "unit" in root.entries:
            unit = root.entries["unit"]
            section = overlay(Section(root.place, root.key, {"unit": Entry(unit.key, unit.value)}), section)
        refuse_unknown(section, [*keys_of(DeviceDefaults), *keys_of(protocol.device_options)], self._problems)
        read_section(DeviceDefaults, section.only(keys_of(DeviceDefaults)), self._problems)
        review_options(protocol.device_options, section, self._problems)
        facts = section.section("facts")
        if facts is not None and kind is not None:
            read_facts(facts, kind.facts, self._problems)
        below = base.device if base is not None else None
        return section if below is None else overlay(below, section, merged=("facts",))


def load_profile(path: Path, protocols: Protocols, language: str = "en") -> Profile:
    """One profile file by itself; ConfigError with everything wrong in it and in what it extends."""
    problems = Problems(language)
    folders = [path.resolve().parent.parent, config_dir() / "profiles"]
    profile = ProfileShelf(folders, protocols, load_vocabulary(), problems).read(
        path, f"{path.parent.name}/{path.stem}"
    )
    problems.raise_any()
    if profile is None:
        raise AssertionError("a profile that cannot be read has a problem")
    return profile


def overridden(profile: Profile | None, section: Section) -> Section:
    """A device entry laid on what its profile says of the device."""
    if profile is None or profile.device is None:
        return section
    return overlay(profile.device, section, merged=("facts",))
