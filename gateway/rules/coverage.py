"""What of a site nobody watches: equipment without data, equipment without rules, points no rule looks at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.rules.bind import Binding, bind
from gateway.rules.facts import facts_of
from gateway.rules.mandatory import groups_of
from gateway.rules.types import ANY_KIND, RuleBook
from gateway.settings.types import DeviceSettings, SiteSettings


@dataclass(frozen=True, slots=True)
class Coverage:
    """One device. `unseen` are mandatory points it has none of, each as the alternatives that would do."""

    device: str
    points: int
    rules: int
    """Rules of its own kind that hold for it; those for every kind do not count."""
    unseen: tuple[tuple[str, ...], ...]
    unwatched: tuple[str, ...]
    """Points no rule and no requirement looks at."""

    @property
    def is_blind(self) -> bool:
        """There is no data to judge it by."""
        return not self.points or bool(self.unseen)


def cover(site: SiteSettings, book: RuleBook) -> tuple[Coverage, ...]:
    """How every device of the site is covered, in the order of the file."""
    return tuple(_cover(site, book, device) for device in site.devices)


def _cover(site: SiteSettings, book: RuleBook, device: DeviceSettings) -> Coverage:
    names = tuple(point.name for point in device.points)
    facts = facts_of(site, device)
    binding = bind(book.of_kind(device.kind), site.kinds[device.kind], names, facts)
    asked = groups_of(device, facts)
    watched = watched_names(binding) | {name for group in asked for name in group}
    return Coverage(
        device.id,
        len(names),
        sum(1 for bound in binding.rules if bound.rule.kind != ANY_KIND),
        tuple(group for group in asked if not set(group) & set(names)),
        tuple(name for name in names if name not in watched),
    )


def watched_names(binding: Binding) -> set[str]:
    """Every name a rule depends on, through definitions and windows."""
    made = {name: bound.names for name, bound in binding.define}
    for window in binding.windows:
        made[window.window.name] = window.of.names | (window.when.names if window.when is not None else frozenset())
    found: set[str] = set()
    waiting: list[Iterable[str]] = [bound.names for bound in binding.rules]
    waiting += [bound.names for bound in binding.in_use]
    while waiting:
        for name in waiting.pop():
            if name not in found:
                found.add(name)
                waiting.append(made.get(name, ()))
    return found
