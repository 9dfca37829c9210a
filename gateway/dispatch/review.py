"""Names in `notify` that only the rules of a site can judge: of rules, roles and kinds. A route that misses its alarms
because of a slip of the pen tells nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from gateway.model import Text
from gateway.settings.document import read
from gateway.settings.nodes import Listing, Scalar, Section
from gateway.settings.problems import Problems, suggest
from gateway.settings.types import SiteSettings

_WORDS = {
    "rules": ("没有规则 {}", "there is no rule {}"),
    "roles": ("没有规则归角色 {} 负责", "no rule names the role {}"),
    "kinds": ("没有 {} 这一类", "there is no kind {}"),
}


class Rule(Protocol):
    """What a name can mean (gateway.rules.types.Rule)."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...


def review_names(site: SiteSettings, rules: Collection[Rule], language: str = "en") -> None:
    """ConfigError where `notify` names a rule, role or kind that this site does not have."""
    if site.notify is None:
        return
    problems = Problems(language)
    root, _ = read(site.source, problems)
    notify = None if root is None else root.section("notify")
    known: Mapping[str, Collection[str]] = {
        "rules": {rule.name for rule in rules},
        "roles": {rule.role for rule in rules},
        "kinds": site.kinds,
    }
    for section in _matches(notify) if notify is not None else ():
        for key, names in known.items():
            listing = section.get(key)
            for item in listing.items if isinstance(listing, Listing) else ():
                if isinstance(item, Scalar) and item.value not in names:
                    zh, en = _WORDS[key]
                    said = Text(zh.format(item.value), en.format(item.value))
                    problems.add(item.place, said, suggest(item.value, names))
    problems.raise_any()


def _matches(notify: Section) -> Iterator[Section]:
    yield from _sections(notify, "routes")
    for inhibit in _sections(notify, "inhibit"):
        yield from (part for part in (inhibit.section("source"), inhibit.section("target")) if part is not None)


def _sections(notify: Section, key: str) -> Sequence[Section]:
    listing = notify.get(key)
    items = listing.items if isinstance(listing, Listing) else ()
    return [item for item in items if isinstance(item, Section)]
