"""The words every kind of equipment is described with: `config/vocabulary/<kind>.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.model import Text, Value, ValueType
from gateway.settings.bundled import config_dir
from gateway.settings.document import read
from gateway.settings.facts import fact_value
from gateway.settings.files import RequirementKeys, VocabularyFactKeys, VocabularyFile, VocabularyPointKeys
from gateway.settings.names import RESERVED_POINTS
from gateway.settings.nodes import Section, find
from gateway.settings.problems import Problems, suggest
from gateway.settings.reading import read_section
from gateway.settings.types import Kind, Mandatory, VocabularyFact, VocabularyPoint
from gateway.settings.values import Bilingual

_MANDATORY_EXAMPLE = Text("例如 {any: [level, volume]}", "such as {any: [level, volume]}")


@cache
def load_vocabulary() -> Mapping[str, Kind]:
    """Every kind that ships with the product, by name; ConfigError where one of the files is wrong."""
    return read_vocabulary(config_dir() / "vocabulary")


def read_vocabulary(directory: Path, language: str = "en") -> Mapping[str, Kind]:
    """Every kind of a folder; ConfigError with the problems of all files."""
    problems = Problems(language)
    kinds = {}
    for path in sorted(directory.glob("*.yaml")):
        kind = _read_kind(path, problems)
        if kind is not None:
            kinds[kind.name] = kind
    problems.raise_any()
    return MappingProxyType(kinds)


def _read_kind(path: Path, problems: Problems) -> Kind | None:
    before = len(problems)
    root, _ = read(path, problems)
    if root is None:
        return None
    keys = read_section(VocabularyFile, root, problems)
    if keys.get("kind") not in (None, path.stem):
        problems.add(
            root.place_of("kind"), Text("与文件名不同", "differs from the name of the file"), Text(path.stem, path.stem)
        )
    _refuse_reserved(root, problems)
    if len(problems) > before:
        return None
    points = {name: _point(name, each) for name, each in keys["points"].items()}
    facts = {name: _fact(name, each, root, problems) for name, each in keys["facts"].items()}
    mandatory = tuple(
        _mandatory(index, each, root, points, facts, problems) for index, each in enumerate(keys["mandatory"])
    )
    return Kind(keys["kind"], keys["name"], MappingProxyType(points), MappingProxyType(facts), mandatory)


def _refuse_reserved(root: Section, problems: Problems) -> None:
    points = root.section("points")
    for name in RESERVED_POINTS if points is not None else ():
        if points is not None and name in points.entries:
            problems.add(
                points.entries[name].key,
                Text(f"测点不能叫 {name}", f"no point is called {name}"),
                Text(f"换一个名字，例如 {name}_1", f"use another name, such as {name}_1"),
            )


def _texts(words: Mapping[str, Any]) -> Mapping[str, Text]:
    return MappingProxyType(
        {word: name.text() if isinstance(name, Bilingual) else name for word, name in words.items()}
    )


def _point(name: str, keys: VocabularyPointKeys) -> VocabularyPoint:
    label: Any = keys.name
    return VocabularyPoint(name, ValueType(keys.type), keys.unit, label, _texts(keys.words))


def _fact(name: str, keys: VocabularyFactKeys, root: Section, problems: Problems) -> VocabularyFact:
    is_date = keys.type == "date"
    label: Any = keys.name
    kind = ValueType.STRING if is_date else ValueType(keys.type)
    fact = VocabularyFact(name, kind, keys.unit, label, _texts(keys.words), None, is_date)
    if keys.default is None:
        return fact
    facts = root.section("facts")
    section = facts.section(name) if facts is not None else None
    node = section.get("default") if section is not None else None
    if node is None:
        return fact
    default = fact_value(fact, node, problems)
    return VocabularyFact(name, kind, keys.unit, label, fact.words, default, is_date)


def _mandatory(
    index: int,
    each: str | RequirementKeys,
    root: Section,
    points: Mapping[str, VocabularyPoint],
    facts: Mapping[str, VocabularyFact],
    problems: Problems,
) -> Mandatory:
    names, when = _requirement(each)
    _, place, _ = find(root, ("mandatory", index))
    if not names:
        problems.add(place, Text("要写 point 或 any", "either point or any is needed here"), _MANDATORY_EXAMPLE)
    for name in names:
        if name not in points:
            problems.add(place, Text(f"没有测点 {name}", f"there is no point {name}"), suggest(name, points))
    for fact in when:
        if fact not in facts:
            problems.add(place, Text(f"没有 {fact} 这一项", f"there is no fact {fact}"), suggest(fact, facts))
    return Mandatory(names, MappingProxyType(dict(when)))


def _requirement(each: str | RequirementKeys) -> tuple[tuple[str, ...], Mapping[str, Value]]:
    if isinstance(each, str):
        return (each,), {}
    names = tuple(each.any) if each.any is not None else ()
    return ((each.point, *names) if each.point is not None else names), each.when
