"""Who may act in the demo: two posts, so that what needs two people can be tried, with a password of this run alone."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from gateway.operators import operator_line

POSTS: Mapping[str, str] = MappingProxyType({"duty": "operator", "chief": "maintainer"})
"""Name and role."""


@dataclass(frozen=True, slots=True)
class People:
    """The posts of one run, and the password that each of them has."""

    posts: Mapping[str, str]
    password: str


def introduce(file: Path) -> People:
    """Write the operators file of a run."""
    people = People(POSTS, secrets.token_hex(4))
    file.touch(0o600)
    lines = [operator_line(name, role, people.password) for name, role in people.posts.items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return people
