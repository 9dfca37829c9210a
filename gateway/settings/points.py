"""Point entries of profiles and site files: read, judged against the vocabulary, turned into points of a device."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from gateway.model import Point, ReportPolicy, Text, ValueType
from gateway.settings.files import PointKeys
from gateway.settings.names import RESERVED_POINTS
from gateway.settings.nodes import Section
from gateway.settings.problems import Place, Problems, suggest
from gateway.settings.protocol import ProtocolModel, SourcePoint
from gateway.settings.reading import keys_of, read_options, read_section, refuse_unknown
from gateway.settings.types import Kind, VocabularyPoint
from gateway.settings.values import ReportRule, WriteKeys

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

_TYPES = {
    ValueType.NUMBER: Text("数", "a number"),
    ValueType.BOOLEAN: Text("真假值", "a boolean"),
    ValueType.STRING: Text("文字", "a string"),
}


@dataclass(frozen=True, slots=True)
class PointEntry:
    """One entry of `points:` as written, with what its protocol made of it."""

    name: str
    key: Place
    section: Section
    common: Mapping[str, Any]
    sources: tuple[SourcePoint, ...]
    sound: bool
    """Nothing is wrong with the entry itself."""
    home: Kind | None = None
    """The kind its profile is written for, where the device is of another."""

    def known(self, name: str, kind: Kind | None) -> VocabularyPoint | None:
        """What the vocabulary says of a point of this entry on a device of `kind`."""
        known = kind.points.get(name) if kind is not None else None
        return known if known is not None or self.home is None else self.home.points.get(name)


def read_points(section: Section, protocol: ProtocolModel, problems: Problems) -> dict[str, PointEntry]:
    """Every entry that can be spoken of, wrong ones included."""
    entries = {}
    for key, entry in section.entries.items():
        name = str(key)
        if not isinstance(entry.value, Section):
            problems.add(
                entry.value.place,
                Text("测点要写成“键: 值”", "a point is written as `key: value` entries"),
                Text('{at: "holding:0"}', '{at: "holding:0"}'),
            )
            continue
        entries[name] = _read_point(name, entry.key, entry.value, protocol, problems)
    return entries


def _read_point(name: str, key: Place, section: Section, protocol: ProtocolModel, problems: Problems) -> PointEntry:
    before = len(problems)
    if not _NAME.fullmatch(name):
        better = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")[:64]
        problems.add(
            key,
            Text(
                "测点名只用小写字母、数字和 _，以字母开头",
                "a point name has lower-case letters, digits and _, a letter first",
            ),
            Text(f"例如 {better}", f"such as {better}") if _NAME.fullmatch(better) else None,
        )
    elif name in RESERVED_POINTS:
        hint = Text(f"换一个名字，例如 {name}_1", f"use another name, such as {name}_1")
        problems.add(key, Text(f"测点不能叫 {name}", f"no point may be called {name}"), hint)
    known = set(keys_of(PointKeys)) | set(keys_of(protocol.point_options))
    refuse_unknown(section, known, problems)
    common = read_section(PointKeys, section.only(keys_of(PointKeys)), problems)
    options = read_options(protocol.point_options, section, problems)
    sources = _sources(name, options, protocol)
    _judge_alone(section, common, sources, problems)
    return PointEntry(name, key, section, common, sources, len(problems) == before)


def _sources(name: str, options: BaseModel | None, protocol: ProtocolModel) -> tuple[SourcePoint, ...]:
    return () if options is None else tuple(protocol.points(name, options))


def _judge_alone(
    section: Section, common: Mapping[str, Any], sources: tuple[SourcePoint, ...], problems: Problems
) -> None:
    write: WriteKeys | None = common.get("write")
    read_only = next((source.read_only for source in sources if source.read_only is not None), None)
    if write is not None and read_only is not None:
        problems.add(section.entries["write"].key, read_only, Text("删去 write", "remove write"))
    if not sources or any(source.type is ValueType.NUMBER for source in sources):
        return
    if write is not None and write.range is not None:
        writes = section.section("write") or section
        problems.add(
            writes.place_of("range"), Text("只有数才有范围", "only a number has a range"), Text("删去", "remove it")
        )
    report: ReportRule | None = common.get("report")
    not_a_number = Text("只有数值测点才能用", "only a point that is a number can have this")
    remove = Text("删去", "remove it")
    if common.get("range") is not None:
        problems.add(section.entries["range"].key, not_a_number, remove)
    if common.get("unit") is not None:
        problems.add(section.entries["unit"].key, not_a_number, remove)
    if report is not None and report.deadband is not None:
        reports = section.section("report")
        problems.add((reports or section).entries["deadband" if reports else "report"].key, not_a_number, remove)


def judge_points(
    entries: Mapping[str, PointEntry], kind: Kind, problems: Problems, profile: Place | None = None
) -> None:
    """Known names must have the vocabulary's type, unit and words; no two entries may give one name. `profile` is where
    the device names a profile of another kind: what does not fit of that one is told there."""
    owners: dict[str, PointEntry] = {}
    for entry in entries.values():
        for source in entry.sources:
            other = owners.setdefault(source.name, entry)
            if other is not entry:
                problems.add(
                    entry.key,
                    Text(
                        f"测点 {source.name} 已由 {other.name} 给出",
                        f"{other.name} already gives a point {source.name}",
                    ),
                    Text(f"换一个名字，例如 {entry.name}_2", f"use another name, such as {entry.name}_2"),
                )
            known = kind.points.get(source.name)
            if known is not None and entry.home is not None and profile is not None:
                _judge_foreign(entry, source, known, kind, profile, problems)
            elif known is not None:
                _judge_known(entry, source, known, kind, problems)


def _judge_known(
    entry: PointEntry, source: SourcePoint, known: VocabularyPoint, kind: Kind, problems: Problems
) -> None:
    if source.type is not known.type:
        is_, must = _TYPES[source.type], _TYPES[known.type]
        place = entry.section.place_of("type") if "type" in entry.section.entries else entry.key
        problems.add(
            place,
            Text(
                f"{kind.name} 的 {source.name} 应当是{must.zh}，这里是{is_.zh}",
                f"{source.name} of a {kind.name} must be {must.en}, this gives {is_.en}",
            ),
            Text("改类型，或用词表以外的名字", "change the type, or use a name outside the vocabulary"),
        )
        return
    unit = entry.common.get("unit")
    if unit is not None and unit != known.unit and known.type is ValueType.NUMBER:
        must_be = known.unit or '""'
        problems.add(
            entry.section.place_of("unit"),
            Text(
                f"{kind.name} 的 {source.name} 单位应当是 {must_be}",
                f"{source.name} of a {kind.name} is in {must_be}, not {unit}",
            ),
            Text(f"写 unit: {must_be}，用 scale 换算", f"write unit: {must_be} and convert with scale"),
        )
    strange = [word for word in source.words if known.words and word not in known.words]
    for word in strange:
        place = entry.section.place_of("enum") if "enum" in entry.section.entries else entry.key
        problems.add(
            _word_place(entry, word) or place,
            Text(f"{source.name} 没有 {word} 这个词", f"{source.name} of a {kind.name} has no word {word}"),
            suggest(word, known.words),
        )


def _judge_foreign(
    entry: PointEntry, source: SourcePoint, known: VocabularyPoint, kind: Kind, profile: Place, problems: Problems
) -> None:
    """A point of a sensor's profile on a device of a kind that knows the name: it must mean the same."""
    written = entry.home.points.get(source.name) if entry.home is not None else None
    unit = entry.common.get("unit") or (written.unit if written is not None else "")
    same_unit = known.type is not ValueType.NUMBER or unit == known.unit
    strange = [word for word in source.words if known.words and word not in known.words]
    if source.type is known.type and same_unit and not strange:
        return
    problems.add(
        profile,
        Text(
            f"这个型号的 {source.name} 与 {kind.name} 的同名测点不同",
            f"{source.name} of this model is not what a {kind.name} calls {source.name}",
        ),
        Text(
            f"在 points 里自己写 {source.name}，或用别的型号",
            f"write {source.name} under points yourself, or take another model",
        ),
    )


