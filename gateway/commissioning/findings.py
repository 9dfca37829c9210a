"""What a check of the machine found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from gateway.model import Text


class Grade(IntEnum):
    """How much a finding matters, in order."""

    FINE = 0
    NOTE = 1
    """Works, but could be better."""
    WARNING = 2
    """Works now, and will fail sooner or later."""
    FAILURE = 3
    """Does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `do` says what to do where it is not fine."""

    topic: str
    grade: Grade
    text: Text
    do: Text | None = None


def fine(topic: str, zh: str, en: str) -> Finding:
    return Finding(topic, Grade.FINE, Text(zh, en))
