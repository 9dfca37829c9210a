"""The tree a YAML file becomes: every key and value remembers where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from gateway.settings.problems import Place
from gateway.settings.scalars import Plain

Key: TypeAlias = str | int


class Scalar(NamedTuple):
    """A tuple like Place and Entry: a start makes tens of thousands of them."""

    place: Place
    value: Plain
    text: str
    """As written, without quotes."""


@dataclass(frozen=True, slots=True)
class Listing:
    place: Place
    items: list[Node] = field(default_factory=list)


class Entry(NamedTuple):
    key: Place
    value: Node


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping. `place` is its first key; `key` the key it stands under, where a missing key is reported."""

    place: Place
    key: Place
    entries: dict[Key, Entry] = field(default_factory=dict)

    def get(self, key: Key) -> Node | None:
        entry = self.entries.get(key)
        return None if entry is None else entry.value

    def section(self, key: Key) -> Section | None:
        """The mapping under `key`, where there is one."""
        value = self.get(key)
        return value if isinstance(value, Section) else None

    def only(self, keys: Iterable[Key]) -> Section:
        """The same mapping with no other keys than these."""
        return Section(self.place, self.key, {key: self.entries[key] for key in keys if key in self.entries})

    def place_of(self, key: Key) -> Place:
        """Where the value of `key` stands; without one, where this mapping's own key stands."""
        entry = self.entries.get(key)
        return self.key.below(key) if entry is None else entry.value.place


Node: TypeAlias = Scalar | Listing | Section


def plain(node: Node) -> Any:
    """The tree as dicts, lists and scalars."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    return {key: plain(entry.value) for key, entry in node.entries.items()}


def overlay(base: Section, over: Section, merged: Iterable[Key] = ()) -> Section:
    """`over` laid on `base`: its keys win; mappings under the keys `merged` are laid over each other one level down."""
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        below, above = base.get(key), entry.value
        if key in merged and isinstance(below, Section) and isinstance(above, Section):
            entries[key] = Entry(entry.key, overlay(below, above))
        else:
            entries[key] = entry
    return Section(over.place, over.key, entries)


def find(root: Node, path: Iterable[object]) -> tuple[Node, Place, bool]:
    """Follow `path` from `root`: the node reached, its place, and whether all of the path was found.

    Steps that name nothing in the tree (names a validator makes up for its own branches) are passed over; if the last
    step names nothing, the place is where that key would stand.
    """
    node, place, complete = root, root.key if isinstance(root, Section) else root.place, True
    for part in path:
        complete = False
        if isinstance(node, Section) and isinstance(part, (str, int)) and part in node.entries:
            node, complete = node.entries[part].value, True
            place = node.place
        elif isinstance(node, Listing) and isinstance(part, int) and 0 <= part < len(node.items):
            node, complete = node.items[part], True
            place = node.place
    return node, place, complete
