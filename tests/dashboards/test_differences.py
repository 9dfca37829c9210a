"""Only what we say is compared, and nothing of it is overlooked."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.dashboards.differences import Difference, differences

_LEAVES = st.one_of(st.booleans(), st.integers(-5, 5), st.text("abc", min_size=1, max_size=3))
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3), st.dictionaries(st.sampled_from("pqrs"), inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from leaves(value, (*path, index))
    else:
        yield path


@given(_TREES)
def test_the_same_does_not_differ(tree: object) -> None:
    assert list(differences(tree, copy.deepcopy(tree))) == []


@given(_TREES, st.data())
def test_every_changed_leaf_is_found_at_its_place(tree: Any, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(leaves(tree))))
    value = data.draw(_LEAVES)
    changed = copy.deepcopy({"top": tree})
    place: Any = changed
    for step in ("top", *path[:-1]) if path else ():
        place = place[step]
    key = path[-1] if path else "top"
    before = place[key]
    assume(value != before or isinstance(value, bool) != isinstance(before, bool))
    place[key] = value
    (found,) = differences({"top": tree}, changed)
    assert (found.found, found.wanted) == (value, before)


@given(st.dictionaries(st.sampled_from("pqrs"), _TREES, min_size=1), st.dictionaries(st.sampled_from("xyz"), _TREES))
def test_what_the_server_added_is_its_own(wanted: dict[str, object], added: dict[str, object]) -> None:
    assert list(differences(wanted, {**wanted, **added})) == []


def test_empty_is_the_same_as_nothing_and_lengths_are_told() -> None:
    assert list(differences({"a": [], "b": {}, "c": "", "d": None}, {})) == []
    assert list(differences({"a": [1, 2]}, {"a": [1]})) == [Difference("a.length", 1, 2)]
    assert list(differences({"a": [1]}, {"a": None})) == [Difference("a", None, [1])]
    assert list(differences({"a": False}, {})) == [Difference("a", None, False)]


def test_a_difference_is_readable() -> None:
    assert str(Difference("panels[0].title", "mine", "站点")) == 'panels[0].title: "mine" -> "站点"'
    assert str(Difference("a", None, "x" * 100)).endswith("…")