def _word_place(entry: PointEntry, word: str) -> Place | None:
    """Where a word of an enumeration is written."""
    for below in entry.section.entries.values():
        if isinstance(below.value, Section):
            for each in below.value.entries.values():
                if getattr(each.value, "value", None) == word:
                    return each.value.place
    return None


def points_of(entry: PointEntry, kind: Kind | None, interval_s: float, report: ReportPolicy) -> list[Point]:
    """The points one entry stands for on a device with this interval and default report policy."""
    rule: ReportRule | None = entry.common.get("report")
    policy = report if rule is None else rule.over(report)
    own_interval: float | None = entry.common.get("interval")
    points = []
    for source in entry.sources:
        known = entry.known(source.name, kind)
        numeric = source.type is ValueType.NUMBER
        points.append(
            Point(
                name=source.name,
                type=source.type,
                unit=(entry.common.get("unit") or (known.unit if known is not None else "")) if numeric else "",
                interval_s=interval_s if own_interval is None else own_interval,
                report=policy if numeric else ReportPolicy(policy.every_s, None, policy.poll),
                options=source.options,
                limits=entry.common.get("range") if numeric else None,
                label=_label(entry, source, known),
                words=known.words if known is not None and known.words else _own_words(source),
            )
        )
    return points


def _label(entry: PointEntry, source: SourcePoint, known: VocabularyPoint | None) -> Text | None:
    own: Text | None = entry.common.get("name")
    if own is None or (source.name != entry.name and known is not None):
        return known.label if known is not None else None
    if source.name == entry.name:
        return own
    word = source.name.removeprefix(f"{entry.name}_")
    return Text(f"{own.zh} {word}", f"{own.en} {word}")


def _own_words(source: SourcePoint) -> Mapping[str, Text]:
    return MappingProxyType({word: Text(word, word) for word in source.words})
