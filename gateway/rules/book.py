"""All the rules a site judges by: its packs, with its own values put in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gateway.model import Text, ValueType
from gateway.rules.load import read_pack
from gateway.rules.overrides import override
from gateway.rules.types import ANY_KIND, Override, Pack, Rule, RuleBook
from gateway.settings.bundled import config_dir
from gateway.settings.document import read
from gateway.settings.nodes import Section, find
from gateway.settings.packs import BUILTIN, pack_path
from gateway.settings.problems import Place, Problems, suggest
from gateway.settings.types import SiteSettings
from gateway.settings.vocabulary import load_vocabulary

#: The latest books, by the digest of everything they were made from: asked for when a file is checked, when it runs,
#: and when it is gone back to while another one stands on the disk.
_latest: dict[str, RuleBook] = {}
_MOST_KEPT = 4


def load_rules(site: SiteSettings, language: str = "en") -> RuleBook:
    """The rules of a site; ConfigError with every problem of its packs and of its own values."""
    if not site.rules and not site.rule_overrides:
        return RuleBook()
    book = _latest.pop(site.digest, None) or _load(site, language)
    _latest[site.digest] = book
    while len(_latest) > _MOST_KEPT:
        _latest.pop(next(iter(_latest)), None)
    return book


def packs_as_written(site: SiteSettings, language: str = "en") -> tuple[Pack, ...]:
    """The packs of a site without its own values: what the cases beside the rules speak of."""
    problems = Problems(language)
    packs = _packs(site, _tree(site, problems), problems)
    problems.raise_any()
    return tuple(packs)


def _load(site: SiteSettings, language: str) -> RuleBook:
    problems = Problems(language)
    root = _tree(site, problems)
    changed = _override_all(_packs(site, root, problems), root, problems)
    problems.raise_any()
    return changed


def _tree(site: SiteSettings, problems: Problems) -> Section:
    root, _ = read(site.source, problems)
    problems.raise_any()
    if root is None:
        raise AssertionError("a file without problems gives a tree")
    return root


def _packs(site: SiteSettings, root: Section, problems: Problems) -> list[Pack]:
    own: dict[str, dict[str, ValueType]] = {}
    for device in site.devices:
        own.setdefault(device.kind, {}).update({point.name: point.type for point in device.points})
    base = site.source.resolve().parent
    packs: list[Pack] = []
    seen: dict[Path, str] = {}
    for index, name in enumerate(site.rules):
        path = pack_path(name, base)
        place = find(root, ("rules", index))[1]
        if path.resolve() in seen:
            problems.add(
                place, Text("这个规则包已经写过", "this rule pack stands twice"), Text("删去一个", "remove one")
            )
            continue
        seen[path.resolve()] = name
        pack = read_pack(path, name, site.kinds, own, problems)
        if pack is not None:
            _refuse_clashes(pack, packs, place, problems)
            packs.append(pack)
    return packs


def builtin_packs(language: str = "en") -> tuple[Pack, ...]:
    """Every pack that ships; ConfigError where one is wrong."""
    names = sorted(f"{BUILTIN}{path.stem}" for path in (config_dir() / "rules").glob("*.yaml"))
    return read_packs([(name, pack_path(name, Path())) for name in names], language)


def read_packs(files: list[tuple[str, Path]], language: str = "en") -> tuple[Pack, ...]:
    """Packs by name and file, without a site; ConfigError with every problem."""
    problems = Problems(language)
    vocabulary = load_vocabulary()
    packs: list[Pack] = []
    for name, path in files:
        pack = read_pack(path, name, vocabulary, {}, problems)
        if pack is not None:
            _refuse_clashes(pack, packs, Place(str(path), 1, 1, "."), problems)
            packs.append(pack)
    problems.raise_any()
    return tuple(packs)


def _refuse_clashes(pack: Pack, others: list[Pack], place: Place, problems: Problems) -> None:
    """A rule's name is unique; within a kind those of definitions and windows are too."""
    for other in others:
        names = {rule.name for rule in pack.rules} & {rule.name for rule in other.rules}
        if pack.kind == other.kind or ANY_KIND in (pack.kind, other.kind):
            names |= (pack.define.keys() | pack.windows.keys()) & (other.define.keys() | other.windows.keys())
        for name in sorted(names):
            problems.add(
                place,
                Text(f"{name} 在 {other.name} 中已经有了", f"{name} is already in {other.name}"),
                Text("换一个名字", "give it another name"),
            )


def _override_all(packs: list[Pack], root: Section, problems: Problems) -> RuleBook:
    section = root.section("rule_overrides")
    if section is None:
        return RuleBook(tuple(packs))
    names = {rule.name for pack in packs for rule in pack.rules}
    for key, entry in section.entries.items():
        if key not in names:
            problems.add(
                entry.key,
                Text(f"没有规则 {key}", f"there is no rule {key} in the packs of this site"),
                suggest(key, names),
            )
    overrides: list[Override] = []
    changed = []
    for pack in packs:
        rules: list[Rule] = []
        for rule in pack.rules:
            given = section.get(rule.name)
            if not isinstance(given, Section):
                rules.append(rule)
                continue
            made = override(rule, pack, given, problems)
            overrides += made.changes
            rules += [made.rule] if made.rule is not None else []
        changed.append(replace(pack, rules=tuple(rules)))
    return RuleBook(tuple(changed), tuple(overrides))
